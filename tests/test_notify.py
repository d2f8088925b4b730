"""Somebody is told of a run that was not MET or could not look; whoever is told, the verdict stays what it was."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from harness.communications import hook
from harness.communications.hook import Hook
from harness.errors import DrillError, Exit, NotInTime, Refused
from harness.system import environment
from reports.notice import TEXT, Ended, notice
from tests import sample_pack, warm
from tests.sample_pack import MISTAKE, Plot
from tests.webhooks import SECRET, Webhook, webhook


def notify(*words: object, url: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """`drdrill notify`, with nothing of the webhook on its command line."""
    named = {environment.HOOK: url} if url else {}
    return warm.drdrill("notify", *words, env={"PATH": os.environ["PATH"], "HOME": "/nowhere", **named, **more})


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """A run that missed, one that was met, and one that was killed."""
    folder = tmp_path_factory.mktemp("packs")
    return {
        "missed": sample_pack.write(folder / "missed", Plot(early=7.0)),
        "met": sample_pack.write(folder / "met", Plot()),
        "killed": sample_pack.write(folder / "killed", Plot(kill_in="restore-the-backup")),
    }


# What is told


def test_a_missed_objective_is_told_with_finding_figure_and_reason(packs: Mapping[str, Path]) -> None:
    """For a machine by field, for people in `text`; and the exit code stays that of the run."""
    with webhook() as told:
        done = notify(packs["missed"], "--exit", 1, "--link", "https://ci.example.com/1", url=told.url)
    assert done.returncode == 1 and not done.stderr, done.stderr
    (posted,) = told.posted
    assert (posted["v"], posted["outcome"], posted["exit"]) == (1, "MISSED", 1)
    assert posted["evidence"] == "https://ci.example.com/1"
    (run,) = posted["runs"]
    assert (run["environment"], run["outcome"], run["pack"]) == ("embedded", "MISSED", "missed")
    assert run["run"] == sample_pack.RUN and run["drill"] and run["stack"]
    wrong = [one for one in run["not_met"] if one["outcome"] == "MISSED"]
    assert wrong and all(one["reason"] and one["title"] and one["scenario"] for one in wrong)
    assert sample_pack.TITLES[MISTAKE] in posted["text"] and "MISSED" in posted["text"]
    assert "https://ci.example.com/1" in posted["text"] and wrong[0]["title"] in posted["text"]


def test_what_was_met_is_not_told(packs: Mapping[str, Path]) -> None:
    """Nor a run that found nothing due; and nobody needs a webhook for that."""
    with webhook() as told:
        assert notify(packs["met"], "--exit", 0, url=told.url).returncode == 0
        assert notify("--exit", 0, url=told.url).returncode == 0
    assert told.posted == []
    assert notify(packs["met"], "--exit", 0).returncode == 0


def test_an_exit_code_of_0_makes_no_pack_green(packs: Mapping[str, Path], tmp_path: Path) -> None:
    """What the pack says is told, and is the exit code; so is a pack that cannot be read."""
    with webhook() as told:
        assert notify(packs["missed"], "--exit", 0, url=told.url).returncode == 1
        assert notify(packs["killed"], "--exit", 0, url=told.url).returncode == 2
        assert notify(tmp_path / "gone", "--exit", 0, url=told.url).returncode == 2
    assert [one["outcome"] for one in told.posted] == ["MISSED", "UNKNOWN", "UNKNOWN"]
    assert "no journal.jsonl in it" in told.posted[2]["text"]


@pytest.mark.parametrize(
    ("given", "outcome", "code"),
    [("2", "UNKNOWN", 2), ("3", "REFUSED", 3), ("4", "FAILED", 4), ("137", "FAILED", 4), ("none", "FAILED", 4),
     ("", "FAILED", 4), ("77", "FAILED", 4)],
)  # fmt: skip  # a table
def test_a_run_that_could_not_look_is_told(given: str, outcome: str, code: int, tmp_path: Path) -> None:
    """Without any pack, with its last words; what ended it is said."""
    said = tmp_path / "said"
    said.write_text("error: there is no repository\nHINT: name one\n")
    with webhook() as told:
        done = notify("--exit", given, "--said", said, url=told.url)
    assert done.returncode == code
    (posted,) = told.posted
    assert posted["outcome"] == outcome and posted["runs"] == []
    assert posted["exit"] == (int(given) if given.isdigit() else None)
    assert "there is no repository" in posted["text"] and "No pack came of it" in posted["text"]
    if given == "137":
        assert "signal 9" in posted["text"]


def test_markup_in_a_reason_calls_nobody(tmp_path: Path) -> None:
    """Slack would read `<!channel>`; in the fields for machines it stands as it is."""
    told = notice(Ended(3, (), "error: <!channel> & \x1b[31m"))
    assert "<!" not in told["text"] and "&lt;!channel&gt; &amp;" in told["text"] and "\x1b" not in told["text"]
    assert "<!channel>" in told["said"]


def test_the_text_stays_short_and_keeps_where_the_evidence_is(packs: Mapping[str, Path]) -> None:
    """However much was said."""
    text = notice(Ended(1, [packs["missed"]] * 30, "x" * 10_000, "https://ci.example.com/1"))["text"]
    assert len(text) <= TEXT + 100 and text.endswith("https://ci.example.com/1")


def test_what_is_posted_again_has_the_same_id(packs: Mapping[str, Path]) -> None:
    """So that whoever takes it can tell; another run has another."""
    one, again = (notice(Ended(1, [packs["missed"]]))["id"] for _ in range(2))
    assert one == again != notice(Ended(2, [packs["killed"]]))["id"]


# Whom it is told to


@pytest.mark.parametrize(
    "url",
    ["http://hooks.example.com/x", "ftp://127.0.0.1/x", "https://", "https://a:b@example.com/x", "nonsense",
     "https://example.com/a b", "https://example.com:99999/x", "https://example.com:0/x", "https://[::1/x",
     "https://example.com/x#y", "https://example.com/\x07", "https://example.com/" + "x" * 5000, "file:///etc/passwd"],
)  # fmt: skip  # a table
def test_a_url_that_is_not_to_be_posted_to_is_refused_and_not_shown(url: str) -> None:
    """Only https, or http on the loopback, without a user."""
    with pytest.raises(Refused) as caught:
        hook.find({environment.HOOK: url})
    assert url not in str(caught.value) and environment.HOOK in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://hooks.example.com/x", "http://127.0.0.1:8/x", "http://[::1]:8/", "http://localhost/x"]
)
def test_https_and_the_loopback_are_good(url: str) -> None:
    """And what is shown of a webhook has no path."""
    found = hook.find({environment.HOOK: f" {url}\n"})
    assert found is not None and found.url == url and "/x" not in repr(found) + found.host


def test_the_url_may_stand_in_a_file(tmp_path: Path) -> None:
    """As secrets of containers do; both, none that can be read, or an empty one, is refused."""
    file = tmp_path / "url"
    file.write_text("https://hooks.example.com/x\n")
    found = hook.find({environment.HOOK_FILE: str(file)})
    assert found and found.url == "https://hooks.example.com/x"
    assert hook.find({}) is None
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for named in ("empty", "bytes", "gone", "."):
        with pytest.raises(Refused):
            hook.find({environment.HOOK_FILE: str(tmp_path / named)})
    with pytest.raises(Refused, match="both there"):
        hook.find({environment.HOOK_FILE: str(file), environment.HOOK: "https://a.example.com"})


def test_no_part_of_a_stack_is_handed_the_url() -> None:
    """Nor the process of a run."""
    caller = {environment.HOOK: "https://x", environment.HOOK_FILE: "/x", "DRDRILL_KEY": "k"}
    for handed in (environment.handed_on, environment.for_harness, environment.for_new_run, environment.for_people):
        given = handed(caller)
        assert {environment.HOOK, environment.HOOK_FILE}.isdisjoint(given) and given["DRDRILL_KEY"] == "k"


# When it does not arrive


def posted_to(told: Webhook, **more: timedelta) -> list[timedelta]:
    """The pauses between tries. Errors: as `Hook.post`."""
    slept: list[timedelta] = []
    Hook(told.url, sleep=slept.append, **more).post({"id": "1"})
    return slept


def test_what_may_be_over_soon_is_tried_again_and_no_more_than_twice() -> None:
    """A server that fails for a moment, and one that goes on failing."""
    with webhook(503, 200) as told:
        assert posted_to(told) == [hook.PAUSES[0]]
    assert told.posted == [{"id": "1"}] * 2
    with webhook(500) as told, pytest.raises(NotInTime, match="3 tries: HTTP 500"):
        posted_to(told)
    assert len(told.posted) == 3


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    """It would take what is told to where nobody has said."""
    with webhook(status) as told, pytest.raises(Refused, match="a redirect is not followed"):
        posted_to(told)
    assert len(told.posted) == 1 and told.paths == [f"/services/{SECRET}"]


def test_what_another_try_would_not_change_is_not_tried_again() -> None:
    """And an answer that repeats the path does not print it."""
    with webhook(404, says=f"no_service /services/{SECRET}\x1b[31m") as told, pytest.raises(Refused) as caught:
        posted_to(told)
    assert len(told.posted) == 1
    assert "HTTP 404: no_service" in caught.value.message
    assert SECRET not in str(caught.value) and "\x1b" not in str(caught.value)


def test_who_is_silent_is_left_in_time() -> None:
    """A server that takes the connection and never answers costs three times the time of a try, and no more."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        told = Webhook(port=silent.getsockname()[1])
        with pytest.raises(NotInTime, match=r"no answer within 0\.2 s"):
            posted_to(told, within=timedelta(seconds=0.2))
    assert sum(hook.PAUSES, 3 * hook.WITHIN) < timedelta(minutes=1)


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_a_notice_that_fails_changes_no_verdict_and_says_so(code: int) -> None:
    """On standard error, with a HINT, and nothing of the URL but its host."""
    with webhook(410, says="channel_is_archived") as told:
        done = notify("--exit", code, url=told.url)
    assert done.returncode == code and done.stdout == ""
    assert done.stderr.startswith(
        "error: nobody was told of this run: 127.0.0.1: HTTP 410: channel_is_archived\nHINT: "
    )
    assert SECRET not in done.stderr


