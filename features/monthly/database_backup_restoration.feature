@monthly @TST-M1
Feature: Database Backup Restoration
  On the first Monday of each month the database is destroyed and restored from its backups.
  Customers keep records of their own: these, not the database, show what was lost.

  Background:
    Given the platform serves customers, replicates and archives
    And a base backup was taken, and the books were checked

  @PIT-1 @PIT-2 @PIT-3 @CON-1 @CON-2 @CON-3 @OBJ-5 @OBJ-6 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario: An operator's mistake
    When an operator's mistake destroys the last 24 hours of financial transactions
    Then the consistency checks notice it
    When the writers are stopped and the database is restored to just before the mistake
    And the restored database is verified
    And what customers wrote after the mistake is salvaged
    And the restored database is put in service
    Then customers are served again within the recovery time of critical financial data
    And no more is lost than the recovery point of critical financial data allows
    And nothing that customers wrote after the mistake is missing
    And the database was restored to exactly the ordered point
    And the books agree with those from before the disaster
    And every health check answers within the time that the plan gives it

  @PIT-1 @PIT-2 @PIT-3 @CON-1 @CON-2 @CON-3 @OBJ-5 @OBJ-6 @OBJ-8 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario: All volumes lost
    When the database volumes of all zones are lost
    Then the monitoring notices it
    When the database is restored from the latest sound backup and everything archived
    And the restored database is verified
    And the restored database is put in service
    Then customers are served again within the recovery time of critical financial data
    And no more is lost than the recovery point of critical financial data allows
    And the database was restored to exactly the ordered point
    And transaction data was backed up at least as often as critical financial data demands
    And the books agree with those from before the disaster
    And every health check answers within the time that the plan gives it

  @PIT-1 @PIT-2 @PIT-3 @CON-1 @CON-2 @CON-3 @OBJ-5 @OBJ-6 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario Outline: All volumes lost, and <damage>
    When <damage>, and nobody notices
    And the database volumes of all zones are lost
    Then the monitoring notices it
    When the database is restored from the latest sound backup and everything archived
    And the restored database is verified
    And the restored database is put in service
    Then the damage was found before anything was restored from it
    And customers are served again within the recovery time of critical financial data
    And no more is lost than the recovery point of critical financial data allows
    And the database was restored to exactly the ordered point
    And the books agree with those from before the disaster
    And every health check answers within the time that the plan gives it

    Examples:
      | damage                                                                     |
      | a byte is flipped in the latest base backup                                |
      | an object of the latest base backup is deleted                             |
      | a byte is flipped in a WAL segment archived after it                       |
      | a WAL segment archived after it is damaged, and no sound version of it is left |

  @CON-1 @CON-2 @CON-3 @OBJ-2 @OBJ-5 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario Outline: The leader's disk is damaged, <damage>
    When <damage>
    Then those who look after the database notice it
    When each copy is proved sound, and one of these is handed the lead
    And what is damaged is rebuilt from it
    And every server is proved sound
    Then customers are served again within the recovery time of critical financial data
    And nothing that was acknowledged is lost
    And the books agree with those from before the disaster
    And every health check answers within the time that the plan gives it

    Examples:
      | damage                                                              |
      | a byte is flipped on a page of a table on the leader's disk         |
      | a page of a table on the leader's disk is zeroed                    |
      | a page of another table takes the place of one on the leader's disk |

  @CON-1 @CON-2 @CON-3 @OBJ-2 @OBJ-5 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario Outline: The leader loses files, <loss>
    When <loss>
    Then the monitoring notices it
    When each server is proved sound, and one of these leads
    And what is damaged is rebuilt from it
    And every server is proved sound
    And a base backup is taken, for what was lost with the log may be missing in the archive
    Then customers are served again within the recovery time of critical financial data
    And nothing that was acknowledged is lost
    And the books agree with those from before the disaster
    And every health check answers within the time that the plan gives it

    Examples:
      | loss                                            |
      | the control file of the leader is gone          |
      | the whole write-ahead log of the leader is gone |

  @CON-1 @CON-2 @CON-3 @OBJ-2 @OBJ-5 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario Outline: An index is damaged, <damage>
    Given customers ask for what they know
    When <damage>
    Then amcheck, the database's own log and customers each notice it
    When the rows are proved sound, and the index is rebuilt from them
    And every index is proved against its rows, on every server
    Then customers were told nothing wrong for longer than the plan gives for detection
    And customers are served again within the recovery time of critical financial data
    And nothing that was acknowledged is lost
    And the books agree with those from before the disaster
    And every health check answers within the time that the plan gives it

    Examples:
      | damage                                                                  |
      | a byte is flipped on a page of the index of accounts                    |
      | a page of another index takes the place of one of the index of accounts |

  @PIT-1 @PIT-2 @PIT-3 @CON-1 @CON-2 @CON-3 @OBJ-5 @OBJ-6 @APP-1 @APP-2 @APP-3 @APP-4 @APP-5
  Scenario: The damage is in every copy and in the newest backup
    When a faulty job alters old amounts and balances, and every account still adds up
    And the next base backup is taken, and nobody notices
    Then the books add up, and only a comparison with the last check notices it
    When the writers are stopped, and the database is restored from the last backup that is verified sound to just before the damage
    And the restored database is verified
    And what customers wrote after the damage is salvaged
    And the restored database is put in service
    Then the last sound backup was found by verification, and not by its age
    And customers are served again within the recovery time of critical financial data
    And no more is lost than the recovery point of critical financial data allows
    And nothing that customers wrote after the damage is missing
    And the database was restored to exactly the ordered point
    And the books agree with those from before the disaster
    And every health check answers within the time that the plan gives it
