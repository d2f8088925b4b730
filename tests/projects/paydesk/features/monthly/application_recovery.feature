@monthly @TST-M1
Feature: Application Recovery
  Once a month a part of the payments desk dies, hangs or is cut off. Customers go on by what is left.

  @PAY-1 @PAY-2 @PAY-3 @PAY-4
  Scenario: An API server dies
    Given the platform serves customers
    And the books are checked
    And customers write
    And customers ask for what they know
    When one component of the role api dies
    Then customers are served by what is left, without a person
    When what has failed is started again
    And the health of the platform is verified
    Then customers are served again within the recovery time of payments
    And nothing that was acknowledged is lost
    And every health check answers within the time that the plan gives it
    And the books agree with those from before

  @PAY-1 @PAY-3
  Scenario: An API server hangs
    Given the platform serves customers
    And customers write
    When one component of the role api hangs
    Then customers are served by what is left, without a person
    When what hangs goes on again
    And the health of the platform is verified
    Then customers are served again within the recovery time of payments
    And nothing that was acknowledged is lost

  @PAY-1 @PAY-3
  Scenario: An API server is cut off
    Given the platform serves customers
    And customers write
    When one component of the role api is cut off
    Then customers are served by what is left, without a person
    When what is cut off is joined again
    Then customers are served again by the platform itself
    And customers are served again within the recovery time of payments
    And nothing that was acknowledged is lost

  @PAY-1 @PAY-3 @PAY-4
  Scenario: A copy of the database is cut off
    Given the platform serves customers
    And customers write
    When the component db-2 is cut off
    Then customers are served by what is left, without a person
    When what is cut off is joined again
    And the health of the platform is verified
    Then customers are served again within the recovery time of payments
    And health does not say that all is well while no customer is served
