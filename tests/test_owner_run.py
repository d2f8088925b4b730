"""A run on a platform of somebody else: its writes are bounded, what hangs is healed, and a dry run says all of it."""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.errors import Exit, Refused
from harness.evidence.journal import Journal
from harness.evidence.run_folder import CONTROL, UNDO
from harness.faults import table
from harness.faults.cut_zone import CutZone
from harness.faults.kill_component import KillComponent
from harness.faults.kill_zone import KillZone
from harness.faults.lose_volumes import LoseVolumes
from harness.faults.noop import Noop
from harness.faults.pause_component import PauseComponent
from harness.features.sentences import Among
from harness.safety import guardian, healing, permission, stopping, undo
from harness.safety.owner import writes
from harness.stacks.attached import commands
from harness.stacks.attached.file.read import load
from harness.stacks.attached.stack import AttachedStack
from harness.system import clock, control_files, wait
from harness.system.recorder import Memory
from harness.workload import ledger
from harness.workload.workload import shares
from tests.stack_files import WHOLE, written
from tests.test_attached import made

SOON, OFTEN = timedelta(seconds=20), timedelta(milliseconds=20)
WRITES = ("safety", "writes")


# Writes


def test_a_rate_above_what_the_file_lets_is_refused(tmp_path: Path) -> None:
    """By `safety`, else by what it says of customers; with the line."""
    said = load(written(tmp_path, (WRITES, {"rate": "2 a second"})))
    writes.must_be_slow_enough(said, 2.0)
    with pytest.raises(Refused, match=r"would write 5 a second, and Paydesk lets 2") as caught:
        writes.must_be_slow_enough(said, 5.0)
    assert "paydesk.yaml:" in caught.value.hint
    with pytest.raises(Refused, match="lets 5"):
        writes.must_be_slow_enough(load(written(tmp_path)), 50.0)


def test_what_is_sent_counts_over_the_whole_run(tmp_path: Path) -> None:
    """Customers of scenarios that have ended, and the harness's own; with none left nothing begins."""
    said = load(written(tmp_path, (WRITES, {"number": "100"})))
    journal = Journal.create(tmp_path / "r")
    assert writes.left(said, journal.lines()) == 100
    journal.record("trial.sent", origin="r/s", number=1, payload="{}")
    journal.record("workload.end", due=60, sent=59, acknowledged=59, failed=0, in_doubt=0, not_sent=1)
    assert writes.left(said, journal.lines()) == 40
    assert writes.left(load(written(tmp_path)), journal.lines()) is None
    journal.record("workload.end", due=60, sent=40, acknowledged=40, failed=0, in_doubt=0, not_sent=0)
    with pytest.raises(Refused, match="100 writes were sent, and Paydesk lets 100 in one run; nothing was hurt"):
        writes.left(said, journal.lines())
    memory = Memory()
    writes.record(said, journal.lines(), memory, run="r")
    assert memory.facts[0][1] == {"sent": 100, "most": 100, "most_a_second": None, "marked": "r/", "removed": None}
    journal.close()


@pytest.mark.parametrize(("marks", "removed"), [
    ([("request", 60, 0), ("request", 41, 1)], 100), ([("left", 60, 60)], None), ([("request", None, None)], None),
    ([("request", 60, 0), ("request", 41, None)], None),
])  # fmt: skip  # a table
def test_what_the_client_has_taken_away_is_said(tmp_path: Path, marks: list[Any], removed: int | None) -> None:
    """Over all scenarios; where one of them could not be counted nobody knows."""
    journal = Journal.create(tmp_path / "r")
    for how, found, left in marks:
        journal.record("marks", origin="r/s", how=how, found=found, left=left, why="")
    assert writes.removed(journal.lines()) == removed
    journal.close()


def test_groups_share_what_may_be_sent() -> None:
    """By their rates, and never more than all."""
    assert shares(100, [1.0, 2.0]) == [33, 66] and shares(None, [1.0]) == [None] and shares(5, [0.0]) == [0]


def test_the_run_ends_where_as_many_are_sent_as_may_be(tmp_path: Path) -> None:
    """Whatever else the ledgers say; what was not sent counts for nothing."""
    files, said = [tmp_path / "one", tmp_path / "two"], list[str]()
    bound = writes.Bound(files, 3, said.append)
    line = ledger.sent_line(1, due=1, t=1, payload="{}", amount=None)
    files[0].write_text(f"{line}\n{line}\n")
    assert not bound.look()
    files[1].write_text(ledger.not_sent_line(2, due=1, t=1, why="clients full") + "\n" + line + "\n")
    bound.begin()
    wait.poll(lambda: said, within=SOON, every=OFTEN)
    assert said == [f"{writes.SPENT}: 3"]