def test_nobody_to_tell_is_said_too() -> None:
    """A run that was not MET, and no webhook, or one that is no URL."""
    done = notify("--exit", 1)
    assert done.returncode == 1 and "nobody was told of this run: there is no webhook\nHINT: " in done.stderr
    done = notify("--exit", 2, url=f"http://hooks.example.com/{SECRET}")
    assert done.returncode == 2 and "is not https\nHINT: " in done.stderr and SECRET not in done.stderr


def test_a_webhook_can_be_tried_before_it_is_needed() -> None:
    """Here the exit code is about the webhook."""
    with webhook() as told:
        assert notify("--try", url=told.url).returncode == 0
    assert told.posted[0]["outcome"] == "TRIAL" and "No drill was run" in told.posted[0]["text"]
    with webhook(404) as told:
        assert notify("--try", url=told.url).returncode == Exit.REFUSED
    assert notify("--try").returncode == Exit.REFUSED


@pytest.mark.parametrize("words", [[], ["--exit", "x"], ["--exit", "-1"], ["--exit", "256"], ["--try", "--exit", "1"]])
def test_what_makes_no_sense_is_refused(words: list[str]) -> None:
    """With a HINT."""
    done = notify(*words)
    assert done.returncode == Exit.REFUSED and "HINT: " in done.stderr


def test_an_error_of_the_webhook_is_one_of_drdrills() -> None:
    """Nobody listens: one line and a HINT."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        told = Webhook(port=taken.getsockname()[1])
    with pytest.raises(DrillError) as caught:
        posted_to(told)
    assert "refused" in caught.value.message.lower() and caught.value.hint
    assert json.dumps(told.posted) == "[]"
