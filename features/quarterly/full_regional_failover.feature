@quarterly @TST-Q1
Feature: Full Regional Failover
  Once a quarter a whole region is lost: the second one takes over, and the lost one comes back as a follower first.

  @REG-1 @REG-2 @REG-3 @REG-4 @REG-5 @REG-6 @REG-7 @REG-8 @OBJ-1 @OBJ-5 @OBJ-6 @CON-1 @CON-2 @CON-3 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario: Blackout of the primary region
    Given the platform serves customers, replicates and archives
    And whoever is called answers
    And the books were checked, and customers write in both regions and in neither
    When the primary region loses its power
    Then monitoring that stands in neither region notices it
    When the roles of the plan are called
    And customers and stakeholders are told of the disruption
    And the regional disaster is declared, and the lost region is fenced
    And the database of the second region leads, and its services are ready
    And the names are switched to the second region
    And the health of the platform is verified
    And customers and stakeholders are told of the resolution
    And the lost region returns, and follows the second
    And the primary region takes over again, as planned
    Then the incident commander declared the disaster
    And all services were tested comprehensively
    And stakeholders and customers were told
    And customers are served again within the recovery time of production
    And customers are served again within the recovery time of critical financial data
    And the response keeps the time that the plan gives
    And no more is lost with the region than the recovery point of critical financial data allows
    And all that the second region had received was replayed before it led
    And once it was fenced the lost region took no write until it was in service again
    And nobody was told by both regions that a transaction is stored
    And the planned switchback lost nothing
    And the books agree with those from before the disaster
    And each role of the plan is reached within the time that the plan gives
    And customers are told of the disruption, and what the plan wants them to know
    And customers are told of the resolution, and not before it
    And every health check answers within the time that the plan gives it

  @REG-1 @REG-2 @REG-3 @REG-4 @REG-8 @OBJ-5 @OBJ-6
  Scenario: Failback
    Given the platform serves customers, replicates and archives
    And the books were checked, and customers write in both regions and in neither
    When the primary region loses its power
    Then monitoring that stands in neither region notices it
    When the regional disaster is declared, and the lost region is fenced
    And the database of the second region leads, and its services are ready
    And the names are switched to the second region
    And the health of the platform is verified
    And the lost region returns, and follows the second
    And the primary region takes over again, as planned
    Then all that the second region had received was replayed before it led
    And customers are served again within the recovery time of critical financial data
    And once it was fenced the lost region took no write until it was in service again
    And the planned switchback lost nothing
    And nobody was told by both regions that a transaction is stored
    And no more is lost with the region than the recovery point of critical financial data allows

  @REG-2 @REG-3 @REG-4 @REG-8 @OBJ-5 @OBJ-6
  Scenario: The region comes back by itself, network before the promotion
    Given the platform serves customers, replicates and archives
    And the books were checked, and customers write in both regions and in neither
    When the primary region is cut off
    Then the monitoring notices it
    When the regional disaster is declared, and the lost region is fenced
    And the network of the lost region comes back by itself
    And the database of the second region leads, and its services are ready
    And the names are switched to the second region
    And the health of the platform is verified
    And the lost region returns, and follows the second
    And the primary region takes over again, as planned
    Then once it was fenced the lost region took no write until it was in service again
    And customers are served again within the recovery time of critical financial data
    And nobody was told by both regions that a transaction is stored
    And all that the second region had received was replayed before it led
    And no more is lost with the region than the recovery point of critical financial data allows
    And the planned switchback lost nothing

  @REG-2 @REG-3 @REG-4 @REG-8 @OBJ-5 @OBJ-6
  Scenario: The region comes back by itself, power after the promotion
    Given the platform serves customers, replicates and archives
    And the books were checked, and customers write in both regions and in neither
    When the primary region loses its power
    Then the monitoring notices it
    When the regional disaster is declared, and the lost region is fenced
    And the database of the second region leads, and its services are ready
    And the power of the lost region comes back by itself
    And the names are switched to the second region
    And the health of the platform is verified
    And the lost region returns, and follows the second
    And the primary region takes over again, as planned
    Then once it was fenced the lost region took no write until it was in service again
    And customers are served again within the recovery time of critical financial data
    And nobody was told by both regions that a transaction is stored
    And all that the second region had received was replayed before it led
    And no more is lost with the region than the recovery point of critical financial data allows
    And the planned switchback lost nothing

  @REG-1 @REG-2 @REG-3 @REG-4 @REG-7 @OBJ-5 @OBJ-6
  Scenario: Partly gone
    Given the platform serves customers, replicates and archives
    And the books were checked, and customers write in both regions and in neither
    When the store and the load balancers of the primary region die, and its database still answers
    Then the monitoring notices it
    When what each choice would cost is weighed by the rule of the plan
    And the regional disaster is declared, and the lost region is fenced
    And the database of the second region leads, and its services are ready
    And the names are switched to the second region
    And the health of the platform is verified
    And the lost region returns, and follows the second
    And the primary region takes over again, as planned
    Then customers are served again within the recovery time of critical financial data
    And the response keeps the time that the plan gives
    And no more is lost with the region than the recovery point of critical financial data allows
    And all that the second region had received was replayed before it led
    And once it was fenced the lost region took no write until it was in service again
    And nobody was told by both regions that a transaction is stored
    And the planned switchback lost nothing

  @REG-2 @REG-3 @REG-4 @REG-8 @OBJ-1 @OBJ-5 @OBJ-6 @CON-2
  Scenario: The replica cannot be used, its replay stopped long ago
    Given the platform serves customers, replicates and archives
    And the books were checked, and customers write until it is in the backups of the second region
    When the second region replays nothing any more, and nobody notices
    And the primary region loses its power
    Then the monitoring notices it
    And whether the replica can be used is looked at
    When the regional disaster is declared, the lost region is fenced, and the replica is given up
    And the database is restored from the backups of the second region, and leads there
    And the names are switched to the second region
    And the health of the platform is verified
    And the lost region returns, and follows the second
    And the primary region takes over again, as planned
    Then nothing led there that could not be used
    And customers are served again within the recovery time of critical financial data
    And no more is lost than the recovery point of critical financial data allows
    And once it was fenced the lost region took no write until it was in service again
    And nobody was told by both regions that a transaction is stored
    And the planned switchback lost nothing

  @REG-2 @REG-3 @REG-4 @REG-8 @OBJ-1 @OBJ-5 @OBJ-6 @CON-2
  Scenario: The replica cannot be used, its data is damaged
    Given the platform serves customers, replicates and archives
    And the books were checked, and customers write until it is in the backups of the second region
    When the primary region loses its power
    And pages of each database server of the second region turn out to be damaged
    Then the monitoring notices it
    And whether the replica can be used is looked at
    When the regional disaster is declared, the lost region is fenced, and the replica is given up
    And the database is restored from the backups of the second region, and leads there
    And the names are switched to the second region
    And the health of the platform is verified
    And the lost region returns, and follows the second
    And the primary region takes over again, as planned
    Then nothing led there that could not be used
    And customers are served again within the recovery time of critical financial data
    And no more is lost than the recovery point of critical financial data allows
    And once it was fenced the lost region took no write until it was in service again
    And nobody was told by both regions that a transaction is stored
    And the planned switchback lost nothing

  @REG-2 @REG-4 @OBJ-5 @OBJ-6
  Scenario: One name is switched and the other is not
    Given the platform serves customers, replicates and archives
    And the books were checked, and customers write by each name, some of them by resolvers that keep what they were told
    When the primary region loses its power
    Then the monitoring notices it
    When the regional disaster is declared, and the lost region is fenced
    And the database of the second region leads, and its services are ready
    And one name is switched to the second region, and the other is not
    And the names are switched to the second region
    And the health of the platform is verified
    And the lost region returns, and follows the second
    And the primary region takes over again, as planned
    Then what customers of each name and of each resolver saw is told
    And customers are served again within the recovery time of critical financial data
    And no more is lost with the region than the recovery point of critical financial data allows
    And what customers saw whose resolvers keep an old answer is told
    And once it was fenced the lost region took no write until it was in service again
    And nobody was told by both regions that a transaction is stored
    And the planned switchback lost nothing

  @REG-2 @REG-4 @OBJ-5 @OBJ-6
  Scenario: Names cannot be changed
    Given the platform serves customers, replicates and archives
    And the books were checked, and customers write by each name, some of them by resolvers that keep what they were told
    When the primary region loses its power, and what changes names hangs with it
    Then the monitoring notices it
    When the regional disaster is declared, and the lost region is fenced
    And the database of the second region leads, and its services are ready
    And no name can be switched, and health leads customers to the second region
    And the health of the platform is verified
    And what changes names answers again
    And the names are switched to the second region
    And the lost region returns, and follows the second
    And the primary region takes over again, as planned
    Then what customers of each name and of each resolver saw is told
    And customers are served again within the recovery time of critical financial data
    And no more is lost with the region than the recovery point of critical financial data allows
    And once it was fenced the lost region took no write until it was in service again
    And nobody was told by both regions that a transaction is stored
    And the planned switchback lost nothing
