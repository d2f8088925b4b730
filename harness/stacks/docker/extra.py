"""What the container stack stands on, on this side of the engine."""

from harness.stacks.extras import Extra

EXTRA = Extra(
    "docker",
    "bin/set-up docker",
    ("docker", "psycopg", "patroni", "moto", "flask", "flask_cors", "boto3", "pyroute2", "aiosmtpd", "testcontainers"),
)
