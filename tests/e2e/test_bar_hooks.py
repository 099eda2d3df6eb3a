"""The action block with the real client: its own hook refuses its tools, and what is paid after it."""

from typing import Any

import pytest

from flow.bounded import kinds
from flow.keeper import Keeper
from freezing import await_frozen, is_frozen
from waiting import wait_until

from .client import Client
from .spending import OPUS, play, start
from .stand_in import StandIn
from .test_hook import HOOKS, OURS

pytestmark = pytest.mark.e2e

AT_THE_SECOND: dict[str, Any] = {"per_agent": 0.03, "action": "block"}
BOTH = {**HOOKS, "PostToolUse": [{"hooks": [OURS]}]}


def blocking(client: Client, keeper: Keeper, **limits: Any) -> None:
    """A daemon with these limits, and a client whose hooks ask it before and after each tool."""
    keeper.limit(**limits)
    client.environment["TOLL_HOME"] = keeper.environment["TOLL_HOME"]
    client.configure(hooks=BOTH)
    keeper.start()


def test_blocked_in_mid_run(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """The turn ends behind the tool that runs: nothing more is asked for, nobody is frozen."""
    blocking(client, keeper, **AT_THE_SECOND)
    play(stand_in)
    result = client.run("GO, please", args=OPUS)
    assert (result.is_error, result.text) == (False, "")
    assert len(stand_in.asked) == len(stand_in.served) == 2
    assert kinds(keeper) == ["reached", "blocked"]
    wait_until(lambda: not list(keeper.paths.deny.iterdir()))  # The agent is gone.


def test_asked_before_tools_only(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """Without a hook behind tools one more reply is paid at most, and what goes on so is paused."""
    blocking(client, keeper, **AT_THE_SECOND)
    client.configure(hooks=HOOKS)
    play(stand_in)
    run = start(client)
    wait_until(lambda: is_frozen(run.pid) or run.poll() is not None, 30)
    # It may end, as told to, before the line of that reply has come and it is paused for it.
    was_paused = is_frozen(run.pid)
    more = ["paused"] if was_paused else []
    wait_until(lambda: kinds(keeper) == ["reached", "blocked", *more])
    assert len(stand_in.asked) == len(stand_in.served)
    assert len(stand_in.served) in ((3,) if was_paused else (2, 3))


def test_without_hooks_it_is_paused(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """An agent whose settings have no hook of ours is paused in the place of being blocked."""
    keeper.limit(**AT_THE_SECOND)
    keeper.start()
    play(stand_in)
    run = start(client)
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
    # The fifth reply crosses, the fourth is near.
    blocking(client, keeper, per_agent=0.098, action=action)
    play(stand_in, replies=10, command="true")
    run = start(client)
    done = "paused" if action == "pause" else "blocked"
    # The fourth and the fifth may be read at once, and then only the higher is told.
    wait_until(lambda: kinds(keeper)[-2:] == ["reached", done], 30)
    if action == "pause":
        await_frozen(run.pid)
    else:
        wait_until(lambda: run.poll() is not None, 30)
    assert len(stand_in.asked) == len(stand_in.served) == 5
