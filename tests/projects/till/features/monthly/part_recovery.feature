@monthly @TST-M1
Feature: Part Recovery
  Once a month a part of the till fails, one after the other, on the containers that its owner runs.

  @OBJ-1 @OBJ-2 @OBJ-3 @SUP-1 @APP-1
  Scenario: One of two services dies
    Given the platform serves customers
    And customers write
    When the component api-a dies
    Then customers are served by what is left, without a person
    When the health of the platform is verified
    Then customers are served again within the recovery time of the till
    And no more is lost this time than the recovery point of the till allows
    And nothing that was acknowledged is lost
    And every health check answers within the time that the plan gives it

  @OBJ-1 @OBJ-2 @APP-1
  Scenario: A service hangs
    Given the platform serves customers
    And customers write
    When the component api-b hangs
    And what hangs goes on again
    Then customers are served again by the platform itself
    When the health of the platform is verified
    Then customers are served again within the recovery time of the till
    And every health check answers within the time that the plan gives it

  @OBJ-1 @OBJ-2 @APP-1
  Scenario: The copy of the database is cut off
    Given the platform serves customers
    And customers write
    When the component db-2 is cut off
    And what is cut off is joined again
    Then customers are served again by the platform itself
    When the health of the platform is verified
    Then customers are served again within the recovery time of the till
    And every health check answers within the time that the plan gives it

  @OBJ-1 @OBJ-2 @APP-1
  Scenario: Who leads the database dies
    Given the platform serves customers
    And customers write
    When the database's leader dies
    And the database is failed over as its owner does it
    Then another database server leads
    When the health of the platform is verified
    Then customers are served again within the recovery time of the till
    And no more is lost this time than the recovery point of the till allows
    And every health check answers within the time that the plan gives it