# What hangs


def hurt(folder: Path) -> Path:
    """A run that is alive, has injected something, and was asked to stop."""
    (folder / CONTROL).mkdir(parents=True)
    undo.write(folder, KillComponent(("a",)), {"names": ["a"]}, injection=1)
    stopping.ask(folder, who="guardian", why="abort when")
    return folder


@pytest.mark.parametrize("hears", [True, False])
def test_a_harness_that_hangs_is_ended_soon_and_one_that_heals_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, hears: bool
) -> None:
    """What says the difference: whether it goes about what it was asked. It is ended once: then somebody heals."""
    ended: list[str] = []
    folder = hurt(tmp_path / "r.unfinished")
    if hears:
        control_files.leave(folder / CONTROL / stopping.HEARD, {})
    monkeypatch.setattr(guardian, "DEAF", timedelta(milliseconds=100))
    monkeypatch.setattr(guardian, "LOOKS", OFTEN)
    monkeypatch.setattr(guardian, "end_labelled", lambda run, **_: ended.append(run))
    over = threading.Event()
    monkeypatch.setattr(guardian, "_dead", lambda _: over.is_set())  # somebody who heals holds it
    watches = threading.Thread(target=guardian._until_over, args=(folder, None))
    watches.start()
    clock.sleep(timedelta(seconds=0.5))
    over.set()
    watches.join()
    assert ended == ([] if hears else ["r"])


def test_whoever_is_asked_to_stop_says_that_it_goes_about_it(tmp_path: Path) -> None:
    """A process of its own, for a signal belongs to a whole process."""
    (tmp_path / CONTROL).mkdir()
    child = os.fork()
    if child == 0:
        listener = stopping.Listener(tmp_path)
        listener.begin()
        try:
            clock.sleep(SOON)
        except KeyboardInterrupt:
            clock.sleep(timedelta(seconds=2))
        os._exit(0)
    clock.sleep(timedelta(seconds=0.5))
    assert not stopping.heard(tmp_path)
    stopping.ask(tmp_path, who="guardian", why="abort")
    wait.poll(lambda: stopping.heard(tmp_path), within=SOON, every=OFTEN)
    os.waitpid(child, 0)
    assert stopping.heard(tmp_path)


# Before a fault


def test_a_refusal_is_in_the_journal(tmp_path: Path) -> None:
    """With what, why, and the line of the file."""
    memory = Memory()
    with pytest.raises(Refused):
        permission.permit(
            made(tmp_path), KillZone("a"), {"zone": "a", "components": []}, folder=tmp_path, recorder=memory
        )
    ((kind, data),) = memory.facts
    assert kind == "refused" and data["fault"] == "kill_zone" and "paydesk.yaml:" in data["hint"]


def test_the_longest_fault_is_the_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is shorter than the fault's own time, lies on disk, and is what the guardian heals by."""
    monkeypatch.setattr(permission.consent, "must_hold", lambda *_: None)
    monkeypatch.setattr(permission.told, "must_be_clear", lambda *_: None)
    stack, fault = made(tmp_path), KillComponent(("api-a",))
    ttl = permission.permit(stack, fault, {"names": ["api-a"]}, folder=tmp_path, recorder=Memory())
    assert ttl == timedelta(minutes=5) < fault.ttl
    undo.write(tmp_path, fault, {"names": ["api-a"]}, injection=1, ttl=ttl)
    (left,) = undo.pending(tmp_path)
    assert left.path.parent.name == UNDO and left.expires - clock.mono() <= 5 * 60 * 10**9
    assert permission.permit(cast(Any, SimpleNamespace()), fault, {}, folder=tmp_path, recorder=Memory()) == fault.ttl


