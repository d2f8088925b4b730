"""A platform whose owner relies on what nothing enforces yet is not drilled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import Refused
from harness.stacks.attached.file.read import load
from harness.stacks.attached.maker import AttachedMaker
from harness.stacks.attached.unkept import must_be_kept
from tests.stack_files import LEAST, WHOLE, written


@pytest.mark.parametrize("word", sorted(WHOLE["safety"]))
def test_a_limit_that_nothing_enforces_is_refused(tmp_path: Path, word: str) -> None:
    """Each by itself, with its line, before a secret is read or the engine is asked."""
    changes: list[tuple[tuple[str | int, ...], Any]] = [(("safety", word), WHOLE["safety"][word])]
    if word == "abort when":
        changes.append((("probes",), WHOLE["probes"]))
    file = written(tmp_path, *changes, of=LEAST)
    with pytest.raises(Refused, match=rf"paydesk.yaml:\d+: nothing enforces {word} yet"):
        AttachedMaker(file).prepare(print)


def test_production_is_refused(tmp_path: Path) -> None:
    """Whatever else the file says."""
    file = written(tmp_path, (("platform", "environment"), "production"), of=LEAST)
    with pytest.raises(Refused, match="production is not drilled"):
        must_be_kept(load(file))


def test_what_asks_for_nothing_of_it_is_drilled(tmp_path: Path) -> None:
    """And so is what only protects, which is enforced."""
    must_be_kept(load(written(tmp_path, of=LEAST)))
    must_be_kept(load(written(tmp_path, (("safety",), {"protected": ["api-a"]}), of=LEAST)))
