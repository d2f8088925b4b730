"""index.html: the whole run on one page that needs nothing else, for somebody who has never seen this software."""

from __future__ import annotations

from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from harness.checks import load
from harness.checks.evidence import Evidence
from harness.errors import Refused
from harness.evidence.first_line import marks
from harness.evidence.verify import by_hand
from reports import verdicts
from reports.pack import Fact, Pack
from reports.run import features, losses, scenario
from reports.run.limits import SANDBOXES, code_of, limits, packages_of, place_of, size_of
from reports.run.partly import partly
from reports.words import SYMBOLS, as_number, clean, length, plain, stamp

# Read when this module is, so that a run that began before an update of this folder ends with the code that it has.
TEMPLATES = {
    path.name: path.read_text(encoding="utf-8") for path in (Path(__file__).parents[1] / "templates").iterdir()
}


def html(pack: Pack) -> str:
    """The page. The same pack gives the same bytes."""
    begin = pack.begin
    measured_on = size_of(pack)
    note = f"{place_of(begin)}, {measured_on}"
    texts = features.demands(pack.folder)
    known, unread = _evidence(pack)
    pages = [
        scenario.page(
            pack,
            each,
            known.get(each.name),
            place=place,
            note=f"{place_of(begin)}, {size_of(pack, each)}",
            texts=texts,
        )
        for place, each in enumerate(pack.scenarios, start=1)
    ]
    return (
        templates()
        .get_template("index.html")
        .render(
            title=title_of(pack),
            pack=pack,
            verdict=str(pack.verdict),
            symbol=SYMBOLS[pack.verdict],
            partly=verdicts.of_run(pack).removeprefix(str(pack.verdict)),
            summary=verdicts.summary(pack),
            counts=_counts(pages),
            pages=pages,
            drills=[(drill, list(of_it)) for drill, of_it in groupby(pages, lambda page: page.drill)],
            telling=any(page.told for page in pages),
            note=note,
            environment=clean(begin.get("environment") or "unknown environment"),
            sandbox=_sandbox(begin.get("sandbox")),
            measured_on=measured_on,
            run=_run(pack),
            banners=[*pack.doubts, *_banners(pack)],
            digests=_digests(begin),
            packages=_pairs(packages_of(pack)),
            host=_pairs(begin.get("host")),
            by_hand=Markup(escape(by_hand())),  # ours too: not to be cut
            limits=limits(pack, measured_on=measured_on),
            problems=[*pack.problems, *unread, *(each for page in pages for each in page.problems)],
            style=Markup(TEMPLATES["style.css"]),  # ours, not the pack's
        )
    )


def _counts(pages: list[scenario.Page]) -> str:
    """`20 scenarios: 18 MET, 2 UNKNOWN`; nothing where there is but one."""
    found = [(outcome, sum(page.verdict == outcome for page in pages)) for outcome in SYMBOLS]
    listed = ", ".join(f"{many} {outcome}" for outcome, many in found if many)
    return f"{len(pages)} scenarios: {listed}" if len(pages) > 1 else ""


def _evidence(pack: Pack) -> tuple[dict[str, Evidence], list[str]]:
    """What the checks would be given, by scenario; and why not, where the journal is too damaged for that."""
    try:
        return {each.scenario: each for each in load.evidence(pack.folder)}, []
    except losses.NOT_AS_IT_MUST_BE as error:
        said = error.message if isinstance(error, Refused) else f"{type(error).__name__} {error}"
        return {}, [f"the checks refuse this journal: {said}"]


@cache
def templates() -> Environment:
    """The templates, compiled once a process: they are part of the program."""
    return Environment(
        loader=DictLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: value if isinstance(value, Markup) else clean(value),
    )


def title_of(pack: Pack) -> str:
    """As the features of the pack call it; where they do not, `database-backup-restoration` as a title."""
    drill = pack.begin.get("drill")
    names = drill if isinstance(drill, list) and drill else [drill or "drill"]
    known = features.titles(pack.folder)
    return ", ".join(clean(known.get(str(name)) or clean(name).replace("-", " ").title()) for name in names)


def _sandbox(level: object) -> str:
    said = SANDBOXES.get(str(level))
    return f"{clean(level)}: {said}" if said else clean(level or "not recorded")


