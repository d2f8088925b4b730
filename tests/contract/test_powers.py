"""What every kind of stack can do beside running, for real; `-s` shows what this machine could not do."""

from __future__ import annotations

from tests.contract.held import Held


def test_each_zones_own_database_is_reached_and_an_answer_names_its_timeline(stack: Held) -> None:
    """As the API's role, from where a customer of the zone stands."""
    played(stack, "zone_endpoints")


def test_two_zones_are_cut_from_each_other_or_their_etcds_alone(stack: Held) -> None:
    """The third zone goes on seeing both."""
    played(stack, "links")


def test_a_link_is_slow_as_far_as_the_kernel_can(stack: Held) -> None:
    """What it cannot is said in the kernel's word."""
    played(stack, "slow")


def test_a_link_comes_and_goes_until_its_time_is_up(stack: Held) -> None:
    """It ends joined, by itself or when it is settled."""
    played(stack, "flap")


def test_a_zone_loses_its_power_and_has_it_again(stack: Held) -> None:
    """Nothing of it is left at one instant, and all of it comes back."""
    played(stack, "power")


def test_a_volume_fills_and_another_zone_leads(stack: Held) -> None:
    """What was acknowledged is there afterwards, and the member with the full volume follows once it has room."""
    played(stack, "fill")


def test_a_managers_death_is_not_its_databases(stack: Held) -> None:
    """Frozen, its PostgreSQL still answers."""
    played(stack, "unfence")


def test_a_release_that_cannot_run_is_rolled_back(stack: Held) -> None:
    """The history tells both."""
    played(stack, "release")


def test_customers_reach_the_other_load_balancer(stack: Held) -> None:
    """Whichever of the two has died."""
    played(stack, "balancers")


def test_customers_who_write_follow_a_switch_of_the_name(stack: Held) -> None:
    """Within one new connection; where the name is gone, that is what they say of each failure."""
    played(stack, "names")


def played(stack: Held, scene: str) -> None:
    print(stack.run("tests.contract.powers", scene, str(stack.folder)), end="")
