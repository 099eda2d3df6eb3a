"""A daemon that dies in the midst of an action: the next one carries it to its end."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from tollkeeper import frozen
from tollkeeper_daemon.outlets.signals import Signals
from tollkeeper_daemon.rules.settings import Limits
from tollkeeper_daemon.store.store import Store

from .bar_world import Crash
from .desk import REPLY_USD, Desk
from .kernel import FakeProcess
from .lines import NOW

LIMITS = Limits(0, 0, REPLY_USD)
SIGTERM = 15


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "ledger") as store:
        yield store


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    """The day's budget is worth one reply, and there is no other limit."""
    return Desk(store, tmp_path, LIMITS).begin()


def next_daemon(desk: Desk) -> Desk:
    """The one that comes up after this one."""
    found = Desk(desk.store, desk.folder, LIMITS, after=desk)
    found._look_at(found.agent)  # pyright: ignore[reportPrivateUsage]
    found.budgets.bar.take_up(NOW)
    return found


# Stopping.


def stubborn_child(desk: Desk) -> FakeProcess:
    """Something that the agent started, and that does not end by itself."""
    child = desk.kernel.start(desk.process)
    child.ignores.add(SIGTERM)
    return child


def begin_stop(desk: Desk) -> None:
    """The agent is told to end, and then the daemon dies."""
    desk.budgets.bar.hands.holds.begin_stopping(desk.agent, "enough", "person", NOW)


@pytest.mark.parametrize("is_seen", [True, False], ids=["seen to be gone", "taken to live"])
def test_stop_goes_on_to_the_end(desk: Desk, is_seen: bool) -> None:
    """What an agent left behind that ended before its stop was over is ended by the next daemon."""

    async def play() -> None:
        child = stubborn_child(desk)
        grandchild = desk.kernel.start(child)
        begin_stop(desk)
        stranger = desk.kernel.start()
        desk.kernel.exit(desk.process)
        second = next_daemon(desk)
        if is_seen:
            second.roster.exit(second.agent, NOW)
        second.budgets.begin(NOW)
        await asyncio.sleep(0)
        assert [False, False, True] == [each.alive for each in (child, grandchild, stranger)]
        assert ["stopped"] == second.kinds()
        assert {} == second.budgets.bar.hands.holds.records

    asyncio.run(play())


def test_stop_of_one_that_left_the_list(desk: Desk) -> None:
    """The same of an agent that is gone for so long that it is not known any more."""

    async def play() -> None:
        child = stubborn_child(desk)
        begin_stop(desk)
        desk.kernel.exit(desk.process)
        second = next_daemon(desk)
        second.roster.agents.clear()
        second.budgets.begin(NOW)
        await asyncio.sleep(0)
        assert not child.alive
        assert {} == second.budgets.bar.hands.holds.records

    asyncio.run(play())


def test_stop_of_one_that_lives(desk: Desk) -> None:
    """An agent that lives still is told again, with all that it left and started."""

    async def play() -> None:
        between = desk.kernel.start(desk.process)
        orphan = desk.kernel.start(between)
        begin_stop(desk)
        desk.kernel.exit(between)
        child = desk.kernel.start(desk.process)
        second = next_daemon(desk)
        second.budgets.begin(NOW)
        await asyncio.sleep(0)
        assert [False] * 3 == [each.alive for each in (desk.process, orphan, child)]
        assert ["stopped"] == second.kinds()

    asyncio.run(play())


# Freezing.


@pytest.fixture
def torn(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[FakeProcess]:
    """What is frozen when the daemon has died in a freeze, before it saved whom it froze.

    The agent, and two that it started, of which somebody else had frozen the second before.
    """
    child, other = desk.kernel.start(desk.process), desk.kernel.start(desk.process)
    desk.kernel.stop(other)
    freeze_below = Signals.freeze_below

    def dies(self: Signals, agent: str, about_to: Callable[[Sequence[str]], None]) -> NoReturn:
        freeze_below(self, agent, about_to)
        raise Crash

    with monkeypatch.context() as broken, pytest.raises(Crash):
        broken.setattr(Signals, "freeze_below", dies)
        desk.budgets.agents.pause(desk.agent, NOW)
    assert desk.process.stopped
    assert child.stopped
    return [desk.process, child, other]


def stopped(processes: list[FakeProcess]) -> list[bool]:
    """Which of these are frozen."""
    return [each.stopped for each in processes]


def test_freeze_by_hand(desk: Desk, torn: list[FakeProcess]) -> None:
    """The next daemon holds the agent, and a resume lets go on what was frozen with it, alone."""
    second = next_daemon(desk)
    second.budgets.begin(NOW)
    [agent] = frozen.read(second.folder / "paused.json")
    assert tuple(process.id for process in torn[:2]) == agent.processes
    second.resume(NOW + 1)
    assert [False, False, True] == stopped(torn)


def test_freeze_that_was_not_done(desk: Desk, torn: list[FakeProcess]) -> None:
    """What the dead daemon had not come to is frozen by the next one."""
    late = desk.kernel.start(torn[1])
    second = next_daemon(desk)
    assert late.stopped
    second.begin().resume(NOW + 1)
    assert not late.stopped


def test_freeze_of_one_that_was_resumed(desk: Desk, torn: list[FakeProcess]) -> None:
    """Whom somebody let go on while no daemon ran goes on, with what was frozen with it."""
    desk.kernel.thaw(desk.process)
    second = next_daemon(desk).begin()
    second.budgets.bar.look(NOW + 5_000)
    assert [False, False, True] == stopped(torn)
    assert ["resumed"] == second.kinds()


def test_frozen_by_somebody_else(desk: Desk) -> None:
    """After a freeze that came to its end, what others froze below the agent is theirs to let go."""
    child, other = desk.kernel.start(desk.process), desk.kernel.start(desk.process)
    desk.kernel.stop(other)
    desk.reply(NOW)
    assert [True, True, True] == stopped([desk.process, child, other])
    second = next_daemon(desk).begin()
    second.resume(NOW + 1)
    assert [False, False, True] == stopped([desk.process, child, other])


def test_freeze_that_is_refused(desk: Desk) -> None:
    """Nobody is held whom the daemon may not signal."""
    desk.process.user = 0
    done = desk.budgets.agents.pause(desk.agent, NOW)
    assert done.error
    assert {} == desk.budgets.bar.hands.holds.records
