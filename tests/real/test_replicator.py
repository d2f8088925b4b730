"""Backups in another region: two stores on loopback, every version once and in order, whatever breaks off between."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import pytest

from harness.errors import DrillError, NotReady
from harness.stacks.backup_tools.vault import Vault
from harness.stacks.capabilities.backups import Backup, Replicated
from harness.stacks.local.ground import LocalGround
from harness.stacks.parts.bucket import Bucket, Kept
from harness.stacks.parts.replication.copying import DONE, OF, Copying, State
from harness.stacks.parts.replicator import Replicator, lacking, simulated
from harness.stacks.parts.s3 import CREDENTIALS, REGION, S3Server
from harness.stacks.parts.tls import make_authority
from harness.system import clock, wait
from harness.system.command import Commands
from harness.system.recorder import Memory
from tests.one_host import one_host
from tests.receivers import free_ports

SOON = timedelta(seconds=30)


def ground_of(folder: Path) -> LocalGround:
    """With a label of its own: two parts of the same name are told apart by that."""
    return one_host(folder, Commands(Memory(), label=f"{folder.name}-{os.getpid()}"), ourselves=True)


@dataclass
class Stores:
    """One a region, with a bucket of its own for each test."""

    first: S3Server
    second: S3Server
    ca: Path
    folder: Path

    def buckets(self, name: str) -> tuple[Bucket, Bucket]:
        made = [
            Bucket(f"{name}-{number}", url=each.url, ca=self.ca, credentials=CREDENTIALS, region=REGION)
            for number, each in enumerate((self.first, self.second), 1)
        ]
        for one in made:
            one.make()
        return made[0], made[1]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    folder = tmp_path_factory.mktemp("stores")
    authority = make_authority(folder / "tls")
    grounds = [ground_of(folder / name) for name in ("r1", "r2")]
    first, second = (
        S3Server(ground, authority=authority, port=port) for ground, port in zip(grounds, free_ports(2), strict=True)
    )
    try:
        for one in (first, second):
            one.start()
        assert wait.poll(lambda: first.ready() and second.ready(), within=SOON)
        yield Stores(first, second, authority.ca, folder)
    finally:
        for one in (first, second):
            one.unit.stop()


def contents(bucket: Bucket, key: str) -> list[bytes | None]:
    """Of each version, the oldest first; None where it was deleted."""
    return [None if one.deletion else bucket.read(key, version=one.id) for one in reversed(bucket.versions(key))]


def kept(bucket: Bucket) -> list[tuple[str, int, bool]]:
    return sorted((one.key, one.size, one.deletion) for one in bucket.history())


def test_what_died_with_the_target_is_copied_again(stores: Stores, tmp_path: Path) -> None:
    """Once the process starts again: it stands in the region of the target, and dies with it."""
    source, target = stores.buckets("died")
    source.write("a", b"1")
    assert Copying(source, target, tmp_path).go_through().copied == 1
    empty = Bucket("died-3", url=target.url, ca=stores.ca, credentials=CREDENTIALS, region=REGION)
    assert not Copying(source, empty, tmp_path).go_through().why
    assert empty.find("a") == b"1"


def test_steady_means_that_only_what_came_in_lately_is_missing(stores: Stores, tmp_path: Path) -> None:
    """And where nothing can be said, it is not steady."""
    source, target = stores.buckets("steady")
    one = Replicator(ground_of(tmp_path), source=source, target=target, ca=stores.ca)
    assert one.condition().ok and one.condition().seen == "it has all of them"
    source.write("late", b"1")
    assert one.condition().ok and one.condition().seen.startswith("all but 1 on their way, the oldest ")
    assert wait.poll(lambda: not one.condition(behind=timedelta(0)).ok, within=SOON)
    gone = Bucket("gone", url="https://127.0.0.1:1", ca=stores.ca, credentials=CREDENTIALS, region=REGION)
    said = Replicator(ground_of(tmp_path), source=gone, target=target, ca=stores.ca, name="other").condition()
    assert not said.ok and "nothing was ever replicated" in said.seen


def test_every_version_is_copied_in_order_with_the_id_of_its_source(stores: Stores, tmp_path: Path) -> None:
    """Also large ones, and those that came in the same second; what was deleted is hidden in the copy, too."""
    source, target = stores.buckets("order")
    ids = [source.write("a/1", content) for content in (b"first", b"second", b"third")]
    large = b"0123456789abcdef" * 1_500_000
    source.write("base/data.tar", large)
    source.write("gone", b"was here")
    source.delete("gone")
    copying = Copying(source, target, tmp_path / "copying")
    state = copying.go_through()
    assert (state.why, state.missing, state.copied, state.passes) == ("", 0, 6, 1) and state.lag() == timedelta(0)
    assert contents(target, "a/1") == [b"first", b"second", b"third"]
    assert target.sha256("base/data.tar") == hashlib.sha256(large).hexdigest()
    assert contents(target, "gone") == [b"was here", None] and target.find("gone") is None
    copies = list(reversed(target.versions("a/1")))
    assert [target.marks("a/1", one.id)[OF] for one in copies] == ids


def test_a_pass_copies_what_is_new_and_an_empty_one_nothing(stores: Stores, tmp_path: Path) -> None:
    """A deletion is new, and so is what is stored after it; how long an empty pass takes is printed."""
    source, target = stores.buckets("new")
    copying = Copying(source, target, tmp_path)
    for number in range(60):
        source.write(f"wal/{number:04}", b"x" * 1000)
    begin = clock.mono()
    assert copying.go_through().copied == 60
    whole, begin = clock.since(begin), clock.mono()
    assert copying.go_through().copied == 60
    print(f"60 objects in {whole.total_seconds():.1f} s, an empty pass in {clock.since(begin).total_seconds():.2f} s")
    source.delete("wal/0007")
    assert copying.go_through().copied == 61 and target.find("wal/0007") is None
    source.write("wal/0007", b"again")
    assert copying.go_through().copied == 62 and target.find("wal/0007") == b"again"


def test_what_is_destroyed_at_the_source_stays_in_the_copy(stores: Stores, tmp_path: Path) -> None:
    """The copy is there for whoever lost, or was robbed of, the other one."""
    source, target = stores.buckets("destroyed")
    version = source.write("base", b"backup")
    copying = Copying(source, target, tmp_path)
    copying.go_through()
    source.delete("base", version=version)
    assert source.history() == [] and copying.go_through().why == ""
    assert target.find("base") == b"backup"


def test_a_backup_is_sound_in_the_copy_when_somebody_destroyed_it(stores: Stores, tmp_path: Path) -> None:
    """Its digests are copied with it, so the copy is checked like the original; damage that comes as a new version is
    copied, and the sound one before it is there, too."""
    vaults = [Vault(one) for one in stores.buckets("vault")]
    keys = [f"base/20261129T120000/{name}" for name in ("backup.info", "data.tar")]
    for key in keys:
        vaults[0].bucket.write(key, key.encode() * 1000)
    noon = datetime(2026, 11, 29, 12, tzinfo=UTC)
    backup = Backup("20261129T120000", noon, noon, "0" * 24, 0, 1, objects=tuple(keys), size=1)
    vaults[0].seal(backup)
    copying = Copying(vaults[0].bucket, vaults[1].bucket, tmp_path)
    copying.go_through()
    vaults[0].damage(keys[0], None, keep_versions=False)
    vaults[0].damage(keys[1], b"damaged", keep_versions=True)
    assert copying.go_through().why == ""
    assert vaults[1].backup(backup.id) == backup and len(vaults[0].check(backup, prefix="base/")) == 2
    assert [damage.key for damage in vaults[1].check(backup, prefix="base/")] == [keys[1]]
    (_, before) = vaults[1].bucket.versions(keys[1])
    vaults[1].undo_damage(keys[1], before.id)
    assert vaults[1].check(backup, prefix="base/") == []


def test_a_copy_is_not_copied_back(stores: Stores, tmp_path: Path) -> None:
    """Two that copy in opposite directions come to rest; what is new on either side gets to the other."""
    one, other = stores.buckets("both-ways")
    for key in ("x", "y"):
        one.write(key, b"of one")
    one.delete("y")
    other.write("z", b"of the other")
    there, back = Copying(one, other, tmp_path / "there"), Copying(other, one, tmp_path / "back")
    for _ in range(3):
        there.go_through(), back.go_through()
    assert kept(one) == kept(other) == [("x", 6, False), ("y", 0, True), ("y", 6, False), ("z", 12, False)]


class Breaking(Bucket):
    """A store that goes away after so many objects."""

    left = 2

    def bring(self, key: str, *, version: str, into: IO[bytes]) -> dict[str, str] | None:
        self.left -= 1
        if self.left < 0:
            into.write(b"hal")
            raise DrillError("the source is gone", hint="-")
        return super().bring(key, version=version, into=into)


def test_a_pass_that_broke_off_goes_on_where_it_was(stores: Stores, tmp_path: Path) -> None:
    """Nothing that came halfway is stored; it is known what is missing, and how old the oldest of it was."""
    source, target = stores.buckets("breaking")
    breaking = Breaking(source.name, url=source.url, ca=stores.ca, credentials=CREDENTIALS, region=REGION)
    for number in range(5):
        source.write(f"o/{number}", b"whole")
    clock.sleep(timedelta(seconds=1.1))
    copying = Copying(breaking, target, tmp_path)
    state = copying.go_through()
    assert (state.why, state.missing, state.copied, state.passes) == ("the source is gone", 3, 2, 0)
    assert state == State.read(tmp_path) and state.lag() > timedelta(seconds=0.5)
    assert kept(target) == [(f"o/{number}", 5, False) for number in range(2)]
    breaking.left = 100
    state = copying.go_through()
    assert (state.why, state.missing, state.copied, state.passes) == ("", 0, 5, 1)
    assert kept(target) == kept(source)


@pytest.mark.parametrize("left", ["torn", "nothing"])
def test_a_process_that_comes_later_copies_nothing_twice(stores: Stores, tmp_path: Path, left: str) -> None:
    """Whether its record was torn or is gone: each copy says what it is a copy of."""
    source, target = stores.buckets(f"later-{left}")
    for content in (b"one", b"two"):
        source.write("a", content)
    source.write("b", b"three")
    source.delete("b")
    Copying(source, target, tmp_path).go_through()
    before, file = target.history(), tmp_path / DONE
    if left == "torn":
        file.write_bytes(file.read_bytes()[:-30])
    else:
        file.unlink()
    source.write("c", b"new")
    state = Copying(source, target, tmp_path).go_through()
    assert (state.why, state.missing, state.copied) == ("", 0, 5)
    assert [one for one in target.history() if one.key != "c"] == before and target.find("c") == b"new"


def test_the_process_of_a_stack_says_how_far_it_is(stores: Stores, tmp_path: Path) -> None:
    """Both stores say what is missing while they are there; when the source dies, what was known of it is said."""
    source, target = stores.buckets("process")
    ground = ground_of(tmp_path)
    replicator = Replicator(ground, source=source, target=target, ca=stores.ca, every=timedelta(seconds=0.3))
    assert isinstance(replicator, Replicated) and "simulated" in simulated()
    source.write("before", b"12345")
    clock.sleep(timedelta(seconds=1.1))
    found = replicator.replicated()
    assert found.missing == 1 and found.oldest > timedelta(seconds=1)
    replicator.start()
    try:
        assert wait.poll(lambda: replicator.replicated().missing == 0, within=SOON)
        source.write("after", b"678")
        assert wait.poll(lambda: replicator.replicated().missing == 0, within=SOON)
        assert target.find("after") == b"678" and replicator.replicated().oldest == timedelta(0)
        assert wait.poll(lambda: replicator.state().copied == 2, within=SOON)
    finally:
        replicator.unit.stop()


def test_when_the_source_dies_within_a_pass_it_is_known_what_is_missing(tmp_path: Path) -> None:
    """It takes with it what was not copied yet; the process goes on, and each copy is whole."""
    authority = make_authority(tmp_path / "tls")
    grounds = [ground_of(tmp_path / name) for name in ("r1", "r2", "replicator")]
    first, second = (
        S3Server(ground, authority=authority, port=port) for ground, port in zip(grounds, free_ports(2), strict=False)
    )
    replicator = Replicator(
        grounds[2], source=first.bucket, target=second.bucket, ca=authority.ca, every=timedelta(seconds=0.3)
    )
    try:
        for store in (first, second):
            store.start()
        assert wait.poll(lambda: first.ready() and second.ready(), within=SOON)
        for number in range(60):
            first.bucket.write(f"wal/{number:04}", b"x" * 50_000)
        replicator.start()
        assert wait.poll(lambda: replicator.state().copied >= 10, within=SOON, every=timedelta(milliseconds=10))
        first.unit.kill()
        assert wait.poll(lambda: replicator.state().why, within=SOON)
        state, found = replicator.state(), replicator.replicated()
        assert state.missing > 0 and found.missing == state.missing == 60 - state.copied
        assert found.oldest == state.lag() and found.seen < clock.now().utc
        copies = second.bucket.history()
        assert len(copies) == state.copied and {one.size for one in copies} == {50_000}
        assert replicator.unit.running()
    finally:
        replicator.unit.stop()
        first.unit.stop()
        second.unit.stop()


def test_of_a_source_that_nobody_ever_saw_nothing_is_said(stores: Stores, tmp_path: Path) -> None:
    """And no number is made up."""
    gone = Bucket("gone", url="https://127.0.0.1:1", ca=stores.ca, credentials=CREDENTIALS, region=REGION)
    ground = ground_of(tmp_path)
    with pytest.raises(NotReady, match="nothing was ever replicated"):
        Replicator(ground, source=gone, target=gone, ca=stores.ca).replicated()


def test_what_is_lacking_is_counted_by_version() -> None:
    """Of several alike the newest are missing; a copy that the source does not have any more is no matter."""
    noon = datetime(2026, 11, 29, 12, tzinfo=UTC)
    a1, a2, b = (
        Kept(key, str(number), noon + timedelta(seconds=number), 5, deletion=False)
        for number, key in enumerate(("a", "a", "b"))
    )
    hidden = Kept("a", "9", noon, 0, deletion=True)
    assert lacking([a1, a2, hidden, b], [a1, b, hidden]) == [a2]
    assert lacking([a1], [a1, a2, b]) == [] and lacking([a1, b], []) == [a1, b]
