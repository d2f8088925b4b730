"""What every kind of stack promises, for real: about four minutes a kind. `--kind docker` asks it of containers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from tests.contract.held import Held, held


def test_it_serves_over_tls_stores_once_and_says_what_is_certain(stack: Held) -> None:
    """A customer's transaction is stored once and can be read back, and every refusal says that nothing is stored."""
    stack.play("serve")


def test_every_component_is_listed_with_its_log(stack: Held) -> None:
    """It runs, and says in it what it does; and the stack has what its kind says that it has."""
    stack.play("show_logs")


def test_where_no_zone_serves_the_entrance_says_that_nothing_is_stored(stack: Held) -> None:
    """Its own answer counts as a refusal, not as a doubt, and the zones serve again once they are started."""
    stack.play("stop_services")


def test_what_is_killed_is_gone_and_can_be_started_again(stack: Held) -> None:
    """Twice is harmless; its port refuses, its log stays, and customers are sent there again once it serves."""
    stack.play("kill_and_start")


def test_what_is_paused_keeps_its_ports_and_says_nothing(stack: Held) -> None:
    """Only a health check by a real request notices."""
    stack.play("pause")


def test_a_paused_database_goes_on_where_it_stopped(stack: Held) -> None:
    """It answers nothing meanwhile, and its connections stay whole; one that is paused can be killed."""
    stack.play("pause_database")


def test_a_cut_is_silent_and_leaves_the_zone_to_itself(stack: Held) -> None:
    """No reset, no local error; and after the join the whole stack is steady."""
    stack.play("cut")


def test_it_survives_the_death_of_its_leader(stack: Held) -> None:
    """When the leader is killed another zone takes over without a loss, and the old one rejoins."""
    stack.play("lose_leader")


def test_a_restored_database_is_adopted(stack: Held) -> None:
    """A database restored in an empty place is put in service, cloned to the other zones and archived whole."""
    stack.play("adopt")


def test_a_second_stack_runs_beside_it_and_is_removed_alone(stack: Held) -> None:
    """After kill -9 of the process that holds it, another process removes all of it, and nothing of the first."""
    with held(stack.kind) as second:
        second.play("serve")
        os.kill(second.holder.pid, signal.SIGKILL)
        second.holder.wait()
        words = [sys.executable, "-m", "tests.contract.remove", second.label, str(second.folder / "stack")]
        for _ in range(2):
            subprocess.run(words, check=True)
            assert not second.left()
        stack.play("still_serves")
