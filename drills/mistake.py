"""What people and jobs of QuantumNest may spoil: financial transactions of the last hours, or amounts of old ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drills.reconciliation import ACCOUNTS, TABLE
from harness.faults.alter_rows import AlterRows
from harness.faults.destroy_recent_rows import DestroyRecentRows

if TYPE_CHECKING:
    import psycopg

OPERATOR = "operator"  # the role of who works by hand


def recent_transactions_destroyed(hours: int) -> DestroyRecentRows:
    """Every second amount becomes 0, and the others are deleted."""
    at = "%(at)s::timestamptz"
    counted = f"created_at >= {at} - interval '{hours} hours' AND created_at < {at}"
    recent = f"created_at >= now() - interval '{hours} hours'"
    return DestroyRecentRows(
        operator=OPERATOR,
        statements=(
            f"UPDATE {TABLE} SET amount = 0 WHERE {recent} AND id % 2 = 0",
            f"DELETE FROM {TABLE} WHERE {recent} AND id % 2 = 1",
        ),
        moment="SELECT now()::text",
        sound=f"SELECT count(*) FROM {TABLE} WHERE {counted} AND amount <> 0",
        rows=f"rows of the last {hours} hours",
    )


def old_amounts_altered() -> AlterRows:
    """Some amounts of more than a day ago become greater by 1, and the balances of payer and payee move along: every
    account still adds up, and so do all balances."""
    some = f"FROM {TABLE} WHERE created_at < now() - interval '1 day' AND id % 499 = 0"
    moves = f"SELECT to_account AS account, 1 AS change {some} UNION ALL SELECT from_account, -1 {some}"
    return AlterRows(
        person=OPERATOR,
        statements=(
            # In order of account, as the platform itself locks them: no deadlock with customers.
            f"SELECT id FROM {ACCOUNTS} WHERE id IN (SELECT account FROM ({moves}) moves)"
            " ORDER BY id FOR NO KEY UPDATE",
            f"UPDATE {ACCOUNTS} a SET balance = balance + moved.sum FROM"
            f" (SELECT account, sum(change) AS sum FROM ({moves}) moves GROUP BY account) moved"
            " WHERE a.id = moved.account",
            f"UPDATE {TABLE} SET amount = amount + 1 WHERE id IN (SELECT id {some})",
        ),
        moment="SELECT now()::text",
        digest=f"SELECT coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text FROM {TABLE} t"
        " WHERE created_at < %(at)s::timestamptz - interval '1 hour'",
        rows="transactions of more than an hour ago",
    )


def old_transaction_changed(connection: psycopg.Connection[Any]) -> list[str]:
    """For a sabotage twin: what no sum of the books tells."""
    connection.execute(
        f"UPDATE {TABLE} SET created_at = created_at - interval '1 hour'"
        f" WHERE id = (SELECT min(id) FROM {TABLE})".encode()
    )
    return ["the time of the first transaction"]
