"""The bar over midnight: each day has a budget of its own, and what held yesterday lets nobody go."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tollkeeper_daemon.rules.limits import Scope, Used
from tollkeeper_daemon.rules.settings import Limits
from tollkeeper_daemon.rules.terms import EVERY, Own
from tollkeeper_daemon.store.store import Store

from .desk import DAY, HOUR, MIDNIGHT, REPLY_USD, Desk
from .lines import NOW

LIMITS = Limits(0, 0, 2 * REPLY_USD)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "ledger") as store:
        yield store


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    """The day's budget is worth two replies, and there is no other limit."""
    return Desk(store, tmp_path, LIMITS).begin()


def test_each_day_has_its_own_budget(desk: Desk) -> None:
    """What was spent before midnight counts no more, and the new day's limit acts again."""
    desk.reply(NOW)
    desk.reply(NOW + 1)
    assert desk.process.stopped
    desk.resume(NOW + 2)
    desk.reply(NOW + 3)
    assert not desk.process.stopped
    tomorrow = MIDNIGHT + DAY
    desk.begin_day(tomorrow)
    desk.budgets.bar.look(tomorrow)
    desk.reply(tomorrow + HOUR)
    assert not desk.process.stopped
    desk.reply(tomorrow + HOUR + 1)
    assert desk.process.stopped
    again = ["reached", "paused"]
    assert desk.kinds() == [*again, "resumed", *again]


def test_midnight_lets_nobody_go_and_offers(desk: Desk) -> None:
    """Who was paused yesterday stays so today, and is named as one that has room again."""
    desk.reply(NOW)
    desk.reply(NOW + 1)
    assert desk.budgets.offered() == []
    desk.begin_day(MIDNIGHT + DAY)
    desk.budgets.bar.look(MIDNIGHT + DAY)
    assert desk.process.stopped
    assert desk.budgets.offered() == [desk.agent.record.name]


def test_what_was_granted_is_for_its_day(desk: Desk) -> None:
    """More budget for a day is no more budget for the next one."""
    desk.reply(NOW)
    desk.reply(NOW + 1)
    desk.resume(NOW + 2, more=10**9)
    assert [each.bound_usd for each in desk.budgets.limits.all()] == [2 * REPLY_USD + 1]
    desk.begin_day(MIDNIGHT + DAY)
    assert [each.bound_usd for each in desk.budgets.limits.all()] == [2 * REPLY_USD]


def test_words_before_the_day_was_begun(desk: Desk) -> None:
    """What a person says after midnight is of the new day, though nobody has looked at the clock yet."""
    tomorrow = MIDNIGHT + DAY
    begun: list[int] = []

    def look_at_clock(now: int) -> None:
        if now >= tomorrow and not begun:
            begun.append(now)
            desk.begin_day(tomorrow)

    desk.budgets.bar.look_at_clock = look_at_clock
    desk.reply(NOW)
    desk.reply(NOW + 1)
    assert desk.process.stopped
    desk.resume(tomorrow + 1, more=10**9)
    assert not desk.process.stopped
    assert ["reached", "paused", "resumed"] == desk.kinds()
    assert [2 * REPLY_USD] == [each.bound_usd for each in desk.budgets.limits.all()]


@pytest.mark.parametrize("word", ["set", "clear"])
def test_limits_before_the_day_was_begun(desk: Desk, word: str) -> None:
    """A limit on every day that is set or cleared after midnight stops nobody by what was spent before."""
    daily = Scope("daily", EVERY)
    limits, tomorrow = desk.budgets.limits, MIDNIGHT + DAY
    limits.set(daily, "usd", Own(10**12), NOW)
    for number in range(3):
        desk.reply(NOW + number)
    desk.budgets.bar.look_at_clock = lambda now: desk.begin_day(tomorrow)
    if word == "set":
        limit, hit = limits.set(daily, "usd", Own(10**7), tomorrow + 1)
        found = [limit]
    else:
        found, hit = limits.clear(daily, ["usd"], tomorrow + 1)
    assert ([0.0], []) == ([limit.used for limit in found if limit], hit)
    assert not desk.process.stopped


