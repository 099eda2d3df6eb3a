"""Pages of the dashboard that ask a running daemon, and ask again when it is back."""

import asyncio
from collections.abc import Awaitable, Callable

from textual.pilot import Pilot

from client.top.screens import text_of
from tollkeeper.top.app import Dashboard

from .keeper import Keeper

SIGHT_SECONDS = 20.0
Story = Callable[[Pilot[None]], Awaitable[None]]


def work(keeper: Keeper) -> None:
    """An agent that works at a stage, is paused and goes on."""
    labels = {"TOLL_AGENT": "Ada", "TOLL_WORKFLOW": "nightly", "TOLL_STAGE": "review"}
    agent = keeper.start_agent(labels=labels)
    agent.says("busy")
    agent.log.reply()
    keeper.wait_for_requests(1)
    keeper.report("pause", agents=["Ada"])
    keeper.report("resume", agents=["Ada"])


def play(keeper: Keeper, story: Story) -> None:
    """Open the dashboard of this daemon, and tell the story."""

    async def go() -> None:
        app = Dashboard(keeper.paths, {"COLORTERM": "truecolor"})
        async with app.run_test(size=(120, 30)) as pilot:
            await story(pilot)

    asyncio.run(go())


async def sees(pilot: Pilot[None], *words: str) -> None:
    """Wait until all of these are on the screen."""
    try:
        async with asyncio.timeout(SIGHT_SECONDS):
            while not all(word in "\n".join(text_of(pilot.app)) for word in words):
                await pilot.pause(0.1)
    except TimeoutError:
        raise AssertionError("\n".join(text_of(pilot.app))) from None


def test_pages(daemon: Keeper) -> None:
    """History, workflows with their stages, and the journal are those of the daemon."""
    work(daemon)

    async def story(pilot: Pilot[None]) -> None:
        await sees(pilot, "1 agent")
        await pilot.press("3")
        await sees(pilot, "DAYS   1 day")
        for key, head in (("w", "WEEKS   1 week"), ("m", "MONTHS   1 month")):
            await pilot.press(key)
            await sees(pilot, head)
        for split, part in (("model", "└ opus"), ("agent", "└ Ada"), ("task", "└ –")):
            await pilot.press("b")
            await sees(pilot, f"MONTHS by {split}   1 month", part)
        await pilot.press("4")
        await sees(pilot, "1 workflow,", "nightly")
        await pilot.press("enter")
        await sees(pilot, "review", "of all input came from the cache")
        await pilot.press("5")
        await sees(pilot, "Ada is paused.", "Ada goes on.")

    play(daemon, story)


def test_daemon_that_comes_back(daemon: Keeper) -> None:
    """Without a daemon a page says so, and has its figures as soon as there is one again."""
    work(daemon)
    daemon.kill()

    async def story(pilot: Pilot[None]) -> None:
        await sees(pilot, "No daemon answers")
        await pilot.press("3")
        await sees(pilot, "no daemon is running")
        daemon.start()
        await sees(pilot, "DAYS   1 day")
        await pilot.press("5")
        await sees(pilot, "Ada goes on.")
        daemon.report("pause", agents=["Ada"])
        await sees(pilot, "the latest 3 entries")

    play(daemon, story)
