"""A region is lost, the other one takes over, the lost one comes back fenced and follows, and all is switched back."""

from __future__ import annotations

from tests.contract.held import held


def test_a_lost_region_comes_back_as_a_follower_and_takes_over_again() -> None:
    """It is never writable while the other leads; the planned switch back loses nothing; then all is as it was."""
    with held("local", regions=2) as two:
        print((two.folder / "parts").read_text())
        print(two.run("tests.real.region_failover", str(two.folder)))
        print(two.run("tests.contract.regions", "whole", str(two.folder)))


def test_where_zones_are_addresses_it_stands_too_and_says_that_no_region_can_be_cut_off() -> None:
    """A region loses its power and is fenced there as elsewhere, though not in silence."""
    with held("local", on="loopback", regions=2) as two:
        for scene in ("whole", "cut", "power", "fence"):
            print(two.run("tests.contract.regions", scene, str(two.folder)), end="")
