@monthly @TST-M3
Feature: Network Failover
  On the third Monday of each month parts of the network fail. The platform goes on without a person, no customer is told
  that a transaction is stored which is not, and what was cut off comes back as a copy.

  @INF-1 @INF-2 @INF-3 @INF-4 @INF-5 @INF-8 @OBJ-1 @OBJ-2 @OBJ-4 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario: The leader's zone is cut off
    Given the platform serves customers, replicates and archives
    And the books were checked, and customers write outside and inside of every zone
    When the zone of the database's leader is cut off
    Then the monitoring tells operations what has failed, within the time that the plan gives
    And the database of another zone leads
    And customers are served by what is left, without a person
    When the health of the platform is verified
    And the zone is joined again
    Then who led before is a copy again
    And customers are served again within the recovery time of production
    And restoration is confirmed within the time that the plan gives
    And every health check answers within the time that the plan gives it
    And nothing that was acknowledged is lost
    And nobody was told by two leaders that a transaction is stored
    And the bad seconds are within what production may have in a year

  @INF-1 @INF-2 @INF-3 @INF-4 @INF-5 @INF-8 @OBJ-1 @OBJ-2 @OBJ-4 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario: A zone loses its power
    Given the platform serves customers, replicates and archives
    And the books were checked, and customers write
    When the zone of the database's leader loses its power
    Then the monitoring tells operations what has failed, within the time that the plan gives
    And the database of another zone leads
    And customers are served by what is left, without a person
    When the health of the platform is verified
    And the power is back
    Then who led before is a copy again
    And customers are served again within the recovery time of production
    And restoration is confirmed within the time that the plan gives
    And every health check answers within the time that the plan gives it
    And nothing that was acknowledged is lost
    And the bad seconds are within what production may have in a year

  @INF-1 @INF-2 @INF-3 @INF-4 @INF-5 @INF-7 @OBJ-1 @OBJ-2 @OBJ-4 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario: The active load balancer dies
    Given the platform serves customers, replicates and archives
    And the books were checked, and customers write
    When the active load balancer dies
    Then the monitoring tells operations what has failed, within the time that the plan gives
    And customers are served by what is left, without a person
    When the health of the platform is verified
    And what has failed is started again
    Then customers are served again within the recovery time of production
    And restoration is confirmed within the time that the plan gives
    And every health check answers within the time that the plan gives it
    And nothing that was acknowledged is lost
    And the bad seconds are within what production may have in a year

  @INF-1 @INF-2 @INF-3 @INF-4 @INF-5 @INF-7 @OBJ-1 @OBJ-2 @OBJ-4 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario: The leader loses the consensus store
    Given the platform serves customers, replicates and archives
    And the books were checked, and customers write outside and inside of every zone
    When the leader no longer reaches the consensus store, and still its copies
    Then the monitoring tells operations what has failed, within the time that the plan gives
    And the database of another zone leads
    And customers are served by what is left, without a person
    When the health of the platform is verified
    And the link is whole again
    Then who led before is a copy again
    And customers are served again within the recovery time of production
    And restoration is confirmed within the time that the plan gives
    And every health check answers within the time that the plan gives it
    And nothing that was acknowledged is lost
    And nobody was told by two leaders that a transaction is stored
    And the bad seconds are within what production may have in a year

  @INF-2 @INF-4 @INF-5 @INF-7 @OBJ-1 @OBJ-2 @OBJ-4 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario: Two zones are blind for each other
    Given the platform serves customers, replicates and archives
    And the books were checked, and customers write
    When the zones of the two copies no longer see each other
    And the health of the platform is verified
    And the link is whole again
    Then customers are served again within the recovery time of production
    And restoration is confirmed within the time that the plan gives
    And every health check answers within the time that the plan gives it
    And the platform has not changed its leader
    And nothing that was acknowledged is lost
    And the bad seconds are within what production may have in a year

  @INF-2 @INF-4 @INF-5 @INF-7 @OBJ-1 @OBJ-2 @OBJ-4 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario: A slow link
    Given the platform serves customers, replicates and archives
    And the books were checked, and customers write
    When the link of the leader's zone is slow
    And the health of the platform is verified
    And the link is whole again
    Then customers are served again within the recovery time of production
    And restoration is confirmed within the time that the plan gives
    And every health check answers within the time that the plan gives it
    And the platform has not changed its leader
    And nothing that was acknowledged is lost
    And the bad seconds are within what production may have in a year

  @INF-2 @INF-4 @INF-5 @INF-7 @OBJ-1 @OBJ-2 @OBJ-4 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario: A link that comes and goes
    Given the platform serves customers, replicates and archives
    And the books were checked, and customers write outside and inside of every zone
    When the link of the leader's zone comes and goes
    And the link has settled
    Then customers are served again by the platform itself
    When the health of the platform is verified
    Then customers are served again within the recovery time of production
    And restoration is confirmed within the time that the plan gives
    And every health check answers within the time that the plan gives it
    And the platform has changed its leader once at most
    And nothing that was acknowledged is lost
    And nobody was told by two leaders that a transaction is stored
    And the bad seconds are within what production may have in a year
