"""The plan is read whole, or refused with the file, the line and the field of everything that is wrong."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import plan
from harness.errors import Exit, Refused
from harness.plan import text as plan_text
from harness.plan.lengths import length_of_time

PLAN = Path(__file__).parent.parent / "drills" / "plan.yaml"
FEATURES = PLAN.parent.parent / "features"


def refused(path: Path) -> Refused:
    with pytest.raises(Refused) as caught:
        plan.load(path)
    assert caught.value.exit is Exit.REFUSED
    assert caught.value.hint
    return caught.value


@pytest.fixture
def changed(tmp_path: Path):
    """Write the real plan with `old` replaced by `new`; returns the file, and the line where `new` begins."""

    def change(old: str, new: str) -> tuple[Path, int]:
        text = PLAN.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        path = tmp_path / "plan.yaml"
        path.write_text(text.replace(old, new), encoding="utf-8")
        return path, text[: text.index(old)].count("\n") + 1

    return change


def test_the_objectives_are_those_of_the_plan() -> None:
    """Both tiers have the figures of the source document."""
    loaded = plan.load(PLAN)
    critical = loaded.objective("critical financial data")
    production = loaded.objective("production")
    assert (critical.rto, critical.rpo) == (timedelta(hours=1), timedelta(minutes=5))
    assert critical.backup_every == timedelta(minutes=15)
    assert critical.durability == Decimal("99.999999999")
    assert critical.demands["rpo"] == "OBJ-6"
    assert (production.rto, production.rpo) == (timedelta(hours=4), timedelta(minutes=15))
    assert production.mtd == timedelta(hours=8)
    assert production.availability == Decimal("99.99")
    assert production.downtime_a_year == timedelta(minutes=52, seconds=33, milliseconds=600)


def test_the_calendar_health_and_procedures_are_those_of_the_plan() -> None:
    """Days, months, the five looks of the health verification and the bucket come out as real types."""
    loaded = plan.load(PLAN)
    assert [duty.day for duty in loaded.cadence("monthly")] == [
        ("first", "Monday"),
        ("second", "Monday"),
        ("third", "Monday"),
        ("fourth", "Monday"),  # ours
    ]
    assert [duty.drill for duty in loaded.calendar if duty.ours] == ["communications"]
    assert all(duty.months == (3, 6, 9, 12) for duty in loaded.cadence("quarterly"))
    assert loaded.drill("database-backup-restoration").feature == "monthly/database_backup_restoration.feature"
    assert [check.demand for check in loaded.health] == ["APP-1", "APP-2", "APP-3", "APP-4", "APP-5"]
    assert {check.within for check in loaded.health} == {timedelta(seconds=30)}
    assert loaded.procedure("point-in-time recovery").settings["bucket"] == "quantumnest-backups-prod"
    assert loaded.category("regional disaster").limits == {"response": timedelta(hours=2)}
    assert [channel.use for channel in loaded.communication.channels] == ["primary", "secondary", "emergency"]
    assert loaded.next_review == date(2024, 4, 30)
    assert loaded.digest == hashlib.sha256(PLAN.read_bytes()).hexdigest()


def test_an_entry_says_what_counts(changed) -> None:
    """The least class of environment, and the least size that has to be restored."""
    fields = "at_least: containers\n      restored_at_least: 2 TiB\n      demand: TST-M1\n"
    path, _ = changed("demand: TST-M1\n", fields)
    first, second, *_ = plan.load(path).calendar
    assert (first.at_least, first.restored_at_least) == ("containers", 2 * 2**40)
    assert (second.at_least, second.restored_at_least) == ("staging", 0)


def test_who_is_told_what_and_when_is_that_of_the_plan() -> None:
    """Five roles, three channels, updates every half hour, a report within three days; the rest is said to be ours."""
    told = plan.load(PLAN).communication
    assert (told.update_every, told.report_within) == (timedelta(minutes=30), timedelta(hours=72))
    assert told.roles[0] == "incident commander" and len(told.roles) == 5
    assert [channel.by for channel in told.channels] == ["slack", "teams", "bridge"]
    assert all(channel.next_after for channel in told.channels) and told.acknowledge_within == timedelta(minutes=5)
    assert told.groups == {"customers": ("e-mail", "status page"), "stakeholders": ("e-mail",)}
    assert told.assumed == {"acknowledge_within", "next_after", "groups", "lasting"}
    assert told.templates["call-out"] == "call-out.txt" and len(told.templates) == 5


FORMAT_1 = """
communication:
  update_every: 30 min
  report_within: 72 h
  contacts:
    - {role: incident commander, email: lead@example.com, phone: +1-555-0101}
  channels:
    - {use: primary, name: Slack}
  templates:
    initial notification: {subject: Down, fields: [Status], body: 'Status: [Status]'}

