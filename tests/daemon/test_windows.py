"""A plan's window between sightings: any figures give an estimate that can be true, or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper_daemon.rules.windows import (
    LOOK_BACK_MS,
    MOST_POINTS,
    Point,
    estimate,
    rate,
    rise,
    runs_out,
    with_point,
)

HOUR = 3_600_000
NOW = 1_795_000_000_000
PERCENTS = st.floats(0, 100)
VALUES = st.integers(-(10**12), 10**12)
TIMES = st.integers(NOW - 8 * 24 * HOUR, NOW + HOUR)
POINTS = st.lists(st.builds(Point, TIMES, PERCENTS, VALUES), max_size=60).map(tuple)
KINDS = st.sampled_from(sorted(LOOK_BACK_MS))


@given(PERCENTS, PERCENTS, VALUES, VALUES)
def test_an_estimate_is_between_the_sighting_and_all(
    used: float, risen: float, value: int, since: int
) -> None:
    """What is estimated is never below what was seen, and never above all there is."""
    found = estimate(used, risen, value, since)
    assert found is None or used <= found <= 100


@given(PERCENTS, st.floats(2, 100), st.integers(1, 10**12), VALUES, VALUES)
def test_more_value_is_no_less_use(
    used: float, risen: float, value: int, one: int, other: int
) -> None:
    """Who spent more has used no less."""
    less, more = (estimate(used, risen, value, since) for since in sorted((one, other)))
    assert less is not None
    assert more is not None
    assert less <= more


@given(KINDS, POINTS, st.integers(NOW - HOUR, NOW + 9 * 24 * HOUR))
def test_a_rate_is_a_rate(kind: str, points: tuple[Point, ...], now: int) -> None:
    """Whatever was seen in whatever order: a rate is a number that is not negative, or none."""
    found = rate(kind, points, now)
    assert found is None or 0 <= found <= 100 * HOUR / (LOOK_BACK_MS[kind] // 12)


@given(PERCENTS, st.none() | st.floats(0, 10**9), TIMES, st.integers(1, 8 * 24 * HOUR))
def test_a_window_runs_out_before_its_reset(
    percent: float, per_hour: float | None, since: int, left: int
) -> None:
    """When it runs out is after the sighting and before the reset, or it does not."""
    found = runs_out(percent, per_hour, since, since + left)
    assert found is None or since <= found <= since + left


@given(POINTS)
def test_sightings_are_bounded(points: tuple[Point, ...]) -> None:
    """Of any sightings a bounded number is kept, in their order, with the first and the latest."""
    kept: tuple[Point, ...] = ()
    for point in points * 3:
        kept = with_point(kept, point)
        assert kept[-1] == point
        assert kept[0] == points[0]
        assert len(kept) <= MOST_POINTS


@given(POINTS)
def test_a_rise_is_told_of_rises(points: tuple[Point, ...]) -> None:
    """A ratio is taken only over two percent or more, from an earlier to a later sighting."""
    if between := rise(points):
        first, last = between
        assert last.percent - first.percent >= 2
        assert points.index(first) < len(points) - 1


def test_the_rate_of_late() -> None:
    """The rate is that of the last hour, and none when nothing was seen for longer."""
    points = tuple(Point(NOW + step * HOUR // 4, 10.0 + step * step) for step in range(9))
    now = NOW + 2 * HOUR
    assert rate("five_hour", points, now) == pytest.approx(64 - 16)
    assert rate("five_hour", points, now + HOUR + 1) is None
    assert rate("five_hour", points[-1:], now) is None
    assert rate("seven_day", points, now) == pytest.approx(32)
