@monthly @TST-M1
Feature: Service Recovery
  Once a month the service dies. Nobody touches anything, and what customers were told is kept is there afterwards.

  @OBJ-1 @OBJ-2 @OBJ-3 @SUP-1 @APP-1
  Scenario: The service dies
    Given the platform serves customers
    And customers write
    And customers ask for what they know
    When the component service dies
    Then customers are served again, without a person
    When the health of the platform is verified
    Then customers are served again within the recovery time of the notebook
    And no more is lost this time than the recovery point of the notebook allows
    And nothing that was acknowledged is lost
    And customers were told nothing wrong for longer than the plan gives for detection
    And every health check answers within the time that the plan gives it

  @OBJ-1 @OBJ-2 @OBJ-3 @APP-1
  Scenario: The service hangs
    Given the platform serves customers
    And customers write
    When the component service hangs
    And what hangs goes on again
    Then customers are served again by the platform itself
    When the health of the platform is verified
    Then customers are served again within the recovery time of the notebook
    And no more is lost this time than the recovery point of the notebook allows
    And nothing that was acknowledged is lost
    And every health check answers within the time that the plan gives it