"""


def test_a_plan_of_format_1_is_still_read(tmp_path: Path) -> None:
    """It lies in packs. It names people with their addresses, and says no time after which the next channel is used."""
    text = PLAN.read_text(encoding="utf-8")
    begin, end = text.index("communication:"), text.index("# Every demand of the plan.")
    old = tmp_path / "plan.yaml"
    old.write_text(text.replace(text[begin:end], FORMAT_1).replace("format: 2", "format: 1"), encoding="utf-8")
    told = plan.load(old).communication
    assert told.roles == ("incident commander",) and (told.channels[0].by, told.channels[0].next_after) == ("", None)
    assert (told.acknowledge_within, told.groups, told.templates) == (None, {}, {})
    assert {duty.at_least for duty in plan.load(old).calendar} == {"staging"}, "what counts is no matter of the format"
    old.write_text(text.replace(text[begin:end], FORMAT_1), encoding="utf-8")
    with pytest.raises(Refused, match=r"communication\.contacts: is not a field of a plan"):
        plan.load(old)
    old.write_text(text.replace("format: 2", "format: 1"), encoding="utf-8")
    with pytest.raises(Refused, match=r"communication\.roles: is not a field of a plan"):
        plan.load(old)


def test_a_name_that_the_plan_does_not_have_is_refused_with_the_nearest_one() -> None:
    """A wrong name of a tier, a demand or a drill leads to the right one."""
    loaded = plan.load(PLAN)
    with pytest.raises(Refused, match='no tier "critical finacial data"') as caught:
        loaded.objective("critical finacial data")
    assert 'did you mean "critical financial data"?' in caught.value.hint
    with pytest.raises(Refused, match='no demand "OBJ-99"'):
        loaded.demand("OBJ-99")
    with pytest.raises(Refused, match='no drill "nothing-like-it"') as caught:
        loaded.drill("nothing-like-it")
    assert "database-backup-restoration" in caught.value.hint


# What is changed in the plan, the field that the error names, and what it says.
WRONG = [
    ("    rto: 4 h", "    rto: 4 hourz", "objectives.production.rto", '"4 hourz" is not a length of time'),
    ("    rto: 4 h", "    rto: 0 h", "objectives.production.rto", '"0 h" is not a length of time'),
    ("    rto: 4 h", "    rto: -4 h", "objectives.production.rto", '"-4 h" is not a length of time'),
    ("    rto: 4 h", "    rto:", "objectives.production.rto", "is empty, where text belongs"),
    ("    rto: 4 h", "    rto: [4 h]", "objectives.production.rto", "is a list, where text belongs"),
    ("    rto: 4 h", "    rto: 4 h\n    rto: 5 h", "objectives.production.rto", "is written twice"),
    ("    rto: 4 h", "    rtoo: 4 h", "objectives.production.rtoo", "is not a field of a plan"),
    ("    rto: 4 h", "    {a: b}: 4 h", "objectives.production", "has a key that is not text"),
    ("    mtd: 8 h\n", "", "objectives.production.demands.mtd", "has no figure beside it"),
    ("99.99 %\n    d", "99,99 %\n    d", "objectives.production.availability", '"99,99 %" is not a percentage'),
    ("99.99 %\n    d", "100.1 %\n    d", "objectives.production.availability", '"100.1 %" is not a percentage'),
    ("last_updated: 2024-01", "last_updated: 2024-13", "document.last_updated", '"2024-13" is not in any calendar'),
    ("last_updated: 2024-01", "last_updated: soon", "document.last_updated", '"soon" is not a month or a day'),
    ("time_zone: UTC", "time_zone: Mars/Base", "time_zone", '"Mars/Base" is not a time zone'),
    ("time_zone: UTC", "time_zone: ../../etc/passwd", "time_zone", "is not a time zone"),
    ("when: first Monday", "when: 1st Monday", "calendar.monthly[1].when", '"1st Monday" is not a day of a month'),
    ("      when: first Monday\n", "", "calendar.monthly[1].when", "is missing"),
    (
        "demand: TST-M1\n",
        "at_least: stage\n      demand: TST-M1\n",
        "calendar.monthly[1].at_least",
        '"stage" is not one of tabletop, emulated, embedded, containers, staging, production',
    ),
    (
        "demand: TST-M1\n",
        "restored_at_least: 500\n      demand: TST-M1\n",
        "calendar.monthly[1].restored_at_least",
        '"500" is not a size',
    ),
    ("drill: network-failover", "drill: application-recovery", "calendar.monthly[3].drill", "is there already"),
    ("drill: network-failover", "drill: Network Failover", "calendar.monthly[3].drill", "is not the name of a drill"),
    ("  OBJ-5: Critical", "  OBJ-5b: Critical", "demands.OBJ-5b", '"OBJ-5b" is not the id of a demand'),
    ("      rto: OBJ-5", "      rto: OBJ-9", "objectives.critical financial data.demands.rto", "OBJ-9 is not among"),
    ("demands: [OBJ-7]", "demands: [OBJ-7, OBJ-3]", "not_exercised[2].demands[2]", "OBJ-3 has a reason already"),
    ("demands: [OBJ-7]", "demands: []", "not_exercised[2].demands", "holds nothing"),
    ("demands: [OBJ-7]", "demands: [OBJ-7, OBJ-7]", "not_exercised[2].demands", "names OBJ-7 more than once"),
    ("request: GET https://app", "request: FETCH https://app", "health[3].request", "is not a request"),
    ("    query: SELECT 1\n", "", "health[4]", "has to have either a request or a query"),
    ("      by: teams", "      by: slack", "communication.channels[2].by", '"slack" is there already'),
    ("      by: teams", "      by: fax", "communication.channels[2].by", '"fax" is not one of slack, teams, e-mail'),
    ("      by: teams\n", "", "communication.channels[2].by", "is missing"),
    ("      next_after: 5 min", "      next_after: soon", "communication.channels[3].next_after", "is not a length of"),
    ("    update: update.txt", "    updates: update.txt", "communication.templates.updates", "is not one of call-out"),
    ("customers: [e-mail, status page]", "customers: []", "communication.groups.customers", "holds nothing"),
    ("assumed: [acknowledge_within,", "assumed: [all,", "communication.assumed[1]", '"all" is not one of'),
    (
        "limit: confirmation\n      groups",
        "limit: week\n      groups",
        "communication.lasting.infrastructure failure.limit",
        'has no limit "week"',
    ),
    (
        "groups: [stakeholders]",
        "groups: [press]",
        "communication.lasting.infrastructure failure.groups[1]",
        'there is no group "press"',
    ),
    ("    update: update.txt\n", "", "communication.templates.update", "is missing, by which the groups are told"),
    ("    call-out: call-out.txt\n", "", "communication.templates.call-out", "by which the roles are told"),
    ("  update_every: 30 min", "  update_every: 1 min", "communication.update_every", '"1 min" is too often'),
    ("  update_every: 30 min", "  update_every: -5 min", "communication.update_every", "is not a length of time"),
    ("use: secondary", "use: primary", "communication.channels[2].use", '"primary" is there already'),
    ("use: secondary", "use: second", "communication.channels[2].use", '"second" is not one of primary, secondary'),
    ("    customers: [e-mail, status page]\n", "", "findings.customers-told", "there is no such group"),
    ("format: 2", "format: 3", "format", '"3" is not one of 1, 2'),
    ("time_zone: UTC\n", "", "time_zone", "is missing"),
]


@pytest.mark.parametrize(("old", "new", "field", "says"), WRONG, ids=[f"{w[2]}: {w[3]}" for w in WRONG])
def test_a_wrong_field_is_named(changed, old: str, new: str, field: str, says: str) -> None:
    """The error has the file, the line, the whole name of the field, and says what is wrong with it."""
    path, line = changed(old, new)
    problems = [problem for problem in refused(path).message.splitlines() if f": {field}: " in problem]
    assert len(problems) == 1
    assert says in problems[0]
    if new and "twice" not in says:
        assert problems[0].startswith(f"{path}:{line}: ")


def test_channels_are_in_the_order_in_which_they_are_tried(tmp_path: Path) -> None:
    """Primary, secondary, emergency; a plan may leave some out."""
    text = (
        PLAN.read_text(encoding="utf-8").replace("use: primary", "use: first").replace("use: secondary", "use: primary")
    )
    (tmp_path / "plan.yaml").write_text(text.replace("use: first", "use: secondary"), encoding="utf-8")
    with pytest.raises(Refused, match=r'channels\[2\]\.use: "primary" comes after what is used later'):
        plan.load(tmp_path / "plan.yaml")


def test_an_unknown_field_leads_to_the_known_one(changed) -> None:
    """A slip of the pen in a field's name is answered with the right name."""
    path, _ = changed("    availability: 99.99 %", "    availabilty: 99.99 %")
    assert 'did you mean "availability"?' in refused(path).hint


