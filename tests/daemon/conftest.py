"""Fixtures of the daemon's unit tests."""

import os
import time
from collections.abc import Callable, Iterator

import pytest


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
