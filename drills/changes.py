"""What the restoration does otherwise than the plan's own script, and why. The pack says so, and the runbook too."""

from harness.procedures import Change

RESTORE_DATABASE = (
    Change(
        "replaces postgresql.conf by three lines, in a folder that is not the data directory",
        "writes recovery.signal into the data directory, and settings into a file beside it that the server is told of",
        "since PostgreSQL 12 only recovery.signal starts a recovery: the script would start the old database as it is",
    ),
    Change(
        "starts the default cluster of the machine (systemctl start postgresql)",
        "starts the restored data directory, in an empty place, at an address that serves nobody",
        "the script never uses what it fetched; and nobody may read or write a database that is not verified",
    ),
    Change(
        "fetches every base backup there is into one folder",
        "fetches exactly one: the newest that is sound and older than the point to recover to",
        "several backups in one folder are no database, and a backup made after the mistake holds the mistake",
    ),
    Change(
        "fetches the whole WAL archive, then copies from it",
        "fetches each WAL file when it is asked for, and tells the end of the archive from a store out of reach",
        "the archive is larger than the disk; and PostgreSQL takes a failed copy for its end, in silence",
    ),
    Change(
        "trusts what is in the store",
        "compares every object with the SHA-256 recorded when it was made; takes an earlier backup, or an earlier "
        "version of the object, where one differs",
        "a backup with a flipped byte is restored without a word",
    ),
    Change(
        "recovers to a time that somebody gives",
        "finds the transaction in the database's log and in the write-ahead log, and stops just before its commit",
        "a rounded time either loses sound transactions or brings the mistake back",
    ),
    Change(
        "promotes, and ends",
        "checks tables, indexes, pages and books before anybody is served; carries late writes over; then makes the "
        "restored database the leader of the cluster, and the other zones its copies",
        "a promoted server that Patroni does not know serves nobody, has no copy, and may be wrong",
    ),
    Change(
        "says nothing about who still writes",
        "stops the platform's API in every zone first, and starts it last",
        "what is written into a database that will be replaced is lost",
    ),
)
