"""Fixtures of the tests with a real notification service."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from flow.keeper import Keeper

from .session import Session, missing, session


@pytest.fixture
def desktop() -> Iterator[Session]:
    """A desktop session of the test's own."""
    if lacking := missing():
        pytest.skip(lacking)
    with (
        tempfile.TemporaryDirectory(prefix="toll-", dir="/tmp") as folder,
        session(Path(folder)) as opened,
    ):
        yield opened


@pytest.fixture
def keeper(desktop: Session) -> Iterator[Keeper]:
    """A Tollkeeper in that session."""
    with Keeper() as idle:
        idle.environment.update(desktop.environment)
        yield idle
