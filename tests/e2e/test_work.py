"""The work of the real client's requests: orders to subagents, branches, and words said later."""

import subprocess
from typing import Any

import pytest

from flow.keeper import Keeper

from .client import Client, Result
from .replies import bash, delegate, say
from .stand_in import StandIn

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def started(keeper: Keeper) -> None:
    """The daemon runs, and no limit holds anything up."""
    keeper.limit()
    keeper.start()


EPIC = ".claude-4nq"
CLOSE = 1e-6


def parts(keeper: Keeper, *by: str) -> dict[tuple[str, ...], dict[str, Any]]:
    """What was used, by these labels."""
    breakdown = keeper.report("daily", by=list(by))["totals"]["breakdown"]
    return {tuple(part["by"][name] for name in by): part for part in breakdown}


def adds_up(found: dict[tuple[str, ...], dict[str, Any]], result: Result) -> None:
    """The parts come to what the client says of itself."""
    cost = sum(part["costUSD"] for part in found.values())
    assert cost == pytest.approx(result.total_cost_usd, abs=CLOSE)


def test_orders_of_subagents(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """Subagents with a task in their order are booked under its stage, others under their type's."""
    client.home.add_agent("analyst", "haiku")
    client.home.add_agent("reviewer", "haiku")
    order = f"SUBTASK one: work on {EPIC}.1-scout"
    stand_in.play(
        "DELEGATE",
        delegate(order, "analyst", background=False),
        delegate("SUBTASK two", "reviewer", background=False),
        say("End."),
    )
    stand_in.play("SUBTASK one", bash("echo looking"), say("Looked."))
    stand_in.play("SUBTASK two", say("Reviewed."))
    result = client.run("DELEGATE it", extra_env={"TOLL_WORKFLOW": EPIC, "TOLL_STAGE": "lead"})
    keeper.wait_for_requests(len(stand_in.served))
    found = parts(keeper, "workflow", "stage")
    counts = {stage: part["requests"] for (_, stage), part in found.items()}
    assert {"lead": 3, "scout": 2, "review": 1} == counts
    assert {EPIC} == {workflow for workflow, _ in found}
    adds_up(found, result)


def test_branch(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """A task id in the branch that the client works on is the task."""
    for command in (["init", "-q"], ["checkout", "-q", "-b", "work/bd-4nq.2-plan"]):
        subprocess.run(["git", *command], cwd=client.cwd, check=True, capture_output=True)
    result = client.run("the first")
    keeper.wait_for_requests(len(stand_in.served))
    found = parts(keeper, "workflow", "task", "stage")
    assert {("bd-4nq", "bd-4nq.2-plan", "plan")} == found.keys()
    adds_up(found, result)


def test_name(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """So is one in the name that a person gives to the conversation."""
    result = client.run("the first", args=("--name", f"{EPIC}.3-implement"))
    keeper.wait_for_requests(len(stand_in.served))
    found = parts(keeper, "task", "stage")
    assert {(f"{EPIC}.3-implement", "implement")} == found.keys()
    adds_up(found, result)


def test_said_while_it_runs(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """What is said backwards of a client at work moves what it has used, to the last nano-dollar."""
    stand_in.play("TWO STEPS", bash("echo one; sleep 2"), say("Done."))
    process = client.start("TWO STEPS", extra_env={"TOLL_AGENT": "Ada"})
    keeper.wait_for_requests(1)
    [tagged] = keeper.json("tag", "Ada", "--task", f"{EPIC}.1-analyze", "--since", "start")
    assert (1, "analyze") == (tagged["moved_requests"], tagged["stage"])
    result = client.finish(process)
    keeper.wait_for_requests(2)
    found = parts(keeper, "stage")
    assert [("analyze",)] == list(found), found
    adds_up(found, result)
