"""The action block with the real client: its own hook refuses its tools, and what is paid after it."""

import pytest

from flow.keeper import Keeper
from freezing import await_frozen, is_frozen
from waiting import wait_until

from .client import Client
from .replies import Tokens, bash, say
from .stand_in import StandIn
from .test_hook import HOOKS

pytestmark = pytest.mark.e2e

OPUS = ["--model", "claude-opus-5-5"]
COSTS = Tokens(input=1000, output=800)  # $0.02 of Opus


@pytest.fixture
def blocking(client: Client, keeper: Keeper) -> Keeper:
    """A daemon that blocks at $0.03, and a client whose hook asks it."""
    keeper.limit(per_agent=0.03, action="block")
    client.environment["TOLL_HOME"] = keeper.environment["TOLL_HOME"]
    client.configure(hooks=HOOKS)
    return keeper.start()


def kinds(keeper: Keeper) -> list[str]:
    return [entry["kind"] for entry in keeper.report("log")["entries"]]


def test_blocked_at_the_end_of_its_turn(
    stand_in: StandIn, client: Client, blocking: Keeper
) -> None:
    """A conversation that crossed with its last reply ends well; its next tool call is refused."""
    stand_in.play("GO", bash("touch first", tokens=COSTS), say("All done.", tokens=COSTS))
    first = client.run("GO, please", args=OPUS)
    assert first.text == "All done."
    wait_until(lambda: len(kinds(blocking)) >= 2)
    assert kinds(blocking)[:2] == ["reached", "blocked"]


def test_without_hooks_it_is_paused(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """An agent whose settings have no hook of ours is paused in the place of being blocked."""
    keeper.limit(per_agent=0.03, action="block")
    keeper.start()
    stand_in.play("GO", *[bash("sleep 0.5", tokens=COSTS)] * 4, say("All done."))
    run = client.start("GO, please", args=OPUS)
    await_frozen(run.pid, timeout=30)
    assert len(stand_in.asked) == 2
    wait_until(lambda: kinds(keeper) == ["reached", "paused"])
