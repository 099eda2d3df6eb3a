"""Limits by hand on work that is over: they go by themselves when nothing was spent for long."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tollkeeper_daemon.rules.limits import Scope
from tollkeeper_daemon.rules.over import UNUSED_MS, is_unused
from tollkeeper_daemon.rules.settings import Limits
from tollkeeper_daemon.rules.terms import EVERY, Own
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

from .desk import DAY, MIDNIGHT, Desk
from .lines import NOW

LIMITS = Limits(0, 0, 0)
TASK, OTHER = Scope("task", "t1"), Scope("task", "t2")
CONVERSATION = Scope("conversation", "conv-1")
# The first midnight at which a limit that was set at noon is too old.
OVER = MIDNIGHT + 91 * DAY

times = st.integers(0, 1 << 50)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "ledger") as store:
        yield store


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    """An agent under no limit of the settings."""
    return Desk(store, tmp_path, LIMITS).begin()


@given(times, times, times)
def test_when_a_limit_is_over(touched: int, spent: int, now: int) -> None:
    """When it is 90 days since it was touched, and since anything was spent under it."""
    is_over = now - touched >= UNUSED_MS and now - spent >= UNUSED_MS
    assert is_over == is_unused(touched, spent, now)


def set_limit(desk: Desk, scope: Scope, now: int = NOW) -> None:
    """A person sets a limit that nobody reaches."""
    desk.budgets.limits.set(scope, "usd", Own(10**12), now)


def own(desk: Desk) -> set[Scope]:
    """What has a limit by hand, also for the next daemon."""
    scopes = {scope for scope, _ in desk.memories.own}
    assert scopes == {scope for scope, _ in Desk(desk.store, desk.folder, LIMITS).memories.own}
    return scopes


def test_nothing_is_spent(desk: Desk) -> None:
    """It goes when a day begins, and the journal says so; it may be set again."""
    set_limit(desk, TASK)
    desk.begin_day(OVER - DAY)
    assert {TASK} == own(desk)
    desk.begin_day(OVER)
    assert set() == own(desk)
    assert not desk.pipeline.watched.has("task", "t1")
    [*_, entry] = desk.budgets.journal.read(0, 100)
    assert ("limit-cleared", "limit", "task:t1") == (entry.kind, entry.cause, entry.scope)
    assert (
        "The limit of task t1 is forgotten: nothing was spent under it for 90 days." == entry.text
    )
    set_limit(desk, TASK, OVER)
    assert {TASK} == own(desk)


def test_limits_that_stay(desk: Desk) -> None:
    """One that was touched lately does, in either unit, and those of runs and days always do."""
    for scope in (TASK, OTHER, Scope("daily", EVERY), Scope("run", EVERY)):
        set_limit(desk, scope)
    desk.budgets.limits.set(TASK, "tokens", Own(5), OVER - DAY)
    desk.begin_day(OVER)
    assert {TASK, Scope("daily", EVERY), Scope("run", EVERY)} == own(desk)
    assert {"usd", "tokens"} == {unit for scope, unit in desk.memories.own if scope == TASK}


@pytest.mark.parametrize("restarts", [False, True])
def test_something_is_spent(desk: Desk, restarts: bool) -> None:
    """What is spent under it keeps it, whether this daemon saw that or an earlier one."""
    set_limit(desk, CONVERSATION)
    desk.reply(MIDNIGHT + 30 * DAY)
    desk.roster.exit(desk.agent, NOW)
    if restarts:
        desk = Desk(desk.store, desk.folder, LIMITS).begin()
        desk.roster.exit(desk.agent, NOW)
    desk.begin_day(OVER)
    assert {CONVERSATION} == own(desk)
    desk.begin_day(OVER + 30 * DAY)
    assert set() == own(desk)


def test_daemon_that_starts(desk: Desk) -> None:
    """It takes back what is over only when it has read what was spent without it."""
    for scope in (CONVERSATION, TASK):
        set_limit(desk, scope)
    desk.roster.exit(desk.agent, NOW)
    second = Desk(desk.store, desk.folder, LIMITS)
    second.begin_day(OVER)
    second.reply(OVER - DAY)
    second.roster.exit(second.agent, NOW)
    second.budgets.begin(OVER)
    assert {CONVERSATION} == own(second)


def test_raised(desk: Desk) -> None:
    """Whoever adds to it keeps it."""
    desk.budgets.limits.set(CONVERSATION, "usd", Own(1), NOW)
    desk.reply(NOW)
    desk.resume(OVER - DAY, more=10**12)
    desk.roster.exit(desk.agent, OVER - DAY)
    desk.begin_day(OVER)
    assert {CONVERSATION} == own(desk)


def test_an_agent_is_there(desk: Desk) -> None:
    """While an agent lives that it would bind it stays, however long that is idle."""
    desk.agent.record = replace(desk.agent.record, task="t1")
    for scope in (TASK, OTHER):
        set_limit(desk, scope)
    desk.begin_day(OVER)
    assert {TASK} == own(desk)


def test_one_scan_for_all(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many limits there are, a daemon that starts goes over the ledger once for them."""
    desk.reply(NOW)
    for scope in (TASK, OTHER, CONVERSATION, Scope("workflow", "w1")):
        set_limit(desk, scope)
    used = desk.used()
    scans: list[int] = []
    rows: Callable[..., Any] = Transaction.rows

    def counted(self: Transaction, *bounds: int) -> Any:
        if not bounds:
            scans.append(1)
        return rows(self, *bounds)

    monkeypatch.setattr(Transaction, "rows", counted)
    assert used == Desk(desk.store, desk.folder, LIMITS).used()
    assert [1] == scans
