"""Which backup was taken, how old what it gives back is, how far recovery went, and what became of the original."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks import Outcome
from harness.checks.judge import judge
from harness.checks.restored_backup import CLOCKS, drawn
from tests.histories import NAME, History, utc
from tests.made_restores import IDS, NONCE, ORDERS, SYSTEM, backup, change, evidence, finding, looks, sound, without

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN
EVERY = [backup(id, -86_400.0 * (3 - place)) for place, id in enumerate(IDS)]
OTHER = "7309999999999999999"


def listed(history: History, *backups: dict[str, Any], **more: Any) -> History:
    return change(history, "catalogue", backups=list(backups), **more)


def bad(place: int, **more: Any) -> list[dict[str, Any]]:
    return [{**each, **(more if at == place else {})} for at, each in enumerate(EVERY)]


# Which one


@pytest.mark.parametrize(
    ("spoil", "outcome", "said"),
    [
        (lambda it: it, MET, "20261123F, the newest of 3"),
        (lambda it: listed(it, chosen=""), MISSED, "the catalogue is empty"),
        (lambda it: change(it, "catalogue", chosen=IDS[1]), MISSED, "and not 20261123F, the one that ended last"),
        (lambda it: change(it, "catalogue", chosen="gone"), MISSED, "which the catalogue does not have"),
        (lambda it: change(it, "catalogue", chosen=""), UNKNOWN, "no backup was taken"),
        (lambda it: listed(it, *bad(2, sound="bad pages")), MISSED, "the catalogue has against 20261123F: bad pages"),
        (lambda it: listed(it, *bad(2, sound="no WAL"), chosen=IDS[1]), MISSED, "the catalogue calls bad (no WAL)"),
        (lambda it: listed(it, *bad(0, sound="old")), MET, "the newest"),
        (lambda it: listed(it, *bad(2, system=OTHER)), MISSED, f"it is of the system {OTHER}, and not of {SYSTEM}"),
        (lambda it: listed(it, *EVERY, EVERY[-1]), UNKNOWN, "2 backups with the id"),
        (lambda it: listed(it, *bad(1, ended="yesterday")), UNKNOWN, "is no time"),
        (lambda it: listed(it, *bad(1, ended=None)), UNKNOWN, "does not say when it was made"),
        (lambda it: listed(it, *bad(0, ended=utc(-60.0))), MISSED, "and not 20261121F"),  # not in their order
        (lambda it: looks(it, "identity", ok=False, seen=OTHER), MISSED, OTHER),
        (lambda it: change(it, "brought", digest="cd" * 32), MISSED, "what was brought has the digest cdcd"),
        (lambda it: change(it, "brought", digest="cd" * 32, digest_of="something else"), MET, "the newest of 3"),
        (lambda it: without(it, "brought"), MET, "the newest of 3"),
        (lambda it: looks(it, "identity", ok=None, seen="not read"), UNKNOWN, "not read"),
        (lambda it: without(it, "look"), UNKNOWN, "nobody looked whose data was restored"),
        (lambda it: change(it, "catalogue", system_expected=""), UNKNOWN, "does not say of which it must be"),
        (lambda it: without(it, "catalogue"), UNKNOWN, "no catalogue was read"),
    ],
)  # fmt: skip  # a table
def test_the_backup_is_the_one_that_was_asked_for_and_of_this_system(
    spoil: Callable[[History], History], outcome: Outcome, said: str
) -> None:
    """By the catalogue of its tool; a newest one that is no good is MISSED, and so is an older one in its stead."""
    found = finding(spoil(sound()), "backup-identity")
    assert found.outcome is outcome, found.reason
    assert said in found.reason


def test_whose_a_backup_is_may_be_told_by_what_is_in_it() -> None:
    """A dump has no identifier; and what was restored being what the catalogue says shows nothing by itself."""
    history = listed(sound(), *[{**each, "system": "", "form": "dump"} for each in EVERY], system_expected="")
    assert finding(history, "backup-identity").outcome is UNKNOWN
    looks(history, "identity", name="its database", expected="app", seen="app")
    assert finding(history, "backup-identity").outcome is MET
    history = change(sound(), "catalogue", system_expected="")
    assert finding(history, "backup-identity").outcome is UNKNOWN


@pytest.mark.parametrize("named", [IDS[0], "gone"])
def test_a_backup_that_was_named_is_that_one(named: str) -> None:
    """Or it is not there, and then none stands in for it."""
    history = sound(which="named", named=named)
    assert finding(history, "backup-identity").outcome is (MISSED if named in IDS else UNKNOWN)
    change(history, "catalogue", chosen=named if named in IDS else "")
    assert finding(history, "backup-identity").outcome is (MET if named in IDS else MISSED)


def test_a_draw_can_be_made_again_by_whoever_gave_the_nonce() -> None:
    """SHA-256 of nonce, scenario and database, a blank between them, modulo the number of backups."""
    text = f"{NONCE} {NAME} {ORDERS}"
    at = int(hashlib.sha256(text.encode()).hexdigest(), 16) % 3
    for place, id in enumerate(IDS):
        history = change(sound(which="drawn"), "catalogue", chosen=id)
        found = finding(history, "backup-identity")
        assert found.outcome is (MET if place == at else MISSED)
    history = change(sound(which="drawn"), "catalogue", chosen=IDS[at])
    assert f"number {at + 1} of 3, drawn by the auditor's nonce" in finding(history, "backup-identity").reason
    for begin, outcome in (({"nonce_by": "harness"}, MET), ({"nonce": ""}, UNKNOWN), ({"nonce": "another"}, None)):
        (found,) = (each for each in judge(evidence(history, **begin)) if each.id == "backup-identity")
        assert outcome in (None, found.outcome)
        assert "auditor" not in found.reason


@given(many=st.integers(1, 500), nonce=st.text(), database=st.text())
def test_a_draw_is_always_one_of_them(many: int, nonce: str, database: str) -> None:
    """Whatever the nonce, also one of no ASCII."""
    assert (
        0
        <= drawn(nonce.encode("utf-8", "replace").decode(), NAME, database.encode("utf-8", "replace").decode(), many)
        < many
    )


# How old


def limited(history: History, limit: float | None) -> History:
    for _, kind, data in history.lines:
        if kind == "expect" and data["finding"] == "backup-age":
            data["limit"] = limit
    return history


@given(behind=st.floats(0, 5000), limit=st.floats(30, 3000))
def test_a_heartbeat_says_what_would_be_lost(behind: float, limit: float) -> None:
    """Its last row is so old at most, by what clocks may be apart; MET and MISSED only beyond that bar."""
    history = limited(change(sound(), "heartbeat", at=utc(25 - behind), behind=behind), limit)
    found = finding(history, "backup-age")
    assert found.figure == pytest.approx(behind, abs=1e-5) and found.low is not None and found.high is not None
    assert found.low == pytest.approx(max(0, behind - 1 - CLOCKS), abs=1e-5)
    assert found.high == pytest.approx(behind + CLOCKS, abs=1e-5)
    met, missed = behind + CLOCKS < limit - 1e-4, behind - 1 - CLOCKS > limit + 1e-4
    if met or missed:
        assert found.outcome is (MET if met else MISSED)
    elif behind + CLOCKS > limit + 1e-4 and behind - 1 - CLOCKS < limit - 1e-4:
        assert found.outcome is UNKNOWN


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"rows": 0}, "no row"),
        ({"missing": 3}, "3 numbers of the heartbeat"),
        ({"at": utc(40.0), "behind": -15.0}, "in the future"),
        ({"behind": 50.0}, "is said to be 50.0 s behind"),
        ({"at": "soon"}, "is no time"),
        ({"now": utc(90.0), "behind": 70.0}, "after it was written down"),
        ({"every": None}, "is no length"),
    ],
)
def test_a_heartbeat_that_cannot_be_is_unknown(said: dict[str, Any], why: str) -> None:
    """Nor does one with gaps say how far it goes."""
    found = finding(change(sound(), "heartbeat", **said), "backup-age")
    assert found.outcome is UNKNOWN and why in found.reason


def test_without_a_heartbeat_the_archive_says_it() -> None:
    """From when the catalogue was read up to when all had been fetched: the archive was read at some time between."""
    history = without(sound(), "heartbeat")
    found = finding(history, "backup-age")
    assert "by catalogue and archive" in found.reason and "0000000300000016000000B3" in found.reason
    assert found.low == 0.0 and found.high == pytest.approx(40 - 20 + CLOCKS)
    change(history, "reached", looked=utc(25.0))
    assert finding(history, "backup-age").figure == pytest.approx(5.0)
    change(history, "reached", at=utc(-3600.0))
    found = finding(history, "backup-age")
    assert found.outcome is MISSED and found.figure == pytest.approx(3625.0)
    change(history, "reached", at="")
    assert finding(history, "backup-age").figure == pytest.approx(86_425.0)
    change(history, "reached", at=utc(500.0))
    assert finding(history, "backup-age").outcome is UNKNOWN


def test_a_dump_is_as_old_as_its_begin() -> None:
    """And an older one than the newest proves its own age alone."""
    dumps = [backup(id, -600.0 * (2 - place), form="dump", system="") for place, id in enumerate(IDS)]
    history = without(without(listed(sound(), *dumps, chosen=IDS[-1]), "heartbeat"), "reached")
    found = finding(history, "backup-age")
    assert found.outcome is MET and found.figure == pytest.approx(64.0)
    change(history, "catalogue", chosen=IDS[0])
    found = finding(history, "backup-age")
    assert found.outcome is UNKNOWN and found.figure == pytest.approx(1264.0)
    assert found.low == pytest.approx(59.0) and "nobody restored" in found.reason
    history = listed(history, *[{**each, "began": utc(900.0), "ended": utc(960.0)} for each in dumps])
    assert finding(history, "backup-age").outcome is UNKNOWN


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda it: change(it, "end", outcome="failed", why="broken"), "the restore failed"),
        (lambda it: change(it, "reached", ordered={"lsn": "16/0"}), "recovered to a point"),
        (lambda it: change(it, "reached", ordered=None), "it is not said how far"),
        (lambda it: without(it, "reached"), "nobody looked how far"),
        (lambda it: without(it, "end"), "no end in the journal"),
        (lambda it: change(it, "catalogue", chosen=""), "no backup was taken"),
        (lambda it: limited(it, None), "no objective"),
    ],
)
def test_an_age_that_was_not_seen_is_unknown(spoil: Callable[[History], History], why: str) -> None:
    """Whatever the catalogue promises: it has to be restored."""
    found = finding(spoil(sound()), "backup-age")
    assert found.outcome is UNKNOWN and why in found.reason


def test_a_clock_that_was_set_leaves_the_age_open() -> None:
    """It hangs on times of day."""
    found = evidence(sound())
    lines = [each._replace(utc=utc(4000.0 + each.seq)) if each.seq > 20 else each for each in found.lines]
    found = found.__class__(found.scenario, tuple(lines), (), frozenset(), found.requests, found.rows, found.run)
    (age,) = (each for each in judge(found) if each.id == "backup-age")
    assert age.outcome is UNKNOWN and "clock of the day" in age.reason


def test_the_clock_of_the_database_is_taken_where_it_is_known() -> None:
    """Its offset is taken off, and its uncertainty is the bar."""
    history = sound()
    history.say(1.0, "clock", clock="database", offset=2.0, uncertainty=0.5, how="asked")
    found = finding(history, "backup-age")
    assert found.low == pytest.approx(5 - 1 + 2 - 0.5) and found.high == pytest.approx(5 + 2 + 0.5)


# How far


def to_a_point(**said: Any) -> History:
    history = sound(point="before-the-mistake")
    change(history, "reached", ordered={"time": utc(21.0)}, stopped_before={"xid": 812, "time": utc(22.0)}, **said)
    for side in ("what came before the time is there", "what came after the time is not there"):
        history.say(
            58.0, "restore.look", database=ORDERS, about="point", name=side, ok=True, seen="as it must", expected=""
        )
    return history


def test_a_point_is_met_on_both_sides() -> None:
    """What came last before it is there, and what came first after it is not."""
    found = finding(to_a_point(), "point-in-time")
    assert found.outcome is MET and "16/B374D848 on timeline 3" in found.reason
    first = without(to_a_point(), "look", lambda data: "after" in data["name"])
    assert finding(first, "point-in-time").outcome is UNKNOWN
    assert finding(without(to_a_point(), "look"), "point-in-time").outcome is UNKNOWN
    assert finding(looks(to_a_point(), "point", ok=False), "point-in-time").outcome is MISSED
    assert finding(looks(to_a_point(), "point", ok=None), "point-in-time").outcome is UNKNOWN


@pytest.mark.parametrize(
    ("said", "outcome", "why"),
    [
        ({"ended_early": True}, MISSED, "recovery ended before"),
        ({"ended_early": None}, UNKNOWN, "ended early"),
        ({"at": utc(21.5)}, MISSED, "after"),
        ({"stopped_before": {"time": utc(20.5)}}, MISSED, "was not replayed any more"),
        ({"ordered": {"lsn": "16/B374D849"}}, MISSED, "recovered to 16/B374D848, before 16/B374D849"),
        ({"ordered": {"lsn": "16/B374D848"}, "stopped_before": {}}, MET, "16/B374D848"),
        ({"ordered": {"lsn": "west"}}, UNKNOWN, "is no position"),
        ({"ordered": {}}, MISSED, "asked for was before-the-mistake"),
        ({"ordered": {"name": "release-9"}, "stopped_before": {}}, MET, "release-9" and "timeline 3"),
        ({"ordered": "now"}, UNKNOWN, "not said to which point"),
    ],
)
def test_a_recovery_that_went_elsewhere_is_missed(said: dict[str, Any], outcome: Outcome, why: str) -> None:
    """Too far, not far enough, or to no point at all."""
    found = finding(change(to_a_point(), "reached", **said), "point-in-time")
    assert found.outcome is outcome and why in found.reason
    assert finding(without(to_a_point(), "reached"), "point-in-time").outcome is UNKNOWN


# The original, and the place


@pytest.mark.parametrize(
    ("spoil", "outcome"),
    [
        (lambda it: it, MET),
        (lambda it: afterwards(it, changed=["a.info is another one"]), MET),  # by others: we cannot
        (lambda it: afterwards(it, changed=["a.info is another one"], read_only=""), MISSED),
        (lambda it: afterwards(it, came=["00B4 is new"], read_only=""), MET),
        (lambda it: afterwards(it, changed=["00B4 is gone"], read_only=""), MISSED),
        (lambda it: afterwards(it, came=["00B4 is new"]), MET),
        (lambda it: change(it, "inventory", read_only=""), MET),
        (lambda it: moment(it, "inventory", "after", digest="cd" * 32), UNKNOWN),  # another digest, and nothing changed
        (lambda it: moment(it, "inventory", "after", came=["00B4 is new"]), UNKNOWN),
        (lambda it: change(it, "inventory", digest=""), UNKNOWN),
        (lambda it: without(it, "inventory"), UNKNOWN),
        (lambda it: without(it, "inventory", lambda data: data["moment"] == "after"), UNKNOWN),
        (lambda it: without(it, "place"), UNKNOWN),
        (lambda it: moment(it, "place", "before", empty=False), MISSED),
        (lambda it: moment(it, "place", "before", empty=None), UNKNOWN),
        (lambda it: moment(it, "place", "after", archive_mode="on"), MISSED),
        (lambda it: moment(it, "place", "after", archive_mode=None), UNKNOWN),
        (lambda it: moment(it, "place", "before", isolation=""), UNKNOWN),
        (lambda it: moment(it, "place", "after", tries=[]), UNKNOWN),
        (lambda it: tried(it, "taken"), MISSED),
        (lambda it: tried(it, "refused"), MISSED),
        (lambda it: tried(it, "Connection refused"), MISSED),
        (lambda it: tried(it, "timed out"), UNKNOWN),
        (lambda it: tried(it, ""), UNKNOWN),
        (lambda it: tried(it, "No route to host; Network is unreachable"), MET),
        (lambda it: tried(it, "No route to host; timed out"), UNKNOWN),
        (lambda it: tried(it, "No route to host; taken"), MISSED),
        (lambda it: moment(it, "place", "after", conninfo_left=["postgresql.auto.conf"]), MISSED),
        (lambda it: moment(it, "place", "after", conninfo_left=None), UNKNOWN),
        (lambda it: also(it, "original", ok=False), MISSED),
        (lambda it: also(it, "place", ok=None), UNKNOWN),
    ],
)  # fmt: skip  # a table
def test_the_original_is_untouched_where_all_of_it_was_looked_at(
    spoil: Callable[[History], History], outcome: Outcome
) -> None:
    """A place that could reach it, or a repository that was changed, is MISSED; what nobody looked at is UNKNOWN."""
    found = finding(spoil(sound()), "original-untouched")
    assert found.outcome is outcome, found.reason


def afterwards(history: History, *, read_only: str = "a mount", **more: Any) -> History:
    change(history, "inventory", read_only=read_only)
    return moment(history, "inventory", "after", digest="cd" * 32, **more)


def tried(history: History, became: str) -> History:
    return moment(history, "place", "after", tries=[{"address": "db:5432", "became": became}])


def also(history: History, about: str, *, ok: bool | None) -> History:
    history.say(58.0, "restore.look", database=ORDERS, about=about, name="one more", ok=ok, seen="…", expected="")
    return history


def moment(history: History, kind: str, when: str, **more: Any) -> History:
    for _, said, data in history.lines:
        if said == f"restore.{kind}" and data["moment"] == when:
            data.update(more)
    return history


def test_an_inventory_from_the_middle_of_the_restore_says_nothing() -> None:
    """Before is before the first part, and after is after the last."""
    history = sound()
    history.lines = [
        (30.0 if kind == "restore.inventory" and data["moment"] == "before" else at, kind, data)
        for at, kind, data in history.lines
    ]
    assert finding(history, "original-untouched").outcome is UNKNOWN


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({}, MET),
        ({"removed": False, "left": "a folder: busy"}, MISSED),
        ({"removed": False}, MISSED),
        ({"removed": None}, UNKNOWN),
        ({"left": "a process"}, MISSED),
        ({"removed": False, "kept": "<run>/kept-places/orders"}, UNKNOWN),
        ({"removed": False, "kept": "<run>/kept-places/orders", "left": "a process"}, MISSED),
    ],
)
def test_a_place_is_removed_where_nothing_of_it_is_left(said: dict[str, Any], outcome: Outcome) -> None:
    """One that was kept on purpose is for somebody to remove, and not removed."""
    assert finding(change(sound(), "end", **said), "place-removed").outcome is outcome
    assert finding(without(sound(), "end"), "place-removed").outcome is UNKNOWN
