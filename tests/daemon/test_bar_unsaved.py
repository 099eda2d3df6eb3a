"""The bar on a full disk: what is asked for is done and told, and saved as soon as that can be."""

import asyncio
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tollkeeper.model import Done
from tollkeeper_daemon.rules.limits import Scope, Used
from tollkeeper_daemon.rules.settings import NANO, Limits
from tollkeeper_daemon.rules.terms import EVERY, Own
from tollkeeper_daemon.store.store import Store

from .desk import MIDNIGHT, REPLY_USD, Desk
from .lines import NOW

LIMITS = Limits(0, 0, 2 * REPLY_USD)
TODAY = Scope("daily", EVERY)

FullDisk = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "ledger") as store:
        yield store


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    """The day's budget is worth two replies, and there is no other limit."""
    return Desk(store, tmp_path, LIMITS).begin()


@pytest.fixture
def full_disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> FullDisk:
    """While this lasts nothing can be saved."""

    def full(work: object) -> None:
        raise OSError("no space left on the device")

    @contextmanager
    def lasts() -> Generator[None]:
        with monkeypatch.context() as broken:
            broken.setattr(store, "write", full)
            yield

    return lasts


def resume(desk: Desk, dollars: float) -> Done:
    """A person lets the agent go on with so much more."""
    [done] = desk.budgets.agents.resume([desk.agent], "usd", round(dollars * NANO), NOW + 2)
    return done


def holds(desk: Desk) -> list[str]:
    """How the next daemon finds each agent held."""
    next_one = Desk(desk.store, desk.folder, desk.limits)
    return [each.kind for each in next_one.budgets.bar.hands.holds.records.values()]


def test_pause_by_hand(desk: Desk, full_disk: FullDisk) -> None:
    """Whom a person pauses is paused, and hears that it can't be saved; the next look saves it."""
    with full_disk():
        done = desk.budgets.agents.pause(desk.agent, NOW)
        assert desk.process.stopped
        assert ("paused", None) == (done.kind, done.error)
        assert "can't be saved" in (done.note or "")
        desk.budgets.bar.look(NOW + 1)
        assert ["failed"] == desk.alerts()
        assert [] == holds(desk)
    desk.budgets.bar.look(NOW + 2)
    assert ["paused"] == holds(desk)
    assert ["failed"] == desk.alerts()


def test_release(desk: Desk, full_disk: FullDisk) -> None:
    """That an agent is held no more is saved by the next look that can."""
    desk.budgets.agents.pause(desk.agent, NOW)
    assert ["paused"] == holds(desk)
    with full_disk():
        [done] = desk.budgets.agents.resume([desk.agent], None, 0, NOW + 1)
        assert not desk.process.stopped
        assert "resumed" == done.kind
        assert "can't be saved" in (done.note or "")
        assert ["paused"] == holds(desk)
    desk.budgets.bar.look(NOW + 2)
    assert [] == holds(desk)


def test_stop(desk: Desk, full_disk: FullDisk) -> None:
    """Whom a person stops is stopped, and nothing of it is left in the end."""

    async def play() -> None:
        desk.budgets.agents.pause(desk.agent, NOW)
        with full_disk():
            done = await desk.budgets.agents.stop(desk.agent, NOW + 1)
            assert ("stopped", None) == (done.kind, done.error)
            assert not desk.process.alive
        desk.budgets.bar.look(NOW + 2)
        assert [] == holds(desk)

    asyncio.run(play())


def test_grant(desk: Desk, full_disk: FullDisk) -> None:
    """More budget is given at once, and saved later, with what it lets go on."""
    desk.reply(NOW)
    desk.reply(NOW + 1)
    bound = 2 * REPLY_USD
    with full_disk():
        done = resume(desk, 5)
        assert "resumed" == done.kind
        assert "can't be saved" in (done.note or "")
        assert not desk.process.stopped
        assert [bound + 5] == [each.bound_usd for each in desk.budgets.limits.all()]
    desk.budgets.bar.look(NOW + 3)
    next_one = Desk(desk.store, desk.folder, LIMITS)
    assert [bound + 5] == [each.bound_usd for each in next_one.budgets.limits.all()]
    assert [] == holds(desk)


def test_limit_set_and_cleared(desk: Desk, full_disk: FullDisk) -> None:
    """A limit that is set acts at once and is saved later; so is that it was taken back."""
    desk.reply(NOW)
    bounds: Callable[[], list[object]] = lambda: [
        own.bound for own in Desk(desk.store, desk.folder, LIMITS).memories.own.values()
    ]
    with full_disk():
        stand, effects = desk.budgets.limits.set(TODAY, "usd", Own(1), NOW + 1)
        assert desk.process.stopped
        assert stand
        assert ["paused"] == [each.held for each in effects]
        assert not desk.budgets.bar.is_saved
        assert [] == bounds()
    desk.budgets.bar.look(NOW + 2)
    assert desk.budgets.bar.is_saved
    assert [1] == bounds()
    with full_disk():
        desk.budgets.limits.clear(TODAY, ["usd"], NOW + 3)
        assert not desk.budgets.limits.set_in(TODAY, ["usd"])
    desk.budgets.bar.look(NOW + 4)
    assert [] == bounds()


def test_history_and_day(desk: Desk, full_disk: FullDisk) -> None:
    """What is history, and what is over, is saved later too."""
    agent, gone = Scope("agent", desk.agent.record.id), Scope("run", "run-1")
    desk.memories.excuse({gone: Used(1)}, NOW)
    with desk.budgets.bar.history(NOW):
        desk.reply(NOW)
        with full_disk():
            desk.begin_day(MIDNIGHT)
    next_one = Desk(desk.store, desk.folder, LIMITS)
    assert agent in next_one.memories.excused
    assert gone not in next_one.memories.excused


@pytest.mark.parametrize("dollars", [1e9, 1e200])
def test_more_than_can_be(desk: Desk, dollars: float) -> None:
    """A limit is raised to a thousand million dollars at most: beyond, nothing is done."""
    desk.reply(NOW)
    desk.reply(NOW + 1)
    done = resume(desk, dollars)
    assert (None, "today's limit can't be raised above $1,000,000,000.00") == (
        done.kind,
        done.error,
    )
    assert desk.process.stopped
    assert [2 * REPLY_USD] == [each.bound_usd for each in desk.budgets.limits.all()]
    assert ["reached", "paused"] == desk.kinds()


def test_more_and_more(desk: Desk) -> None:
    """However often a limit is raised, it stays what can be saved."""
    desk.limits = Limits(1, 0, 0)
    desk.budgets.bar.look(NOW)
    told = [resume(desk, 4e8).error for _ in range(4)]
    assert [None, None] == told[:2]
    text = "the limit of shop-1 can't be raised above $1,000,000,000.00"
    assert [text, text] == told[2:]
    assert ["granted", "granted"] == desk.kinds()