def test_a_misspelt_drill_is_named_with_its_line(changed) -> None:
    """A drill of the calendar that has neither a feature nor a reason is refused, and led to the nearest feature."""
    plan.load(PLAN, features=FEATURES)
    path, line = changed("drill: application-recovery\n", "drill: application-recovry\n")
    with pytest.raises(Refused) as caught:
        plan.load(path, features=FEATURES)
    says = "there is no features/monthly/application_recovry.feature, and no not_built; did you mean application-reco"
    assert caught.value.message.startswith(f"{path}:{line}: calendar.monthly[") and says in caught.value.message


def test_all_problems_are_reported_together_in_order_of_lines(changed) -> None:
    """One error holds every problem, so that a plan is corrected in one go."""
    path, _ = changed("    rto: 4 h\n    rpo: 15 min", "    rto: x\n    rpo: y\n    rpq: z")
    lines = refused(path).message.splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        "objectives.production.rto",
        "objectives.production.rpo",
        "objectives.production.rpq",
    ]


def test_hundreds_of_problems_are_counted_and_not_listed(tmp_path: Path) -> None:
    """An error stays readable however wrong the file is."""
    path = tmp_path / "plan.yaml"
    path.write_text("\n".join(f"field{number}: x" for number in range(300)), encoding="utf-8")
    lines = refused(path).message.splitlines()
    assert len(lines) == plan_text.MOST_SHOWN + 1
    assert lines[-1].startswith("and ")


