"""Words on pages are no larger than what was judged: how far a run could see, what was left out, who did what."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from harness.checks import RULES, Finding, Outcome
from harness.cli.live import Live
from harness.schedule import gate, runs, standing
from harness.schedule import told as middle
from reports import verdicts
from reports.build import build
from reports.calendar import text as calendar_text
from reports.comparison import page as compare_page
from reports.comparison import text as compare_text
from reports.comparison.compare import compare
from reports.judged import NOT_BAD, WITHIN, exercised, figure_of, not_bad, said, used, with_reach
from reports.pack import Pack, read
from reports.past import history
from reports.past import page as history_page
from reports.past import text as history_text
from reports.run import text
from tests import sample_cut, sample_pack
from tests.made_months import FIRST, Made, made_plan, on, run
from tests.sample_pack import VOLUMES, Plot
from tests.test_reports import Page

pytestmark = pytest.mark.usefixtures("as_sealed")

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN
SEEN = [["longest outage this run could have seen", "59.0 s"], ["reach", WITHIN]]
CALM = "good service again at most 3.770 s after the fault, and not before 0.000 s; no request was bad"
Change = Callable[[dict[str, Any]], object]


def found(id: str = "rto", outcome: Outcome = MET, reason: str = "", **more: Any) -> Finding:
    return Finding(id, "s", id.capitalize(), outcome, reason, **more)


def judged(folder: Path, change: Change, *, rules: str = "3") -> Path:
    """The pack with other findings, as if rules of that version had judged it."""
    path = folder / "findings.json"
    content = json.loads(path.read_text())
    for finding in content["findings"]:
        change(finding)
    path.write_text(json.dumps(content | {"rules": rules}))
    return folder


def seen(finding: dict[str, Any]) -> None:
    """What newer rules say beside a recovery time of which the run could have seen only a part."""
    if finding["id"] == "rto":
        finding["beside"] = SEEN


def far(finding: dict[str, Any]) -> None:
    """Nothing lies beyond what the run could have seen."""
    finding["beside"] = [pair for pair in finding["beside"] if pair[0] != "reach"]


def calm(finding: dict[str, Any]) -> None:
    if finding["id"] == "rto":
        finding.update(figure=3.77, low=0.0, high=3.77, reason=CALM, outcome="MET")


def known(folder: Path) -> Pack:
    """The pack, as if this program knew its rules."""
    return replace(read(folder), rules=RULES)


def page_of(folder: Path) -> str:
    html = build(folder)["index.html"].decode()
    assert Page(html).open == []
    return html


def words_of(html: str) -> str:
    """The page's words, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", "", html).split())


# How far a run could see


