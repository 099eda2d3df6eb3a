"""Notices in a real notification service (dunst): shown as they are, answered with a button."""

import asyncio
import gc
import logging
from collections.abc import Callable

import pytest

from flow.bounded import await_known, start_billed
from flow.keeper import Keeper
from freezing import await_frozen, await_running
from tollkeeper.model import AlertKind
from tollkeeper_daemon.config import Notify
from tollkeeper_daemon.outlets.commands import Commands
from tollkeeper_daemon.outlets.notices import Notice
from tollkeeper_daemon.outlets.notifier import RETRY_SECONDS, Notifier, connect_desktop
from waiting import wait_until

from .session import Session

REACHED = Notice(
    kind="reached",
    text="<b>shop</b> & co reached its limit: $5.02 of $5.00 (this agent). It is paused.",
    agent="7-1",
    name="shop-1",
    buttons=(("resume", "Resume"), ("add", "Add $5"), ("stop", "Stop")),
)
SHOWN = "&lt;b&gt;shop&lt;/b&gt; &amp; co reached its limit"


@pytest.fixture(autouse=True)
def inside(desktop: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process is part of the session."""
    for name, value in desktop.environment.items():
        monkeypatch.setenv(name, value)


async def until(condition: Callable[[], object]) -> None:
    """Let the loop go on until this is so."""
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.02)


def test_button_is_pressed(desktop: Session) -> None:
    """Who chooses a button of a notification is heard in the loop, with the notice it belongs to."""
    pressed: list[tuple[Notice, str]] = []

    async def live() -> None:
        notifier = Notifier(Notify(), Commands(30), connect_desktop)
        notifier.on_press = lambda notice, button: pressed.append((notice, button))
        notifier.show(REACHED)
        await until(lambda: desktop.shown() == 1)
        await asyncio.to_thread(desktop.press)
        await until(lambda: pressed)
        notifier.close()

    with desktop.dunst(chosen="Add $5"):
        asyncio.run(live())
        [text] = desktop.texts()
    assert [(REACHED, "add")] == pressed
    assert text.startswith(SHOWN)


def test_service_that_starts_late_and_anew(
    desktop: Session, caplog: pytest.LogCaptureFixture
) -> None:
    """A notification service may start after the daemon, and start anew: what follows is shown."""
    rounds: tuple[tuple[AlertKind, AlertKind], ...] = (("failed", "limited"), ("reset", "audit"))

    async def live() -> None:
        clock = [100.0]
        notifier = Notifier(Notify(), Commands(30), connect_desktop, lambda: clock[0])
        for lost, seen in rounds:
            caplog.clear()
            notifier.show(Notice(kind=lost, text="lost"))
            await until(lambda: "can't be shown now" in caplog.text)
            clock[0] += RETRY_SECONDS
            with desktop.dunst():
                notifier.show(Notice(kind=seen, text="seen"))
                await until(lambda: desktop.shown() == 1)
        notifier.close()

    with caplog.at_level(logging.INFO):
        asyncio.run(live())
    assert "Traceback" not in caplog.text


def test_session_that_begins_anew(desktop: Session, caplog: pytest.LogCaptureFixture) -> None:
    """When the session's bus ends and another begins, the next notice is shown there."""

    async def live() -> None:
        notifier = Notifier(Notify(), Commands(30), connect_desktop)
        with desktop.dunst():
            notifier.show(Notice(kind="failed", text="seen"))
            await until(lambda: desktop.shown() == 1)
        await asyncio.to_thread(desktop.end_bus)
        await asyncio.to_thread(desktop.start_bus)
        with desktop.dunst():
            notifier.show(Notice(kind="limited", text="seen"))
            await until(lambda: desktop.shown() == 1)
        notifier.close()

    asyncio.run(live())
    gc.collect()
    assert [] == caplog.messages


def test_daemon_shows_who_waits(desktop: Session, keeper: Keeper) -> None:
    """A daemon in the session shows its notices there, and its log has nothing to complain of."""
    keeper.configure("[sources]\nprocesses = false\n[notify]\nwaiting_after_seconds = 1\n")
    with desktop.dunst():
        agent = keeper.start().start_agent(labels={"TOLL_AGENT": "shop-1"})
        agent.says("waiting", waitingFor="permission prompt")
        wait_until(lambda: desktop.shown() == 1)
        [text] = desktop.texts()
    assert text.startswith("shop-1 has been waiting for ")
    assert 0 == keeper.stop()


def test_daemon_without_a_service(keeper: Keeper) -> None:
    """Where a bus has no notification service nothing is shown, and nothing goes wrong."""
    keeper.start().home.log().reply(model="claude-nova-9")
    keeper.wait_for(lambda status: len(status.alerts) == 1)
    wait_until(lambda: "can't be shown now" in keeper.paths.log.read_text())


def test_button_lets_an_agent_go_on(desktop: Session, keeper: Keeper) -> None:
    """An agent that crossed its limit is frozen and shown; "Add $5" raises the limit and frees it."""
    keeper.limit(per_agent=0.03)
    with desktop.dunst(chosen="Add $5"):
        agent = start_billed(keeper.start())
        await_known(keeper, agent)
        agent.log.reply()
        agent.log.reply()
        await_frozen(agent.pid)
        wait_until(lambda: desktop.shown() == 1)
        desktop.press()
        await_running(agent.pid)
        texts = desktop.texts()
    assert texts[0] == "The limit of shop-1 is reached: $0.05 of $0.03. It is paused."
    [limit] = keeper.agent(agent).limits
    assert (limit.state, limit.bound_usd) == ("under", 5.047224)
    kinds = [entry["kind"] for entry in keeper.report("log")["entries"]]
    assert kinds == ["reached", "paused", "granted", "resumed"]
