"""Fixtures of the tray's tests."""

from collections.abc import Iterator

import pytest

from flow.keeper import Keeper


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    """A Tollkeeper whose daemon the test starts itself."""
    with Keeper() as idle:
        yield idle