@pytest.fixture(scope="module")
def within(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = sample_pack.write(tmp_path_factory.mktemp("within") / "pack", Plot(name=VOLUMES, rate=3.0))
    return judged(folder, seen)


def test_an_objective_beyond_what_a_run_could_see_is_never_simply_met(within: Path) -> None:
    """On the page in badge, card and table; in the lines; in JUnit, as output of a case that is green."""
    words = words_of(page_of(within))
    assert words.count(f"✓ MET, {WITHIN} objective 1 h") == 1 and words.count(f"MET, {WITHIN}") >= 4
    assert "longest outage this run could have seen: 59.0 s" in words and f"reach: {WITHIN}" not in words
    assert re.search(rf"✓ MET, {WITHIN}:\n +recovery time .*objective 1 h", text.summary(within))
    assert "longest outage this run could have seen 59.0 s" in text.summary(within)
    root = Xml.fromstring(build(within)["junit.xml"])
    case = next(case for case in root.iter("testcase") if case.attrib["name"] == "Recovery time")
    assert f"outcome: MET, {WITHIN}\n" in (case.findtext("system-out") or "")
    assert case.find("failure") is None and case.find("error") is None


def test_nor_is_it_when_packs_are_compared(within: Path, tmp_path: Path) -> None:
    """Beside each outcome, in the lines, on the page and for a machine; the other figures are as they were."""
    other = judged(sample_pack.write(tmp_path / "b", Plot(name=VOLUMES, rate=3.0), run="b"), far)
    compared = compare(known(within), known(other))
    figure = compared.pairs[0].figure("rto")
    assert figure and (figure.a.reach, figure.b.reach) == (WITHIN, "")
    assert f"A embedded  ✓ MET, {WITHIN}  " in compare_text.lines(compared)
    assert f'<span class="reach">, {WITHIN}</span>' in compare_page.html(compared)


def test_a_history_says_it_with_the_figure(tmp_path: Path) -> None:
    """And a run of which nothing must be said stays as it was."""
    folder = tmp_path / "e"
    run(folder, Made(on("2026-11-02")))
    (entry,) = _history(folder).entries
    assert entry.run
    (plain, *_) = entry.run.scenarios
    marked = replace(plain.figures["rto"], beside=(("reach", WITHIN),))
    assert history._words(plain.figures["rto"], id="rto") == "20.0 s (19.7 to 20.0)"
    assert history._words(marked, id="rto") == f"20.0 s (19.7 to 20.0), {WITHIN}"


def _history(folder: Path, day: date = date(2026, 11, 5)) -> history.History:
    plan = made_plan()
    known = runs.read(folder).until(day, plan.time_zone)
    return history.tell(plan, known, standing.standings(plan, known.runs, (), day), day)


@pytest.mark.parametrize(
    ("finding", "outcome"),
    [
        (found(objective=120.0, figure=9.0), f"MET, {WITHIN}"),
        (found(objective=60.0, figure=9.0), "MET"),
        (found(objective=120.0, figure=130.0, outcome=MISSED), "MISSED"),
        (found("loss", objective=16.0, figure=0.0), f"MET, {WITHIN}"),
        (found("exposure", objective=14.0, figure=3.0), "MET"),
        (found("no-loss", objective=0.0, figure=0.0, unit="transactions"), "MET"),
        (found("availability", objective=3153.6, figure=1.0), f"MET, {WITHIN}"),
        (found("health"), "MET"),
    ],
)
def test_what_older_rules_do_not_say_is_taken_from_the_run(finding: Finding, outcome: str) -> None:
    """An outage of 60 s and writes of 15 s could have been seen; a year never. No figure changes."""
    shown = with_reach(finding, outage=60.0, back=15.0)
    assert said(shown.outcome, shown.beside) == outcome
    assert replace(shown, beside=()) == finding


def test_a_pack_of_older_rules_is_read_so(tmp_path: Path) -> None:
    """Its writes reach back 18 s, so a loss of 5 min could not be missed; newer rules say such things themselves."""
    folder = sample_pack.write(tmp_path / "pack", Plot(name=VOLUMES, rate=3.0))
    reaches = {}
    for rules in ("2", "3"):
        judged(folder, far, rules=rules)
        reaches[rules] = [each.id for each in read(folder).scenarios[0].findings if ("reach", WITHIN) in each.beside]
    assert reaches["2"] == ["rto", "loss", "exposure"] and reaches["3"] == []


# Where nothing had to recover


@pytest.mark.parametrize("reason", [CALM, "good service; no request of the customers was bad; not counted: zone-a"])
def test_no_bad_request_is_no_recovery(reason: str) -> None:
    """In the words of every version of the rules; neither a ratio nor a figure is told of it."""
    finding = found(figure=3.77, low=0.0, high=3.77, objective=60.0, reason=reason)
    assert figure_of(finding) == f"{NOT_BAD} (0 s to 3.77 s)" and used(finding) == ""


def test_answers_from_harmed_data_are_no_service() -> None:
    """However good they look: the clock ran on, and its figure is one. Nor is a loss a recovery."""
    assert not not_bad("rto", f"{CALM}; the clock ran until the recovered data was verified and in service")
    assert not not_bad("loss", CALM) and not not_bad("rto", "good service again at most 3.770 s after the fault")


def test_every_report_says_that_no_request_was_bad(tmp_path: Path) -> None:
    """Page, picture, lines, JUnit and comparison; no moment at which service came back, no time of a recovery."""
    folder = judged(sample_cut.write(tmp_path / "pack"), calm)
    html = page_of(folder)
    assert f'<p class="value">{NOT_BAD} (0 s to 3.77 s)</p>' in html
    assert ">Service to customers</text>" in html
    assert "served again 3.77 s" not in html and ">Time to recover</text>" not in html
    assert f"recovery time    {NOT_BAD} (0 s to 3.77 s)" in text.summary(folder)
    root = Xml.fromstring(build(folder)["junit.xml"])
    assert all("time" not in case.attrib for case in root.iter("testcase"))
    other = judged(sample_cut.write(tmp_path / "other"), calm)
    journal = other / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"run":"a-run"', '"run":"another"'))
    figure = compare(known(folder), known(other)).pairs[0].figure("rto")
    assert figure and figure.a.words.startswith(NOT_BAD) and figure.claim.kind == "overlap"


# What was left out


def test_what_was_left_out_stands_next_to_the_verdict(tmp_path: Path) -> None:
    """Title, banner, scenario, overview; the lines, JUnit, the root cause's draft, and a comparison."""
    left = "not exercised: latency on the link: this kernel has no netem"
    folder = judged(sample_cut.write(tmp_path / "pack"), lambda _: None)
    whole = read(folder)
    assert whole.verdict is MET
    html, lines = page_of(folder), text.summary(folder)
    assert "<title>MET for what was exercised: Network Failover</title>" in html
    assert "<strong>MET for what was exercised</strong>" in html
    assert words_of(html).count(f"MET for what was exercised; {left}") == 2
    assert f"    MET for what was exercised; {left}\n" in lines
    assert lines.endswith("✓ MET for what was exercised: the verdict of the run\n")
    built = build(folder)
    assert f"MET for what was exercised; {left}" in built["junit.xml"].decode()
    (document,) = (content.decode() for name, content in built.items() if name.startswith("root-cause"))
    assert f"verdict MET; MET for what was exercised; {left}" in document
    other = judged(sample_cut.write(tmp_path / "other"), lambda _: None)
    journal = other / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"run":"a-run"', '"run":"another"'))
    told = compare_text.lines(compare(known(folder), known(other)))
    assert told.startswith("A ✓ MET for what was exercised run") and f"! A: MET for what was exercised; {left}" in told


def test_a_page_says_what_was_injected(tmp_path: Path) -> None:
    """From the order and its proof: the sentence of the feature may promise more."""
    html = page_of(sample_cut.write(tmp_path / "pack"))
    part = html.split("<caption>The fault: as it was ordered")[1].split("</table>")[0]
    for words in ("cut_zone", "zone: a", "no packet of zone a arrives", "not exercised", "latency on the link"):
        assert f">{words}<" in part, words


def test_a_watched_run_says_it_with_the_verdict(tmp_path: Path) -> None:
    """At the scenario's end once more, and the next scenario begins with nothing left out."""
    folder, lines = sample_cut.write(tmp_path / "pack"), list[str]()
    live = Live(folder, say=lines.append)
    for line in (folder / "journal.jsonl").read_text().splitlines():
        live.show(json.loads(line))
    at = next(n for n, line in enumerate(lines) if "MET for what was exercised  The leader's zone" in line)
    assert lines[at + 1].endswith("    not exercised: latency on the link: this kernel has no netem")
    assert not any(re.search(r" MET {2}", line) for line in lines)
    live.show({"mono": 0, "kind": "scenario.begin", "data": {"title": "Next", "scenario": "next"}})
    assert live.left == []


def test_gate_calendar_and_history_say_it_of_a_run(tmp_path: Path) -> None:
    """Of the drill that left something out; another drill's verdict is as it was."""
    folder = tmp_path / "e"
    run(folder, Made(on("2026-11-02")))
    day, plan = date(2026, 11, 3), made_plan()
    known = runs.read(folder)
    (past,) = known.runs
    first, *rest = past.scenarios
    past = replace(past, scenarios=(replace(first, left_out="loss: no netem"), *rest))
    known = replace(known, runs=(past,))
    found = standing.standings(plan, known.runs, (), day)
    assert "✓ MET for what was exercised, 2026-11-02" in calendar_text.calendar(plan, found, known, day)
    checks = gate.checks(known, found, [], scenarios=[], today=day)
    assert next(each for each in checks if each.kind == "duty").reason.endswith(" is MET for what was exercised")
    told = history.tell(plan, known, found, day)
    assert "MET for what was exercised; not exercised: loss: no netem" in " ".join(history_text.lines(told).split())
    assert "MET for what was exercised; not exercised: loss: no netem" in history_page.html(told)
    assert "✓ MET for what was exercised 2026" in history_text.lines(told)
    assert past.said_of(FIRST) == "MET for what was exercised" and past.said_of("second-drill") == "UNKNOWN"


def test_a_sealed_runs_own_findings_say_what_it_left_out(tmp_path: Path) -> None:
    """The finding `exercised` is read with its reason; damaged words of it are no crash."""
    folder = tmp_path / "findings.json"
    finding = {"id": "exercised", "scenario": "s", "outcome": "UNKNOWN", "reason": "loss: no netem"}
    folder.write_text(json.dumps({"verdict": "MET", "verdicts": {"s": "MET"}, "findings": [finding]}))
    assert runs._findings(folder).left_out == {"s": "loss: no netem"}
    folder.write_text(json.dumps({"verdict": "MET", "verdicts": {}, "findings": [{"scenario": "s"}]}))
    assert runs._findings(folder) == (UNKNOWN, {}, {}, {}, set())


# Who did what


@pytest.mark.parametrize(
    ("attended", "took", "did"),
    [
        (True, "The team took, by the procedure: detect", "What the team did, by the procedure"),
        (False, "The harness took, by the procedure: detect", "What the harness did, by the procedure"),
    ],
)
def test_a_team_is_named_only_where_people_decided(tmp_path: Path, attended: bool, took: str, did: str) -> None:
    """A stand-in is no team."""
    folder = sample_pack.write(tmp_path / "pack", Plot(name=VOLUMES, rate=3.0))
    journal = folder / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"attended":false', f'"attended":{str(attended).lower()}'))
    html = page_of(folder)
    assert took in html and did in html
    assert ("the team" in html.lower()) == attended


def test_where_nobody_decided_and_no_procedure_ran_it_was_the_harness(tmp_path: Path) -> None:
    """That waited for the alert, and asked after the platform's health."""
    html = page_of(sample_cut.write(tmp_path / "pack"))
    assert "The harness took: detect" in html and "What the harness did" in html


# Demands


@pytest.mark.parametrize(
    ("finding", "was"),
    [
        (found(outcome=MET), True),
        (found(outcome=MISSED), True),
        (found(outcome=UNKNOWN), False),
        (found(outcome=MET, advisory=True), False),
        (found("root-cause", outcome=UNKNOWN, advisory=True), False),
        (found("availability", outcome=MET), False),
        (found("availability", outcome=MISSED), True),
    ],
)
def test_only_a_finding_that_judged_a_demand_exercises_it(finding: Finding, was: bool) -> None:
    """A year is spent in one drill or is not judged by it; a draft with open questions judges nothing."""
    assert exercised(finding) is was


def test_a_tag_exercises_nothing(tmp_path: Path) -> None:
    """The page lists what was judged, by what, and apart from it what only a tag names or what stayed open."""
    scenario = read(sample_cut.write(tmp_path / "pack")).scenarios[0]
    findings = (
        found("detection", demands=("INF-1",)),
        found("root-cause", UNKNOWN, "9 questions wait", advisory=True, demands=("INF-5",)),
    )
    texts = {"INF-1": "Detected within 60 s", "INF-5": "Investigated", "INF-8": "A zone may fail"}
    told = verdicts.demands(replace(scenario, findings=findings), ["@INF-8", "INF-5", "INF-1", "monthly"], texts)
    assert [(each.id, each.how, each.exercised) for each in told] == [
        ("INF-1", "MET: Detection", True),
        ("INF-8", "no finding judges it", False),
        ("INF-5", "“Root-cause” does not show it: 9 questions wait", False),
    ]


def test_the_page_lists_them_apart(tmp_path: Path) -> None:
    """Those of the tags that nothing has judged under a heading of their own."""
    folder = sample_cut.write(tmp_path / "pack")
    journal = folder / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"tags":[]', '"tags":["INF-1","INF-8"]'))
    judged(folder, lambda each: each.update(demands=["INF-1"] if each["id"] == "detection" else []))
    words = words_of(page_of(folder).split("tags of this scenario name")[1].split("</details>")[0])
    assert re.fullmatch(
        r"Exercised: a finding has judged it INF-1Monitoring detects.*MET: .* Not exercised INF-8An .*judges it", words
    ), words


# A nonce


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("auditor", "shows that the run began after that, and not that it is the only run made with it"),
        ("harness", "No auditor chose a word beforehand"),
    ],
)
def test_a_nonce_is_no_proof_of_an_only_run(tmp_path: Path, by: str, words: str) -> None:
    """Whoever chose it, the page says that the pack alone does not exclude a choice."""
    html = page_of(sample_pack.write(tmp_path / "pack", Plot(name=VOLUMES, rate=2.0), nonce_by=by))
    limits = words_of(html.split("What this run does not show")[1])
    assert words in limits and "does not show that it was not picked from several runs" in limits


# What is owed after a drill


def test_the_calendar_says_until_when_a_report_is_due(tmp_path: Path) -> None:
    """As long as that is not over; of a sabotaged run nobody wants one."""
    folder = tmp_path / "e"
    run(folder, Made(on("2026-11-02")))
    due = on("2026-11-05", 11)
    line = json.dumps({"kind": "report.due", "utc": "", "data": {"due": f"{due:%Y-%m-%dT%H:%M:%S.%fZ}"}})
    (tmp_path / "journal.jsonl").write_text(f'{line}\n{{"kind": "report.due"}}\n{{"report.due"\n')
    assert middle.read(tmp_path / "journal.jsonl").reports_due == (due,)
    assert middle.read(tmp_path / "nothing") == middle.Told()
    known, plan = runs.read(folder), made_plan()
    for sabotage, day, told in (("", 5, True), ("", 6, False), ("broken", 5, False)):
        past = replace(known.runs[0], reports_due=(due,), sabotage=sabotage)
        folder_then, today = replace(known, runs=(past,)), date(2026, 11, day)
        found = standing.standings(plan, known.runs, (), today)
        said = calendar_text.calendar(plan, found, folder_then, today)
        assert ("due by 2026-11-05 11:00 UTC" in said) == told
