"""Fixtures of the client's unit tests."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tollkeeper.paths import Paths, find_paths

# A busy machine is no failure.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Paths]:
    """A Tollkeeper of our own, with a path short enough for a socket, and no daemon in it."""
    with tempfile.TemporaryDirectory(prefix="toll", dir="/tmp") as folder:
        monkeypatch.setenv("TOLL_HOME", str(Path(folder).resolve()))
        yield find_paths()
