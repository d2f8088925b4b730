"""`drdrill init` writes what is read at once: it guesses and says why, copies no secret, and writes over nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness import project
from harness.cli import drdrill
from harness.cli import init as command
from harness.errors import DrillError, Refused
from harness.features import catalog
from harness.plan import load as load_plan
from harness.sentences import GENERIC
from harness.stacks.attached.file.described import StackFile
from harness.stacks.attached.file.read import load
from harness.workload.plain.client import PlainClient
from tests import warm
from tests.test_house import HOME
from tests.tills import PROJECT as TILL

SHOP = """
name: shop
x-common: &common
  restart: always
services:
  migrate: {image: "shop:1", command: migrate}
  web:
    <<: *common
    image: registry.example:5000/team/nginx:1.25
    ports: ["${WEB_PORT:-8443}:443"]
  api:
    <<: *common
    image: shop:1
    deploy: {replicas: 2}
    expose: ["8000"]
    environment:
      SECRET_KEY: very-secret-value
      DATABASE_URL: postgres://shop:very-secret-value@pg-primary/shop
      LOG_LEVEL: info
    healthcheck: {test: ["CMD-SHELL", "curl -fs http://localhost:8000/alive || exit 1"]}
    depends_on: {migrate: {condition: service_completed_successfully}}
  pg-primary:
    image: postgres:16
    environment: [POSTGRES_PASSWORD=very-secret-value, POSTGRES_DB=shop]
  pg-replica: {image: "postgres:16", environment: [POSTGRES_PASSWORD=very-secret-value]}
  keycloak-db: {image: "postgres:15"}
  redis: {image: "redis:7-alpine", command: redis-server --requirepass very-secret-value}
  worker: {image: "shop:1", command: celery worker}
  alertmanager: {image: prom/alertmanager, ports: [{target: 9093, published: 9093, host_ip: 127.0.0.1}]}
  debug: {image: busybox, profiles: [debug]}
