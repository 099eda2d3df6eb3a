"""The bar when its action changes under way, and when something can't be done."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tollkeeper.model import LimitAction
from tollkeeper_daemon import herald
from tollkeeper_daemon.outlets.notices import Notice
from tollkeeper_daemon.rules.settings import Limits
from tollkeeper_daemon.store.store import Store

from .desk import HOUR, REPLY_USD, Desk
from .kernel import OTHER
from .lines import NOW
from .machine import process, session

LIMITS = Limits(0, 0, REPLY_USD)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "ledger") as store:
        yield store


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    """The day's budget is worth one reply, and there is no other limit."""
    return Desk(store, tmp_path, LIMITS).begin()


def act_by(desk: Desk, action: LimitAction, now: int) -> None:
    """The settings are reloaded, with this action."""
    desk.limits = replace(desk.limits, action=action)
    desk.budgets.limits_moved(now)


def test_stricter_action(store: Store, tmp_path: Path) -> None:
    """When the action becomes a stricter one, it is done to those that the limit acted on before."""
    desk = Desk(store, tmp_path, replace(LIMITS, action="warn")).begin()
    desk.reply(NOW)
    assert not desk.process.stopped
    act_by(desk, "pause", NOW + 1)
    assert desk.process.stopped
    assert (desk.kinds(), desk.alerts()) == (["reached", "paused"], ["reached", "paused"])
    act_by(desk, "warn", NOW + 2)
    act_by(desk, "pause", NOW + 3)
    assert desk.kinds() == ["reached", "paused"]


def test_stricter_action_after_a_restart(store: Store, tmp_path: Path) -> None:
    """How an agent was dealt with is known to the next daemon."""
    first = Desk(store, tmp_path, replace(LIMITS, action="warn")).begin()
    first.reply(NOW)
    [memory] = Desk(store, tmp_path, LIMITS).memories.of_limits.values()
    assert memory.acted == {first.agent.record.id: "warn"}


def test_stricter_action_after_a_resume(desk: Desk) -> None:
    """Once a person let it go on, the limit acts on the agent no more, whatever the action."""
    desk.reply(NOW)
    desk.resume(NOW + 1)
    act_by(desk, "stop", NOW + 2)
    assert not desk.process.stopped
    assert desk.process.alive
    assert desk.kinds() == ["reached", "paused", "resumed"]


def test_stop_that_is_refused(store: Store, tmp_path: Path) -> None:
    """Who may not be stopped is told of once, and stopped as soon as it may."""

    async def play() -> None:
        desk = Desk(store, tmp_path, replace(LIMITS, action="stop")).begin()
        desk.process.user, own = OTHER, desk.process.user
        desk.reply(NOW)
        desk.budgets.bar.look(NOW + 1)
        assert (desk.kinds(), desk.alerts()) == (["reached", "failed"], ["reached", "failed"])
        desk.process.user = own
        desk.budgets.bar.look(NOW + 2)
        await asyncio.sleep(0)
        assert [each.number for each in desk.kernel.sent][:1] == [signal.SIGTERM]
        assert not desk.process.alive

    asyncio.run(play())


def test_stop_that_is_refused_late(store: Store, tmp_path: Path) -> None:
    """Who can't be stopped when it comes to it is told of."""

    async def play() -> None:
        desk = Desk(store, tmp_path, replace(LIMITS, action="stop")).begin()
        desk.reply(NOW)
        desk.process.user = OTHER
        await asyncio.sleep(0)
        assert (desk.kinds(), desk.alerts()) == (["reached", "failed"], ["reached", "failed"])

    asyncio.run(play())


def test_let_go_before_a_limit_could_act(desk: Desk) -> None:
    """Once a person lets an agent go on, a limit that could not act on it before acts on it no more."""
    own, desk.process.user = desk.process.user, OTHER
    desk.reply(NOW)
    assert ["reached", "failed"] == desk.kinds()
    desk.kernel.stop(desk.process)
    desk.process.user, desk.agent.stopped = own, True
    desk.resume(NOW + 1)
    desk.budgets.bar.look(NOW + 2)
    assert not desk.process.stopped
    assert ["reached", "failed", "resumed"] == desk.kinds()


def test_stop_of_a_whole_family(desk: Desk) -> None:
    """A stop is over when all has ended that the agent had started, also what lost its parent to another stop."""

    async def play() -> None:
        between = desk.kernel.start(desk.process)
        orphan = desk.kernel.start(between)
        orphan.ignores.add(signal.SIGTERM)
        stop = desk.budgets.bar.hands.stop(desk.agent, "enough", "person", NOW)
        desk.kernel.exit(between)
        assert "" == await stop
        assert [False, False] == [each.alive for each in (desk.process, orphan)]

    asyncio.run(play())


