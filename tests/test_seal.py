"""Sealing: one commit point, safe to repeat after a kill, and readable by software that is not ours."""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from harness.errors import DrillError, Refused
from harness.evidence import keys
from harness.evidence.journal import Journal
from harness.evidence.keys import KeyRefused, fingerprint, signing_key
from harness.evidence.lines import read
from harness.evidence.numbers import newest, pack_digest
from harness.evidence.seal import OddFile, SecretFound, seal
from harness.evidence.verify import verify_folder, verify_pack
from harness.evidence.withhold import redact_copy
from tests.made_packs import LEDGER, OUR_PRINT, OURS, sealed, series, unfinished


def in_child(action: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            action()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def statement_of(pack: Path) -> dict[str, object]:
    envelope = json.loads((pack / "pack.dsse.json").read_bytes())
    statement: dict[str, object] = json.loads(base64.b64decode(envelope["payload"]))
    return statement


# --- the key ---


def test_a_key_is_made_on_first_use(tmp_path: Path) -> None:
    """Mode 0600 in a folder for the owner alone, and the same key every time after."""
    path = tmp_path / "config" / "drdrill" / "signing-key.pem"
    key = signing_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert fingerprint(signing_key(path).public_key()) == fingerprint(key.public_key())
    assert [entry.name for entry in path.parent.iterdir()] == ["signing-key.pem"]
    assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")


def test_where_the_key_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """DRDRILL_KEY beats XDG_CONFIG_HOME beats the home folder; a relative XDG path is ignored."""
    monkeypatch.setenv("HOME", "/home/x")
    assert keys.key_path({}) == Path("/home/x/.config/drdrill/signing-key.pem")
    assert keys.key_path({"XDG_CONFIG_HOME": "rel"}) == Path("/home/x/.config/drdrill/signing-key.pem")
    assert keys.key_path({"XDG_CONFIG_HOME": "/c"}) == Path("/c/drdrill/signing-key.pem")
    assert keys.key_path({"XDG_CONFIG_HOME": "/c", "DRDRILL_KEY": "/k.pem"}) == Path("/k.pem")


def test_two_processes_at_first_use_get_the_same_key(tmp_path: Path) -> None:
    """However they race, one key is made and all use it."""
    script = (
        "import sys; from pathlib import Path; from harness.evidence.keys import *\n"
        "sys.stdin.readline(); print(fingerprint(signing_key(Path(sys.argv[1])).public_key()))\n"
    )
    argv = [sys.executable, "-c", script, str(tmp_path / "new" / "key.pem")]
    racers = [subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    said = {racer.communicate()[0] for racer in racers}
    assert len(said) == 1 and len(said.pop().strip()) == 64
    assert [entry.name for entry in (tmp_path / "new").iterdir()] == ["key.pem"]


def test_the_fingerprint_is_what_openssl_prints(tmp_path: Path) -> None:
    """So that an auditor can compute it without this software."""
    (tmp_path / "pub.pem").write_bytes(keys.public_pem(OURS.public_key()))
    command = f"openssl pkey -pubin -in {tmp_path}/pub.pem -outform DER | sha256sum | cut -c1-64"
    assert subprocess.check_output(["sh", "-c", command], text=True).strip() == OUR_PRINT


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """With a hint that says what to do."""
    signing_key(tmp_path / "k.pem")
    (tmp_path / "k.pem").chmod(mode)
    with pytest.raises(KeyRefused, match=r"HINT: .*chmod 600"):
        signing_key(tmp_path / "k.pem")


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    """Garbage, another kind of key, a key with a password, a folder, a place that cannot be made."""
    other = ec.generate_private_key(ec.SECP256R1())
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    locked = serialization.BestAvailableEncryption(b"password")
    contents = {
        "garbage": b"\0\xff",
        "ec": other.private_bytes(serialization.Encoding.PEM, pkcs8, plain),
        "locked": OURS.private_bytes(serialization.Encoding.PEM, pkcs8, locked),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o600)
        with pytest.raises(KeyRefused, match="not an Ed25519"):
            signing_key(tmp_path / name)
    for path in (tmp_path, tmp_path / "garbage" / "below"):
        with pytest.raises(KeyRefused, match="HINT"):
            signing_key(path)


# --- the seal ---


def test_a_sealed_pack_verifies(tmp_path: Path) -> None:
    """All three questions are met, and the unfinished folder is gone."""
    pack = sealed(tmp_path / "r1")
    report = verify_pack(pack, key=OUR_PRINT)
    assert report.problems == [] and report.outcome == "MET"
    assert [entry.name for entry in tmp_path.iterdir()] == ["r1"]


def test_a_pack_has_no_empty_folder(tmp_path: Path) -> None:
    """A scenario that ended before its customers came leaves none: one found later was added."""
    (unfinished(tmp_path / "run-1") / "scenarios" / "not begun" / "x").mkdir(parents=True)
    pack = seal(tmp_path / "run-1.unfinished", tmp_path / "run-1", key=OURS)
    assert verify_pack(pack, key=OUR_PRINT).outcome == "MET"


def test_the_statement(tmp_path: Path) -> None:
    """The predicate says which run, which journal, which verdict; the subjects are all files but the envelope."""
    pack = sealed(tmp_path / "r1", number=7, previous="ab" * 32)
    statement = statement_of(pack)
    predicate = statement["predicate"]
    assert isinstance(predicate, dict)
    lines = read(pack / "journal.jsonl")
    assert str(statement["predicateType"]).endswith("/v2")
    assert (predicate["run"], predicate["number"], predicate["previousPack"]) == ("r1", 7, "ab" * 32)
    assert (predicate["journal"]["lines"], predicate["journal"]["head"]) == (len(lines), lines[-1].digest)
    assert predicate["verdict"] == {"run": "MET", "scenarios": {"All volumes lost": "MET"}}
    assert predicate["environmentClass"] == "embedded" and predicate["nonce"] == "n0"
    assert all(key[0].islower() and "_" not in key for key in predicate)
    subjects = statement["subject"]
    assert isinstance(subjects, list)
    there = {path.relative_to(pack).as_posix() for path in pack.rglob("*") if path.is_file()}
    assert {subject["name"] for subject in subjects} == there - {"pack.dsse.json"}


def test_the_sums_are_in_their_one_form(tmp_path: Path) -> None:
    """Sorted by path, two spaces, a newline each: the same bytes that sha256sum prints for the sorted files."""
    pack = sealed(tmp_path / "r1")
    command = (
        "find . -type f ! -name SHA256SUMS ! -name pack.dsse.json | sed 's|^./||' | LC_ALL=C sort | xargs sha256sum"
    )
    assert subprocess.check_output(["sh", "-c", command], cwd=pack) == (pack / "SHA256SUMS").read_bytes()


def test_securesystemslib_verifies_the_envelope(tmp_path: Path) -> None:
    """A second reader of DSSE, which is not ours, accepts the signature and the type."""
    pack = sealed(tmp_path / "r1")
    envelope = Envelope.from_dict(json.loads((pack / "pack.dsse.json").read_bytes()))
    key = SSlibKey.from_crypto(OURS.public_key(), OUR_PRINT)
    assert OUR_PRINT in envelope.verify([key], 1)
    assert envelope.payload_type == "application/vnd.in-toto+json"


KILL_AT = ("fsync", "rename", "unlink", "open")


def test_killed_at_every_step(tmp_path: Path) -> None:
    """Kill -9 before any system call of sealing: sealing again finishes, and nothing half-made is left."""
    counted = [0]
    steps = 200
    for step in range(steps):
        folder = tmp_path / str(step)
        folder.mkdir()
        begun = unfinished(folder / "r1")

        def killed(begun: Path = begun, step: int = step) -> None:
            def deadly(name: str) -> None:
                real = getattr(os, name)

                def call(*args: object, **options: object) -> object:
                    if counted[0] == step:
                        os.kill(os.getpid(), signal.SIGKILL)
                    counted[0] += 1
                    return real(*args, **options)

                setattr(os, name, call)

            for name in KILL_AT:
                deadly(name)
            seal(begun, begun.with_name("r1"), key=OURS)

        code = in_child(killed)
        pack = seal(begun, begun.with_name("r1"), key=OURS)
        assert [entry.name for entry in folder.iterdir()] == ["r1"]
        assert verify_pack(pack, key=OUR_PRINT).outcome == "MET"
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert 15 < step < steps - 1


def test_half_made_files_are_made_anew(tmp_path: Path) -> None:
    """Whatever an earlier attempt has left of what the seal writes is replaced."""
    begun = unfinished(tmp_path / "r1")
    for name in ("pack.dsse.json", "SHA256SUMS", "VERIFY.md", "public-key.pem"):
        (begun / name).write_text("half")
    assert verify_pack(seal(begun, tmp_path / "r1", key=OURS), key=OUR_PRINT).outcome == "MET"


def test_a_pack_of_the_same_name_is_never_replaced(tmp_path: Path) -> None:
    """Sealing onto a name that is taken is refused; sealing what is sealed is harmless."""
    pack = sealed(tmp_path / "r1")
    digest = pack_digest(pack)
    assert seal(tmp_path / "r1.unfinished", pack, key=OURS) == pack
    begun = unfinished(tmp_path / "r1")
    with pytest.raises(Refused, match="already"):
        seal(begun, pack, key=OURS)
    assert pack_digest(pack) == digest and begun.is_dir()


def test_links_and_odd_files_are_refused(tmp_path: Path) -> None:
    """A link could point anywhere, a pipe would wait for ever, and some names read differently elsewhere."""
    makers: list[Callable[[Path], object]] = [
        lambda folder: (folder / "x").symlink_to("plan.yaml"),
        lambda folder: (folder / "d").symlink_to(folder),
        lambda folder: os.mkfifo(folder / "x"),
        lambda folder: (folder / "a\nb").write_text(""),
        lambda folder: (folder / "a\\b").write_text(""),
        lambda folder: Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).write_text(""),
    ]
    for n, make in enumerate(makers):
        begun = unfinished(tmp_path / f"r{n}")
        make(begun)
        with pytest.raises(OddFile, match="HINT"):
            seal(begun, tmp_path / f"r{n}", key=OURS)


def test_a_pack_with_a_secret_is_not_sealed(tmp_path: Path) -> None:
    """The error names file and line, does not repeat the secret, and the run can be sealed once it is masked."""
    begun = unfinished(tmp_path / "r1")
    (begun / "logs").mkdir()
    (begun / "logs" / "api.log").write_text("ok\npaid with 4111111111111111\n")
    with pytest.raises(SecretFound, match=r"logs/api.log, line 2: card number") as refused:
        seal(begun, tmp_path / "r1", key=OURS)
    assert "4111" not in str(refused.value)
    (begun / "logs" / "api.log").write_text("ok\npaid\n")
    assert verify_pack(seal(begun, tmp_path / "r1", key=OURS), key=OUR_PRINT).outcome == "MET"


def test_a_run_without_its_end_is_not_sealed(tmp_path: Path) -> None:
    """Not without run.end, not with a torn line, not with a broken chain: heal must end it first."""
    begun = unfinished(tmp_path / "r1", end=False)
    with pytest.raises(Refused, match="HINT: run `drdrill heal`"):
        seal(begun, tmp_path / "r1", key=OURS)
    with (begun / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"v":1,')
    with pytest.raises(Refused, match="HINT: run `drdrill heal`"):
        seal(begun, tmp_path / "r1", key=OURS)
    with Journal.resume(begun) as resumed:
        resumed.record("run.end", outcome="killed", by="heal")
    report = verify_pack(seal(begun, tmp_path / "r1", key=OURS), key=OUR_PRINT)
    assert report.outcome == "MET"
    assert any("killed before its end" in note for note in report.notes)
    assert any("in the middle of a line" in note for note in report.notes)


def test_a_file_that_changes_while_it_is_sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something still writes to a log: the pack is not committed."""
    begun = unfinished(tmp_path / "r1")
    real = os.open

    def meddling(path: object, flags: int, *rest: int, **options: int) -> int:
        if str(path).endswith("SHA256SUMS"):
            with (begun / LEDGER).open("a") as ledger:
                ledger.write("late\n")
        return real(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", meddling)
    with pytest.raises(DrillError, match="written to while"):
        seal(begun, tmp_path / "r1", key=OURS)
    assert begun.is_dir() and not (tmp_path / "r1").exists()


def test_a_full_disk_while_sealing_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One clear error; once there is room the same run is sealed."""
    begun = unfinished(tmp_path / "r1")
    journal = (begun / "journal.jsonl").read_bytes()

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DrillError, match="No space left on device\nHINT: nothing is lost"):
        seal(begun, tmp_path / "r1", key=OURS)
    monkeypatch.undo()
    assert (begun / "journal.jsonl").read_bytes() == journal
    assert verify_pack(seal(begun, tmp_path / "r1", key=OURS), key=OUR_PRINT).outcome == "MET"


def test_redacting_what_is_not_there_is_refused(tmp_path: Path) -> None:
    """Lines that do not exist, and a copy over something."""
    pack = sealed(tmp_path / "r1")
    for lines in ([0], [99]):
        with pytest.raises(Refused, match="has the lines 1 to 8"):
            redact_copy(pack, tmp_path / "copy", lines)
    with pytest.raises(Refused, match="HINT"):
        redact_copy(pack, pack, [2])


# --- numbers ---


def test_runs_are_numbered_and_chained(tmp_path: Path) -> None:
    """Each run has the next number and names the digest of the pack before."""
    assert newest(tmp_path / "nothing") == (0, "none")
    first, second = series(tmp_path / "e", length=2)
    assert statement_of(first)["predicate"]["previousPack"] == "none"
    assert statement_of(second)["predicate"]["previousPack"] == pack_digest(first)
    assert newest(tmp_path / "e") == (2, pack_digest(second))
    assert verify_folder(tmp_path / "e", key=OUR_PRINT).outcome == "MET"


def test_a_run_that_is_about_to_begin_does_not_count_itself(tmp_path: Path) -> None:
    """Its folder and its empty journal may be there before it asks for its number."""
    (first,) = series(tmp_path / "e", length=1)
    with Journal.create(tmp_path / "e" / "r2.unfinished"):
        assert newest(tmp_path / "e") == (1, pack_digest(first))


def test_a_killed_run_keeps_its_number(tmp_path: Path) -> None:
    """The run after it has the next one, and names its pack once that is sealed."""
    begun = unfinished(tmp_path / "e" / "r1")
    assert newest(tmp_path / "e") == (1, "none")
    pack = seal(begun, tmp_path / "e" / "r1", key=OURS)
    assert newest(tmp_path / "e") == (1, pack_digest(pack))


def test_a_damaged_pack_still_counts(tmp_path: Path) -> None:
    """A number is never given twice because a journal or an envelope cannot be read."""
    first, second = series(tmp_path / "e", length=2)
    (second / "journal.jsonl").write_bytes(b"\xff")
    assert newest(tmp_path / "e")[0] == 2
    (second / "pack.dsse.json").write_bytes(b"[" * 99999)
    assert newest(tmp_path / "e") == (2, pack_digest(first))
    (tmp_path / "e" / "file").write_text("")
    (tmp_path / "e" / "foreign").mkdir()
    assert newest(tmp_path / "e")[0] == 2


def test_the_digest_of_a_pack_is_that_of_what_was_signed(tmp_path: Path) -> None:
    """A run of format 1 names what `sha256sum pack.dsse.json` prints; a folder without one is refused."""
    pack = sealed(tmp_path / "r1")
    wrapped = (pack / "pack.dsse.json").read_bytes()
    assert pack_digest(pack, version=1) == hashlib.sha256(wrapped).hexdigest()
    assert pack_digest(pack, version=2) == hashlib.sha256(base64.b64decode(json.loads(wrapped)["payload"])).hexdigest()
    with pytest.raises(Refused, match="HINT"):
        pack_digest(tmp_path)
