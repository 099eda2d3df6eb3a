"""A typed session at the bar, under a shell: what a person sees there, and has to type."""

import pytest

from flow.bounded import journal
from flow.keeper import Keeper
from freezing import await_frozen, await_running
from tollkeeper.frozen import TO_FOREGROUND
from waiting import wait_until

from .client import Client
from .in_shell import InShell
from .replies import say
from .spending import OPUS, play
from .stand_in import StandIn

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("tmux")]


@pytest.fixture
def paused(stand_in: StandIn, client: Client, keeper: Keeper) -> InShell:
    """A session to be entered; its prompt GO is paused at the second of four replies."""
    keeper.limit(per_agent=0.03)
    keeper.start()
    play(stand_in, replies=4)
    stand_in.play("MORE", say("Well and truly."))
    return InShell(client, args=OPUS)


def pause(session: InShell) -> None:
    """Prompt it, and see the shell take its terminal back."""
    session.send("GO, please")
    await_frozen(session.pid)
    session.wait_for("[1]+  Stopped")
    session.type("echo the shell is $((40 + 2))")
    session.wait_for("the shell is 42")


def kinds(keeper: Keeper) -> list[tuple[str, str]]:
    """What happened, and by whom."""
    return [(entry["kind"], entry["cause"]) for entry in journal(keeper)]


def test_resume_and_fg(stand_in: StandIn, keeper: Keeper, paused: InShell) -> None:
    """It is a stopped job of the shell; resumed it goes on at once, and can be typed into again."""
    with paused as session:
        pause(session)
        assert len(stand_in.asked) == 2
        [done] = keeper.report("resume", agents=[str(session.pid)])["done"]
        assert f"type  {TO_FOREGROUND}  in its terminal" in done["note"]
        await_running(session.pid)
        session.type(TO_FOREGROUND)
        keeper.wait_for(lambda status: status.agents[0].usage.requests == 4)
        keeper.wait_for(lambda status: status.agents[0].state == "idle")
        session.type("MORE, please")
        wait_until(lambda: "MORE" in stand_in.served[-1].prompt)
        assert len([reply for reply in stand_in.served if "GO" in reply.prompt]) == 4
        assert kinds(keeper) == [("reached", "limit"), ("paused", "limit"), ("resumed", "person")]


def test_fg_alone(keeper: Keeper, paused: InShell) -> None:
    """A person who types fg without a word to Tollkeeper resumes it too, and what it started."""
    with paused as session:
        pause(session)
        session.type("fg")
        wait_until(lambda: kinds(keeper)[-1] == ("resumed", "elsewhere"))
        keeper.wait_for(lambda status: status.agents[0].usage.requests == 4)
