"""One file per load balancer: its configuration, and the command that runs it."""
