"""The sentences made known to pytest-bdd, which carries them out."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from harness.features.sentences import Sentences

KEYWORDS = {"given": given, "when": when, "then": then}
CALLER = 2  # frames above pytest-bdd's: the module that binds, in which pytest looks for steps


def bind(sentences: Sentences) -> None:
    """Called at the top of a module of tests: its scenarios have these steps then."""
    for each in sentences.definitions:
        pattern = each.pattern if each.is_plain else parsers.parse(each.pattern)
        KEYWORDS[each.kind](pattern, target_fixture=each.returns or None, stacklevel=CALLER)(each.function)
