"""What makes a drill of a test: the way into the sandbox, one run per session.

`drdrill run` and `pytest features` meet here: the features of a project, or what collects them, are drilled. Ordinary
tests (`pytest tests`) are left alone.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pytest_bdd.parser import Feature, Scenario

from harness import project
from harness.checks import Outcome, Verdict
from harness.cli import with_reports
from harness.errors import DrillError, Exit, Refused, quietly
from harness.features import catalog
from harness.features import collection as collected
from harness.features.declared import Declaration, holding
from harness.run import run
from harness.run.run import Options, Run
from harness.run.sabotage import NONE
from harness.run.suited import suited
from harness.safety.begin import FOLDER
from harness.safety.guardian import Guardian
from harness.safety.owner.consent import Given
from harness.safety.standing import Standing
from harness.safety.stopping import Listener
from harness.scenario import ending
from harness.scenario.scenario import ScenarioRun
from harness.stacks import brought_up, kinds
from harness.stacks.brought_up import BroughtUp
from harness.stacks.kinds import Kind
from harness.stacks.local import sandbox
from harness.stacks.needs import Regions, regions_for
from harness.system import clock, modules
from harness.system.bugs import is_bug
from harness.system.command import LABEL
from harness.system.environment import for_harness

SCENARIO = pytest.StashKey[ScenarioRun]()
ABORTED = pytest.StashKey[bool]()
ASKED = pytest.StashKey[list[str]]()  # the words of the command line that mean scenarios; none of an ordinary test
WANTED = pytest.StashKey[dict[collected.Key, catalog.Scenario]]()
SHOWN = 120  # letters of a reason in pytest's own output; the pack has all of it


class NotMet(AssertionError):
    """A scenario that is not MET; the message is its findings."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("drills")
    group.addoption("--project", default=None, help="folder of the project (default: the nearest project.yaml upward)")
    group.addoption("--evidence", default="evidence", help="folder for evidence packs (default: evidence)")
    group.addoption("--stack", default="", help="kind of stack (default: the project's own, else local)")
    group.addoption(
        "--sandbox", dest="level", default=None, help="force a sandbox level of the local stack, not the best one"
    )
    group.addoption("--scale", type=float, default=None, help="size of the data set; 1 (default): 200,000 transactions")
    group.addoption("--on", default="", help="folder of a stack that stands: it is drilled, and left running")
    group.addoption("--rate", type=float, default=None, help="transactions a second, all zones together (default: 50)")
    group.addoption("--nonce", default="", help="a word chosen by an auditor; it goes into the first line")
    group.addoption("--attended", action="store_true", help="people decide, with `drdrill decide`; no stand-in")
    group.addoption("--stream", default="", help="the stream of the plan whose next number the run has")
    group.addoption("--rehearsal", action="store_true", help="the run counts for nothing, and says so")
    group.addoption("--sabotage", default="", help="a sabotage twin, by name")
    group.addoption("--run-id", default="", help="id of the run (default: made from date and time)")
    group.addoption("--yes-hurt", default="", help="name of the platform of a stack file that is meant to be hurt")
    group.addoption("--authorised", default="", help="a file of `drdrill authorise`; production wants one")
    group.addoption("--authority", action="append", default=[], help="fingerprint or public key that may authorise")
    group.addoption("--drill", default="", help="only these drills, by name, with commas between")
    group.addoption("--only", default="", help="only this scenario, by title")


def pytest_configure(config: pytest.Config) -> None:
    for cadence in catalog.CADENCES:
        config.addinivalue_line("markers", f"{cadence}: {cadence} drills")
    if not _is_drill(config):
        return
    with _or_exit():
        here = project.current()
        here.drills()
        if config.option.sabotage and here.twin(config.option.sabotage) is None:
            raise Refused(f"there is no sabotage {config.option.sabotage!r}", hint="see `drdrill prove --help`")
        here.load_plan().stream(config.option.stream)
        if not config.option.collectonly:
            _enter(config)
    config.args = [str(project.COLLECTOR), *(word for word in config.args if word not in config.stash[ASKED])]


