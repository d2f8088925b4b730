"""The decisions that the plan gives to people: which sentence asks for one, what is asked, and of whom."""

from __future__ import annotations

from collections.abc import Iterable

COMMANDER = "incident commander"
BEFORE_MISTAKE = "the writers are stopped and the database is restored to just before the mistake"
TO_THE_END = "the database is restored from the latest sound backup and everything archived"
RELEASE_BEFORE = "the release before is deployed again"
QUESTIONS = {
    BEFORE_MISTAKE: "Stop the writers and restore to just before the mistake?",
    TO_THE_END: "Restore from the latest sound backup and everything archived?",
    RELEASE_BEFORE: "Deploy the release before again, in every zone?",
}


def questions(sentences: Iterable[str]) -> list[str]:
    """Those that a scenario's sentences ask, in order."""
    return [QUESTIONS[sentence] for sentence in sentences if sentence in QUESTIONS]
