@monthly @TST-M2
Feature: Database Failover
  Once a month the database's leader fails. Another server leads, as the platform's owner has it lead, and nobody is told
  what is not so.

  @PAY-1 @PAY-2 @PAY-4 @PAY-6
  Scenario: The leader dies
    Given the platform serves customers
    And the books are checked
    And every database server is asked who leads, all the time
    And customers write
    When the database's leader dies
    And the database is failed over as its owner does it
    Then another database server leads
    When the health of the platform is verified
    Then customers are served again within the recovery time of payments
    And no more is lost this time than the recovery point of payments allows
    And no two database servers led at one time
    And the books agree with those from before

  @PAY-1 @PAY-2 @PAY-6
  Scenario: A copy is cut off before the leader dies
    Given the platform serves customers
    And every database server is asked who leads, all the time
    And customers write
    When a copy of the database is cut off, and customers write on
    And the database's leader dies
    And what is cut off is joined again, and the rest stays as it is
    And the database is failed over as its owner does it
    Then another database server leads
    When the health of the platform is verified
    Then customers are served again within the recovery time of payments
    And no more is lost this time than the recovery point of payments allows
    And nothing that was acknowledged is lost
    And no two database servers led at one time

  @PAY-1 @PAY-6
  Scenario: The leader hangs
    Given the platform serves customers
    And every database server is asked who leads, all the time
    And customers write
    When the database's leader hangs
    And what hangs goes on again
    Then customers are served again by the platform itself
    When the health of the platform is verified
    Then customers are served again within the recovery time of payments
    And no two database servers led at one time

  @PAY-1 @PAY-3 @PAY-6
  Scenario: The leader is cut off
    Given the platform serves customers
    And every database server is asked who leads, all the time
    And customers write
    When the database's leader is cut off
    And the database is failed over as its owner does it
    Then another database server leads
    When what is cut off is joined again
    Then who led before is a copy again
    When the health of the platform is verified
    Then customers are served again within the recovery time of payments
    And no two database servers led at one time

  @PAY-3 @PAY-4
  Scenario: Nobody has another server lead
    Given the platform serves customers
    And customers write
    When the database's leader dies
    Then customers are served again, without a person
    When the health of the platform is verified
    And the database is failed over as its owner does it
    Then another database server leads
    And health does not say that all is well while no customer is served
