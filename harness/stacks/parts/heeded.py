"""What the parts of a stack and their clients heed of their caller's environment, which `harness.system.environment`
keeps from them: the names of variables, files of a home folder, and what decides them instead.
"""

NOWHERE = "/nonexistent"  # a folder that is not there, so no file in it decides anything
FIXED = {  # an old libpq asks /etc/passwd, and not HOME, where these files are
    "PGPASSFILE": f"{NOWHERE}/pgpass",
    "PGSERVICEFILE": f"{NOWHERE}/pg_service.conf",
}
VARIABLES = (
    r"PG[A-Z]+|PATRONI\w*|ETCD\w*|(PG)?BACKREST\w*|BARMAN\w*|AWS_\w+|S3_\w+|MOTO\w*|BOTO_CONFIG|ENVOY\w*|HAPROXY\w*"
    r"|ALERTMANAGER\w*|PROMETHEUS\w*"
)
FILES = (
    ".pgpass", ".pg_service.conf", ".psqlrc", ".postgresql", ".aws/config", ".aws/credentials",
    ".barman.conf", ".config/patroni",
)  # fmt: skip  # a list