"""


def init(*words: object, text: str = "") -> Result:
    return CliRunner().invoke(drdrill, ["init", *map(str, words)], input=text)


def done(*words: object) -> Result:
    result = init(*words)
    assert result.exit_code == 0, f"{result.output}\n{result.exception}"
    return result


def refused(*words: object) -> DrillError:
    error = init(*words).exception
    assert isinstance(error, Refused), error
    return error


def shop(folder: Path, *words: object, text: str = SHOP) -> Path:
    """What is written from it."""
    (folder / "compose.yaml").write_text(text)
    into = folder / "drills-of-shop"
    done("--compose", folder / "compose.yaml", "--into", into, "--yes", *words)
    return into


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return shop(tmp_path)


def listed(folder: Path) -> list[Mapping[str, object]]:
    """In a process of its own: what is imported of a project is not there for the next test."""
    ended = warm.drdrill("--project", folder, "list", "--stack", folder / "stack.yaml", "--json", cwd=HOME)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return [scenario for drill in json.loads(ended.stdout) for scenario in drill["scenarios"]]


def test_it_is_read_at_once_and_every_scenario_can_be_run(written: Path) -> None:
    """`drdrill --project FOLDER list --stack FILE` works without a change."""
    scenarios = listed(written)
    assert [each["title"] for each in scenarios][:3] == ["api-1 dies", "api-1 hangs", "api-1 is cut off"]
    assert {str(each["not_exercised"]) for each in scenarios} == {"[]"}


def test_its_client_and_its_books_are_plain_data(tmp_path: Path, written: Path) -> None:
    """Read back by SQL where there is a database, else by requests; then there are no books, and nothing is Python."""
    found = project.load(written)
    client = found.client.load()
    assert isinstance(client, PlainClient) and not client.asks_back() and found.books is not None
    done("--component", "api=api", "--into", tmp_path / "without", "--yes")
    without = project.load(tmp_path / "without")
    client = without.client.load()
    assert isinstance(client, PlainClient) and client.asks_back() and without.books is None
    assert not list(tmp_path.rglob("*.py"))


def test_its_features_are_of_sentences_that_are_true_of_any_platform(written: Path) -> None:
    """Not one needs a step of its own; every demand that they are tagged with the plan makes."""
    plan = load_plan(written / "plan.yaml", features=written / "features")
    tags = set()
    for drill in catalog.announced(written / "features"):
        for scenario in drill.scenarios:
            assert all(len(GENERIC.matching(each.kind, each.text)) == 1 for each in scenario.sentences)
            tags |= {tag for tag in scenario.tags if re.fullmatch(r"[A-Z]{3}-\w+", tag)}
    assert tags == set(plan.demands)


def test_roles_are_guessed_and_each_guess_says_why(written: Path) -> None:
    """By image, command, healthcheck, name or port."""
    said = load(written / "stack.yaml")
    assert {name: one.role for name, one in said.components.items()} == {
        "web": "load balancer", "api-1": "api", "api-2": "api", "pg-primary": "database", "pg-replica": "database",
        "keycloak-db": "database", "redis": "cache", "worker": "worker", "alertmanager": "monitoring",
    }  # fmt: skip  # a table
    text = (written / "stack.yaml").read_text()
    assert text.count("# role guessed: ") == len(said.components)
    assert "# role guessed: its image is redis" in text and "# role guessed: it runs celery" in text


def test_what_does_its_work_once_is_no_component(written: Path) -> None:
    """Nor is what is started with a profile alone; either is said."""
    text = (written / "stack.yaml").read_text()
    assert "# Left out: migrate is no component: others wait until it has completed." in text
    assert "# Left out: debug is no component: it is started with the profile debug alone." in text


def test_a_service_of_several_containers_is_several_components(written: Path) -> None:
    """A component is exactly one."""
    said = load(written / "stack.yaml")
    assert said.components["api-2"].container == "shop-api-2" and not said.components["api-2"].service


def test_probes_are_those_of_its_healthchecks(written: Path) -> None:
    """And of what is known of a protocol; the database is asked by SQL, and the load balancer by customers."""
    said = load(written / "stack.yaml")
    http = said.probes["api health"].http
    assert http and http.url == "http://${address}:8000/alive" and http.codes == (200,)
    assert said.components["api-1"].alive == said.components["api-2"].alive == "api health"
    tcp = said.probes["cache health"].tcp
    assert tcp and tcp.target == "${address}:6379" and [line.send for line in tcp.lines] == ["PING", ""]
    assert not said.components["pg-primary"].alive and not said.components["web"].alive


def test_the_database_is_what_is_called_alike(written: Path) -> None:
    """A third server is no member, and that is said."""
    said = load(written / "stack.yaml")
    assert said.database and list(said.database.members) == ["pg-primary", "pg-replica"]
    assert "dbname=shop" in said.database.dsn and said.database.failover is None
    assert said.database.rejoin is None and "# rejoin:               # FILL IN" in (written / "stack.yaml").read_text()
    assert "keycloak-db is a PostgreSQL server, too" in (written / "stack.yaml").read_text()


def test_customers_come_in_where_the_load_balancer_is_published(written: Path) -> None:
    """With what stands for a variable of the compose file; and alerts are asked for where an Alertmanager is."""
    said = load(written / "stack.yaml")
    assert said.customers and said.customers.at == ("https://127.0.0.1:8443",) and said.customers.rate == 5.0
    assert said.alerts and said.alerts.poll == "http://127.0.0.1:9093/api/v2/alerts"


def test_variables_are_those_of_the_file_beside_it(tmp_path: Path) -> None:
    """As compose reads them."""
    (tmp_path / ".env").write_text("WEB_PORT=9443\n")
    said = load(shop(tmp_path) / "stack.yaml")
    assert said.customers and said.customers.at == ("https://127.0.0.1:9443",)


def test_the_smallest_blast_radius_and_what_can_be_undone(written: Path) -> None:
    """The only way in, and what has to see, is never hurt; each component dies alone."""
    said = load(written / "stack.yaml")
    assert (said.safety.components, said.safety.zones, said.safety.may) == (1, 1, ("kill", "pause", "cut"))
    assert set(said.never) == {"web", "alertmanager"} and len(said.safety.abort_when) == 2
    assert said.platform.environment == "staging" and said.compose and said.compose.stands == "already"
    hurt = [one for one in said.components.values() if one.name not in said.never]
    assert len({one.zone for one in hurt}) == len(hurt) == len(said.zones)


def test_no_secret_is_copied_and_it_says_which_are_meant(tmp_path: Path) -> None:
    """Neither into a file nor onto the terminal; a reference stands in the place of the one that is needed."""
    (tmp_path / "compose.yaml").write_text(SHOP)
    said = done("--compose", tmp_path / "compose.yaml", "--into", tmp_path / "x", "--yes").output
    everything = said + "".join(path.read_text() for path in (tmp_path / "x").rglob("*") if path.is_file())
    assert "very-secret" not in everything
    assert "of api: SECRET_KEY, DATABASE_URL" in said and "of pg-replica: POSTGRES_PASSWORD" in said
    assert "database: the variable SHOP_DRILL_PASSWORD, the password of drill" in said
    secret = load(tmp_path / "x" / "stack.yaml").secrets["database"]
    assert secret.env == "SHOP_DRILL_PASSWORD"


def test_nothing_is_written_over(written: Path) -> None:
    """Not even one of its files; and nothing else is written then."""
    (written / "client.yaml").write_text("mine")
    (written / "plan.yaml").unlink()
    error = refused("--compose", written.parent / "compose.yaml", "--into", written, "--yes")
    assert "client.yaml" in error.message and "--into" in error.hint
    assert (written / "client.yaml").read_text() == "mine" and not (written / "plan.yaml").exists()


def test_a_file_that_somebody_makes_meanwhile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked for before, and not written over after that either; what was written by then is gone."""
    (tmp_path / "compose.yaml").write_text(SHOP)
    into = tmp_path / "x"
    into.mkdir()

    def meanwhile(found: object) -> None:
        monkeypatch.setattr(Path, "exists", lambda self: False)
        (into / "plan.yaml").write_text("theirs")

    monkeypatch.setattr(command, "_must_be_readable", meanwhile)
    assert "File exists" in refused("--compose", tmp_path / "compose.yaml", "--into", into, "--yes").message
    assert [path.name for path in into.iterdir()] == ["plan.yaml"] and (into / "plan.yaml").read_text() == "theirs"


