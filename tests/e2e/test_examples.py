"""The orchestrators in examples/, run as a user runs them: each request has its stage, and all sums agree."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from ending import end
from flow.bounded import kinds
from flow.keeper import TOLL, Keeper
from tollkeeper.exports import Page, Request

from .client import Client
from .replies import bash, delegate, say
from .spending import COST_USD, play
from .stand_in import StandIn

pytestmark = pytest.mark.e2e

EXAMPLES = Path(__file__).parents[2] / "examples"
PYTHON = (sys.executable, str(EXAMPLES / "orchestrator.py"))
SHELL = ("sh", str(EXAMPLES / "orchestrate.sh"))
WORKFLOW = ".claude-4nq"
STAGES = ("analyze", "plan", "implement", "review")
# The client in its own place and process; what it prints is kept as well.
CLAUDE = """#!/bin/bash
exec {binary} "$@" > >(tee {results}/$TOLL_STAGE)
"""


class Ended(Struct, frozen=True):
    """How an example ended, and what it printed."""

    status: int
    output: str
    errors: str

    @property
    def lines(self) -> list[str]:
        return self.output.splitlines()


class Example:
    """Runs an example in the client's home, with the client on its PATH."""

    def __init__(self, client: Client, keeper: Keeper) -> None:
        self.client = client
        self.keeper = keeper
        self.results = client.home.path / "results"
        self.programs = client.home.path / "bin"
        for folder in (self.programs, self.results):
            folder.mkdir()
        claude = self.programs / "claude"
        claude.write_text(CLAUDE.format(binary=client.binary, results=self.results))
        claude.chmod(0o755)
        self.environment = {
            **client.environment,
            "PATH": f"{self.programs}:{TOLL.parent}:{client.environment['PATH']}",
            "TOLL_HOME": keeper.environment["TOLL_HOME"],
            "COLUMNS": "200",
        }
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, command: tuple[str, ...], *options: str, **more: str) -> None:
        """Start it as a shell does, in a process group of its own; ``more`` goes to its environment."""
        process = subprocess.Popen(
            [*command, WORKFLOW, "let the shop take tips", *options],
            cwd=self.client.cwd,
            env={**self.environment, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
        )
        self._running.append(process)

    def interrupt(self) -> None:
        """Type ^C."""
        os.killpg(self._running[-1].pid, signal.SIGINT)

    def until(self, word: str) -> str:
        """Wait for the line of its output that holds this word."""
        output = self._running[-1].stdout
        assert output is not None
        return next(line.decode() for line in output if word.encode() in line)

    def finish(self) -> Ended:
        """Wait for its end."""
        process = self._running[-1]
        output, errors = process.communicate(timeout=50)
        return Ended(process.returncode, output.decode(), errors.decode())

    def run(self, command: tuple[str, ...], *options: str, **more: str) -> Ended:
        """Run it to its end."""
        self.start(command, *options, **more)
        return self.finish()

    def close(self) -> None:
        """End what still runs."""
        for process in self._running:
            end(process)

    # What is known of the cost: the clients' own words, and the ledger's.

    def printed(self) -> dict[str, int]:
        """What each client printed as its cost, by stage (nano-dollars)."""
        results = {path.name: json.loads(path.read_text()) for path in self.results.iterdir()}
        return {stage: nano(result["total_cost_usd"]) for stage, result in results.items()}

    def logged(self) -> int:
        """What the clients wrote as their cost when they left, together (nano-dollars)."""
        return sum(map(self._last_total, self.client.session_ids()))

    def _last_total(self, conversation: str) -> int:
        totals = [line.total_cost_usd for line in self.client.log(conversation)]
        return nano([total for total in totals if total is not None][-1])

    def booked(self, requests: int) -> dict[str, int]:
        """What the ledger has, by stage (nano-dollars): each request once, and each under its stage."""
        self.keeper.wait_for_requests(requests)
        booked = self.keeper.toll.call("export", Page).requests
        assert [WORKFLOW] * requests == [each.workflow for each in booked]
        return {stage: sum(map(cost, booked, [stage] * requests)) for stage in STAGES}

    def shown(self) -> dict[str, int]:
        """What `toll workflow show` says of each stage, and of all as ``Total`` (nano-dollars)."""
        answer = self.keeper.report("workflow.show", workflow=WORKFLOW)
        stages = {each["stage"]: nano(each["cost_usd"]) for each in answer["stages"]}
        return {**stages, "Total": nano(answer["totals"]["cost_usd"])}

    def ends(self) -> dict[str, tuple[int, str]]:
        """How often each stage was gone through, and how it ended."""
        answer = self.keeper.report("workflow.show", workflow=WORKFLOW)
        return {each["stage"]: (each["runs"], each["status"]) for each in answer["stages"]}


def nano(dollars: float) -> int:
    """Whole nano-dollars."""
    return round(dollars * 1e9)


def cost(request: Request, stage: str) -> int:
    """What the request cost (nano-dollars); nothing at another stage."""
    return nano(request.cost_usd) if request.stage == stage else 0


@pytest.fixture
def example(client: Client, keeper: Keeper) -> Iterator[Example]:
    """The examples beside a daemon that does not run yet."""
    made = Example(client, keeper)
    yield made
    made.close()


@pytest.mark.parametrize("command", [PYTHON, SHELL], ids=["python", "shell"])
def test_all_sums_agree(
    stand_in: StandIn, example: Example, keeper: Keeper, command: tuple[str, ...]
) -> None:
    """Each request has its stage; the stages' sum is the workflow's total, and the clients' own."""
    keeper.start()
    example.client.home.add_agent("helper", "haiku")
    stand_in.play("the analyst", bash("echo look"), bash("echo more"), say("Found."))
    stand_in.play("the planner", say("Planned."))
    stand_in.play(
        "the implementer", delegate("SUBTASK: do it", "helper", background=False), say("Built.")
    )
    stand_in.play("SUBTASK", bash("echo do"), say("Done."))
    stand_in.play("the reviewer", bash("echo check"), say("Well done."))
    ended = example.run(command)
    assert (0, "") == (ended.status, ended.errors)
    [total] = [line for line in ended.lines if line.startswith("Total")]
    assert str(len(stand_in.served)) in total.split()
    booked = example.booked(len(stand_in.served))
    assert {"analyze": 3, "plan": 1, "implement": 4, "review": 2} == counts(keeper)
    assert {**booked, "Total": sum(booked.values())} == example.shown()
    assert sum(booked.values()) == example.logged()
    assert dict.fromkeys(STAGES, (1, "completed")) == example.ends()
    if command is PYTHON:
        assert booked == example.printed()


def counts(keeper: Keeper) -> dict[str | None, int]:
    """How many requests are booked under each stage."""
    stages = [each.stage for each in keeper.toll.call("export", Page).requests]
    return {stage: stages.count(stage) for stage in stages}


def overspend(stand_in: StandIn) -> None:
    """The implementer needs six replies of $0.02, the others one each."""
    for role in ("analyst", "planner", "reviewer"):
        play(stand_in, f"the {role}", 1)
    play(stand_in, "the implementer", 6)


def test_budget_that_is_raised_once(stand_in: StandIn, example: Example, keeper: Keeper) -> None:
    """The agent of a spent budget is paused, gets more, and ends its stage; the others never hear of it."""
    keeper.start()
    overspend(stand_in)
    ended = example.run(PYTHON, "--budget", "implement=0.05", "--extra", "1")
    assert (0, "") == (ended.status, ended.errors)
    assert "implementer: paused at the stage's budget: $1.00 more, once" in ended.lines
    assert "stage:.claude-4nq/implement: $0.04 of $0.05 spent" in ended.lines
    assert ["warned", "reached", "paused", "granted", "resumed"] == kinds(keeper)[-5:]
    assert example.booked(9) == example.printed()
    assert nano(6 * COST_USD) == example.booked(9)["implement"]
    assert dict.fromkeys(STAGES, (1, "completed")) == example.ends()


def test_budget_that_is_spent_again(stand_in: StandIn, example: Example, keeper: Keeper) -> None:
    """When what it got is spent as well the agent is stopped, its stage has failed, and no other begins."""
    keeper.start()
    overspend(stand_in)
    ended = example.run(PYTHON, "--budget", "implement=0.03", "--extra", "0.03")
    assert (1, "") == (ended.status, ended.errors)
    assert "implementer: paused at the stage's budget again: stopped" in ended.lines
    assert "implement: failed" in ended.lines
    booked = example.booked(len(stand_in.served))
    assert (0, example.logged()) == (booked["review"], sum(booked.values()))
    assert (1, "failed") == example.ends()["implement"]
    assert "failed" == keeper.report("workflow.show", workflow=WORKFLOW)["status"]


def test_no_room(stand_in: StandIn, example: Example, keeper: Keeper) -> None:
    """A stage for which there is no budget waits, says why, and starts when there is some."""
    keeper.start()
    before = keeper.start_agent(labels={"TOLL_WORKFLOW": WORKFLOW})
    before.says("idle")
    before.log.reply()
    keeper.wait_for_requests(1)
    keeper.toll.call("limit.set", dict[str, Any], workflow=WORKFLOW, usd=1e-6, action="pause")
    example.start(PYTHON)
    line = example.until("waits")
    why = "the limit of workflow .claude-4nq is reached"
    assert line.startswith(f"analyze: waits: {why}")
    assert () == stand_in.served
    keeper.toll.call("limit.clear", dict[str, Any], workflow=WORKFLOW)
    ended = example.finish()
    assert (0, "") == (ended.status, ended.errors)
    assert "review: completed" in ended.lines


def test_budget_in_a_script(stand_in: StandIn, example: Example, keeper: Keeper) -> None:
    """The script ends with the stage that is stopped at its budget, and tells what all took."""
    keeper.start()
    overspend(stand_in)
    ended = example.run(SHELL, BUDGET_USD="0.05")
    assert 143 == ended.status, ended
    booked = example.booked(len(stand_in.served))
    assert (0, example.logged()) == (booked["review"], sum(booked.values()))
    assert (1, "failed") == example.ends()["implement"]
    assert ended.lines[-2].startswith("Total")


@pytest.mark.parametrize("command", [PYTHON, SHELL], ids=["python", "shell"])
def test_interrupted(
    stand_in: StandIn, example: Example, keeper: Keeper, command: tuple[str, ...]
) -> None:
    """After ^C nothing runs any more, the stage has failed, and so has the workflow."""
    keeper.start()
    play(stand_in, "the analyst", 9, "sleep 3")
    example.start(command)
    keeper.wait_for(lambda status: [each.usage.requests for each in status.agents] == [1])
    example.interrupt()
    ended = example.finish()
    assert 130 == ended.status, ended
    keeper.wait_for(lambda status: {each.state for each in status.agents} == {"exited"})
    assert {"analyze": (1, "failed")} == example.ends()
    assert "failed" == keeper.report("workflow.show", workflow=WORKFLOW)["status"]
    assert "Traceback" not in ended.errors


def test_no_daemon(example: Example) -> None:
    """Without a daemon the program says so in a line."""
    line = "orchestrator: no daemon is running; start it with: toll up\n"
    assert Ended(3, "", line) == example.run(PYTHON)


def test_no_daemon_for_a_script(stand_in: StandIn, example: Example, keeper: Keeper) -> None:
    """The script starts one."""
    ended = example.run(SHELL)
    assert (0, "") == (ended.status, ended.errors)
    assert dict.fromkeys(STAGES, (1, "completed")) == example.ends()


@pytest.mark.parametrize("command", [PYTHON, SHELL], ids=["python", "shell"])
def test_no_client(example: Example, keeper: Keeper, command: tuple[str, ...]) -> None:
    """Where there is no client a line says so."""
    keeper.start()
    (example.programs / "claude").unlink()
    ended = example.run(command)
    assert (127, 1) == (ended.status, ended.errors.count("\n"))
