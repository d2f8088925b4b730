"""Names and addresses that a stack file calls private are in no pack: their aliases are."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from harness.errors import Refused
from harness.evidence.aliases import must_not_be_named, tell_otherwise
from harness.evidence.redact import Redactor
from harness.evidence.scan import scan
from harness.stacks.attached.file.read import load
from harness.stacks.attached.maker import AttachedMaker
from tests.stack_files import written

NAMES = {"db1.bank.example": "db-1", "bank.example": "bank", "10.20.30.4": "edge", "fd00:7::1": "edge-6"}
REDACTOR = Redactor(aliases=NAMES)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("postgres://app@db1.bank.example:5432/x", "postgres://app@db-1:5432/x"),
        ("DB1.Bank.Example is down", "db-1 is down"),
        ("db2.bank.example, bank.example.", "db2.bank, bank."),
        ("http://[fd00:7::1]:80/ 10.20.30.4:9000", "http://[edge-6]:80/ edge:9000"),
        ("10.20.30.41 110.20.30.4 mybank.example", "10.20.30.41 110.20.30.4 mybank.example"),
    ],
)  # fmt: skip  # a table
def test_a_private_name_is_told_by_its_alias(text: str, told: str) -> None:
    """The longest first; whole names, in any case, and what lies in a domain; nothing that is only alike."""
    assert REDACTOR.text(text) == told
    assert REDACTOR.mask({text: [text]}) == {told: [told]}
    assert bool(list(REDACTOR.hits(text))) == (text != told)
    assert not list(REDACTOR.hits(told))


def test_what_customers_wrote_is_told_otherwise(tmp_path: Path) -> None:
    """Twice is harmless; what has a digest or a chain of its own, and the run's controls, stay as they are."""
    line = '{"n":1,"e":"failed","why":"db1.bank.example refuses"}\n'
    files = ["scenarios/s/ledger.jsonl", "undo/1.healed", "journal.jsonl", "features/x.feature", "control/stack.yaml"]
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(line)
    for _ in range(2):
        tell_otherwise(tmp_path, redactor=REDACTOR)
    told = [file for file in files if (tmp_path / file).read_text() == line.replace("db1.bank.example", "db-1")]
    assert told == files[:2]
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")) == sorted(files)
    assert [(found.file, found.what) for found in scan(tmp_path, redactor=REDACTOR) if "control" not in found.file] == [
        ("features/x.feature", "private name"),
        ("journal.jsonl", "private name"),
    ]


def test_a_plan_does_not_name_what_is_private(tmp_path: Path) -> None:
    """It is told before anything is hurt; what else lies in the folder is not the project's."""
    (tmp_path / "control").mkdir()
    (tmp_path / "control" / "stack.yaml").write_text("db1.bank.example\n")
    (tmp_path / "plan.yaml").write_text("name: x\n")
    must_not_be_named(tmp_path, NAMES)
    (tmp_path / "plan.yaml").write_text("name: x\nwhere: db1.bank.example\n")
    with pytest.raises(Refused, match=r"plan\.yaml, line 2: names what the stack file calls private"):
        must_not_be_named(tmp_path, NAMES)
    must_not_be_named(tmp_path, {})


def test_the_pack_has_another_stack_file(tmp_path: Path) -> None:
    """Its digest is that of the one in the pack: no other could be recomputed."""
    file = written(
        tmp_path,
        (("private",), {"batch-host": "10.0.0.1", "pay": "pay.example"}),
        (("customers", "at"), "https://api.pay.example"),
    )
    said, maker = load(file), AttachedMaker(file)
    assert said.customers is not None and said.customers.at == ("https://api.pay.example",)
    assert maker.aliases == {"10.0.0.1": "batch-host", "pay.example": "pay"}
    maker.tell(tmp_path / "told.yaml")
    told = (tmp_path / "told.yaml").read_text()
    assert "https://api.pay\n" in told and "batch-host:9000" in told
    assert not list(Redactor(aliases=maker.aliases).hits(told))
    assert said.digest == hashlib.sha256(told.encode()).hexdigest()


def test_without_private_names_it_is_the_same_file(tmp_path: Path) -> None:
    """Byte for byte."""
    file = written(tmp_path)
    AttachedMaker(file).tell(tmp_path / "told.yaml")
    assert (tmp_path / "told.yaml").read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    ("private", "problem"),
    [
        ({"x": "db"}, '"db" is no host name, domain or address'),
        ({"x": "http://10.0.0.1"}, "is no host name, domain or address"),
        ({"x": "api-a"}, '"api-a" is in the name "api-a"'),
        ({"x": "paydesk"}, '"paydesk" is in the name "Paydesk"'),
        ({"bank.example": "bank.example"}, '"bank.example" is in the name "bank.example"'),
        ({"x": "10.0.0.1", "y": "10.0.0.1"}, '"10.0.0.1" has an alias already'),
        ({"x y": "10.0.0.1"}, '"x y" is no plain name'),
    ],
)
def test_an_alias_that_says_nothing_is_a_problem(tmp_path: Path, private: dict[str, str], problem: str) -> None:
    """With its line, as every other."""
    with pytest.raises(Refused, match=r"paydesk.yaml:\d+: private") as refused:
        load(written(tmp_path, (("private",), private)))
    assert problem in refused.value.message
