"""The caller's environment decides nothing: a process is handed a short list, and doctor says what is not on it."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import pytest

from harness.cli.doctor import _print_ignored
from harness.evidence import keys
from harness.stacks.local import sandbox, trial
from harness.system import environment as surroundings
from harness.system.command import LABEL, Commands
from harness.system.recorder import Memory

ROOT = Path(__file__).parents[1]
STRAY = {
    "ETCDCTL_CACERT": "/nowhere.pem", "ETCD_INITIAL_CLUSTER_STATE": "existing", "PATRONI_ETCD3_HOSTS": "10.9.9.9:1",
    "PATRONICTL_CONFIG_FILE": "/nowhere.yml", "PGHOSTADDR": "10.9.9.9", "PGREQUIRESSL": "1", "PGUSER": "mira",
    "PGSSLROOTCERT": "system", "PGREPLICATION": "database", "PGKRBSRVNAME": "x", "PSQL_HISTORY": "/nowhere",
    "PGBACKREST_STANZA": "theirs", "AWS_REGION": "eu-west-3", "AWS_ROLE_ARN": "arn:x", "BARMAN_CONFIG": "/nowhere",
    "HTTP_PROXY": "http://10.9.9.9:3128", "https_proxy": "http://10.9.9.9:3128", "all_proxy": "socks5h://10.9.9.9:1",
    "LD_PRELOAD": "/nowhere/lib.so", "LD_AUDIT": "/nowhere/lib.so", "LANGUAGE": "tlh", "LC_NUMERIC": "de_DE.UTF-8",
    "LC_ALL": "ja_JP.eucJP", "TZ": "America/St_Johns", "BASH_ENV": "/nowhere/rc", "CDPATH": "/usr", "IFS": "/",
    "PYTHONHASHSEED": "7", "PYTHONSTARTUP": "/nowhere.py", "PYTHONPATH": "/nowhere", "GIT_CONFIG_GLOBAL": "/nowhere",
    "GIT_INDEX_FILE": "/nowhere", "SSL_CERT_DIR": "/nowhere", "SSLKEYLOGFILE": "/nowhere", "CURL_CA_BUNDLE": "/nowhere",
    "OPENSSL_MODULES": "/nowhere", "LOCUST_HOST": "http://10.9.9.9", "MOTO_PORT": "1", "ENVOY_UID": "7",
    "NETRC": "/nowhere", "GODEBUG": "netdns=go", "PYTEST_PLUGINS": "nowhere", "DOCKER_DEFAULT_PLATFORM": "linux/arm",
    "USER": "mira", "HOME": "/home/mira",
}  # fmt: skip  # a table
SAYS_ALL = "import json, os; print(json.dumps(dict(os.environ)))"


@pytest.fixture
def stray(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A caller's shell, in which much is set."""
    for name, value in STRAY.items():
        monkeypatch.setenv(name, value)
    return STRAY


def seen(**given: str) -> dict[str, str]:
    """What a command that is started finds in its environment."""
    done = Commands(Memory(), label="surrounded").run([sys.executable, "-I", "-S", "-c", SAYS_ALL], env=given)
    found: dict[str, str] = json.loads(done.out)
    return found


