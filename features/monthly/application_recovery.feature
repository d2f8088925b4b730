@monthly @TST-M2
Feature: Application Recovery
  On the second Monday of each month parts of the platform's application fail. Customers are served by what is left,
  operations are told what has failed, and it is brought back.

  Background:
    Given the platform serves customers, replicates and archives
    And the books were checked, and customers write

  @INF-1 @INF-2 @INF-3 @INF-4 @INF-5 @INF-6 @OBJ-1 @OBJ-4 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario: An API server dies
    When the API server of one zone is killed
    Then the monitoring tells operations what has failed, within the time that the plan gives
    And customers are served by what is left, without a person
    When the health of the platform is verified
    And what has failed is started again
    Then customers are served again within the recovery time of production
    And restoration is confirmed within the time that the plan gives
    And every health check answers within the time that the plan gives it
    And nothing that was acknowledged is lost
    And the bad seconds are within what production may have in a year

  @INF-1 @INF-2 @INF-3 @INF-4 @INF-5 @INF-6 @OBJ-1 @OBJ-4 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario: A host dies
    When the host of the database's leader dies, with everything that runs on it
    Then the monitoring tells operations what has failed, within the time that the plan gives
    And the database of another zone leads
    And customers are served by what is left, without a person
    When the health of the platform is verified
    And what has failed is started again
    Then customers are served again within the recovery time of production
    And restoration is confirmed within the time that the plan gives
    And every health check answers within the time that the plan gives it
    And nothing that was acknowledged is lost
    And the bad seconds are within what production may have in a year

  @INF-1 @INF-2 @INF-3 @INF-4 @INF-5 @INF-6 @OBJ-1 @OBJ-4 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario: An API server hangs
    When the API server of one zone hangs
    Then the monitoring tells operations what has failed, within the time that the plan gives
    And customers are served by what is left, without a person
    When the health of the platform is verified
    And what has failed is started again
    Then customers are served again within the recovery time of production
    And restoration is confirmed within the time that the plan gives
    And every health check answers within the time that the plan gives it
    And nothing that was acknowledged is lost
    And the bad seconds are within what production may have in a year

  @INF-1 @INF-2 @INF-3 @INF-4 @INF-5 @INF-7 @OBJ-1 @OBJ-4 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario: An API server is cut off from its database
    When the API server of one zone can no longer reach the database's leader
    Then the monitoring tells operations what has failed, within the time that the plan gives
    And that server says that it is well, and not ready
    And customers are served by what is left, without a person
    When the health of the platform is verified
    And the link is whole again
    Then that server takes requests again by itself
    And customers are served again within the recovery time of production
    And restoration is confirmed within the time that the plan gives
    And every health check answers within the time that the plan gives it
    And nothing that was acknowledged is lost
    And the bad seconds are within what production may have in a year

  @INF-1 @INF-2 @INF-3 @INF-4 @INF-5 @OBJ-1 @OBJ-4 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario: The database refuses the platform's credentials
    When the database refuses the platform's credentials
    Then the monitoring tells operations what has failed, within the time that the plan gives
    And every server says that it is well, and not ready
    When the credentials are accepted again
    Then customers are served again by the platform itself
    When the health of the platform is verified
    Then customers are served again within the recovery time of production
    And restoration is confirmed within the time that the plan gives
    And every health check answers within the time that the plan gives it
    And nothing that was acknowledged is lost
    And the bad seconds are within what production may have in a year

  @INF-1 @INF-3 @INF-4 @INF-5 @OBJ-1 @OBJ-4 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario: A release brings every API server down
    When a release that cannot start is deployed everywhere
    Then the monitoring tells operations what has failed, within the time that the plan gives
    And the health verification names everything that fails
    When the release before is deployed again
    And the health of the platform is verified
    Then customers are served again within the recovery time of production
    And restoration is confirmed within the time that the plan gives
    And every health check answers within the time that the plan gives it
    And nothing that was acknowledged is lost
    And the bad seconds are within what production may have in a year

  @INF-1 @INF-2 @INF-3 @INF-4 @INF-5 @INF-6 @OBJ-1 @OBJ-4 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario: The volume of the database's leader is full
    When the volume of the database's leader takes no more
    Then the monitoring tells operations what has failed, within the time that the plan gives
    And customers are served by what is left, without a person
    When the health of the platform is verified
    And the volume has room again
    Then who led before is a copy again
    And customers are served again within the recovery time of production
    And restoration is confirmed within the time that the plan gives
    And every health check answers within the time that the plan gives it
    And nothing that was acknowledged is lost
    And the bad seconds are within what production may have in a year
