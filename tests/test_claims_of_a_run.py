"""Sentences about a whole run say how much of it was judged."""

from __future__ import annotations

import json
import re
from pathlib import Path

from harness.checks.reach import WITHIN
from reports import verdicts
from reports.pack import read
from reports.run import text
from tests import sample_pack
from tests.sample_pack import VOLUMES, Plot
from tests.test_claims import judged, page_of, within, words_of

__all__ = ["within"]  # a fixture


def test_a_run_says_how_much_was_judged_and_what_was_not(within: Path) -> None:
    """Numbers of what counts, and what is UNKNOWN beside it with the reason; nowhere `every figure`."""
    content = json.loads((within / "findings.json").read_text())["findings"]
    counted = [each for each in content if not each["advisory"]]
    far_out = sum(["reach", WITHIN] in each["beside"] for each in counted)
    open = [each for each in content if each["advisory"] and each["outcome"] == "UNKNOWN"]
    first, second = verdicts.summary(read(within))
    assert first == f"{len(counted)} findings that count: {len(counted)} MET, {far_out} of them {WITHIN}."
    assert second.startswith(f"Beside them {len(open)} advisory finding") and "Decision time" in second
    assert "decided at once" in second or "not exercised" in second
    for words in (words_of(page_of(within)), " ".join(text.summary(within).split())):
        assert first in words and second in words
        assert "every figure" not in words.replace("Every figure on this page is computed", "")


def test_a_run_that_is_not_met_says_that_it_is_no_pass(tmp_path: Path) -> None:
    """Also where nothing was judged at all."""
    missed = judged(sample_pack.write(tmp_path / "m", Plot(name=VOLUMES, rate=3.0, health_ok=False)), lambda _: None)
    (first, *_) = verdicts.summary(read(missed))
    first = first.replace(f", 3 of them {WITHIN}", "")
    assert re.fullmatch(r"\d+ findings that count: 1 MISSED, \d+ MET; this is not a pass\.", first)
    (missed / "findings.json").unlink()
    assert verdicts.summary(read(missed)) == ("No finding was judged; this is not a pass.",)


def test_alike_findings_are_told_once_with_how_many(tmp_path: Path) -> None:
    """Twenty scenarios have twenty times the same question open."""
    plots = [Plot(name=VOLUMES, rate=2.0), Plot(rate=2.0)]
    told = verdicts.summary(read(judged(sample_pack.write(tmp_path / "two", *plots), lambda _: None)))
    assert "Beside them 2 advisory findings are UNKNOWN: Decision time, 2 times (" in told[1]