# The dry run


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            KillComponent(("api-a",)),
            ("docker kill $(docker ps -aq --filter label=com.docker.compose.project=paydesk", "docker start"),
        ),
        (PauseComponent("db-2"), ("docker pause", "docker unpause")),
        (CutZone("a"), ("--cap-add NET_ADMIN", "-A DRDRILL -j DROP", "-s ${address of db-1} -j RETURN", "-X DRDRILL")),
        (
            KillComponent(("batch",)),
            ("do:   ssh batch1 systemctl kill -s KILL batch", "undo: ssh batch1 systemctl start batch"),
        ),
        (KillComponent(("entrance",)), ("REFUSED: kill_component would reach entrance", "HINT: ")),
        (KillComponent(("api-a", "api-b")), ("REFUSED: kill_component would hurt 2 components at once",)),
        (KillZone("a"), ('REFUSED: kill_zone is not let: the file lets kill, pause, cut, and not "power"',)),
        (LoseVolumes(), ("REFUSED", "lose volumes")),
        (Noop(), ("noop ",)),
    ],
)
def test_a_dry_run_says_each_act_with_its_inverse(tmp_path: Path, fault: Any, words: tuple[str, ...]) -> None:
    """From the file alone, as a person would type it; what is not let says so, and does nothing."""
    lines = commands.of_fault(load(written(tmp_path)), fault, table.to_disk(fault))
    assert all(word in "\n".join(lines) for word in words), lines
    assert sum(line.startswith("  do:") for line in lines) == sum(line.startswith("  undo:") for line in lines)


def test_whom_a_sentence_does_not_name_may_be_anybody(tmp_path: Path) -> None:
    """All are listed but those that are never hurt; a failover has no inverse, and says so."""
    said = load(written(tmp_path))
    listed = "\n".join(commands.of_some(said, ["kill_component", "kill_zone"]))
    assert "service=api-a" in listed and "service=entrance" not in listed and "kill_zone: REFUSED" in listed
    assert commands.of_failover(said)[1:] == [
        "  do:   docker exec ${survivor} pg_ctl promote", "  undo: no inverse: a promotion is not undone",
    ]  # fmt: skip  # in groups
    assert commands.of_failover(load(written(tmp_path, (("database", "failover"), None)))) == []
    assert Exit.REFUSED == 3


@pytest.mark.parametrize(
    ("among", "head", "listed"),
    [
        (Among("role", "api"), "one of the role api that runs: known when it runs, one of api-a, api-b", "api-b"),
        (Among("leader"), "who leads the database: known when it runs, one of db-1, db-2", "db-1"),
        (Among("copy"), "a copy of the database: known when it runs, one of db-1, db-2", "db-2"),
        (Among("role", "worker"), "one of the role worker that runs: there is one: batch", "batch"),
        (Among("role", "load balancer"), "the file has none that may be hurt so", ""),
        (Among("role", "database"), "that runs, and not who leads the database: known when it runs", "db-1"),
    ],
)
def test_only_whom_a_sentence_may_reach_is_listed(tmp_path: Path, among: Among, head: str, listed: str) -> None:
    """A sentence about an API says nothing of database servers."""
    lines = commands.of_some(load(written(tmp_path)), ["kill_component"], among=among)
    assert head in lines[0] and listed in "\n".join(lines)
    others = {"api-a", "api-b", "db-1", "db-2", "batch"} - set(lines[0].replace(",", " ").split())
    assert not [line for line in lines[1:] for name in others if name in line]


# An inverse that does not


def test_an_inverse_that_does_nothing_heals_nothing(tmp_path: Path) -> None:
    """It is looked at, and not believed: the fault stays, and the way for a person is said."""
    there = tmp_path / "hurt"
    kill = {
        "do": {"run": ["touch", str(there)]},
        "undo": {"run": ["true"]},
        "proof": {"run": ["test", "-e", str(there)]},
        "undone": {"run": ["test", "!", "-e", str(there)], "within": "1 s"},
    }
    least = {"format": "1", "platform": WHOLE["platform"], "components": {"job": {"kill": kill}}}
    said = load(written(tmp_path, of=least))
    stack = AttachedStack(said, tmp_path / "stack", recorder=Memory(), label="a-run", secrets={})
    (tmp_path / "stack").mkdir()
    fault, needed = KillComponent(("job",)), {"names": ["job"]}
    permission.must_permit(stack, fault, needed)
    path = undo.write(tmp_path, fault, needed, injection=1)
    fault.inject(stack, needed)
    assert there.exists() and fault.took_effect(stack, needed)
    found = healing.heal(stack, fault, needed)
    assert not found.ok and found.how == "not healed" and "start job: not seen within 1 s" in found.seen
    assert undo.pending(tmp_path)[0].path == path
    assert undo.command(tmp_path, found.seen).startswith("drdrill heal --on ")
