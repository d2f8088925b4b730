"""Two packs side by side: only bars that lie apart make a difference, and each figure has its environment."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.checks import Outcome
from harness.cli import drdrill
from harness.errors import Exit, Refused
from reports.comparison import page as compare_page
from reports.comparison import text as compare_text
from reports.comparison.compare import Claim, Figure, Side, as_json, claim_of, compare
from reports.pack import read
from reports.run import bars
from tests import sample_pack
from tests.sample_pack import MISTAKE, PARTS, VOLUMES, Plot

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN
KNOWN = "this program knows versions 1, 2, 3, 4, 5, 6, 7 and 8"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A quick run on the embedded stack, a slow one on containers that misses, one cut short, one without customers."""
    root = tmp_path_factory.mktemp("packs")
    quick, slow = Plot(rate=3.0), Plot(rate=3.0, pace=3.0, rto=20.0)
    made = {
        "embedded": sample_pack.write(root / "embedded", quick, run="run-a"),
        "containers": sample_pack.write(
            root / "containers", slow, Plot(name=VOLUMES, rate=3.0), environment="containers", sandbox="containers",
            run="run-b", scale=2.0,
        ),
        "stopped": sample_pack.write(root / "stopped", Plot(rate=3.0, stop_after="recover"), run="run-c"),
        "idle": sample_pack.write(root / "idle", Plot(rate=0.0), run="run-d"),
    }  # fmt: skip  # a table
    for name, folder in made.items():
        (folder / "pack.dsse.json").write_text(name)
    return root


def text_of(root: Path, a: str, b: str) -> str:
    return compare_text.lines(compare(read(root / a), read(root / b)))


def page_of(root: Path, a: str, b: str) -> str:
    return compare_page.html(compare(read(root / a), read(root / b)))


def run(*words: object) -> Result:
    return CliRunner().invoke(drdrill, ["compare", *map(str, words)])


def side(figure: float | None, low: float | None, high: float | None, **more: object) -> Side:
    return Side(**{"environment": "embedded", "outcome": MET, "figure": figure, "low": low, "high": high, **more})


