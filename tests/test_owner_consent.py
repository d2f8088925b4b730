"""Nothing of a platform is hurt that nobody has said is meant; in production somebody else has signed it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from harness.cli import drdrill, with_reports
from harness.errors import Exit, Refused
from harness.evidence.keys import fingerprint, signing_key
from harness.evidence.run_folder import CONTROL
from harness.safety import begin
from harness.safety.owner import authorisation, consent
from harness.safety.owner.authorisation import Approval, Wanted
from harness.safety.owner.consent import Given
from harness.safety.standing import Standing
from harness.stacks import kinds
from harness.stacks.attached.file.described import StackFile
from harness.stacks.attached.file.read import load
from harness.system.command import LABEL
from harness.system.recorder import Memory
from tests.stack_files import written

NOW = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
BOSS = Ed25519PrivateKey.generate()
SECOND = Ed25519PrivateKey.generate()
OWN = Ed25519PrivateKey.generate()
CONFIRM = ("safety", "confirm")
PRODUCTION = (("platform", "environment"), "production")


def print_of(key: Ed25519PrivateKey) -> str:
    return fingerprint(key.public_key())


@pytest.fixture
def said(tmp_path: Path) -> StackFile:
    """A platform in production."""
    return load(written(tmp_path, PRODUCTION))


def made(
    said: StackFile, folder: Path, *, key: Ed25519PrivateKey = BOSS, operator: str = "", drills: Any = ("d",),
    begins: datetime = NOW - HOUR, until: datetime = NOW + HOUR,
) -> Path:  # fmt: skip  # parameters in groups
    path = folder / "authorisation"
    approval = Approval("Mira", operator, drills, "the yearly drill", begins, until)
    path.write_bytes(authorisation.made(said, approval, key=key))
    return path


def checked(
    path: Path, said: StackFile, *, drills: tuple[str, ...] = ("d",), moment: datetime = NOW, **more: Any
) -> Any:
    authorities = more.get("authorities", [print_of(BOSS)])
    return authorisation.check(
        path, Wanted(said, drills, "ops", moment), authorities=authorities, own=more.get("own", print_of(OWN))
    )


def test_what_was_signed_for_this_holds(tmp_path: Path, said: StackFile) -> None:
    """It says who, what for, until when, and by which key."""
    found = checked(made(said, tmp_path, drills=("d", "e")), said)
    assert (found.by, found.drills, found.keys) == ("Mira", ("d", "e"), (print_of(BOSS),))
    assert found.until == NOW + HOUR and found.facts()["why"] == "the yearly drill"


def test_every_other_one_is_refused(tmp_path: Path, said: StackFile) -> None:
    """Expired, not yet, of another drill, operator, file or key, without a key from elsewhere: each in its words."""
    path = made(said, tmp_path, operator="ops")
    assert checked(path, said).operator == "ops"
    wrong: list[tuple[Any, str]] = [
        ({"moment": NOW + HOUR}, "has expired"),
        ({"moment": NOW - 2 * HOUR}, "it holds from"),
        ({"drills": ("d", "other")}, "and not other"),
        ({"authorities": []}, "nobody says whose signature counts"),
        ({"authorities": [print_of(SECOND)]}, "nobody has signed it whose key you were given"),
        ({"own": print_of(BOSS)}, "is your own key"),
    ]
    for given, words in wrong:
        with pytest.raises(Refused, match=words) as caught:
            checked(path, said, **given)
        assert caught.value.exit is Exit.REFUSED and caught.value.hint
    changed = load(written(tmp_path, PRODUCTION, (("platform", "owner"), "somebody else")))
    with pytest.raises(Refused, match="another stack file"):
        checked(path, changed)
    with pytest.raises(Refused, match="and not ops"):
        checked(made(said, tmp_path, operator="Nils"), said)


def test_the_operators_own_signature_is_none(tmp_path: Path, said: StackFile) -> None:
    """Whoever runs the drill cannot authorise it, also beside a key that they name."""
    with pytest.raises(Refused, match="nobody has signed it whose key you were given"):
        checked(made(said, tmp_path, key=OWN), said)
    with pytest.raises(Refused, match="is your own key"):
        checked(made(said, tmp_path, key=OWN), said, authorities=[print_of(OWN)])


def test_a_byte_that_was_flipped_is_seen(tmp_path: Path, said: StackFile) -> None:
    """Wherever it is: in what was signed, in a signature, in a key."""
    path = made(said, tmp_path)
    sound = path.read_bytes()
    for at in range(0, len(sound), 7):
        flipped = bytearray(sound)
        flipped[at] ^= 1
        path.write_bytes(bytes(flipped))
        with pytest.raises(Refused):
            checked(path, said)
    for more in (sound + b"\n", sound * 2, sound[:-1], b"", b"{}\n"):
        path.write_bytes(more)
        with pytest.raises(Refused):
            checked(path, said)


def test_a_second_person_signs_the_very_same(tmp_path: Path, said: StackFile) -> None:
    """Both count where both are named; nobody signs twice."""
    path = made(said, tmp_path)
    path.write_bytes(authorisation.signed_too(path.read_bytes(), key=SECOND))
    assert set(checked(path, said, authorities=[print_of(BOSS), print_of(SECOND)]).keys) == {
        print_of(BOSS), print_of(SECOND),
    }  # fmt: skip  # in groups
    assert checked(path, said).keys == (print_of(BOSS),)
    with pytest.raises(Refused, match="has signed it already"):
        authorisation.signed_too(path.read_bytes(), key=SECOND)


def test_it_is_for_a_month_at_most(tmp_path: Path, said: StackFile) -> None:
    """And it ends after it begins."""
    for until in (NOW + timedelta(days=40), NOW - 2 * HOUR):
        with pytest.raises(Refused, match="within 31 days"):
            made(said, tmp_path, until=until)


# What people say


@pytest.fixture(autouse=True)
def own_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The operator has a key of their own, and the clock is right."""
    monkeypatch.setenv("DRDRILL_KEY", str(tmp_path / "key.pem"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    signing_key()


def ask(folder: Path, way: str | None, given: Given, *changes: Any) -> dict[str, Any]:
    return consent.must_be_given(load(written(folder, (CONFIRM, way), *changes)), given)


def test_a_typed_name_is_the_platforms(tmp_path: Path) -> None:
    """Another one is refused, and none; a platform that wants none takes none."""
    assert ask(tmp_path, "typed name", Given("Paydesk"))["confirmed"] == "--yes-hurt"
    assert ask(tmp_path, None, Given())["confirmed"] == ""
    for given, words in ((Given(), "nobody has said that Paydesk"), (Given("paydesk"), "is not the platform's name")):
        with pytest.raises(Refused, match=words) as caught:
            ask(tmp_path, "typed name", given)
        assert "paydesk.yaml:" in caught.value.hint
    with pytest.raises(Refused, match="is not the platform's name"):
        ask(tmp_path, None, Given("Other"))


def test_two_people_are_two(tmp_path: Path) -> None:
    """Two names at a terminal, as claimed; an option is none of a person; without a terminal two keys sign."""
    both = Given("Paydesk", consent.TYPED, ("Mira", "Nils"))
    assert ask(tmp_path, "two people", both)["people"] == ["Mira", "Nils"]
    for given in (
        Given("Paydesk"),
        Given("Paydesk", consent.TYPED, ("Mira", "Mira")),
        Given("Paydesk", people=("A", "B")),
    ):
        with pytest.raises(Refused, match="two people have to say"):
            ask(tmp_path, "two people", given)
    found = load(written(tmp_path, (CONFIRM, "two people")))
    now = datetime.now(UTC)
    path = made(found, tmp_path, begins=now - HOUR, until=now + HOUR)
    one = Given(authorised=path, authorities=(print_of(BOSS), print_of(SECOND)), drills=("d",))
    with pytest.raises(Refused, match="two people have to say"):
        consent.must_be_given(found, one)
    path.write_bytes(authorisation.signed_too(path.read_bytes(), key=SECOND))
    assert len(consent.must_be_given(found, one)["authorised"]["keys"]) == 2


def test_production_wants_both(tmp_path: Path) -> None:
    """A name alone is not enough, nor is a signature; no option makes it another class."""
    found = load(written(tmp_path, PRODUCTION, (CONFIRM, None)))
    with pytest.raises(Refused, match="is production, and nobody has authorised this"):
        consent.must_be_given(found, Given("Paydesk", drills=("d",)))
    now = datetime.now(UTC)
    path = made(found, tmp_path, begins=now - HOUR, until=now + HOUR)
    signed = Given(authorised=path, authorities=(print_of(BOSS),), drills=("d",))
    with pytest.raises(Refused, match="nobody has said"):
        consent.must_be_given(found, signed)
    named = Given("Paydesk", authorised=path, authorities=(print_of(BOSS),), drills=("d",))
    assert consent.must_be_given(found, named)["authorised"]["by"] == "Mira"


def test_before_each_fault_it_is_looked_at_again(tmp_path: Path) -> None:
    """A run that was begun around it, or lasts longer than it was authorised, hurts nothing."""
    found = load(written(tmp_path, PRODUCTION, (CONFIRM, None)))
    run, now = tmp_path / "r", datetime.now(UTC)
    (run / CONTROL).mkdir(parents=True)
    with pytest.raises(Refused, match="nobody has said"):
        consent.must_hold(run, found)
    path = made(found, tmp_path, begins=now - HOUR, until=now + HOUR)
    given = Given("Paydesk", authorised=path, authorities=(print_of(BOSS),), drills=("d",))
    consent.keep(run, consent.must_be_given(found, given), path)
    consent.must_hold(run, found)
    memory = Memory()
    consent.record(run, memory)
    assert memory.facts[0][1]["authorised"]["by"] == "Mira"
    (run / authorisation.FILE).write_bytes(made(found, tmp_path, begins=now - 2 * HOUR, until=now - HOUR).read_bytes())
    with pytest.raises(Refused, match="has expired"):
        consent.must_hold(run, found)


def test_nothing_is_begun_that_was_not_confirmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The place of every run, however it was started: no folder is made, and the platform is not even asked."""
    monkeypatch.setenv(begin.FOLDER, "")
    monkeypatch.setenv(LABEL, "")
    monkeypatch.setattr(begin, "must_have_room", lambda *_, **__: None)
    path = written(tmp_path, (CONFIRM, "typed name"), (("safety", "windows"), None))
    kind = kinds.of_file(path)

    def touched(_: Standing) -> None:
        raise AssertionError("it was asked")

    monkeypatch.setattr(Standing, "take", touched)
    evidence = tmp_path / "e"
    with pytest.raises(Refused, match="nobody has said that Paydesk"):
        with_reports.begin(evidence, "r1", project=tmp_path, kind=kind)
    assert not evidence.exists()


# The command


def authorise(*words: object) -> Result:
    return CliRunner().invoke(drdrill, ["authorise", *map(str, words)])


def test_the_command_makes_what_the_run_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what was signed, and the fingerprint that is to be given; a second person signs the same file."""
    path, now = written(tmp_path, PRODUCTION), datetime.now(UTC)
    file, until = tmp_path / "let", (now + HOUR).isoformat()
    monkeypatch.setenv("DRDRILL_KEY", str(tmp_path / "boss.pem"))
    done = authorise(file, "--stack", path, "--drill", "d", "--until", until, "--as", "Mira", "--why", "yearly")
    assert done.exit_code == 0, done.output
    boss = print_of(signing_key())
    assert boss in done.output and "Mira" in done.output
    assert authorise(file, "--stack", path, "--drill", "d", "--until", until).exception is not None
    monkeypatch.setenv("DRDRILL_KEY", str(tmp_path / "second.pem"))
    assert authorise(file, "--too").exit_code == 0
    both = [boss, print_of(signing_key())]
    assert len(authorisation.check(file, Wanted(load(path), ["d"], "ops", now), authorities=both, own="").keys) == 2
    assert json.loads(file.read_bytes().splitlines()[0])["payloadType"] == authorisation.PAYLOAD_TYPE


@pytest.mark.parametrize("words", [("--drill", "d"), ("--until", "soon"), ("--stack", "nowhere.yaml")])
def test_the_command_says_what_is_missing(tmp_path: Path, words: tuple[str, str]) -> None:
    """And makes nothing."""
    done = authorise(tmp_path / "let", *words)
    assert isinstance(done.exception, Refused) and not (tmp_path / "let").exists()
