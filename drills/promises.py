"""What a promise of QuantumNest's own sentences means; the others are the machine's."""

from __future__ import annotations

from harness.features.sentences import Expected
from harness.plan import Plan
from harness.sentences.promises import of_tier


def backup_frequency(plan: Plan, tier: str) -> list[Expected]:
    return [of_tier(plan, tier, "backup_every", finding="backup-frequency", objective="backup")]