# Files that are no plan at all: their bytes, and what the error says.
NOT_A_PLAN = [
    (b"", "is empty"),
    (b"# only a comment\n", "is empty"),
    (b"\xef\xbb\xbf", "is empty"),
    (b"a: 1\nb: \xff\n", ":2: is not UTF-8: byte 0xff at offset 8"),
    ("a: 1".encode("utf-16"), "is not UTF-8"),
    (b"a: 1\nb: \x00\n", ":2: holds the character"),
    (b"a: [1, 2\nb: 3\n", "is not YAML"),
    (b"a: 'never closed\n", "is not YAML"),
    (b"a:\n\t- b\n", ":2: is not YAML"),
    (b"a: 1\n---\nb: 2\n", "is not YAML"),
    (b"just words", ':1: is the text "just words", where a block of fields belongs'),
    (b"- a\n- b\n", ":1: is a list, where a block of fields belongs"),
    (b"a: &x 1\nb: *x\n", ":1: has an anchor or an alias"),
    (b"a: !!python/object/apply:os.system ['true']\n", ":1: has the tag"),
    (b"[" * 100_000, "is nested deeper than"),
    (b"{b: " * 5_000, "is nested deeper than"),
    (b"#" * (plan_text.LARGEST + 1), "is larger than"),
]