def test_one_that_is_gone_leaves_what_another_holds(desk: Desk) -> None:
    """What was frozen with an agent that is gone stays frozen with another that is paused itself."""
    inside = desk.kernel.start(desk.process)
    child = desk.kernel.start(inside)
    seen = process(inside.pid, started=inside.stat.start)
    other = desk.roster.appear(seen, session(inside.pid, "conv-2"), False, NOW)
    desk.kernel.stop(inside)
    desk.budgets.agents.pause(desk.agent, NOW)
    other.stopped = True
    desk.budgets.agents.resume([other], None, 0, NOW)
    assert [False, False] == [each.stopped for each in (inside, child)]
    desk.budgets.agents.pause(other, NOW)
    desk.kernel.exit(desk.process)
    desk.roster.exit(desk.agent, NOW)
    desk.budgets.bar.look(NOW)
    assert [True, True] == [each.stopped for each in (inside, child)]
    desk.budgets.agents.resume([other], None, 0, NOW)
    assert [False, False] == [each.stopped for each in (inside, child)]


def test_full_disk(desk: Desk, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """When nothing can be saved, agents are let go all the same, and stay so."""

    def full(work: object) -> None:
        raise OSError("no space left on the device")

    desk.reply(NOW)
    assert desk.process.stopped
    with monkeypatch.context() as broken:
        broken.setattr(store, "write", full)
        desk.resume(NOW + 1)
        desk.budgets.bar.look(NOW + 2)
        assert not desk.process.stopped
        assert desk.alerts() == ["reached", "failed"]
    desk.budgets.bar.look(NOW + 3)
    [memory] = Desk(store, desk.folder, LIMITS).memories.of_limits.values()
    assert memory.acted == {desk.agent.record.id: "stop"}


def test_full_disk_when_a_limit_is_reached(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That a limit is reached is told once though it can't be saved, and is saved later."""
    desk = Desk(store, tmp_path, Limits()).begin()
    desk.reply(NOW)

    def full(work: object) -> None:
        raise OSError("no space left on the device")

    with monkeypatch.context() as broken:
        broken.setattr(store, "write", full)
        desk.limits = LIMITS
        desk.budgets.bar.look(NOW + 1)
        desk.budgets.bar.look(NOW + 2)
        assert desk.process.stopped
        assert desk.alerts().count("reached") == 1
    desk.budgets.bar.look(NOW + 3)
    [hold] = Desk(store, tmp_path, LIMITS).budgets.bar.hands.holds.records.values()
    assert hold.kind == "paused"


def test_one_that_fails_keeps_nobody_else_from_being_held(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent that can't be looked after is told of once, and limits act all the same."""

    def fail(agent: object, now: int) -> None:
        raise OSError("no space left on the device")

    monkeypatch.setattr(desk.budgets.bar.hands, "check", fail)
    desk.reply(NOW)
    desk.budgets.bar.look(NOW + 1)
    assert desk.process.stopped
    assert sorted(desk.alerts()) == ["failed", "reached"]


def test_what_fails_again_is_told_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong is told once for as long as it does, and again when it was well meanwhile."""

    def fail(agent: object, now: int) -> None:
        raise OSError("no space left on the device")

    def is_full(now: int) -> None:
        with monkeypatch.context() as broken:
            broken.setattr(herald, "now_ms", lambda: now)
            broken.setattr(desk.budgets.bar.hands, "check", fail)
            for later in range(3):
                desk.budgets.bar.look(now + later)

    is_full(NOW)
    assert desk.alerts() == ["failed"]
    is_full(NOW + 2 * HOUR)
    assert desk.alerts() == ["failed", "failed"]


def test_frozen_but_not_seen_so(desk: Desk) -> None:
    """Only who is seen to run was resumed by somebody else: a process that waits for a disk is not."""
    desk.reply(NOW)
    desk.agent.stopped = False
    desk.budgets.bar.look(NOW + 5_000)
    assert desk.process.stopped
    assert desk.kinds() == ["reached", "paused"]


def test_button_of_a_shared_limit(desk: Desk) -> None:
    """It lets nobody go whom a person paused."""
    desk.budgets.agents.pause(desk.agent, NOW)
    notice = Notice(kind="reached", text="", agent="", name="", limit="daily", buttons=())
    desk.budgets.press(notice, "resume")
    assert desk.process.stopped
