"""Fixtures of the daemon's unit tests."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tollkeeper.managed import VARIABLE as MANAGED

# A busy machine is no failure.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session", autouse=True)
def unmanaged() -> Iterator[None]:
    """No test looks at the managed settings of the machine that it runs on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MANAGED, "/nonexistent")
        yield


@pytest.fixture
def managed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of managed settings, which the test may write."""
    folder = tmp_path / "managed"
    (folder / "managed-settings.d").mkdir(parents=True)
    monkeypatch.setenv(MANAGED, str(folder))
    return folder


@pytest.fixture
def in_zone() -> Iterator[Callable[[str], None]]:
    """Sets the local time zone, and puts it back."""
    before = os.environ.get("TZ")

    def use(zone: str) -> None:
        os.environ["TZ"] = zone
        time.tzset()

    yield use
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="toll-", dir="/tmp") as folder:
        yield Path(folder)
