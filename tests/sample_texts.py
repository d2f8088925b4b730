"""Feature and plan of a sample pack: as long as reports need them, and independent of the real ones."""

FEATURE = """\
@monthly @TST-M1
Feature: Database Backup Restoration
  On the first Monday of each month the database is destroyed and restored from its backups.

  Background:
    Given the platform serves customers in every zone, replicates and archives
    And the books were checked before the disaster

  @PIT-1 @OBJ-5 @OBJ-6
  Scenario: An operator's mistake
    When an operator's mistake destroys the last 24 hours of financial transactions
    Then the consistency checks notice it
    When the writers are stopped and the database is restored to just before the mistake
    And the restored database is verified
    And what customers wrote after the mistake is salvaged
    And the restored database is put in service
    Then customers are served again within the recovery time of critical financial data
    And no more is lost than the recovery point of critical financial data allows
    And the database was restored to exactly the ordered point
    And the books agree with those from before the disaster

  @PIT-1 @OBJ-5 @OBJ-6
  Scenario: All volumes lost
    When the database volumes of all zones are lost
    Then the health checks notice it
    When the database is restored from the latest sound backup and everything archived
    And the restored database is put in service
    Then customers are served again within the recovery time of critical financial data
    And no more is lost than the recovery point of critical financial data allows

  Scenario Outline: All volumes lost, and <damage>
    When <damage>, and nobody notices
    And the database volumes of all zones are lost
    Then the damage was found before anything was restored from it

    Examples:
      | damage                                         |
      | a byte is flipped in the latest base backup    |
      | an object of the latest base backup is deleted |
"""

PLAN = """\
format: 1
demands:
  OBJ-5: Critical financial data is back within 1 h
  OBJ-6: Critical financial data loses at most 5 min
  PIT-1: The latest base backup is fetched
  PIT-2: The write-ahead log is fetched
  PIT-3: PostgreSQL recovers to the given time and promotes
  CON-1: Per-table activity is verified
  CON-2: The database is checked for corruption
  CON-3: Count, sum of amounts and latest time of the last 24 h are verified
  APP-1: The API answers within 30 s
  APP-5: A test transaction succeeds
"""
