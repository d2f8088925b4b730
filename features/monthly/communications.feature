@monthly @MNT-1
Feature: Communications
  On the fourth Monday of each month, with the review of the contacts, a part of the platform fails and people are told.
  The plan names no drill of this: it is ours. Every message says that it is an exercise, and none leaves the stack.

  @COM-1 @COM-2 @COM-5 @COM-7 @COM-8
  Scenario: Every channel is up
    Given the platform serves customers, replicates and archives
    And whoever is called answers
    When the API server of one zone is killed
    And the roles of the plan are called
    And customers and stakeholders are told of the disruption
    Then the monitoring notices it
    When what has failed is started again
    And the health of the platform is verified
    And customers and stakeholders are told of the resolution
    Then each role of the plan is reached within the time that the plan gives
    And the primary channel is used first
    And customers are told of the disruption, and what the plan wants them to know
    And customers are told of the resolution, and not before it
    And customers have the post-incident report in the time that the plan gives
    And every message says that it is an exercise
    And nobody is told the same twice by one channel

  @COM-1 @COM-3
  Scenario: The primary channel is down
    Given the platform serves customers, replicates and archives
    And whoever is called answers
    And the primary channel takes nothing
    When the API server of one zone is killed
    And the roles of the plan are called
    Then the monitoring notices it
    When what has failed is started again
    And the health of the platform is verified
    Then each role of the plan is reached within the time that the plan gives
    And whoever it did not reach is called by the secondary channel
    And every message says that it is an exercise
    And nobody is told the same twice by one channel

  @COM-1 @COM-4
  Scenario: The primary and the secondary channel are down
    Given the platform serves customers, replicates and archives
    And whoever is called answers
    And the primary channel takes the message and never answers
    And the secondary channel takes nothing
    When the API server of one zone is killed
    And the roles of the plan are called
    Then the monitoring notices it
    When what has failed is started again
    And the health of the platform is verified
    Then each role of the plan is reached, or its deputy
    And whoever neither reached is called to the conference bridge
    And every message says that it is an exercise
    And nobody is told the same twice by one channel

  @COM-1
  Scenario: A role does not answer
    Given the platform serves customers, replicates and archives
    And whoever is called answers, but for the technical lead
    When the API server of one zone is killed
    And the roles of the plan are called
    Then the monitoring notices it
    When what has failed is started again
    And the health of the platform is verified
    Then each role of the plan is reached, or its deputy
    And every message says that it is an exercise
    And nobody is told the same twice by one channel

  @COM-1 @COM-3
  Scenario: The primary channel is rate-limited
    Given the platform serves customers, replicates and archives
    And whoever is called answers
    And the primary channel takes one message every few seconds
    When the API server of one zone is killed
    And the roles of the plan are called
    Then the monitoring notices it
    When what has failed is started again
    And the health of the platform is verified
    Then each role of the plan is reached within the time that the plan gives
    And whoever it did not reach is called by the secondary channel
    And every message says that it is an exercise
    And nobody is told the same twice by one channel

  @COM-5 @COM-6 @COM-7
  Scenario: A long incident
    Given the platform serves customers, replicates and archives
    And the incident will last for more than an hour, and its clock is compressed
    When the API server of one zone is killed
    And customers and stakeholders are told of the disruption
    And the incident goes on for more than an hour
    Then the monitoring notices it
    When what has failed is started again
    And the health of the platform is verified
    And customers and stakeholders are told of the resolution
    Then customers are told of the disruption, and what the plan wants them to know
    And customers are told again as often as the plan says
    And customers are told of the resolution, and not before it
    And every message says that it is an exercise
    And nobody is told the same twice by one channel
