"""Reconciliation: values that are compared before and after a disaster, and the carrying over of late writes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from harness.checks import Outcome, reconciliation
from harness.checks.reconciliation import Rule
from harness.procedures.reconciliation import ReconciledState, Salvaged, Values
from harness.stacks.parts import wal

if TYPE_CHECKING:
    import psycopg

ACCOUNTS = "quantumnest.accounts"
TABLE = "quantumnest.financial_transactions"

BROKEN_ACCOUNTS = f"""
    SELECT count(*) FROM {ACCOUNTS} a
    LEFT JOIN (SELECT to_account, sum(amount) AS sum FROM {TABLE} GROUP BY 1) received ON received.to_account = a.id
    LEFT JOIN (SELECT from_account, sum(amount) AS sum FROM {TABLE} GROUP BY 1) paid ON paid.from_account = a.id
    WHERE a.balance <> a.opening + coalesce(received.sum, 0) - coalesce(paid.sum, 0)
"""  # the rule of schema.sql: balance = opening + received - paid

PLACE = f"""
    SELECT coalesce(max(id), 0) AS last,
           (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)::text AS lsn,
           CASE WHEN pg_is_in_recovery() THEN '' ELSE pg_walfile_name(pg_current_wal_lsn()) END AS segment
    FROM {TABLE}
"""  # a copy has no segment of its own

HISTORY = f"""
    SELECT count(*) AS count, coalesce(sum(amount), 0)::text AS sum, max(created_at)::text AS latest,
           coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text AS digest,
           count(*) FILTER (WHERE created_at >= %(day)s) AS count_24h,
           coalesce(sum(amount) FILTER (WHERE created_at >= %(day)s), 0)::text AS sum_24h
    FROM {TABLE} t WHERE id <= %(last)s
"""  # CON-3, and a digest of every row that does not depend on their order

SEQUENCES = (
    "SELECT schemaname || '.' || sequencename AS name, coalesce(last_value, 0) AS last FROM pg_sequences ORDER BY 1"
)
EXTENSIONS = "SELECT extname || ' ' || extversion AS name FROM pg_extension ORDER BY 1"
ROLES = "SELECT rolname AS name FROM pg_roles WHERE rolname NOT LIKE 'pg\\_%' ORDER BY 1"
TABLES = """
    SELECT relname AS name, n_tup_ins AS inserted, n_tup_upd AS updated, n_tup_del AS deleted,
           last_vacuum::text, last_analyze::text
    FROM pg_stat_user_tables WHERE schemaname = 'quantumnest' ORDER BY n_tup_ins DESC, relname
"""  # CON-1
FAILURES = """
    SELECT coalesce(checksum_failures, 0) AS failures FROM pg_stat_database WHERE datname = current_database()
