@monthly @TST-M1
Feature: Short Drill
  Something is hurt and healed at once. What is hurt is chosen by whoever tests.

  @OBJ-1 @OBJ-3 @APP-1
  Scenario: It is hurt and healed
    Given the platform serves customers
    And customers write
    When the component api-a dies
    And what was hurt is healed
    Then customers are served again by the platform itself
    When the health of the platform is verified
    Then nothing that was acknowledged is lost
    And every health check answers within the time that the plan gives it