def _nonce(begin: dict[str, Any]) -> str:
    who = "given to this run, as an auditor's" if begin.get("nonce_by") == "auditor" else "chosen by the harness itself"
    return f"{plain(begin['nonce'])}, {who}" if begin.get("nonce") else "none"


def _pairs(value: object) -> list[tuple[str, str]]:
    return [(str(key), plain(each)) for key, each in value.items()] if isinstance(value, dict) else []


def _digests(begin: dict[str, Any]) -> list[tuple[str, str]]:
    """Each with what it is of and how it was made; those that were not made are left out."""
    listed = [(str(name).replace("_", " "), value) for name, value in _dict(begin.get("digests")).items() if value]
    listed += [(name, value) for name in ("harness", "project") if (value := _dict(begin.get(name)).get("digest"))]
    return [(f"{name} ({'HMAC-' if ':' in str(value) else ''}SHA-256)", plain(value)) for name, value in listed]


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _run(pack: Pack) -> list[tuple[str, str]]:
    begin, first, end = pack.begin, pack.facts.first("run.begin"), pack.facts.last("run.end")
    began, ended = first.utc if first else None, end.utc if end else None
    ready = pack.facts.last("stack.ready")
    took = f", {length((ended - began).total_seconds())}" if began and ended else ""
    rows = [
        ("Run", plain(begin.get("run"))),
        ("Began", stamp(began)),
        ("Ended", (stamp(ended) + took) if ended else "not ended"),
        ("By (as claimed)", plain(begin.get("operator"))),
        ("Number, stream", f"{plain(begin.get('number'))}, {plain(begin.get('stream'))}"),
        ("Pack before it", plain(begin.get("previous"))),
        ("Nonce (a number fixed beforehand)", _nonce(begin)),
        ("Stack", plain(begin.get("stack"))),
        ("Scale of the data set", plain(begin.get("scale"))),
        ("Harness", code_of(begin.get("harness"))),
        ("Project", code_of(begin.get("project"))),
        ("Rules that judged", f"version {pack.rules}"),
    ]
    if ready:
        rows.append(("Stack ready after", length(as_number(ready.data.get("seconds")))))
    return rows


def _left_hurt(pack: Pack) -> list[str]:
    """The faults of which the last that was said is that they are not healed."""
    healed: dict[tuple[str, str], Fact] = {}
    scenario = ""
    for fact in pack.facts.of("scenario.begin", "fault.healed"):
        whose = str(fact.data.get("scenario", scenario))
        if fact.kind == "scenario.begin":
            scenario = whose
        else:
            healed[whose, str(fact.data.get("injection"))] = fact
    return [str(fact.data.get("fault")) for fact in healed.values() if not fact.data.get("ok")]


def _banners(pack: Pack) -> list[str]:
    """What a reader must know before any figure."""
    found = []
    if sabotage := pack.begin.get("sabotage"):
        found.append(
            f"SABOTAGED RUN: the recovery was broken on purpose ({plain(sabotage)}), to prove that this drill can fail."
        )
    found += [f"{plain(mark).upper()}: this run counts for nothing, whatever it shows." for mark in marks(pack.begin)]
    end: Any = pack.facts.last("run.end")
    outcome = end.data.get("outcome") if end else None
    if end is None:
        found.append(
            "NOT ENDED: the journal has no last line. The run was killed and not yet healed, or is still going on."
        )
    elif outcome == "killed":
        by, hurt = plain(end.data.get("by")), _left_hurt(pack)
        what = f"did NOT heal {plain(hurt)}, and sealed" if hurt else "healed and sealed"
        found.append(f"KILLED RUN: the harness died while it ran; {by} {what} afterwards.")
    elif outcome == "aborted":
        found.append("ABORTED RUN: the harness itself failed. What was decided before stands; what was not is UNKNOWN.")
    elif outcome == "stopped":
        stopped = pack.facts.last("stopped")
        who = f" by {plain(stopped.data.get('who'))}: {plain(stopped.data.get('why'))}" if stopped else ""
        found.append(f"STOPPED RUN{who}. What was decided before stands; what was not is UNKNOWN.")
    found += [f"NOT THE WHOLE DRILL: {each}." for each in partly(pack)]
    if not pack.scenarios:
        found.append("EMPTY RUN: no scenario ran, so nothing was shown.")
    found += [
        f"A process was killed in the middle of a line; {plain(torn.data.get('bytes'))} bytes were torn off."
        for torn in pack.facts.of("torn")
    ]
    return found