def pytest_report_header(config: pytest.Config) -> str | None:
    return f"project: {project.current()}" if _is_drill(config) else None


@contextmanager
def _or_exit() -> Iterator[None]:
    """An error in here ends pytest with its words, and with the exit code that `drdrill` gives."""
    try:
        yield
    except DrillError as error:
        pytest.exit(str(error), returncode=int(error.exit))


@pytest.hookimpl(tryfirst=True)  # before pytest-bdd's own
def pytest_bdd_apply_tag(tag: str, function: Any) -> bool | None:
    """Ids of demands are for people and for the journal; they are no marks for `-m`."""
    return True if re.fullmatch(r"[A-Z0-9]+-[A-Z]?\d+", tag) else None


@pytest.hookimpl(tryfirst=True)  # before -m and -k leave anything out
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """What was collected is what the features say; `--drill` and `--only` leave the other scenarios out."""
    if session.testsfailed or not _is_drill(config):  # what cannot be imported says so itself
        return
    option = config.option
    with _or_exit():
        announced = catalog.announced(project.current().features)
        collected.must_be_announced(items, announced)
        collected.mark_by_cadence(items, announced)
        wanted = config.stash[WANTED] = collected.scenarios(announced, drills=option.drill, only=option.only)
    asked: list[str] = config.stash[ASKED]
    kept = collected.asked_for(asked, items, announced)
    if option.drill or option.only:
        kept = [item for item in kept if collected.key_of(item) in wanted]
    if len(kept) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


def pytest_collection_finish(session: pytest.Session) -> None:
    """Where scenarios were asked for by name, nothing else may have left one out."""
    option = session.config.option
    wanted = session.config.stash.get(WANTED, None)
    if wanted is not None and (option.drill or option.only):
        with _or_exit():
            collected.must_be_all(session.items, wanted)


def pytest_bdd_before_scenario(request: pytest.FixtureRequest, feature: Feature, scenario: Scenario) -> None:
    """Whatever goes wrong in here, the scenario has its begin and its end in the journal, and the run is aborted."""
    drill_run: Run = request.getfixturevalue("drill_run")
    key = collected.key_of(request.node)
    assert key is not None  # pytest-bdd runs it
    told = request.config.stash[WANTED][key]
    under_way = request.node.stash[SCENARIO] = ScenarioRun(drill_run, told.name)
    try:
        relative = Path(feature.filename).relative_to(project.current().features)
        under_way.announce(title=told.title, tags=list(told.tags), feature=str(relative))
        for promise in project.current().sentences.expected(told.sentences, drill_run.plan):
            under_way.expect(**promise._asdict())
        lacking = project.current().lacking(told, drill_run.offer)
        declared = _declared(drill_run, told) if lacking else None
    except BaseException as error:
        outcome, said = _outcome(error)
        if outcome != "stopped":
            request.config.stash[ABORTED], outcome = True, "aborted"  # nothing was drilled yet that could have failed
        quietly(lambda: under_way.finish(outcome=outcome, error=said))
        raise
    if lacking:
        verdict = ending.not_exercised(under_way, lacking, declared=declared)
        raise NotMet(f"{verdict.outcome}: {told.title}\n{declared or _not_met(verdict)}")


def _declared(drill_run: Run, scenario: catalog.Scenario) -> Declaration | None:
    """That the platform cannot run the scenario, where somebody has declared it and it holds now."""
    return holding(
        project.current().declared,
        scenario=scenario.name,
        environment=drill_run.options.stack.environment,
        day=clock.now().utc.astimezone(drill_run.plan.time_zone).date(),
    )


def pytest_bdd_before_step(request: pytest.FixtureRequest, step: Any) -> None:
    """The sentence is in the journal, and what it asks of people is asked, before it does anything."""
    (meant,) = project.current().sentences.matching(step.type, step.name)
    request.node.stash[SCENARIO].say(step.keyword, step.name, asks=meant.asks)


