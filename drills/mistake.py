"""What an operator of QuantumNest may destroy by hand: financial transactions of the last hours."""

from __future__ import annotations

from drills.reconciliation import TABLE
from harness.faults.destroy_recent_rows import DestroyRecentRows

OPERATOR = "operator"  # the role of who works by hand


def recent_transactions_destroyed(hours: int) -> DestroyRecentRows:
    """Every second amount becomes 0, and the others are deleted."""
    recent = f"created_at >= now() - interval '{hours} hours'"
    return DestroyRecentRows(
        operator=OPERATOR,
        statements=(
            f"UPDATE {TABLE} SET amount = 0 WHERE {recent} AND id % 2 = 0",
            f"DELETE FROM {TABLE} WHERE {recent} AND id % 2 = 1",
        ),
        sound=f"SELECT count(*) FROM {TABLE} WHERE {recent} AND amount <> 0",
        rows=f"rows of the last {hours} hours",
    )
