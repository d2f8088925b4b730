"""`--kind` chooses the kind of stack that the contract is asked of."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.stacks.kinds import KINDS
from harness.stacks.needs import Regions
from tests.contract.held import Held, held


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kind", default="local", choices=["local", "docker"], help="kind of stack (default: local)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The faults come last: they share the stack of the scenes, and the last of them leaves no database behind.

    What is asked of a second region is asked of kinds that have one.
    """
    items.sort(key=lambda item: item.path.stem == "test_faults")
    if KINDS[config.getoption("--kind")].offer().number(Regions) < 2:
        beyond = [item for item in items if item.path.stem == "test_regions"]
        config.hook.pytest_deselected(items=beyond)
        items[:] = [item for item in items if item not in beyond]


@pytest.fixture(scope="session")
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("--kind"))


@pytest.fixture(scope="session")
def stack(kind: str) -> Iterator[Held]:
    """One stack for all that is asked of it."""
    with held(kind) as found:
        yield found
