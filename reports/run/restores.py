"""Restores beside, as the page shows them: a section for each database, with what was taken, done and looked at.

No judgement, only arrangement: outcomes are those of the findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from harness.checks import merge
from reports import svg
from reports.judged import database_of, figure_of
from reports.pack import Fact, Facts, Scenario, moment
from reports.words import SYMBOLS, as_number, clean, length, number, plain, quantity, size

CANARY = "this machine"  # `harness.restores.canary.SAID`: tried in each place, and no address of an original
WIDTH, BAR = 900.0, 26.0
LONGEST = 1e9  # seconds; no restore takes a lifetime
STYLES = {"fetch": "answered", "restore": "span", "replay": "exposed", "verify": "step"}
DOES = {
    "fetch": "it is brought here",
    "restore": "it becomes a database",
    "replay": "what was written since is replayed",
    "verify": "what is in it is proved",
}
ABOUT = {
    "log": "what was said",
    "pages": "pages",
    "structure": "structure",
    "rows": "rows",
    "identity": "whose it is",
    "point": "how far",
    "place": "the place",
    "original": "the original",
}  # in the order of the table
OK = {True: "✓ yes", False: "✗ NO"}
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class LookRow:
    about: str
    name: str
    ok: str
    style: str
    seen: str
    expected: str
    text: str


@dataclass(frozen=True)
class PartRow:
    style: str
    name: str
    does: str
    took: str
    moved: str


@dataclass(frozen=True)
class Section:
    """One database."""

    database: str
    verdict: str
    symbol: str
    ended: str  # in a sentence
    backup: Pairs
    bar: Markup
    parts: tuple[PartRow, ...]
    reached: Pairs
    looks: tuple[LookRow, ...]
    place: Pairs
    inventories: tuple[tuple[str, str, str], ...]  # what, before, after
    changed: str
    listed: int  # backups in the catalogue


def sections(scenario: Scenario, *, key: str) -> tuple[Section, ...]:
    """In the order in which they were asked for; `key` makes ids unique in the page."""
    asked = [fact.data.get("databases") for fact in scenario.facts.of("restore.asked")]
    names = dict.fromkeys(str(name) for some in asked if isinstance(some, list) for name in some)
    return tuple(_section(scenario, name, f"{key}r{place}") for place, name in enumerate(names, 1))


def figures(scenario: Scenario, id: str) -> tuple[str, ...]:
    """`orders 60.0 s, MET`: of each database that has one."""
    found = [each for each in scenario.findings if each.id == id and database_of(each)]
    return tuple(f"{database_of(each)}: {figure_of(each)}, {each.outcome}" for each in found)


def _section(scenario: Scenario, name: str, key: str) -> Section:
    own = [
        fact
        for fact in scenario.facts.lines
        if fact.kind.startswith("restore.") and str(fact.data.get("database")) == name
    ]
    facts = Facts(tuple(own))
    verdict = merge(finding for finding in scenario.findings if database_of(finding) == name)
    catalogue = facts.data("restore.catalogue")
    return Section(
        database=name,
        verdict=str(verdict),
        symbol=SYMBOLS[verdict],
        ended=_ended(facts.last("restore.end")),
        backup=_backup(facts.last("restore.catalogue"), facts.data("restore.brought")),
        bar=Markup(_bar(facts, name, key)),  # escaped where it was made: reports/svg.py
        parts=tuple(_parts(facts)),
        reached=_reached(facts),
        looks=tuple(sorted(map(_look, facts.of("restore.look")), key=_order)),
        place=_place(facts),
        inventories=_inventories(facts),
        changed=_changed(facts),
        listed=len(_list(catalogue.get("backups"))),
    )


def _ended(end: Fact | None) -> str:
    if end is None:
        return "It has no end in the journal: the run ended while it went on."
    outcome, why, took = end.data.get("outcome"), plain(end.data.get("why")), as_number(end.data.get("seconds"))
    if outcome == "restored":
        whole = as_number(end.data.get("size"))
        return f"Restored and verified in {length(took)}, {size(whole)} in its data directory."
    said = {"failed": "It could not be restored", "cut short": f"Cut short after {length(took)}"}
    return f"{said.get(str(outcome), plain(outcome).capitalize())}: {why}."


def _backup(fact: Fact | None, brought: Mapping[str, Any]) -> Pairs:
    """The chosen one, as the catalogue has it."""
    catalogue: Mapping[str, Any] = fact.data if fact else {}
    chosen = catalogue.get("chosen")
    found = next((each for each in _list(catalogue.get("backups")) if each.get("id") == chosen), None)
    if found is None:
        return (("Backup", "none was taken"),) if catalogue else ()
    rows: list[tuple[str, Any]] = [
        ("Backup", f"{plain(chosen)}, {plain(found.get('kind'))}"),
        ("Chosen", catalogue.get("how")),
        ("Tool", catalogue.get("tool")),
        ("Ended", found.get("ended")),
        ("Began", found.get("began")),
        ("Age when the catalogue was read", _age(fact, found)),
        ("PostgreSQL", found.get("version")),
        ("Size once restored", size(as_number(found.get("size")))),
        ("Size in the repository", size(as_number(found.get("stored")))),
        (f"SHA-256 of {plain(found.get('digest_of')) or 'it'}", found.get("digest")),
        (f"SHA-256 of {plain(brought.get('digest_of'))}, as brought", brought.get("digest")),
        ("Of the system", found.get("system")),
        ("Has to be of the system", catalogue.get("system_expected") or "nobody says"),
        ("The catalogue has against it", found.get("sound") or "nothing"),
        ("The repository is kept from being written", catalogue.get("read_only") or "by nothing but that we do not"),
    ]
    return tuple((name, plain(value)) for name, value in rows if value not in ("", None))


def _age(fact: Fact | None, backup: Mapping[str, Any]) -> str:
    """From its end; the finding about age says from what."""
    ended = moment(backup.get("ended"))
    return length((fact.utc - ended).total_seconds()) if fact and fact.utc and ended else "not known"


def _added(facts: Facts) -> dict[str, tuple[float, float]]:
    """Seconds and bytes of each part, in the order in which they are done."""
    found: dict[str, tuple[float, float]] = {}
    for fact in facts.of("restore.part"):
        name = plain(fact.data.get("part"))
        seconds, moved = found.get(name, (0.0, 0.0))
        took, more = max(0.0, as_number(fact.data.get("seconds"))), as_number(fact.data.get("bytes"))
        found[name] = (seconds + took, moved + more)
    return {name: found[name] for name in (*DOES, *found) if name in found}


def _parts(facts: Facts) -> Iterable[PartRow]:
    for name, (seconds, moved) in _added(facts).items():
        rate = f"{size(moved)}, {size(moved / seconds)} a second" if moved and seconds else ""
        yield PartRow(STYLES.get(name, "symptom"), name, DOES.get(name, ""), length(seconds), rate)


def _bar(facts: Facts, database: str, key: str) -> str:
    """All parts on one line, as long as they took; empty where none was recorded."""
    parts = _added(facts)
    whole = sum(seconds for seconds, _ in parts.values())
    if not 0 < whole < LONGEST:
        return ""
    at, shapes = 0.0, []
    for name, (seconds, _) in parts.items():
        wide = WIDTH * seconds / whole
        words = f"{name} {length(seconds)}"
        shapes.append(svg.box(at, 0, wide, BAR, STYLES.get(name, "symptom"), title=words))
        if svg.text_width(words, 12) + 12 < wide:
            shapes.append(svg.text(at + 6, 17, words))
        at += wide
    described = "; ".join(f"{name} {length(seconds)}" for name, (seconds, _) in parts.items())
    return (
        f'<svg role="img" aria-labelledby="{key}-t" viewBox="0 0 {svg.n(WIDTH)} {svg.n(BAR)}" '
        f'class="timeline" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{key}-t">{_escaped(f"How long the parts of restoring {database} took: {described}")}</title>'
        f"{''.join(shapes)}</svg>"
    )


def _escaped(words: str) -> str:
    return str(Markup.escape(clean(words)))


def _reached(facts: Facts) -> Pairs:
    rows: list[tuple[str, Any]] = []
    if (reached := facts.last("restore.reached")) is not None:
        data = reached.data
        early = {True: "yes: the archive ended before the point", False: "no"}
        rows += [
            ("Recovered to", data.get("point")),
            ("The last transaction is of", data.get("at") or "no transaction was replayed"),
            ("Ended at", f"{plain(data.get('lsn'))}, timeline {plain(data.get('timeline'))}"),
            ("The archive ends with", data.get("archive_end") or "not said"),
            ("Not replayed any more", data.get("stopped_before") or ""),
            ("Ended early", early.get(bool(data.get("ended_early")), "") if "ended_early" in data else "not said"),
        ]
    if (beat := facts.last("restore.heartbeat")) is not None:
        data = beat.data
        rows += [
            ("Heartbeat", f"number {plain(data.get('number'))}, one each {plain(data.get('every'))} s"),
            ("Heartbeat's last row", f"{plain(data.get('at'))}, {plain(data.get('missing'))} missing before it"),
            ("Heartbeat behind", length(as_number(data.get("behind")))),
        ]  # fmt: skip  # a table
    return tuple((name, plain(value)) for name, value in rows if value not in ("", None))


def _look(fact: Fact) -> LookRow:
    data = fact.data
    ok, figure = data.get("ok"), data.get("figure")
    known = ok if isinstance(ok, bool) else None
    seen = plain(data.get("seen"))
    many = number(as_number(figure)) if isinstance(figure, int | float) else ""
    return LookRow(
        about=plain(data.get("about")),
        name=plain(data.get("name")),
        ok="? not known" if known is None else OK[known],
        style={True: "ok", False: "no", None: ""}[known],
        seen=f"{seen} (figure {many})" if many and many not in seen.replace(",", "") and many not in seen else seen,
        expected=plain(data.get("expected") or ""),
        text=" ".join(plain(data.get("text") or "").split()),
    )


def _order(row: LookRow) -> int:
    return list(ABOUT).index(row.about) if row.about in ABOUT else len(ABOUT)


def _place(facts: Facts) -> Pairs:
    said = {name: value for fact in facts.of("restore.place") for name, value in fact.data.items()}
    if not said:
        return ()
    tries = _list(said.get("tries"))
    tried = "; ".join(f"{plain(each.get('address'))}: {plain(each.get('became'))}" for each in tries)
    of_original = any(each.get("address") != CANARY for each in tries)
    ours = "" if of_original else "of the original no address is named, and none was tried"
    left = said.get("conninfo_left")
    archives = plain(said["archive_mode"]) if said.get("archive_mode") else "not asked"
    rows = [
        ("Programs", f"PostgreSQL {plain(said.get('version'))}, {plain(said.get('programs'))}"),
        ("Kept apart by", plain(said.get("isolation")) or "nothing"),
        ("Empty before", plain(said.get("empty")) if said.get("empty") is not None else "not looked at"),
        ("Archiving", archives),
        ("Reached from inside", "; ".join(filter(None, (tried, ours))) or "not tried"),
        ("Ways to the original in its files", "not looked at" if left is None else plain(left) or "none"),
        ("Room", f"{size(as_number(said.get('free')))} free, {size(as_number(said.get('needed')))} needed"),
    ]
    if (end := facts.last("restore.end")) is not None:
        kept, over = plain(end.data.get("kept") or ""), plain(end.data.get("left") or "")
        gone = "yes, nothing of it is left" if end.data.get("removed") is True and not over else f"NO: {over or kept}"
        rows.append(("Removed", f"kept, to be looked at: {kept}" if kept and not over else gone))
    return tuple(rows)


def _inventories(facts: Facts) -> tuple[tuple[str, str, str], ...]:
    taken = {str(fact.data.get("moment")): fact.data for fact in facts.of("restore.inventory")}
    if not taken:
        return ()
    told: dict[str, Callable[[Any], str]] = {
        "files": lambda value: number(as_number(value)),
        "bytes": lambda value: quantity(as_number(value), "bytes"),
        "digest": plain,
    }

    def said(moment: str, name: str) -> str:
        return told[name](taken[moment].get(name)) if moment in taken else "not taken"

    return tuple((name.capitalize(), said("before", name), said("after", name)) for name in told)


def _changed(facts: Facts) -> str:
    after = [fact.data for fact in facts.of("restore.inventory") if fact.data.get("moment") == "after"]
    if not after:
        return "There is no inventory from after the restore."
    said = [after[-1].get(name) for name in ("changed", "came")]
    changed = [each for some in said if isinstance(some, list) for each in some]
    return f"Not as it was: {'; '.join(map(plain, changed))}." if changed else "Nothing of it was changed."


def _list(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _said(data: Mapping[str, Any], words: str) -> str:
    return f"{plain(data.get('database'))}: {words}"


def _part(data: Mapping[str, Any]) -> str:
    moved = as_number(data.get("bytes"))
    took = f"{plain(data.get('part'))} took {length(as_number(data.get('seconds')))}"
    return _said(data, took + (f", {size(moved)}" if moved else ""))


def _asked(data: Mapping[str, Any]) -> str:
    which = plain(data.get("named") or data.get("which"))
    to = f", as of {plain(data['point'])}" if data.get("point") else ""
    return f"backups are restored beside, of {plain(data.get('databases'))}: {which}{to}"


WORDS: dict[str, Callable[[dict[str, Any]], str]] = {
    "restore.asked": _asked,
    "restore.catalogue": lambda d: _said(d, f"{plain(d.get('chosen')) or 'no backup'}, {plain(d.get('how'))}"),
    "restore.part": _part,
    "restore.reached": lambda d: _said(d, f"recovered to {plain(d.get('point'))}"),
    "restore.end": lambda d: _said(d, ": ".join(filter(None, (plain(d.get("outcome")), plain(d.get("why") or ""))))),
}
