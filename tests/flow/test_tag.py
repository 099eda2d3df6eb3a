"""``toll tag`` against a running daemon: labels that are said, now and backwards."""

from typing import Any

import pytest

from .agent_process import AgentProcess
from .keeper import Keeper
from .lines import USUAL_USD


def working(keeper: Keeper, requests: int = 2, **labels: str) -> AgentProcess:
    """An agent that has got so many replies."""
    before = keeper.requests()
    agent = keeper.start_agent(labels={f"TOLL_{name}": each for name, each in labels.items()})
    agent.says("busy")
    for _ in range(requests):
        agent.log.reply()
    keeper.wait_for_requests(before + requests)
    return agent


def by_workflow(keeper: Keeper) -> dict[str, int]:
    """The requests of each workflow, as the report by day says it."""
    parts = keeper.report("daily", by=["workflow"])["totals"]["breakdown"]
    return {part["by"]["workflow"]: part["requests"] for part in parts}


def test_from_now_on(daemon: Keeper) -> None:
    """What is asked after the word is booked under it, and what was asked before stays."""
    agent = working(daemon, AGENT="Ada")
    result = daemon.run("tag", "Ada", "--task", ".claude-4nq.1-analyze")
    assert (0, "") == (result.returncode, result.stderr)
    told = "Ada: workflow .claude-4nq, task .claude-4nq.1-analyze, stage analyze.\n"
    assert told == result.stdout
    agent.log.reply()
    daemon.wait_for_requests(3)
    assert {"": 2, ".claude-4nq": 1} == by_workflow(daemon)
    [seen] = daemon.toll.agents()
    assert (".claude-4nq", "analyze") == (seen.workflow, seen.stage)


def test_backwards(daemon: Keeper) -> None:
    """With --since the sums move with what was asked from then on, once and exactly."""
    agent = working(daemon, AGENT="Ada", WORKFLOW="old")
    total = daemon.report("daily")["totals"]
    [tagged] = daemon.json("tag", str(agent.pid), "--workflow", "new", "--since", "start")
    assert ("new", 2) == (tagged["workflow"], tagged["moved_requests"])
    [again] = daemon.json("tag", str(agent.pid), "--workflow", "new", "--since", "start")
    assert 0 == again["moved_requests"]
    assert {"new": 2} == by_workflow(daemon)
    assert total == daemon.report("daily")["totals"]


def test_over_a_restart(daemon: Keeper) -> None:
    """What was said holds for what the next daemon reads, also of the time between the two."""
    agent = working(daemon, AGENT="Ada")
    daemon.json("tag", "Ada", "--workflow", "w", "--stage", "plan")
    daemon.kill()
    agent.log.reply()
    daemon.start()
    daemon.wait_for_requests(3)
    assert {"": 2, "w": 1} == by_workflow(daemon)
    [seen] = daemon.toll.agents()
    assert ("w", "plan") == (seen.workflow, seen.stage)


def test_clear(daemon: Keeper) -> None:
    """What was said is taken back, and what the environment says holds again."""
    working(daemon, AGENT="Ada", WORKFLOW="own")
    daemon.json("tag", "Ada", "--workflow", "w", "--stage", "plan")
    [kept] = daemon.json("tag", "Ada", "--workflow", "v")
    assert ("v", "plan") == (kept["workflow"], kept["stage"])
    [cleared] = daemon.json("tag", "Ada", "--clear")
    assert ("own", None) == (cleared["workflow"], cleared["stage"])


def test_subagent(daemon: Keeper) -> None:
    """A word about a subagent, by its type, is of that one alone."""
    agent = working(daemon, AGENT="Ada", WORKFLOW="w")
    helper = agent.log.subagent("explorer", "look around")
    helper.reply()
    daemon.wait_for(lambda status: bool(status.agents[0].subagents))
    tagging = ("tag", "Ada", "--subagent", "explorer", "--stage", "scout", "--since", "start")
    [tagged] = daemon.json(*tagging)
    assert ("w", "scout", 1) == (tagged["workflow"], tagged["stage"], tagged["moved_requests"])
    assert daemon.toll.agents()[0].stage is None


WRONG: list[tuple[list[str], int, str]] = [
    (["Ada"], 2, "say --workflow"),
    (["Ada", "--stage", "s", "--since", "soon"], 2, "no time"),
    (["Ada", "--stage", "s", "--since", "9999-01-01"], 2, "yet to come"),
    (["Eve", "--stage", "s"], 1, "no agent 'Eve'"),
    (["Ada", "--stage", "s", "--subagent", "cook"], 1, "no subagent 'cook'"),
]


@pytest.mark.parametrize(("words", "status", "text"), WRONG)
def test_wrong(daemon: Keeper, words: list[str], status: int, text: str) -> None:
    """What can't be done is refused in one line."""
    working(daemon, 0, AGENT="Ada")
    daemon.wait_for(lambda seen: len(seen.agents) == 1)
    result = daemon.run("tag", *words)
    assert (status, "") == (result.returncode, result.stdout)
    assert text in result.stderr
    assert 1 == result.stderr.count("\n")


def test_limit_of_a_stage(daemon: Keeper) -> None:
    """A stage's budget stops who works at that stage of the workflow, and nobody else."""
    bound = ("--workflow", "w", "--stage", "plan", "--usd", str(1.5 * USUAL_USD))
    daemon.json("limit", "set", *bound, "--action", "pause")
    other = working(daemon, 2, AGENT="Eve", WORKFLOW="w", STAGE="review")
    planner = working(daemon, 2, AGENT="Ada", WORKFLOW="w", STAGE="plan")

    def states(status: Any) -> dict[int, str]:
        return {agent.pid: agent.state for agent in status.agents}

    daemon.wait_for(lambda status: states(status).get(planner.pid) == "paused")
    assert "working" == states(daemon.toll.status())[other.pid]
    limits = {limit["scope"]: limit["state"] for limit in daemon.json("limit")["limits"]}
    assert "reached" == limits["stage:w/plan"]
    daemon.run("resume", "--all")


def test_limit_of_a_helpers_stage(daemon: Keeper) -> None:
    """A stage that a subagent works at by its type is bounded, too: its agent is stopped."""
    bound = ("--workflow", "w", "--stage", "review", "--usd", str(0.5 * USUAL_USD))
    daemon.json("limit", "set", *bound, "--action", "pause")
    agent = working(daemon, 2, AGENT="Ada", WORKFLOW="w", STAGE="work")
    agent.log.subagent("reviewer", "look at it").reply()
    daemon.wait_for(lambda status: status.agents[0].state == "paused")
    daemon.run("resume", "--all")
