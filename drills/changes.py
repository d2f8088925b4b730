"""What procedures do otherwise than the plan says, and where it says nothing, and why. Packs and runbooks say so."""

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

# Of a regional disaster the plan gives six steps and no script: what they leave open is decided here.
REGIONAL_FAILOVER = (
    Change(
        "says that the incident commander declares the disaster, and not when a region counts as down",
        "a region counts as down once monitoring that stands in no region names what has failed there, and the "
        "incident commander has declared the disaster; until then nothing is fenced and nothing promoted",
        "a region that is only slow, or only hidden from one observer, must not lose its database to a guess",
    ),
    Change(
        "gives no time within which a regional disaster is noticed",
        "monitoring outside of all regions has to name what has failed within 60 s, as for a failure of infrastructure",
        "who stands in the region that is lost tells nobody, and nothing is declared",
    ),
    Change(
        "does not say what happens where the cross-region replica cannot be used",
        "it is looked at before anything leads there: where it does not replay what it receives, or a page of it is "
        "damaged, the database is restored from the backups that are copied to the second region",
        "a replica that only streams is no database",
    ),
    Change(
        "does not say who may declare a disaster while the incident commander cannot be reached",
        "the deputy whom the contacts name, called as the communication plan calls deputies; nobody else",
        "two who may decide, and do not know of each other, are two regions that lead",
    ),
    Change(
        "activates the second region first, and restores the database from cross-region replicas",
        "fences the lost region's database servers before anything of the second is promoted",
        "a region that is silent may be alive: without a fence both take writes, and both tell customers that they did",
    ),
    Change(
        "does not say what of the replica has to be there before it serves",
        "waits until all that was received is replayed, and compares that with where the new history begins",
        "what a customer was told is stored may be received and not yet replayed",
    ),
    Change(
        "updates DNS, and gives neither a time to live nor a time within which customers have to follow",
        "answers are kept for 5 s, and customers of every place have to be led to the second region within 60 s; a "
        "name that was switched by hand stays switched, whatever health checks say",
        "a name that changes back by itself leads customers to a region that was fenced",
    ),
    Change(
        "gives two hours for the response, and does not say when that ends",
        "it ends when service is good again",
        "that is the strictest reading: whatever else is meant ends sooner",
    ),
    Change(
        "says nothing about the way back",
        "the lost region returns as a follower, by going on where its history is a beginning of the other's, else as a "
        "clone; the lead is handed back as planned, without a loss",
        "equal numbers of histories say nothing after two regions have led",
    ),
)
