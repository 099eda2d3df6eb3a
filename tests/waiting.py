"""Waiting for a condition, since these tests run beside processes that take their own time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_STEP_S = 0.02


def wait_until(condition: Callable[[], T | None], timeout: float = 20.0, what: str = "") -> T:
    """Return the condition's first true value, or fail after the timeout."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:g} s in vain for {what or condition}")
        time.sleep(_STEP_S)
    return value