@pytest.mark.parametrize(("content", "says"), NOT_A_PLAN, ids=[says for _, says in NOT_A_PLAN])
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    """Whatever the file holds, the answer is one error and takes no time."""
    path = tmp_path / "plan.yaml"
    path.write_bytes(content)
    begin = time.monotonic()
    assert says in refused(path).message
    assert time.monotonic() - begin < 2


def test_a_billion_laughs_are_refused_at_once(tmp_path: Path) -> None:
    """Anchors that multiply to ten billion values are not built."""
    rows = ['a0: &a0 ["lol"]'] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 11)]
    path = tmp_path / "plan.yaml"
    path.write_text("\n".join(rows), encoding="utf-8")
    begin = time.monotonic()
    assert "anchor or an alias" in refused(path).message
    assert time.monotonic() - begin < 1


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    """The error says which path it was."""
    assert str(tmp_path / "no.yaml") in refused(tmp_path / "no.yaml").message
    assert "Is a directory" in refused(tmp_path).message


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    """A plan that this user may not read gives an error and a hint; as root it is tried as another user."""
    path = tmp_path / "plan.yaml"
    path.write_bytes(PLAN.read_bytes())
    path.chmod(0o000)
    program = (
        "import os, sys, pathlib\n"
        "from harness import plan\n"
        "from harness.errors import Refused\n"
        f"file = os.open({str(tmp_path)!r}, os.O_RDONLY)\n"
        "os.fchdir(file)\n"
        "os.geteuid() or os.setresuid(65534, 65534, 65534)\n"
        "try:\n    plan.load(pathlib.Path('plan.yaml'))\n"
        "except Refused as error:\n    print(error)\n"
    )
    tmp_path.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=PLAN.parent.parent,
        env={**os.environ, "PYTHONPATH": str(PLAN.parent.parent)},
    )  # fmt: skip  # arguments in groups
    assert "plan.yaml: cannot be read: Permission denied" in done.stdout
    assert "HINT: " in done.stdout


@given(st.binary(max_size=300))
@settings(max_examples=120, deadline=None)
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """No content of the file ends in anything but a plan or `Refused`."""
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)
    refused(path)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_any_line_taken_out_or_broken_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """The real plan with a line lost, doubled or replaced gives a plan or `Refused` with that file's name."""
    lines = PLAN.read_text(encoding="utf-8").splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    line = lines[at]
    lines[at : at + 1] = data.draw(
        st.sampled_from([[], [line, line], [line.split(":")[0] + ":"], [line + " x"], [" " + line], [line[:-1]]])
    )
    path = tmp_path_factory.getbasetemp() / "broken.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        assert plan.load(path).demands
    except Refused as error:
        assert str(path) in error.message


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30 s", 30), ("30 seconds", 30), ("1 second", 1), ("15 min", 900), ("15min", 900), ("1 h 30 min", 5400),
     ("4 hours", 14_400), ("2 days", 172_800), ("200 ms", 0.2), ("52.56 min", 3153.6), (" 1 week ", 604_800)],
)  # fmt: skip  # a table
def test_a_length_of_time_is_read(text: str, seconds: float) -> None:
    """Numbers with a unit, alone or one after the other, are the time that they say."""
    assert length_of_time(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", "4", "h", "4 hourz", "4 H", "4 h and more", "-1 h", "0 s", "1e9 h", "999999999 days", "१ h", "inf h",
     "4 mins.", "4 ss", "1 hs"],
)  # fmt: skip  # a table
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    """Anything else, nothing at all, and more than a century are not a length of time."""
    with pytest.raises(ValueError, match="is not a length of time"):
        length_of_time(text)