"""  # CON-2


FAILED_CHECKSUMS = "checksum_failures"  # of pages that somebody wanted to read, until now
IDS = "the greatest id in use"  # of each sequence
RULES = (
    Rule("equal", "history.count", "transactions up to the last check: number"),
    Rule("equal", "history.sum", "transactions up to the last check: sum of amounts"),
    Rule("equal", "history.latest", "transactions up to the last check: time of the latest"),
    Rule("equal", "history.digest", "transactions up to the last check: digest of every row"),
    Rule("equal", "history.count_24h", "transactions up to the last check: number in the last 24 h"),
    Rule("equal", "history.sum_24h", "transactions up to the last check: sum of amounts in the last 24 h"),
    Rule("zero", "invariant.broken_accounts", "accounts whose balance is not what their transactions say"),
    Rule("equal", "balances.sum", "balances: sum"),
    Rule("equal", "accounts.count", "accounts: number", required=False),
    Rule("zero", FAILED_CHECKSUMS, "pages with a wrong checksum", required=False),
    Rule("not_behind", "sequences", "sequence", than=IDS),
    Rule("equal", "extensions", "extensions"),
    Rule("equal", "roles", "roles"),
    Rule("same_names", "tables", "activity since the statistics began"),
)


class QuantumNestReconciliation:
    """Fills `harness.procedures.reconciliation.Reconciliation` for schema `quantumnest`."""

    rules = tuple(rule.said() for rule in RULES)

    def check(self, source: psycopg.Connection[Any], *, last: int | None = None) -> ReconciledState:
        """All values over the rows up to id `last`, in one snapshot."""
        with source.transaction(), _by_name(source) as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            place = cursor.execute(PLACE).fetchone()
            assert place is not None
            last = place["last"] if last is None else last
            day = self._one(
                cursor, f"SELECT max(created_at) - interval '24 hours' FROM {TABLE} WHERE id <= %s", (last,)
            )
            history = cursor.execute(HISTORY, {"last": last, "day": day}).fetchone() or {}
            values: Values = {f"history.{name}": value for name, value in history.items()}
            values["invariant.broken_accounts"] = self._one(cursor, BROKEN_ACCOUNTS)
            values["balances.sum"] = str(self._one(cursor, f"SELECT coalesce(sum(balance), 0) FROM {ACCOUNTS}"))
            values["accounts.count"] = self._one(cursor, f"SELECT count(*) FROM {ACCOUNTS}")
            values[FAILED_CHECKSUMS] = self._one(cursor, FAILURES)
            values[IDS] = {f"{TABLE}_id_seq": place["last"]}
            values["sequences"] = {row["name"]: row["last"] for row in cursor.execute(SEQUENCES)}
            values["extensions"] = [row["name"] for row in cursor.execute(EXTENSIONS)]
            values["roles"] = [row["name"] for row in cursor.execute(ROLES)]
            values["tables"] = {row.pop("name"): row for row in cursor.execute(TABLES)}
        timeline = wal.segment_at(place["segment"])[0] if place["segment"] else 0
        size = {"transactions": values["history.count"]}
        return ReconciledState(last=last, position=place["lsn"], history=timeline, values=values, size=size)

    def discrepancies(self, source: psycopg.Connection[Any]) -> list[str]:
        with _by_name(source) as cursor:
            broken = self._one(cursor, BROKEN_ACCOUNTS)
            failures = self._one(cursor, FAILURES)
        found = [f"{broken} accounts whose balance is not what their transactions say"] if broken else []
        return found + ([f"{failures} pages with a wrong checksum"] if failures else [])

    def differences(self, before: ReconciledState, found: ReconciledState) -> list[str]:
        """By the rules that judge it in the end, too."""
        compared = reconciliation.compare(RULES, before.values, found.values)
        return [each.why for each in compared if each.outcome is not Outcome.MET]

    def salvage(
        self, damaged: psycopg.Connection[Any], restored: psycopg.Connection[Any], *, since: datetime
    ) -> Salvaged:
        """Rows that committed since then, as the damaged database's commit timestamps say, and that the restored one
        does not have; balances move along, so that the rule of the accounts holds at the commit."""
        columns = "id, origin, number, from_account, to_account, amount, created_at"
        late = f"SELECT {columns} FROM {TABLE} WHERE pg_xact_commit_timestamp(xmin) >= '{since.isoformat()}'"
        with restored.transaction():
            restored.execute(f"CREATE TEMPORARY TABLE late (LIKE {TABLE}) ON COMMIT DROP")
            with (
                damaged.cursor().copy(f"COPY ({late}) TO STDOUT") as source,
                restored.cursor().copy(f"COPY late ({columns}) FROM STDIN") as target,
            ):
                for block in source:
                    target.write(block)
            restored.execute(f"DELETE FROM late WHERE EXISTS (SELECT FROM {TABLE} t WHERE t.id = late.id)")
            # A customer who found his transaction destroyed, and sent it again: the restored one is the original.
            restored.execute(
                f"DELETE FROM late USING {TABLE} t WHERE (t.origin, t.number) = (late.origin, late.number)"
            )
            restored.execute(f"INSERT INTO {TABLE} ({columns}) SELECT {columns} FROM late")
            restored.execute(
                f"UPDATE {ACCOUNTS} a SET balance = balance + moved.sum FROM"
                " (SELECT account, sum(amount) AS sum FROM (SELECT to_account AS account, amount FROM late"
                " UNION ALL SELECT from_account, -amount FROM late) moves GROUP BY account) moved"
                " WHERE a.id = moved.account"
            )
            restored.execute(
                f"SELECT setval('{TABLE}_id_seq', greatest((SELECT max(id) FROM {TABLE}),"
                f" (SELECT last_value FROM {TABLE}_id_seq)))"
            )
            row = restored.execute("SELECT count(*), coalesce(sum(amount), 0) FROM late").fetchone()
        assert row is not None
        return Salvaged(int(row[0]), Decimal(row[1]))

    def _one(self, cursor: psycopg.Cursor[Any], query: str, given: tuple[Any, ...] = ()) -> Any:
        row = cursor.execute(query.encode(), given).fetchone()
        assert row is not None
        return next(iter(row.values()))


def _by_name(connection: psycopg.Connection[Any]) -> psycopg.Cursor[dict[str, Any]]:
    """Its rows are dictionaries."""
    from psycopg.rows import dict_row  # noqa: PLC0415  (see drills.steps)

    return connection.cursor(row_factory=dict_row)


RECONCILIATION = QuantumNestReconciliation()
