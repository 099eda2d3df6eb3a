"""Fixtures of the flow tests."""

from collections.abc import Iterator

import pytest

from .claude_home import ClaudeHome
from .keeper import Keeper


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    """A Tollkeeper whose daemon the test starts itself."""
    with Keeper() as idle:
        yield idle


@pytest.fixture
def daemon(keeper: Keeper) -> Keeper:
    """A Tollkeeper whose daemon runs."""
    return keeper.start()


@pytest.fixture
def home(keeper: Keeper) -> ClaudeHome:
    """The Claude home that the daemon follows."""
    return keeper.home
