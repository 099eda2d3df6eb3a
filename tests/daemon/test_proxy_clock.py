"""A proxy's clock: corrected where it is clearly off, and the same at each look."""

from email.utils import formatdate

import pytest

from tollkeeper_daemon.proxies.answers import Row
from tollkeeper_daemon.proxies.proxy_clock import ProxyClock

from .lines import NOW

SECOND, MINUTE = 1_000, 60_000


def after(*apart: int) -> int:
    """How far it is taken to be ahead after answers with stamps so far (ms) ahead of us."""
    clock = ProxyClock()
    for each in apart:
        clock.hear(formatdate((NOW + each) / 1000, usegmt=True), NOW)
    return clock.ahead


@pytest.mark.parametrize(
    ("apart", "ahead"),
    [
        ([0], 0),
        ([50 * SECOND, -50 * SECOND], 0),
        ([20 * MINUTE], 20 * MINUTE),
        ([-20 * MINUTE], -20 * MINUTE),
        ([20 * MINUTE, 20 * MINUTE + 9 * SECOND, 20 * MINUTE - 9 * SECOND], 20 * MINUTE),
        ([20 * MINUTE, 25 * MINUTE], 25 * MINUTE),
        ([20 * MINUTE, SECOND], 0),
    ],
)
def test_steady(apart: list[int], ahead: int) -> None:
    """It is ahead or behind only by more than answers take, and changes only by as much."""
    assert ahead == after(*apart)


@pytest.mark.parametrize(
    "stamp", [None, "", " ", "soon", "Sun, 99 Nov 2026 25:00:00 GMT", "1" * 999]
)
def test_no_stamp(stamp: str | None) -> None:
    """An answer without a stamp that can be read says nothing."""
    clock = ProxyClock()
    clock.ahead = MINUTE
    clock.hear(stamp, NOW)
    assert clock.ahead == MINUTE


@pytest.mark.parametrize(
    ("stamp", "ahead", "expected"),
    [
        ("2026-11-22T10:00:00Z", 3_600 * SECOND, "2026-11-22T09:00:00Z"),
        ("2026-11-22T10:00:00Z", -3_600 * SECOND, "2026-11-22T11:00:00Z"),
        ("9999-12-31T10:00:00Z", -(10**14), "9999-12-31T10:00:00Z"),
    ],
)
def test_rows_by_our_clock(stamp: str, ahead: int, expected: str) -> None:
    """A row's time is what our clock showed, unless that is none."""
    assert Row("1", expected).time == Row("1", stamp).by_clock(ahead).time
