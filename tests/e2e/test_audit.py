"""How the real client's own totals behave, and that the audit understands each way."""

from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from flow.claude_home import ClaudeHome
from flow.keeper import Keeper
from waiting import wait_until

from .client import Client
from .interactive import Interactive
from .replies import (
    COMPACTING,
    SEARCHING,
    Reply,
    Tokens,
    bash,
    delegate,
    refused,
    say,
    search,
)
from .stand_in import StandIn

pytestmark = pytest.mark.e2e

CLOSE = 1e-6
HIDDEN = Tokens(input=100, output=50, web_searches=2)
SUMMARY = "<analysis>All of it.</analysis>\n<summary>We said hello.</summary>"


@pytest.fixture
def keeper(client: Client) -> Iterator[Keeper]:
    """A daemon that follows the client's home, and nothing else."""
    with Keeper(ClaudeHome(client.config_dir, client.cwd)) as running:
        running.limit()
        yield running.start()


def audited(keeper: Keeper, *conversations: str, cause: str = "none") -> list[dict[str, Any]]:
    """The rows of these conversations, once each has the cause; how they differ otherwise."""
    last: list[dict[str, Any]] = []

    def look() -> bool:
        rows = keeper.report("audit", all=True)["conversations"]
        last[:] = [row for row in rows if row["sessionId"] in conversations]
        return len(last) == len(conversations) and all(row["cause"] == cause for row in last)

    try:
        wait_until(look, timeout=10)
    except AssertionError:
        raise AssertionError(f"not {cause}: {last}") from None
    for row in last:
        assert cause != "none" or abs(row["differenceUSD"]) < CLOSE
    return last


def test_plain_and_resumed(client: Client, keeper: Keeper) -> None:
    """A second client goes on from the totals of the first."""
    first = client.run("the first")
    audited(keeper, first.session_id)
    second = client.run("the second", resume=first.session_id)
    [row] = audited(keeper, first.session_id)
    wait_until(lambda: _client_usd(keeper, first.session_id) == second.total_cost_usd)
    audited(keeper, first.session_id)
    assert row["explained"]


def _client_usd(keeper: Keeper, conversation: str) -> float:
    rows = keeper.report("audit", all=True)["conversations"]
    return next(row["clientUSD"] for row in rows if row["sessionId"] == conversation)


def test_forks_of_all_kinds(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """A fork, a fork of it, and one of a parent with a subagent and a compaction: all agree."""
    client.home.add_agent("analyst", "haiku")
    stand_in.play("DELEGATE", delegate("SUBTASK: look", "analyst"), say("Started."), say("End."))
    stand_in.play("SUBTASK", bash("echo looking"), say("Looked."))
    stand_in.play(COMPACTING, say(SUMMARY, tokens=HIDDEN))
    parent = client.run("DELEGATE it").session_id
    fork = client.run("a fork", resume=parent, fork=True).session_id
    again = client.run("a fork of it", resume=fork, fork=True).session_id
    client.run("the parent goes on", resume=parent)
    audited(keeper, parent, fork, again)
    client.run("/compact", resume=parent)
    late = client.run("a late fork", resume=parent, fork=True).session_id
    audited(keeper, fork, again, late)
    audited(keeper, parent, cause="unlogged")


def test_fork_whose_parent_is_gone(client: Client, keeper: Keeper) -> None:
    """Without the parent's log, what the fork copied of it stands for its totals."""
    keeper.stop()
    parent = client.run("the parent").session_id
    fork = client.run("a fork", resume=parent, fork=True).session_id
    client.log_path(parent).unlink()
    keeper.start()
    audited(keeper, fork)


def test_web_search(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """The inner request of a search is in the totals alone."""
    client.configure(permissions={"allow": ["WebSearch"]})
    stand_in.play("LOOKUP", search("the news"), say("Found."))
    stand_in.play(SEARCHING, say("Some results.", tokens=HIDDEN))
    [row] = audited(keeper, client.run("LOOKUP").session_id, cause="unlogged")
    [model] = row["models"]
    assert 2 == model["client"]["webSearches"] - model["ledger"]["webSearches"]


def test_unknown_model(client: Client, keeper: Keeper) -> None:
    """The client charges an unknown model as its default, we as its dearest kin."""
    result = client.run("hello", args=["--model", "claude-opus-9-9"])
    audited(keeper, result.session_id, cause="unpriced")


def test_another_model_than_asked_for(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """The client counts under the model that it asked for."""
    stand_in.play("SWAP", Reply(text="swapped", model="claude-haiku-5-5"))
    audited(keeper, client.run("SWAP").session_id, cause="other-model")


def test_retry(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """A request that is tried again is counted once by both."""
    tries: list[str] = []

    def overloaded_once(asked: Any) -> Reply | None:
        if "RETRY" not in asked.prompt or tries:
            return None
        tries.append(asked.prompt)
        return refused(529, "overloaded_error")

    stand_in.script = overloaded_once
    audited(keeper, client.run("RETRY").session_id)
    assert len(stand_in.served) == 2


def test_killed_client(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """A killed client writes no totals, and the next one goes on from those before it."""
    gate = Event()
    stand_in.play("GATED", bash("sleep 1"), bash("echo"), Reply(text="held", gate=gate))
    first = client.run("hello").session_id
    process = client.start("GATED", resume=first)
    wait_until(lambda: len(stand_in.asked) == 4)
    keeper.wait_for_requests(3)
    audited(keeper, first, cause="pending")
    process.kill()
    process.wait()
    gate.set()
    client.run("and on", resume=first)
    audited(keeper, first, cause="lost")


@pytest.mark.usefixtures("tmux")
def test_typed_session(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """The totals come when a conversation is left; a branch begins its own with nothing."""
    stand_in.play("ONE", bash("echo one"), say("First answer."))
    stand_in.play("TWO", say("Second answer."))
    with Interactive(client) as session:
        session.send("ONE please")
        session.wait_for("First answer.")
        keeper.wait_for_requests(2)
        assert 0 == keeper.report("audit")["audited"]
        [first] = client.session_ids()
        session.send("/branch")
        branch = wait_until(lambda: client.session_ids() - {first}).pop()
        audited(keeper, first)
        session.send("TWO please")
        session.wait_for("Second answer.")
        session.send("/clear")
        audited(keeper, first, branch)
        session.send("TWO again")
        [last] = wait_until(lambda: client.session_ids() - {first, branch})
        keeper.wait_for_requests(4)
    audited(keeper, first, branch, last)