class Page(HTMLParser):
    """Fails where tags are not closed in their order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.all: set[str] = set()
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.add(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    ("a", "b", "kind", "words"),
    [
        (side(10, 9, 11), side(20, 19, 21), "better", "A is better by 10.0 s (8.0 to 12.0)"),
        (side(20, 19, 21), side(10, 9, 11), "better", "B is better by 10.0 s (8.0 to 12.0)"),
        (side(10, 9, 11), side(12, 10.9, 13), "overlap", "no difference can be claimed: the error bars overlap"),
        (side(10, 9, 11), side(12, 11, 13), "overlap", "no difference can be claimed: the error bars overlap"),
        (side(12, 11, 13), side(10, 9, 11), "overlap", "no difference can be claimed: the error bars overlap"),
        (side(10, 5, 20), side(11, 11, 11), "overlap", "no difference can be claimed: the error bars overlap"),
        (side(3, 3, 3, words="3 s"), side(3, 3, 3, words="3 s"), "same", "the same in both: 3 s"),
        (side(10, 9, 11), side(10, 9, 11), "overlap", "no difference can be claimed: the error bars overlap"),
        (side(10, 9, 11), side(31, 31, None, lower_bound=True, outcome=MISSED), "better",
         "A is better by at least 20.0 s"),
        (side(31, 31, None, lower_bound=True), side(99, 98, 99), "overlap",
         "no difference can be claimed: the error bars overlap"),
        (side(None, None, None), side(0, 0, 0), "none", "not compared: A has no figure"),
        (side(0, 0, 0), side(9, 9, 9, outcome=UNKNOWN), "none", "not compared: B is UNKNOWN"),
        (side(0, 0, 0), side(9, 9, 9, outcome=None), "none", "not compared: B did not check it"),
        (side(0, 0, 0), side(9, 9, 9, whole=False), "none", "not compared: B did not run to its end"),
        (side(0, 0, 0), side(9, None, None), "none", "not compared: B has no sound error bar"),
        (side(0, 0, 0), side(9, 10, 11), "none", "not compared: B has no sound error bar"),
        (side(0, 0, 0), side(9, 9, None), "none", "not compared: B has no sound error bar"),
    ],
)  # fmt: skip  # a table
def test_only_bars_that_lie_apart_make_a_difference(a: Side, b: Side, kind: str, words: str) -> None:
    """Bars that touch overlap; what is missing, UNKNOWN, cut short or without a sound bar is not compared."""
    claim = claim_of(a, b, "s")
    assert (claim.kind, claim.words) == (kind, words)
    assert (claim.better is not None) == (kind == "better") == (claim.low is not None)


def test_both_figures_stand_with_bar_objective_outcome_and_class(root: Path) -> None:
    """And the claim between them is the difference of the figures, with a bar of its own."""
    lines = text_of(root, "embedded", "containers").splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("  Recovery time"))
    said = re.fullmatch(
        r"  Recovery time \(objective of A 1 h, of B 20 s\): A is better by ([\d.]+) s \(.*\)", lines[at]
    )
    shown = [line for line in lines[at:] if line.startswith(("    A embedded", "    B containers"))]
    quick = re.fullmatch(
        r"    A embedded    ✓ MET, within what this run could see  ([\d.]+) s \([\d.]+ to [\d.]+\)", shown[0]
    )
    slow = re.fullmatch(r"    B containers  ✗ MISSED  ([\d.]+) s \([\d.]+ to [\d.]+\)", shown[1])
    assert said and quick and slow
    assert float(said[1]) == pytest.approx(float(slow[1]) - float(quick[1]), abs=0.11)
    assert lines[at + 2].strip().startswith("detect ")
    assert max(map(len, lines)) <= 100


def test_lost_transactions_and_money_are_figures_of_their_own(root: Path, tmp_path: Path) -> None:
    """Counted, so a difference of one is a difference; what is no number is no figure, and a bound stays one."""
    folders = [shutil.copytree(root / "embedded", tmp_path / name) for name in ("x", "y", "z", "w")]
    counts, sums = ("3", "4", "some", "9"), ("1,002.50", "10.25", "", "2000")
    for folder, lost, money in zip(folders, counts, sums, strict=True):
        content = json.loads((folder / "findings.json").read_text())
        (loss,) = [each for each in content["findings"] if each["id"] == "loss"]
        loss["beside"] = [["lost transactions", lost], ["lost money", money]]
        loss["lower_bound"] = folder.name == "w"
        (folder / "findings.json").write_text(json.dumps(content))
        journal = folder / "journal.jsonl"
        journal.write_text(journal.read_text().replace("run-a", f"run-{folder.name}"))
    said = text_of(tmp_path, "x", "y")
    assert "Lost transactions (no objective): A is better by 1 transaction\n" in said
    assert "Lost money (no objective): B is better by 992.25\n" in said
    said = text_of(tmp_path, "x", "z")
    assert "Lost transactions (no objective): not compared: B has no figure\n" in said
    assert "    B embedded  ✓ MET  no figure\n" in said
    bound = compare(read(tmp_path / "x"), read(tmp_path / "w")).pairs[0].figure("loss: lost transactions")
    assert bound is not None and bound.claim.words == "A is better by at least 6 transactions"
    assert (bound.b.words, bound.b.high) == ("at least 9 transactions", None)


def test_a_figure_without_value_is_never_zero(root: Path) -> None:
    """Without customers there is no loss to measure: null for a machine, `no figure` in words, and no bar."""
    compared = compare(read(root / "embedded"), read(root / "idle"))
    loss = compared.pairs[0].figure("loss")
    assert loss is not None and loss.b.figure is None and loss.claim.words == "not compared: B has no figure"
    assert "    B embedded  ? UNKNOWN  no figure\n" in compare_text.lines(compared)
    (same,) = [each for each in json.loads(as_json(compared))["pairs"][0]["figures"] if each["id"] == "loss"]
    assert same["b"]["figure"] is None and same["claim"]["kind"] == "none"
    picture = bars.draw(Figure("x", "X", "s", False, side(2, 1, 3), side(None, None, None), Claim("none", "")), key="k")
    assert picture.count("<rect") == 1


def test_nothing_is_claimed_from_a_scenario_that_was_cut_short(root: Path) -> None:
    """Fewer bad seconds, because somebody stopped it, is not better."""
    compared = compare(read(root / "embedded"), read(root / "stopped"))
    assert {figure.claim.kind for figure in compared.pairs[0].figures} == {"none"}
    assert "! B was stopped: what was not decided before is UNKNOWN." in compare_text.lines(compared)
    assert "B: stopped by mira: another incident needs the team" in compare_page.html(compared)


def test_a_scenario_that_one_pack_has_is_listed_so(root: Path) -> None:
    """With its outcome and class, and without a figure; in either order."""
    assert "Only in one pack:\n  B containers: ✓ MET All volumes lost\n" in text_of(root, "embedded", "containers")
    assert "Only in one pack:\n  A containers: ✓ MET All volumes lost\n" in text_of(root, "containers", "embedded")
    assert "only in B (containers): nothing to compare" in page_of(root, "embedded", "containers")


def test_what_differs_in_the_runs_is_said(root: Path) -> None:
    """What is the same is marked so, and what one of the two did not record is neither."""
    compared = compare(read(root / "embedded"), read(root / "containers"))
    rows = {row.what: row for row in compared.runs}
    assert (rows["environment class"].a, rows["environment class"].b) == ("embedded", "containers")
    assert rows["scale of the data set"].same is False and rows["transactions due a second"].same is True
    assert [row.what for row in compared.parts if row.same] == sorted(PARTS)
    features, plan, scale = compared.exercise
    assert features.startswith("Same features,") and plan.startswith("Same plan,")
    assert scale.startswith("DIFFERENT scale of the data set, 1 in A and 2 in B")


@pytest.mark.parametrize(
    ("digests", "features", "plan"),
    [
        ({"features": "1" * 64, "plan": "2" * 64}, "DIFFERENT features", "DIFFERENT plan"),
        ({}, "Same features? Not known", "Same plan? Not known"),
    ],
)
def test_another_exercise_is_said_plainly(
    root: Path, tmp_path: Path, digests: dict[str, str], features: str, plan: str
) -> None:
    """Different digests, missing digests, and sentences that differ under the same name."""
    other = sample_pack.write(tmp_path / "other", Plot(rate=3.0), run="run-e", digests=digests)
    path = next(other.rglob("*.feature"))
    path.write_text(path.read_text().replace("the platform serves customers", "nobody is there"))
    compared = compare(read(root / "embedded"), read(other))
    assert compared.exercise[0].startswith(features) and compared.exercise[1].startswith(plan)
    assert compared.pairs[0].notes == ("its sentences DIFFER between the packs: this is not the same exercise",)
    row = next(row for row in compared.runs if row.what == "digest of the plan")
    assert row.same is (False if digests else None)


def test_a_sabotaged_run_never_passes_for_a_slow_one(root: Path, tmp_path: Path) -> None:
    """It says so above every figure."""
    sample_pack.write(tmp_path / "broken", Plot(early=7.0, rate=3.0), run="run-s", sabotage="restored too early")
    said = compare_text.lines(compare(read(root / "embedded"), read(tmp_path / "broken")))
    assert said.index("B was SABOTAGED on purpose (restored too early)") < said.index("Recovery time")


def test_the_same_packs_give_the_same_bytes(root: Path, tmp_path: Path) -> None:
    """Wherever the folders lie, and whatever they are called."""
    moved = [shutil.copytree(root / name, tmp_path / f"moved-{name}") for name in ("embedded", "containers")]
    first = compare(read(root / "embedded"), read(root / "containers"))
    second = compare(*map(read, moved))
    assert compare_page.html(first) == compare_page.html(second)
    assert (compare_text.lines(first), as_json(first)) == (compare_text.lines(second), as_json(second))


def test_the_page_needs_nothing_else(root: Path) -> None:
    """It is well formed and loads nothing; each picture names both classes and says where the objective lies."""
    html = page_of(root, "embedded", "containers")
    assert not {"script", "link", "img", "iframe"} & Page(html).all
    assert "src=" not in html and not re.search(r"url\(|https?://(?!www\.w3\.org/2000/svg)", html)
    pictures = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert len(pictures) > 3
    for picture in pictures:
        assert "A: embedded, " in picture and "B: containers, " in picture
    assert "objective of A 1 h, beyond this scale" in pictures[0] and "dashed: objective of B 20 s" in pictures[0]
    assert pictures[0].count('class="objective"') > 0


def test_both_bars_are_on_one_scale(root: Path) -> None:
    """Their lengths are to each other as the figures are."""
    compared = compare(read(root / "embedded"), read(root / "containers"))
    rto = compared.pairs[0].figure("rto")
    assert rto is not None and rto.a.figure and rto.b.figure
    widths = [float(each) for each in re.findall(r'<rect [^>]*width="([\d.]+)"', bars.draw(rto, key="k"))]
    assert widths[0] / widths[1] == pytest.approx(rto.a.figure / rto.b.figure, rel=0.01)


def test_text_of_a_pack_is_shown_and_never_obeyed(root: Path, tmp_path: Path) -> None:
    """Tags, control characters and direction marks of a hostile pack do no harm."""
    evil = '<script>alert(1)</script>\x1b[2J\u202e"'
    sample_pack.write(tmp_path / "evil", Plot(rate=3.0, title=evil), run=evil, environment=evil, operator=evil)
    for a, b in ((tmp_path / "evil", root / "embedded"), (root / "embedded", tmp_path / "evil")):
        compared = compare(read(a), read(b))
        assert "script" not in Page(compare_page.html(compared)).all
        for shown in (compare_page.html(compared), compare_text.lines(compared), as_json(compared)):
            assert "\x1b" not in shown and "\u202e" not in shown


@pytest.mark.parametrize("json_too", [False, True])
def test_comparing_is_no_judging(root: Path, tmp_path: Path, json_too: bool) -> None:
    """The exit code is 0 although one pack missed; the page is the same with --json, which stays readable alone."""
    page = tmp_path / "two.html"
    done = run(root / "embedded", root / "containers", "--output", page, *["--json"] * json_too)
    assert done.exit_code == 0
    assert page.read_text() == page_of(root, "embedded", "containers")
    if json_too:
        assert json.loads(done.stdout)["pairs"][0]["name"] == MISTAKE
        assert done.stderr == f"The page: {page}\n"
    else:
        assert done.stdout == text_of(root, "embedded", "containers") + f"The page: {page}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["embedded", "nowhere"], "is not a sealed pack"),
        (["nowhere", "embedded"], "is not a sealed pack"),
        (["embedded", "containers/../embedded"], "are the same pack"),
        (["embedded", "again"], "A and B are the same run, run-a"),
        (["embedded", "newer"], f"B was judged by rules version 9; {KNOWN}"),
        (["unjudged", "embedded"], f"A was judged by rules version unknown; {KNOWN}"),
        (["embedded", "containers", "--output", "embedded/two.html"], "lies inside the pack"),
        (["embedded", "containers", "--output", "none/two.html"], "there is no folder none"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    """With what is wrong and what to do; nothing is written."""
    shutil.copytree(root, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    for name in ("again", "newer", "unjudged"):
        shutil.copytree("embedded", name)
        Path(name, "pack.dsse.json").write_text(name)
    findings = Path("newer/findings.json")
    findings.write_text(findings.read_text().replace('"rules": "8"', '"rules": "9"'))
    Path("unjudged/findings.json").unlink()
    before = sorted(tmp_path.rglob("*"))
    error = run(*words).exception
    assert isinstance(error, Refused) and error.exit is Exit.REFUSED
    assert said in error.message and error.hint
    assert sorted(tmp_path.rglob("*")) == before
