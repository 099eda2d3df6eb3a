"""The dashboard beside a real daemon: what its keys do to agents and settings."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from client.top.screens import NOW, compare, settle, text_of
from tollkeeper.model import Agent
from tollkeeper.settings import Settings, Value
from tollkeeper.top.app import Dashboard

from .agent_process import AgentProcess
from .keeper import Keeper

T = TypeVar("T")
Story = Callable[[Pilot[None]], Awaitable[None]]


def play(keeper: Keeper, story: Story, size: tuple[int, int] = (120, 40)) -> None:
    """Show the dashboard of this daemon, and tell the story."""

    async def go() -> None:
        app = Dashboard(keeper.paths, {"COLORTERM": "truecolor"}, now=lambda: NOW)
        async with asyncio.timeout(50), app.run_test(size=size, notifications=True) as pilot:
            await story(pilot)

    asyncio.run(go())


async def until(pilot: Pilot[None], seen: Callable[[], T | None]) -> T:
    """The first true value of this."""
    while not (found := seen()):
        await pilot.pause(0.05)
    return found


async def shown(pilot: Pilot[None], text: str) -> None:
    """Return when this stands on the screen."""
    await until(pilot, lambda: any(text in line for line in text_of(pilot.app)))


def worker(keeper: Keeper) -> AgentProcess:
    """An agent that the daemon knows, at work."""
    agent = keeper.start_agent()
    agent.says("busy")
    keeper.wait_for(lambda status: agent.pid in [each.pid for each in status.agents])
    return agent


def test_pause_and_resume(daemon: Keeper) -> None:
    """P freezes the chosen agent, and r lets it go on; the screen tells so."""
    agent = worker(daemon)

    async def story(pilot: Pilot[None]) -> None:
        await shown(pilot, "● Working")
        await pilot.press("p")
        await shown(pilot, "‖ Paused")
        assert daemon.agent(agent).state == "paused"
        await shown(pilot, "shop-1 is paused.")
        await pilot.press("r")
        await shown(pilot, "● Working")
        assert daemon.agent(agent).held is None

    play(daemon, story)


def test_stop(daemon: Keeper) -> None:
    """S ends the chosen agent once the question was answered with y, and no other one."""
    first, other = worker(daemon), worker(daemon)

    async def story(pilot: Pilot[None]) -> None:
        await shown(pilot, "shop-2")
        await pilot.press("s")
        await shown(pilot, "End shop-1")
        await pilot.press("y")
        await shown(pilot, "shop-1 has ended")

    play(daemon, story)
    assert first.process.wait(10) == -signal.SIGTERM
    assert other.process.poll() is None


def test_label(daemon: Keeper) -> None:
    """T says which work the agent does from now on."""
    agent = worker(daemon)

    async def story(pilot: Pilot[None]) -> None:
        await shown(pilot, "shop-1")
        await pilot.press("t")
        field = await until(pilot, lambda: next(iter(pilot.app.screen.query("#task")), None))
        assert isinstance(field, Input)
        field.value = ".claude-4nq.1-analyze"
        await pilot.press("enter")
        await shown(pilot, "Task: .claude-4nq.1-analyze")

    play(daemon, story)
    found = daemon.agent(agent)
    assert (found.workflow, found.stage) == (".claude-4nq", "analyze")


def test_budget(keeper: Keeper) -> None:
    """B lets an agent go on whose limit is reached, with so much more."""
    keeper.limit(per_agent=0.01)
    keeper.start()
    agent = worker(keeper)
    agent.log.reply()

    async def story(pilot: Pilot[None]) -> None:
        await shown(pilot, "‖ Paused")
        await pilot.press("b")
        await shown(pilot, "More budget for shop-1")
        await pilot.press(*"x", "enter")
        await shown(pilot, "'x' is no amount of dollars.")
        await pilot.press("backspace", "5", "enter")
        await shown(pilot, "● Working")

    play(keeper, story)
    found: Agent = keeper.agent(agent)
    assert found.held is None
    assert found.limits[0].bound_usd == pytest.approx(found.limits[0].used + 5)


def setting(keeper: Keeper, name: str) -> Value:
    """What this setting is now."""
    [found] = keeper.toll.call("config.get", Settings, names=[name]).settings
    return found.value


@pytest.mark.parametrize("size", [(80, 24), (200, 60)], ids=["80x24", "200x60"])
def test_settings_page(daemon: Keeper, size: tuple[int, int]) -> None:
    """The settings page looks as it is kept (write it anew with TOLL_SNAPSHOTS=write, and look at it)."""

    async def story(pilot: Pilot[None]) -> None:
        await shown(pilot, "No agent is running")
        await pilot.press("6")
        await shown(pilot, "▐X▌ Warn at 80 % plan usage")
        await settle(pilot)
        compare(f"settings-{size[0]}x{size[1]}", text_of(pilot.app))

    play(daemon, story, size)


def test_settings(daemon: Keeper) -> None:
    """What is chosen on the settings page is in force at once, and the file's notes stay."""
    daemon.configure("# Mine.\n[sources]\nprocesses = false # not here\n")

    async def story(pilot: Pilot[None]) -> None:
        await shown(pilot, "No agent is running")
        await pilot.press("6")
        await shown(pilot, "▐●▌ Pause agent and notify")
        pilot.app.screen.query_one("#limits-action-stop").scroll_visible(animate=False)
        await pilot.pause(0.2)
        await pilot.click("#limits-action-stop")
        await until(pilot, lambda: setting(daemon, "limits.action") == "stop")
        await pilot.click("#switch-1")
        await until(pilot, lambda: setting(daemon, "notify.off") == ("limited",))
        field = pilot.app.screen.query_one("#switch-3")
        field.scroll_visible(animate=False)
        await pilot.pause(0.2)
        await pilot.click(field)
        await until(pilot, lambda: setting(daemon, "display.agent_cards") is False)
        field = pilot.app.screen.query_one("#limits-daily", Input)
        field.focus()
        field.value = "7.5"
        await pilot.press("enter")
        await until(pilot, lambda: setting(daemon, "limits.daily") == 7.5)
        await pilot.press("end", ".", ".", "enter")
        await shown(pilot, "must be")
        await pilot.press("q", "x")
        assert field.value == "7.5.."
        await pilot.press("escape")
        assert field.value == "7.5"
        await pilot.press("1")
        await shown(pilot, "No agent is running")

    play(daemon, story, (120, 60))
    assert daemon.paths.settings.read_text().startswith(
        "# Mine.\n[sources]\nprocesses = false # not here\n"
    )
    assert setting(daemon, "limits.daily") == 7.5