def test_what_it_wrote_is_listed_with_the_next_step(tmp_path: Path) -> None:
    """Each file, and commands that can be copied."""
    (tmp_path / "compose.yaml").write_text(SHOP)
    said = done("--compose", tmp_path / "compose.yaml", "--into", tmp_path / "a b", "--yes").output
    for path in (tmp_path / "a b").rglob("*"):
        assert path.is_dir() or str(path.relative_to(tmp_path / "a b")) in said
    assert f"drdrill --project '{tmp_path}/a b' stack check '{tmp_path}/a b/stack.yaml'" in said


def test_evidence_and_keys_are_not_for_version_control(written: Path) -> None:
    """The skeleton says so to git."""
    assert {"/evidence/", "*.key"} <= set((written / ".gitignore").read_text().splitlines())


# Answers


def answered(folder: Path, *words: object) -> StackFile:
    into = folder / "x"
    done("--into", into, *words)
    return load(into / "stack.yaml")


def test_answers_are_options(tmp_path: Path) -> None:
    """So it runs without a terminal, and without a compose file."""
    said = answered(
        tmp_path, "--component", "api-a=api", "--component", "api-b", "--component", "db", "--compose-project", "shop",
        "--name", "Shop", "--owner", "payments team", "--environment", "production", "--at", "http://shop.example",
        "--rate", "2 a second", "--page", "/alive", "--zones", "a=api-a b=api-b,db", "--database-name", "shop",
        "--database-user", "reader", "--rto", "2 min", "--rpo", "10 s",
    )  # fmt: skip  # arguments in groups
    assert (said.platform.name, said.platform.owner, said.platform.environment) == (
        "Shop",
        "payments team",
        "production",
    )
    assert {name: one.zone for name, one in said.components.items()} == {"api-a": "a", "api-b": "b", "db": "b"}
    assert said.components["api-b"].role == "api" and said.components["db"].role == "database"
    assert said.database and "user=reader dbname=shop" in said.database.dsn
    plan = load_plan(tmp_path / "x" / "plan.yaml", features=tmp_path / "x" / "features")
    objective = plan.objective("the platform")
    assert (objective.rto.total_seconds(), objective.rpo.total_seconds()) == (120, 10)
    assert plan.health[0].url == "http://shop.example/alive"


def test_what_is_not_answered_says_what_it_costs(tmp_path: Path) -> None:
    """Without an entrance nothing is exercised, and each scenario says what gives it."""
    said = answered(tmp_path, "--component", "api", "--yes")
    assert said.customers is None and said.components["api"].container == "api"
    (lack, *_) = listed(tmp_path / "x")[0]["not_exercised"]
    assert lack["what"] == "entrance"


def test_nobody_is_asked_where_there_is_no_terminal(tmp_path: Path) -> None:
    """The first question that is open is named, and what takes all that is proposed."""
    error = refused("--component", "api", "--into", tmp_path / "x", "--name", "Shop")
    assert "who answers for it" in error.message and "--yes" in error.hint and "--owner" in error.hint
    assert not (tmp_path / "x").exists()
    assert "--compose FILE" in refused("--into", tmp_path / "x", "--yes").hint


