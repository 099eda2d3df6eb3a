"""The real client under toll exec: what it asks belongs to its stage, which begins and ends with it."""

import signal

import pytest

from flow.keeper import TOLL, Keeper
from tollkeeper_daemon.store.schema import SpanRecord, WorkSum
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.workflows.marks import is_marked
from tollkeeper_daemon.workflows.timing import accounted

from .client import Client
from .replies import Reply, delegate, say
from .spending import COST_USD, COSTS, play, start
from .stand_in import StandIn

pytestmark = pytest.mark.e2e

STAGE = ("--workflow", "w-1", "--stage", "analyze")
Work = tuple[tuple[SpanRecord, ...], tuple[WorkSum, ...]]


def under(*options: str) -> list[str]:
    """The command that runs what comes behind it with these labels."""
    return [str(TOLL), "exec", *options, "--"]


def home_of(keeper: Keeper) -> dict[str, str]:
    """What tells toll which Tollkeeper it is of."""
    return {"TOLL_HOME": keeper.environment["TOLL_HOME"]}


def work(keeper: Keeper, requests: int) -> Work:
    """The spans and the sums of the workflow, once so many requests are counted and the daemon is gone."""
    keeper.wait_for_requests(requests)
    keeper.wait_for(lambda status: {each.state for each in status.agents} == {"exited"})
    assert keeper.stop() == 0
    with Store(keeper.paths.ledger) as store:
        return store.read(lambda t: (t.work.spans_of("w-1"), t.work.sums_of("w-1")))


def test_run_at_a_stage(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """Every request of the run is booked under its stage, and its end is that of the span."""
    keeper.start()
    play(stand_in, replies=3)
    run = start(client, under=under(*STAGE, "--agent", "Ada"), extra_env=home_of(keeper))
    result = client.finish(run)
    assert (run.returncode, result.text) == (0, "All done.")
    [span], sums = work(keeper, 3)
    assert (is_marked(span), span.role, span.status) == (True, "Ada", "completed")
    assert {(each.stage, each.task) for each in sums} == {("analyze", "")}
    assert sum(each.totals.value for each in sums) == round(result.total_cost_usd * 1e9)
    assert 0 < accounted(span) <= span.ended - span.started


def test_run_that_is_told_to_end(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """SIGTERM to toll exec ends the client in order, and its stage has failed."""
    keeper.start()
    play(stand_in, replies=9, command="sleep 3")
    run = start(client, under=under(*STAGE), extra_env=home_of(keeper))
    keeper.wait_for(lambda status: [each.usage.requests for each in status.agents] == [1])
    run.send_signal(signal.SIGTERM)
    assert run.wait(20) == 128 + signal.SIGTERM
    assert client.session_files() == {}
    [span], sums = work(keeper, 1)
    assert (is_marked(span), span.status) == (True, "failed")
    assert [each.totals.requests for each in sums] == [1]


def test_subagents_at_their_stages(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """Subagents of a workflow are at the stage of their type, each once, and end with their work."""
    keeper.start()
    client.home.add_agent("analyst", "opus")
    call = delegate("SUBTASK: look", "analyst", background=False)
    delegating = Reply(text=call.text, tools=call.tools, tokens=COSTS)
    stand_in.play("GO", delegating, delegating, say("All done.", tokens=COSTS))
    play(stand_in, "SUBTASK", 2)
    run = start(client, under=under("--workflow", "w-1"), extra_env=home_of(keeper))
    assert client.finish(run).text == "All done."
    spans, sums = work(keeper, 7)
    assert [(span.labels.stage, span.role, span.status) for span in spans] == [
        ("analyze", "analyst", "completed")
    ] * 2
    assert all(span.ended > span.started for span in spans)
    used = {each.stage: each.totals.value for each in sums}
    assert used == {"analyze": round(4 * COST_USD * 1e9), "": round(3 * COST_USD * 1e9)}


def test_run_that_no_daemon_saw(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """What was asked and over before a daemon came is booked by the task id in the conversation's name."""
    play(stand_in, replies=2)
    command = under("--no-start", "--task", ".claude-4nq.1-analyze")
    name = ("--name", ".claude-4nq.1-analyze")
    run = client.start("GO, please", args=name, under=command, extra_env=home_of(keeper))
    result = client.finish(run)
    keeper.start()
    keeper.wait_for_requests(2)
    [stage] = keeper.report("workflow.show", workflow=".claude-4nq")["stages"]
    assert ("analyze", [".claude-4nq.1-analyze"], 2) == (
        stage["stage"],
        stage["tasks"],
        stage["requests"],
    )
    assert round(result.total_cost_usd, 9) == stage["cost_usd"] == 2 * COST_USD
