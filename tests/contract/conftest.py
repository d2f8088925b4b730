"""`--kind` chooses the kind of stack that the contract is asked of."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.held import Held, held


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kind", default="local", choices=["local", "docker"], help="kind of stack (default: local)")


@pytest.fixture(scope="session")
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("--kind"))


@pytest.fixture(scope="session")
def stack(kind: str) -> Iterator[Held]:
    """One stack for the scenes that leave it whole."""
    with held(kind) as found:
        yield found
