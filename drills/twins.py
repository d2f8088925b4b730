"""Sabotage twins: the drills on recoveries that are broken on purpose. `drdrill prove` runs them."""

from __future__ import annotations

from datetime import timedelta

from harness.checks import Outcome
from harness.procedures.find_sound_backup import LOOKS
from harness.procedures.looks import BOOKS
from harness.run.sabotage import Sabotage, Twin

MISSED = frozenset({Outcome.MISSED})
UNKNOWN = frozenset({Outcome.UNKNOWN})
MISTAKE = "An operator's mistake"
LOST = "All volumes lost"
BEYOND_REPAIR = f"{LOST}, and a WAL segment archived after it is damaged, and no sound version of it is left"
FLIPPED = "The leader's disk is damaged, a byte is flipped on a page of a table on the leader's disk"
ZEROED = "The leader's disk is damaged, a page of a table on the leader's disk is zeroed"
LOG_LOST = "The leader loses files, the whole write-ahead log of the leader is gone"
FOREIGN_PAGE = "An index is damaged, a page of another index takes the place of one of the index of accounts"
REPLICATED = "The damage is in every copy and in the newest backup"

API_DIES, API_HANGS = "An API server dies", "An API server hangs"
CUT_OFF = "The leader's zone is cut off"
BLACKOUT, FAILBACK = "Blackout of the primary region", "Failback"
PARTITION = "The region comes back by itself, network before the promotion"
ONE_NAME, NO_NAMES = "One name is switched and the other is not", "Names cannot be changed"
STALE_REPLICA = "The replica cannot be used, its replay stopped long ago"
ALL_UP, PRIMARY_DOWN, LONG_INCIDENT = "Every channel is up", "The primary channel is down", "A long incident"