def test_late_line_of_yesterday(desk: Desk) -> None:
    """A reply of yesterday that is read today is yesterday's."""
    desk.begin_day(MIDNIGHT + DAY)
    for number in range(3):
        desk.reply(MIDNIGHT + DAY - HOUR + number)
    assert not desk.process.stopped
    assert [each.used for each in desk.budgets.limits.all()] == [0.0]


def test_what_is_over_is_forgotten(desk: Desk) -> None:
    """Nothing is remembered of the limit of a day that is long over."""
    desk.reply(NOW)
    desk.reply(NOW + 1)
    today = Scope("daily", desk.pipeline.day)
    desk.memories.excuse({today: Used()}, NOW)
    for number in range(1, 6):
        desk.begin_day(MIDNIGHT + number * DAY)
        desk.memories.excuse({Scope("daily", desk.pipeline.day): Used()}, NOW)
        assert (today in desk.memories.scopes()) == (number < 4)


def test_daemon_that_died_in_the_first_import(store: Store, tmp_path: Path) -> None:
    """What it booked and could not excuse any more is history to the next daemon."""
    first = Desk(store, tmp_path, LIMITS)
    for number in range(3):
        first.reply(NOW + number)
    second = Desk(store, tmp_path, LIMITS)
    second.budgets.bar.take_up(NOW)
    second.begin()
    assert (second.kinds(), second.process.stopped) == ([], False)
    assert [each.used for each in second.budgets.limits.all()] == [0.0]
    third = Desk(store, tmp_path, LIMITS)
    third.budgets.bar.take_up(NOW)
    third.begin()
    assert [each.used for each in third.budgets.limits.all()] == [0.0]


def test_history_that_fails_in_its_midst(store: Store, tmp_path: Path) -> None:
    """What was booked until then is history all the same, and a new ledger's limits wait for the rest."""
    desk = Desk(store, tmp_path, LIMITS)
    with pytest.raises(OSError, match="no room"), desk.budgets.bar.history(NOW):
        for number in range(3):
            desk.reply(NOW + number)
        raise OSError("no room")
    assert not desk.budgets.begin_if_known(NOW)
    desk.begin()
    assert [each.used for each in desk.budgets.limits.all()] == [0.0]
    assert (desk.kinds(), desk.process.stopped) == ([], False)
    assert Desk(store, tmp_path, LIMITS).budgets.begin_if_known(NOW)


def test_clock_that_is_set_back_over_midnight(desk: Desk) -> None:
    """A day that comes again knows what it was raised by, and which of it is history."""
    with desk.budgets.bar.history(NOW):
        desk.reply(NOW - 1)
    desk.reply(NOW)
    desk.reply(NOW + 1)
    desk.resume(NOW + 2, more=10**9)
    bound = 2 * REPLY_USD + 1
    for midnight in (MIDNIGHT + DAY, MIDNIGHT, MIDNIGHT + DAY, MIDNIGHT):
        desk.begin_day(midnight)
    assert [(bound, 2 * REPLY_USD)] == [
        (each.bound_usd, each.used) for each in desk.budgets.limits.all()
    ]
    desk.budgets.bar.look(NOW + 3)
    assert ["reached", "paused", "granted", "resumed"] == desk.kinds()


def test_somebody_resumes_after_the_clock_was_set_back(desk: Desk) -> None:
    """That an agent was let go by somebody else is seen though it was frozen in the future."""
    desk.reply(NOW)
    desk.reply(NOW + 1)
    desk.kernel.thaw(desk.process)
    desk.budgets.bar.look(NOW - HOUR)
    assert "resumed" == desk.kinds()[-1]


def test_no_day_begins_in_a_history(desk: Desk) -> None:
    """The bar says when a history is read: the days wait for that."""
    assert not desk.budgets.bar.in_history
    with desk.budgets.bar.history(NOW):
        with desk.budgets.bar.history(NOW):
            pass
        assert desk.budgets.bar.in_history
    assert not desk.budgets.bar.in_history
