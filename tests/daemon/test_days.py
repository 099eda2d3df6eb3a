"""Which local day it is: each begins when it comes, and again when the clock is set back to it."""

from tollkeeper_daemon.clock import local_day
from tollkeeper_daemon.days import Days
from tollkeeper_daemon.rules.over import days_over

from .lines import NOW

MIDNIGHT, NEXT = local_day(NOW)
BEFORE, _ = local_day(MIDNIGHT - 1)


class Begun:
    """Days that keep which have begun."""

    def __init__(self) -> None:
        self.days: list[tuple[int, int]] = []
        self.in_history = False
        self.check = Days(self._begin, lambda: self.in_history).check

    def _begin(self, midnight: int, next_midnight: int) -> None:
        self.days.append((midnight, next_midnight))


def test_a_day_begins_once() -> None:
    """At its first moment, and not again in its last."""
    begun = Begun()
    for now in (MIDNIGHT, NOW, NEXT - 1):
        begun.check(now)
    assert [(MIDNIGHT, NEXT)] == begun.days
    begun.check(NEXT)
    assert [(MIDNIGHT, NEXT), local_day(NEXT)] == begun.days


def test_clock_that_is_set_back() -> None:
    """The day before goes on when the clock is set back to it, and this one afterwards."""
    begun = Begun()
    for now in (NOW, MIDNIGHT - 1, MIDNIGHT):
        begun.check(now)
    assert [(MIDNIGHT, NEXT), (BEFORE, MIDNIGHT), (MIDNIGHT, NEXT)] == begun.days


def test_none_begins_in_a_history() -> None:
    """What is taken off as history is taken off one day: the next one waits till it is read."""
    begun = Begun()
    begun.check(NOW)
    begun.in_history = True
    begun.check(NEXT)
    assert [(MIDNIGHT, NEXT)] == begun.days
    begun.in_history = False
    begun.check(NEXT)
    assert [(MIDNIGHT, NEXT), local_day(NEXT)] == begun.days


def test_which_days_are_over() -> None:
    """All but today and the latest three, wherever a clock that was wrong has been."""
    days = ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24"]
    assert {"2026-11-20"} == days_over(days, "2026-11-24")
    assert set() == days_over(days[:4], "2026-11-20")
    assert {"2026-11-21"} == days_over([*days[:4], "2099-01-01"], "2026-11-20")