def test_no_stray_variable_reaches_a_command(stray: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What it gets is the short list, our own marks, and what it was given by name."""
    monkeypatch.delenv("LD_PRELOAD")  # the loader of this very test would heed it
    found = seen(PGPASSWORD="secret")
    listed = {"PATH", "TMPDIR", "PYTHONPATH", "PGPASSWORD", *surroundings.fixed(), *surroundings.ENGINE}
    assert {name for name in found if not name.startswith("DRDRILL_")} <= listed
    assert not set(found.items()) & set(stray.items())
    assert (found["PGPASSWORD"], found[LABEL], found["TZ"]) == ("secret", "surrounded", "UTC")


def test_a_process_of_the_harness_knows_who_drills_and_their_key(stray: dict[str, str]) -> None:
    """And nothing else of theirs; home folder and key are those of the caller, however deep the processes lie."""
    first = surroundings.for_harness()
    second = surroundings.for_harness(first)
    assert first == second
    assert (first["HOME"], first[surroundings.HOME], first["USER"]) == (surroundings.NOWHERE, "/home/mira", "mira")
    assert keys.key_path(first) == Path("/home/mira/.config/drdrill/signing-key.pem")
    assert {name for name in set(stray) & set(first) if stray[name] == first[name]} == {"USER"}


def test_programs_of_ours_find_the_code_that_started_them(stray: dict[str, str]) -> None:
    """Whatever PYTHONPATH says: a tree that is run from is run from throughout."""
    assert surroundings.handed_on({})["PYTHONPATH"] == str(ROOT)
    assert seen()["PYTHONPATH"] == str(ROOT)


def test_the_choice_of_an_engine_is_kept() -> None:
    """With its certificates, which Docker's library would look for in a home folder that is not handed on."""
    chosen = {"DOCKER_HOST": "tcp://10.9.9.9:2376", "DOCKER_TLS_VERIFY": "1", surroundings.HOME: "/home/mira"}
    made = surroundings.handed_on({**chosen, "DOCKER_CONTEXT": "theirs"})
    assert (made["DOCKER_HOST"], made["DOCKER_CERT_PATH"]) == ("tcp://10.9.9.9:2376", "/home/mira/.docker")
    assert "DOCKER_CONTEXT" not in made


def test_a_proxy_is_kept_for_what_is_fetched_from_outside() -> None:
    """And for nothing else."""
    caller = {"HTTPS_PROXY": "http://10.9.9.9:1", "no_proxy": "*"}
    assert not set(caller) & set(surroundings.for_harness(caller))
    assert surroundings.with_proxies(caller).items() >= caller.items()


def test_what_is_ignored_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Variables and files that some part would heed; nothing that every shell has."""
    (tmp_path / ".aws").mkdir()
    for name in (".pgpass", ".aws/credentials", ".bashrc"):
        (tmp_path / name).touch()
    caller = {"PGSERVICE": "theirs", "all_proxy": "x", "LC_TIME": "C", "TZ": "UTC", "PATH": "/bin", "SHLVL": "1"}
    found = surroundings.ignored({**caller, surroundings.HOME: str(tmp_path)})
    assert found == ["LC_TIME", "PGSERVICE", "all_proxy", "~/.pgpass", "~/.aws/credentials"]
    _print_ignored(found, ["all_proxy"])
    said = capsys.readouterr().out
    assert "handed to no part of a stack: LC_TIME, PGSERVICE, all_proxy, ~/.pgpass" in said
    assert "only for what is fetched from outside" in said
    assert set(surroundings.ignored(STRAY)) >= set(STRAY) - {"USER", "HOME", "IFS", "PSQL_HISTORY"}


def test_doctor_starts_a_database_in_whatever_shell(stray: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """For real, and handed what a stack is handed."""
    monkeypatch.delenv("LD_PRELOAD")
    found = trial.tried(sandbox.best_level().name)
    assert (found.ok, found.why, found.lift) == (True, "", "")


def test_doctor_says_why_a_stack_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken part is found although every level holds."""
    (tmp_path / "psycopg.py").write_text("raise ImportError('no libpq here')\n")
    handed = {**surroundings.handed_on(), "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    monkeypatch.setattr(trial, "handed_on", lambda: handed)
    found = trial.tried("loopback")
    assert not found.ok and found.why == "ImportError: no libpq here" and "drdrill stack up" in found.lift


def inherits(path: Path) -> bool:
    """Whether a file of the harness starts a process by itself, and does not say what that is handed."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    found = [call for call in calls if ast.unparse(call.func) in ("subprocess.run", "subprocess.Popen")]
    return any(not {"env", None} & {word.arg for word in call.keywords} for call in found)


# Run in a sandbox or in a container, with what they were handed; they are programs of their own.
HANDED_ALREADY = {"stacks/local/sandbox_probe.py", "stacks/docker/flapper.py", "stacks/docker/stamped.py"}


def test_whatever_starts_a_process_says_what_it_is_handed() -> None:
    """Nothing inherits the caller's environment because nobody thought of it."""
    files = sorted((ROOT / "harness").rglob("*.py"))
    assert {path.relative_to(ROOT / "harness").as_posix() for path in files if inherits(path)} == HANDED_ALREADY
    assert [path for path in files if "**os.environ" in path.read_text()] == []


def test_a_new_run_is_in_no_sandbox_yet() -> None:
    """Marks of another run that lie about in a shell would make it believe that it stands in one already."""
    stray = {"DRDRILL_LEVEL": "rootless", "DRDRILL_RUN": "x", "DRDRILL_SANDBOX": "1", "DRDRILL_PART": "x/y"}
    found = surroundings.for_new_run({**stray, "DRDRILL_FOLDER": "f", "PATH": "/bin"})
    assert not stray.keys() & found.keys()
    assert found["DRDRILL_FOLDER"] == "f"


def test_what_a_store_is_reached_by_is_for_those_that_ask_for_it(tmp_path: Path) -> None:
    """With the files of the caller's home, which the process does not see; and for nobody else."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").touch()
    caller = {"HOME": "/elsewhere", "DRDRILL_HOME": str(tmp_path), "AWS_ACCESS_KEY_ID": "k", "PATH": "/bin"}
    found = surroundings.for_stores(caller)
    usual = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / ".aws" / "credentials")}
    assert found == {"AWS_ACCESS_KEY_ID": "k", **usual}
    assert surroundings.for_stores({**caller, "AWS_SHARED_CREDENTIALS_FILE": "f"})["AWS_SHARED_CREDENTIALS_FILE"] == "f"
    assert "AWS_ACCESS_KEY_ID" not in surroundings.for_new_run(caller)