def pytest_bdd_after_scenario(request: pytest.FixtureRequest, feature: Feature, scenario: Scenario) -> None:
    """Called while whatever broke the scenario is on its way up; it is passed on after the scenario is judged."""
    broken = sys.exc_info()[1]
    outcome, said = _outcome(broken)
    under_way = request.node.stash[SCENARIO]
    verdict = under_way.finish(outcome=outcome, error=said)
    if under_way.run.listener.stopping and outcome != "stopped":
        raise KeyboardInterrupt
    if verdict.outcome is not Outcome.MET and broken is None:
        raise NotMet(f"{verdict.outcome}: {scenario.name}\n{_not_met(verdict)}")


def _not_met(verdict: Verdict) -> str:
    """Its findings that count and are not MET, a line each."""
    wrong = [finding for finding in verdict.findings if finding.outcome is not Outcome.MET and not finding.advisory]
    return "\n".join(f"{finding.outcome} {finding.title}: {finding.reason[:SHOWN]}" for finding in wrong)


def _outcome(broken: BaseException | None) -> tuple[str, str]:
    """How a scenario ended, and what broke it."""
    if broken is None:
        return "completed", ""
    if is_bug(broken):
        drilled = project.in_use()
        return "aborted", modules.what_broke(broken, drilled.folder if drilled else None)
    said = broken.message if isinstance(broken, DrillError) else str(broken)
    return "stopped" if isinstance(broken, KeyboardInterrupt) else "failed", said


def pytest_exception_interact(node: pytest.Item, call: pytest.CallInfo[Any]) -> None:
    """Whatever a test raises passes here, also what comes from the hooks above: a bug makes the run aborted."""
    error = call.excinfo.value if call.excinfo else None
    if is_bug(error) and not isinstance(error, NotMet):
        node.config.stash[ABORTED] = True


@pytest.fixture(scope="session")
def drill_run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """The run of this session: begun at the first scenario, sealed after the last."""
    option = request.config.option
    here = project.current()
    the_plan = here.load_plan()
    chosen = here.twin(option.sabotage) if option.sabotage else None
    standing = brought_up.find(Path(option.on)) if option.on else None
    scale = 1.0 if option.scale is None else option.scale
    kind = _kind(here, option.stack, standing)
    told = [request.config.stash[WANTED][key] for item in request.session.items if (key := collected.key_of(item))]
    wanted = [need for scenario in told for need in here.sentences.needs(scenario.sentences)]
    options = Options(
        evidence=Path(option.evidence),
        stack=kind,
        on=standing.folder if standing else None,
        scale=standing.scale if standing else scale,
        regions=min(regions_for(wanted), kind.offer().number(Regions)),
        nonce=option.nonce,
        rate=option.rate or kind.maker.rate or Options.rate,
        sabotage=chosen.sabotage if chosen else NONE,
        sabotage_name=option.sabotage,
        attended=option.attended,
        stream=the_plan.stream(option.stream),
        rehearsal=option.rehearsal,
    )
    folder = Path(os.environ[FOLDER])
    listener = Listener(folder)
    with _told():
        drill_run = Run(
            folder,
            options,
            the_plan,
            level=options.stack.maker.standing(),
            project=here,
            guardian=Guardian(folder),
            listener=listener,
        )
        keys = [key for item in request.session.items if (key := collected.key_of(item))]
        drill_run.begin(drills=sorted({drill for drill, _ in keys}), scenarios=[name for _, name in keys])
    listener.begin()
    try:
        yield drill_run
    finally:
        with listener.shield():
            listener.end()
            aborted = "aborted" if request.config.stash.get(ABORTED, False) else "completed"
            drill_run.end(outcome="stopped" if listener.stopping else aborted, by="harness")
            with_reports.finish(folder, redactor=drill_run.redactor)


