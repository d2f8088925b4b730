Feature: Service Recovery

  @SML-1 @SML-3
  Scenario: The service dies
    When the service dies
    Then customers are served again within the RTO of the service