TWINS: dict[str, tuple[Twin, ...]] = {
    "database-backup-restoration": (
        Twin("archiving-off", LOST, Sabotage(stack={"archiving": "off"}), "steady", UNKNOWN,
             "nothing is archived: the stack is not steady, and nothing is hurt"),
        Twin("archiving-stalls", LOST, Sabotage(archive_stalls=True), "exposure", UNKNOWN,
             "the archive falls behind: how far it would have come to is not known"),
        Twin("no-sound-backup", LOST, Sabotage(no_sound_backup=True), "procedure", MISSED,
             "every base backup is damaged for good: nothing can be restored"),
        Twin("a-minute-too-early", MISTAKE, Sabotage(earlier=timedelta(minutes=1)), "exactness", MISSED,
             "the database is restored to a minute before the mistake"),
        Twin("ends-early-and-says-nothing", BEYOND_REPAIR, Sabotage(silent=True), "exactness", MISSED,
             "the archive cannot be replayed to its end, and the recovery does not say so"),
        Twin("never-put-in-service", MISTAKE, Sabotage(without=frozenset({"serve"})), "rto", UNKNOWN,
             "the database is restored and verified, and serves nobody"),
        Twin("salvage-skipped", MISTAKE, Sabotage(without=frozenset({"salvage"})), "salvage", MISSED,
             "what customers wrote after the mistake is dropped"),
        Twin("customers-idle", LOST, Sabotage(idle=True), "loss", UNKNOWN,
             "nobody wrote anything, so nothing can have been lost"),
        Twin("toothless-fault", LOST, Sabotage(toothless=True), "effective", UNKNOWN,
             "the fault does nothing"),
        Twin("old-transaction-changed", MISTAKE, Sabotage(altered=True), "consistency", MISSED,
             "somebody changes the time of an old transaction, and no sum tells of it"),
        Twin("index-rebuilt-from-damaged-rows", FOREIGN_PAGE,
             Sabotage(rows_damaged=True, without=frozenset({"prove-the-heap"})), "heap-proved", MISSED,
             "rows are lost with the index, and it is rebuilt from what is left without a look at that"),
        Twin("checksums-off", ZEROED, Sabotage(stack={"checksums": "off"}), "copy-proved", MISSED,
             "pages have no checksums, so nobody can say of any copy whether it is sound"),
        Twin("only-the-leader-is-looked-at", ZEROED,
             Sabotage(copies_damaged=True, without=frozenset({"prove-each-copy"})), "copy-proved", MISSED,
             "the copies are damaged too, and one of them is promoted because it streams"),
        Twin("damaged-server-leads-again", FLIPPED,
             Sabotage(stack={"synchronous": "off"}, handed_back=True,  # else one of two copies alone is let lead
                      without=frozenset({"rebuild-each-damaged-server", "prove-every-server"})),
             "copy-proved", MISSED, "the damaged server is left as it is, and is handed the lead again"),
        Twin("damage-shown-as-empty", FLIPPED,
             Sabotage(hidden=True, without=frozenset({"hand-over-the-lead", "rebuild-each-damaged-server"})),
             "consistency", MISSED, "zero_damaged_pages as a cure: what cannot be read is shown as if it were empty"),
        Twin("lost-log-left-as-it-is", LOG_LOST,
             Sabotage(without=frozenset({"rebuild-each-damaged-server", "prove-every-server"})), "server-rebuilt",
             MISSED, "a copy leads, and the server without its log is left as it is"),
        Twin("verification-skipped", MISTAKE, Sabotage(without=frozenset({"verify"})), "verified", MISSED,
             "the database is put in service without being verified"),
        Twin("newest-backup-by-its-age", REPLICATED, Sabotage(unlooked=frozenset(LOOKS)), "sound-backup", MISSED,
             "the newest backup is taken for its age, and holds the damage"),
        Twin("backups-verified-without-the-books", REPLICATED, Sabotage(unlooked=frozenset({BOOKS})), "sound-backup",
             MISSED, "pages, tables and indexes of the newest backup are sound, and nobody compares its books"),
        Twin("salvage-after-damage-skipped", REPLICATED, Sabotage(without=frozenset({"salvage"})), "salvage", MISSED,
             "what customers wrote after the damage is dropped"),
    ),
    "application-recovery": (
        Twin("alert-sink-unreachable", API_DIES, Sabotage(receiver_lost=True), "detection", MISSED,
             "nobody is told, although service comes back"),
        Twin("alert-names-the-wrong-zone", API_DIES, Sabotage(stack={"alerts": "wrong"}), "alert", MISSED,
             "every alert names a zone that is no longer there, and its component"),
        Twin("fault-heals-itself-too-early", API_DIES, Sabotage(brief=True), "effective", UNKNOWN,
             "the fault bites, and has ended before anybody could have noticed it"),
        Twin("nothing-is-started-again", API_DIES, Sabotage(without=frozenset({"start it again"})),
             "back-in-rotation", MISSED, "what has failed is found, and left as it is"),
        Twin("health-checks-look-at-the-port", API_HANGS, Sabotage(stack={"health_checks": "port"}), "automatic",
             MISSED, "the load balancers are content with a port that takes connections"),
        Twin("ready-always-says-yes", "The database refuses the platform's credentials",
             Sabotage(stack={"ready": "always"}), "honest-ready", MISSED,
             "servers say that they are ready, and store nothing"),
        Twin("never-rolled-back", "A release brings every API server down",
             Sabotage(without=frozenset({"deploy the release before", "see every zone serve"})), "rolled-back", MISSED,
             "the release before is found, and not deployed"),
    ),
    "network-failover": (
        Twin("no-second-load-balancer", "The active load balancer dies", Sabotage(stack={"balancers": 1}), "automatic",
             MISSED, "the only load balancer is gone, and customers reach nobody"),
        Twin("synchronous-replication-off", CUT_OFF, Sabotage(stack={"synchronous": "off"}), "no-loss", MISSED,
             "the leader that is cut off goes on saying that transactions are stored, and they are on no other zone"),
        Twin("fencing-off", CUT_OFF, Sabotage(stack={"synchronous": "off"}, unfenced=True), "split-brain", MISSED,
             "the leader that is cut off is never stopped, and two leaders say that transactions are stored"),
        Twin("zone-alerts-name-the-wrong-zone", "A zone loses its power", Sabotage(stack={"alerts": "wrong"}), "alert",
             MISSED, "every alert names a zone that is no longer there, and its component"),
        Twin("nobody-is-told-of-a-cut", CUT_OFF, Sabotage(receiver_lost=True), "detection", MISSED,
             "nobody is told, although another zone takes over"),
        Twin("cut-heals-itself-too-early", CUT_OFF, Sabotage(brief=True), "effective", UNKNOWN,
             "the cut bites, and has ended before another zone could lead"),
    ),
    "full-regional-failover": (
        Twin("record-not-switched", BLACKOUT,
             Sabotage(without=frozenset({"switch-the-names", "see-what-resolvers-say"})), "names-switched", MISSED,
             "the second region leads, and nobody has changed the records of the names"),
        Twin("promotion-without-fencing", BLACKOUT, Sabotage(without=frozenset({"fence-the-lost-region"})),
             "region-fenced", MISSED, "the second region is promoted, and nothing keeps the first from leading, too"),
        Twin("promotion-without-fencing-in-a-partition", PARTITION,
             Sabotage(without=frozenset({"fence-the-lost-region", "wait-until-all-is-replayed"})), "two-leaders",
             MISSED, "the first region is alive, and back; nobody looks at it, and both tell customers that "
             "transactions are stored"),
        Twin("standby-replays-nothing", BLACKOUT, Sabotage(replay_stopped=True), "replayed-all", MISSED,
             "the second region receives all that is written, and replays nothing of it"),
        Twin("second-region-never-asked", BLACKOUT, Sabotage(without=frozenset({"see-every-service-ready"})),
             "second-region-activated", MISSED, "customers are sent to the second region before anybody has looked at "
             "its services"),
        Twin("second-store-is-empty", BLACKOUT, Sabotage(stack={"replication": "off"}), "second-region-activated",
             MISSED, "no backup was ever copied to the second region, and nobody has said so"),
        Twin("switchback-drops-the-newest-writes", FAILBACK,
             Sabotage(without=frozenset({"stop-the-writers", "wait-until-the-first-has-all", "see-that-all-has-come",
                                         "demote-the-second-region", "see-the-second-follow"})),
             "switchback-lossless", MISSED, "the first region is promoted while customers still write in the second"),
        Twin("names-kept-for-an-hour", ONE_NAME, Sabotage(stack={"answers": "an hour"}), "names-switched", MISSED,
             "the records are changed, and for an hour whoever has resolved a name need not ask again"),
        Twin("replay-falls-short", FAILBACK, Sabotage(falls_short=True), "replayed-all", MISSED,
             "replay stops just before the end of what was received, and so little is taken for nothing"),
        Twin("monitoring-in-the-lost-region", FAILBACK, Sabotage(stack={"monitoring": "inside"}), "detection", MISSED,
             "what watches both regions stands in one of them, and is gone with it"),
        Twin("one-service-asked-of-all", PARTITION, Sabotage(one_asked=True), "second-region-activated", MISSED,
             "one zone of the second region is ready, and nobody has asked the rest of it"),
        Twin("failback-only-looks-whole", FAILBACK, Sabotage(looks_whole=True), "region-follows", MISSED,
             "both regions led, their histories have one number, and the first is told to follow as if they were one"),
        Twin("customers-never-resolve-again", ONE_NAME, Sabotage(never_resolve=True), "stale-resolvers", MISSED,
             "what a name stood for is kept for ever, whatever is said of it since"),
        Twin("resolvers-ask-once", NO_NAMES, Sabotage(never_resolve=True), "each-resolver", MISSED,
             "health leads customers away, and some have resolvers that keep what they were told before"),
        Twin("replica-trusted-unseen", STALE_REPLICA,
             Sabotage(replica_trusted=True, without=frozenset({"wait-until-all-is-replayed"})), "replica-refused",
             MISSED, "the replica streams, nobody looks at what it has replayed, and it leads"),
    ),
    "communications": (
        Twin("wrong-contact", ALL_UP, Sabotage(telling="wrong contact"), "roles-reached", MISSED,
             "the addresses of the technical lead are somebody else's, and only the deputy answers"),
        Twin("message-lost", ALL_UP, Sabotage(telling="message lost"), "primary-channel", MISSED,
             "the primary channel says that it took each call, and loses it"),
        Twin("exercise-missing", ALL_UP, Sabotage(telling="EXERCISE missing"), "marked-as-exercise", MISSED,
             "no message says that it is an exercise"),
        Twin("resolution-too-soon", ALL_UP, Sabotage(telling="resolution too soon"), "customers-told-resolved", MISSED,
             "customers are told that all is well while it is not"),
        Twin("fallback-off", PRIMARY_DOWN, Sabotage(telling="fallback off"), "secondary-channel", MISSED,
             "the primary channel is down, and no other is tried"),
        Twin("update-forgotten", LONG_INCIDENT, Sabotage(telling="update forgotten"), "customers-updated", MISSED,
             "the first update to customers is forgotten"),
    ),
}  # fmt: skip  # a table