def _given(here: project.Project, option: Any) -> Given:
    """For the owner of a platform. Without `--drill` all drills may be run."""
    drills = option.drill.split(",") if option.drill else [drill.name for drill in here.drills()]
    return Given(
        name=option.yes_hurt, authorised=Path(option.authorised).absolute() if option.authorised else None,
        authorities=tuple(option.authority), drills=tuple(drills),
    )  # fmt: skip  # arguments in groups


def _kind(here: project.Project, named: str, standing: BroughtUp | None) -> Kind:
    """Of a stack file the copy that the run has, whatever becomes of the file meanwhile."""
    if standing is not None:
        return standing.kind if standing.attached else here.kind(standing.kind.name)
    return kinds.of_run(Path(os.environ[FOLDER])) if kinds.is_file(named) else here.kind(named)


@contextmanager
def _told() -> Iterator[None]:
    """Whatever breaks before the journal's first line is one error: there is no pack that could say it."""
    try:
        yield
    except DrillError as error:
        pytest.exit(str(error), returncode=int(error.exit))
    except Exception as error:
        place = _place_in_project(error)
        said = f"the run could not begin: {place}{': ' if place else ''}{type(error).__name__}: {error}"
        pytest.exit(f"{said}\nHINT: nothing was hurt; mend that, or report it", returncode=int(Exit.FAILED))


def _place_in_project(error: BaseException) -> str:
    drilled = project.in_use()
    return modules.place_in(drilled.folder, error) if drilled else ""


@pytest.fixture
def scenario(request: pytest.FixtureRequest) -> ScenarioRun:
    """The scenario under way."""
    found: ScenarioRun = request.node.stash[SCENARIO]
    return found


def _is_drill(config: pytest.Config) -> bool:
    """Whether scenarios of a project are asked for; then this process knows which project it drills."""
    if ASKED not in config.stash:
        config.stash[ASKED] = _about_scenarios(config.args, config.option.project)
    return bool(config.stash[ASKED])


def _about_scenarios(words: Sequence[str], folder: str | None) -> list[str]:
    """The words that mean features of a project, or what collects them."""
    asked = {word: Path(word.partition("::")[0]).resolve() for word in words}
    collector = [word for word, path in asked.items() if path == project.COLLECTOR.resolve()]
    start = None if collector else next(iter(asked.values()), None)
    if not (folder or collector or (start and project.nearest(start))):
        return []
    with _or_exit():
        found = project.find(Path(folder) if folder else None, start=start)
    features = [word for word, path in asked.items() if path.is_relative_to(found.features)]
    if features or collector:
        project.use(found)
    return features + collector


def _enter(config: pytest.Config) -> None:
    """Make the folder, start the guardian, and go on inside the sandbox: this process becomes it."""
    if sandbox.inside():
        return
    here, option = project.current(), config.option
    marked = LABEL in os.environ  # when it was started: only then can the mark be seen from outside
    words = [sys.executable, "-m", "pytest", *map(str, config.invocation_params.args)]
    if option.on:
        twin = here.twin(option.sabotage) if option.sabotage else None
        stands, kind = suited(
            Path(option.on), project=here.folder, kind=here.kind, stack=option.stack, level=option.level,
            scale=option.scale, sabotage=twin.sabotage if twin else NONE,
        )  # fmt: skip  # arguments in groups
        standing, inside = Standing(stands), kind.maker.join(stands.stack, words)
    else:
        standing, kind = None, here.kind(option.stack)
        kind.maker.prepare(print)
        if place := kind.maker.stands:
            standing, option.on, option.stack = Standing(BroughtUp(place), kind), str(place), ""
        inside = kind.maker.way_in(words, level=option.level)
    if FOLDER not in os.environ:
        name = option.run_id or run.new_id()
        with_reports.begin(
            Path(option.evidence), name, project=here.folder, kind=kind, on=standing, given=_given(here, option)
        )
    if inside == words and marked:
        return
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is not None:
        capture.suspend_global_capture(in_=True)
    sys.stdout.flush()
    os.execvpe(inside[0], inside, for_harness())
