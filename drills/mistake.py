"""What an operator of QuantumNest may destroy by hand: financial transactions of the last hours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drills.reconciliation import TABLE
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


def old_transaction_changed(connection: psycopg.Connection[Any]) -> list[str]:
    """For a sabotage twin: what no sum of the books tells."""
    connection.execute(
        f"UPDATE {TABLE} SET created_at = created_at - interval '1 hour'"
        f" WHERE id = (SELECT min(id) FROM {TABLE})".encode()
    )
    return ["the time of the first transaction"]
