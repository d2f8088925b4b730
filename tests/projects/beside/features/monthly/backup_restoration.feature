@monthly @TST-M1
Feature: Backup Restoration
  Once a month the backups are restored into an empty place beside, what is in them is proved, and the place is removed.
  Nothing of the platform is hurt, and its repositories are only read.

  @OBJ-1 @OBJ-2 @BCK-1 @BCK-2
  Scenario: The newest backup of each database can be restored
    Given the backups of every database
    When the newest backup of each is restored into an empty place beside
    Then each holds what it must
    And restoring each takes less than the recovery time of the data
    And no more would be lost now than the recovery point of the data allows
    And the original stays as it was, and nothing is left of the copy

  @OBJ-1 @BCK-1 @BCK-2
  Scenario: A backup that nobody chose can be restored
    Given the backups of every database
    When a backup that the auditor's seed draws is restored into an empty place beside
    Then each holds what it must
    And restoring each takes less than the recovery time of the data
    And the original stays as it was, and nothing is left of the copy

  @OBJ-1 @BCK-1 @BCK-2
  Scenario: A backup that somebody names can be restored
    Given the backups of the database orders
    When the backup named 20261122F is restored into an empty place beside
    Then it holds what it must
    And restoring it takes less than the recovery time of the data
    And the original stays as it was, and nothing is left of the copy

  @BCK-1 @BCK-2
  Scenario: The newest backup of one database can be restored
    Given the backups of the database orders
    When the newest backup is restored into an empty place beside
    Then it holds what it must
    And the original stays as it was, and nothing is left of the copy

  @BCK-1 @BCK-2
  Scenario: It is recovered to a point, and no further
    Given the backups of the database orders
    When the newest backup is restored into an empty place beside, as of the point before-the-release
    Then it holds what it must
    And it was recovered to that point, and no further
    And the original stays as it was, and nothing is left of the copy
