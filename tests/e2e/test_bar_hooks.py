"""The action block with the real client: its own hook refuses its tools, and what is paid after it."""

import pytest

from flow.keeper import Keeper
from freezing import await_frozen, is_frozen
from waiting import wait_until

from .client import Client
from .replies import Tokens, bash, say
from .stand_in import StandIn
from .test_hook import HOOKS, OURS

pytestmark = pytest.mark.e2e

OPUS = ["--model", "claude-opus-5-5"]
COSTS = Tokens(input=1000, output=800)  # $0.02 of Opus


BOTH = {**HOOKS, "PostToolUse": [{"hooks": [OURS]}]}


@pytest.fixture
def blocking(client: Client, keeper: Keeper) -> Keeper:
    """A daemon that blocks at $0.03, and a client whose hooks ask it before and after each tool."""
    keeper.limit(per_agent=0.03, action="block")
    client.environment["TOLL_HOME"] = keeper.environment["TOLL_HOME"]
    client.configure(hooks=BOTH)
    return keeper.start()


def kinds(keeper: Keeper) -> list[str]:
    return [entry["kind"] for entry in keeper.report("log")["entries"]]


def play(stand_in: StandIn) -> None:
    """Replies of $0.02, each with a command that takes its time."""
    stand_in.play("GO", *[bash("sleep 0.5", tokens=COSTS)] * 5, say("All done.", tokens=COSTS))


def test_blocked_in_mid_run(stand_in: StandIn, client: Client, blocking: Keeper) -> None:
    """The turn ends behind the tool that runs: nothing more is asked for, nobody is frozen."""
    play(stand_in)
    result = client.run("GO, please", args=OPUS)
    assert (result.is_error, result.text) == (False, "")
    assert len(stand_in.asked) == len(stand_in.served) == 2
    assert kinds(blocking) == ["reached", "blocked"]
    wait_until(lambda: not list(blocking.paths.deny.iterdir()))  # The agent is gone.


def test_asked_before_tools_only(stand_in: StandIn, client: Client, blocking: Keeper) -> None:
    """Without a hook behind tools one more reply is paid at most, and what goes on so is paused."""
    client.configure(hooks=HOOKS)
    play(stand_in)
    run = client.start("GO, please", args=OPUS)
    wait_until(lambda: is_frozen(run.pid) or run.poll() is not None, 30)
    # It may end, as told to, before the line of that reply has come and it is paused for it.
    was_paused = is_frozen(run.pid)
    more = ["paused"] if was_paused else []
    wait_until(lambda: kinds(blocking) == ["reached", "blocked", *more])
    assert len(stand_in.asked) == len(stand_in.served)
    assert len(stand_in.served) in ((3,) if was_paused else (2, 3))


def test_without_hooks_it_is_paused(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """An agent whose settings have no hook of ours is paused in the place of being blocked."""
    keeper.limit(per_agent=0.03, action="block")
    keeper.start()
    stand_in.play("GO", *[bash("sleep 0.5", tokens=COSTS)] * 4, say("All done."))
    run = client.start("GO, please", args=OPUS)
    await_frozen(run.pid, timeout=30)
    assert len(stand_in.asked) == 2
    wait_until(lambda: kinds(keeper) == ["reached", "paused"])


@pytest.mark.parametrize("action", ["pause", "block"])
def test_quick_tools_near_a_limit(
    stand_in: StandIn, client: Client, keeper: Keeper, action: str
) -> None:
    """Near a limit the hook waits for what the daemon decides: no request follows the crossing reply.

    A quick tool would be done, and the next request asked, before the reply stands in the log.
    """
    keeper.limit(per_agent=0.098, action=action)  # The fifth reply crosses, the fourth is near.
    client.environment["TOLL_HOME"] = keeper.environment["TOLL_HOME"]
    client.configure(hooks=BOTH)
    keeper.start()
    stand_in.play("GO", *[bash("true", tokens=COSTS)] * 9, say("All done.", tokens=COSTS))
    run = client.start("GO, please", args=OPUS)
    done = "paused" if action == "pause" else "blocked"
    wait_until(lambda: kinds(keeper) == ["warned", "reached", done], 30)
    if action == "pause":
        await_frozen(run.pid)
    else:
        wait_until(lambda: run.poll() is not None, 30)
    assert len(stand_in.asked) == len(stand_in.served) == 5
