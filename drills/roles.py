"""Who the plan gives decisions to."""

COMMANDER = "incident commander"