def test_on_a_terminal_each_question_has_a_proposal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that cannot be taken is asked for again."""
    monkeypatch.setattr(command, "_on_terminal", lambda: True)
    (tmp_path / "compose.yaml").write_text(SHOP)
    answers = "Corner shop\n\nsomewhere\nstaging\n" + "\n" * 20
    result = init("--compose", tmp_path / "compose.yaml", "--into", tmp_path / "x", text=answers)
    assert result.exit_code == 0, result.output
    assert '"somewhere" is not one of' in result.output and "[https://127.0.0.1:8443]" in result.output
    assert load(tmp_path / "x" / "stack.yaml").platform.name == "Corner shop"


@pytest.mark.parametrize(("option", "value"), [
    ("--environment", "space"), ("--at", "http://x/path"), ("--at", "x"), ("--rate", "often"), ("--rto", "soon"),
    ("--zones", "a=nobody"), ("--zones", "a"), ("--page", "alive"), ("--owner", " "), ("--stands", "never"),
])  # fmt: skip  # a table
def test_a_wrong_answer_is_refused(tmp_path: Path, option: str, value: str) -> None:
    """By the option that gave it."""
    (tmp_path / "compose.yaml").write_text(SHOP)
    error = refused("--compose", tmp_path / "compose.yaml", "--into", tmp_path / "x", "--yes", option, value)
    assert option in error.message and not (tmp_path / "x").exists()


def test_an_answer_that_the_file_may_not_hold_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """Such as a secret in the name of its owner: the file would not be read."""
    (tmp_path / "compose.yaml").write_text(SHOP)
    words = ("--compose", tmp_path / "compose.yaml", "--into", tmp_path / "x", "--yes")
    error = refused(*words, "--owner", "password=hunter2hunter2")
    assert "cannot be read" in error.message and not (tmp_path / "x").exists()


WRONG = {
    "no such file": ("", "No such file"),
    "no YAML": ("a: [", "is not YAML"),
    "no compose file": ("hello", "is no compose file"),
    "no services": ("name: x", "has no services"),
    "nothing to hurt": ("services: {lb: {image: haproxy}}", "no component that a drill may hurt"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_compose_file_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    """With the file, and the line where there is one."""
    text, said = WRONG[name]
    if text:
        (tmp_path / "compose.yaml").write_text(text)
    error = refused("--compose", tmp_path / "compose.yaml", "--into", tmp_path / "x", "--yes")
    assert said in error.message and error.hint


ODD = {
    "nothing known": "services: {a: {image: x}, b: }",
    "tags and long ports": "services: {a: {image: !reset null, ports: [{target: 80}, '1-2:1-2', '53:53/udp', 8080]}}",
    "numbers": "services: {1: {image: 2, command: 3, healthcheck: {test: 4}, scale: '${X}'}}",
    "quotes": 'services: {a: {image: "it\'s: \\"x\\" #1", healthcheck: {test: [NONE]}}}',
    "brought up for the run": "services: {a: {image: x, ports: ['8080:80']}}",
}


@pytest.mark.parametrize("name", ODD)
def test_whatever_a_compose_file_holds_what_is_written_is_read(tmp_path: Path, name: str) -> None:
    """Or else it is refused; here it is not."""
    words = ("--stands", "for the run") if name == "brought up for the run" else ()
    said = load(shop(tmp_path, *words, text=ODD[name]) / "stack.yaml")
    assert said.for_the_run == bool(words)


def test_several_files_change_each_other(tmp_path: Path) -> None:
    """As compose lays one over the other."""
    (tmp_path / "a.yaml").write_text("services: {a: {image: x}, b: {image: 'redis'}}")
    (tmp_path / "b.yaml").write_text("services: {a: {image: 'postgres:16'}}")
    done("--compose", tmp_path / "a.yaml", "--compose", tmp_path / "b.yaml", "--into", tmp_path / "x", "--yes")
    said = load(tmp_path / "x" / "stack.yaml")
    assert said.database and list(said.database.members) == ["a"] and said.components["b"].role == "cache"


def test_the_till_is_found_as_its_own_stack_file_has_it(tmp_path: Path) -> None:
    """Written by hand for a real platform: the same members, entrance and load balancer; and what may not be hurt."""
    text = (TILL / "platform" / "compose.yaml").read_text()
    for word, value in {"IMAGE": "image:1", "PROJECT": "till", "PORT": "18080"}.items():
        text = text.replace(word, value)
    said = load(shop(tmp_path, text=text) / "stack.yaml")
    assert said.database and list(said.database.members) == ["db-1", "db-2"]
    assert said.customers and said.customers.at == ("http://127.0.0.1:18080",)
    assert said.never == ["front"] and said.components["front"].role == "load balancer"
    assert {said.components[name].role for name in ("api-a", "api-b")} == {"api"}
