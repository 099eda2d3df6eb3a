"""The plan's windows: what is warned of, what is refused, and what time brings."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tollkeeper_daemon.config import PlanSettings
from tollkeeper_daemon.plan_gauge import News, PlanGauge
from tollkeeper_daemon.store.store import Store

NOW = 1_795_000_000_000
HOUR = 3_600_000
RESET = NOW + 5 * HOUR


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "ledger") as store:
        yield store


def gauge(store: Store, *warn_at: float, now: int = NOW) -> PlanGauge:
    settings = PlanSettings(name="max", warn_at=warn_at or (80.0,))
    return PlanGauge(store, lambda: settings, now)


def kinds(news: list[News] | None) -> list[str] | None:
    return None if news is None else [each.kind for each in news]


def test_a_window_is_warned_of_once(store: Store) -> None:
    """At 80 % it is told, with the window's name; more of the same window is only shown."""
    plan = gauge(store)
    assert kinds(plan.observed("five_hour", 79.9, RESET, NOW)) == []
    [told] = plan.observed("five_hour", 80.0, RESET, NOW) or []
    assert told.kind == "warned"
    assert told.text.startswith("80 % of the plan's five-hour window is used; it begins anew at ")
    assert kinds(plan.observed("five_hour", 93.0, RESET, NOW)) == []
    window = plan.view(NOW).five_hour
    assert window is not None
    assert window.used_percent == 93.0


def test_each_threshold_is_told(store: Store) -> None:
    """With several percentages each is told once, and those jumped over are not."""
    plan = gauge(store, 50, 80, 95)
    seen = [plan.observed("seven_day", percent, RESET, NOW) for percent in (51, 60, 96, 99)]
    assert [kinds(each) for each in seen] == [["warned"], [], ["warned"], []]


def test_the_windows_are_told_apart(store: Store) -> None:
    """A warning of one window says nothing of the other."""
    plan = gauge(store)
    assert kinds(plan.observed("five_hour", 85, RESET, NOW)) == ["warned"]
    assert kinds(plan.observed("seven_day", 85, NOW + 100 * HOUR, NOW)) == ["warned"]


def test_the_next_window_starts_anew(store: Store) -> None:
    """When a window that was warned of is over that is told, and the next one is warned of again."""
    plan = gauge(store)
    plan.observed("five_hour", 85, RESET, NOW)
    assert plan.look(RESET - 1) is None
    assert kinds(plan.look(RESET)) == ["reset"]
    assert plan.view(NOW).five_hour is None
    assert kinds(plan.observed("five_hour", 85, RESET + 5 * HOUR, RESET)) == ["warned"]


def test_a_window_without_a_warning_ends_silently(store: Store) -> None:
    """Nobody has to know that a window began anew which was never near its end."""
    plan = gauge(store)
    plan.observed("five_hour", 20, RESET, NOW)
    assert plan.look(RESET) == []


def test_a_warning_outlives_a_restart(store: Store) -> None:
    """What was told of a window is not told again by the next daemon, and its figure is kept."""
    gauge(store).observed("five_hour", 85, RESET, NOW)
    again = gauge(store)
    assert kinds(again.observed("five_hour", 86, RESET, NOW)) == []
    window = again.view(NOW).five_hour
    assert window is not None
    assert window.used_percent == 86


def test_a_refusal_fills_its_window(store: Store) -> None:
    """A refused request shows the window as spent and is told once, with the time of the reset."""
    plan = gauge(store)
    assert kinds(plan.refused("five_hour", RESET, NOW)) == ["limited"]
    assert plan.refused("five_hour", RESET, NOW + 1) is None
    view = plan.view(NOW)
    assert view.five_hour is not None
    assert view.five_hour.used_percent == 100
    assert view.limited_until is not None
    assert kinds(plan.look(RESET)) == ["reset"]
    assert plan.view(NOW).limited_until is None


@pytest.mark.parametrize("resets_at", [0, NOW, NOW - 1, NOW + 9 * 24 * HOUR])
def test_impossible_resets_change_nothing(store: Store, resets_at: int) -> None:
    """A window that is over, or ends later than any can, is neither kept nor told."""
    plan = gauge(store)
    assert plan.observed("five_hour", 99, resets_at, NOW) is None
    assert plan.refused("five_hour", resets_at, NOW) is None
    assert plan.view(NOW).five_hour is None
