"""Leads a piece of work through analysis, plan, implementation and review, and watches what each stage spends.

    python orchestrator.py .claude-4nq "Let the shop take tips" --budget implement=3

Each stage is a run of `claude -p` that gets what the one before it has said, and starts once there is budget and
plan for it. When a stage has spent its budget its
agent is paused, and gets a little more, once; the next time it is stopped, and the stage has failed.
"""

import asyncio
import math
import os
import shutil
import sys
import time
from argparse import ArgumentParser, Namespace
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

import msgspec
from msgspec import Struct

from tollkeeper import AsyncFeed, AsyncToll
from tollkeeper.errors import NoAnswerError, TollError
from tollkeeper.model import Agent, Limit, Status

T = TypeVar("T")
Answer = dict[str, Any]

# A daemon that was there is being restarted when it is not: calls wait so long for it.
RESTART_SECONDS = 10.0
# A stop is answered when the agent has ended, which may take it a while.
STOP_SECONDS = 30.0
ATTEMPTS = 3
# A person may raise a limit at any time.
LOOK_SECONDS = 5.0
LONGEST_LOOK_SECONDS = 30.0
LONGEST_WORDS = 200


class Stage(Struct, frozen=True):
    """A stage: who is at it, what it may cost, and what is to be done."""

    name: str
    role: str
    budget_usd: float
    order: str


STAGES = (
    Stage("analyze", "analyst", 2.0, "Find out what it takes."),
    Stage("plan", "planner", 1.0, "Plan it, step by step."),
    Stage("implement", "implementer", 5.0, "Implement it by the plan."),
    Stage("review", "reviewer", 2.0, "Review what was implemented."),
)


class Result(Struct, frozen=True):
    """What the client prints at its end, as far as it matters here."""

    result: str = ""
    is_error: bool = False


class Admission(Struct, frozen=True):
    """Whether there is room for one more agent; if not, why, and when there is again, if that is known."""

    admitted: bool
    why: str | None
    retry_at: datetime | None


class Row(Struct, frozen=True):
    """What a stage took, as far as it is shown here."""

    stage: str | None
    requests: int
    total_tokens: int
    cost_usd: float
    duration_seconds: float | None
    status: str | None


class Table(Struct, frozen=True):
    """What a workflow took: the answer to `workflow.show`."""

    stages: tuple[Row, ...]
    totals: Row


class Orchestrator:
    """Leads one workflow through its stages."""

    def __init__(self, toll: AsyncToll, workflow: str) -> None:
        self.toll = toll
        self.workflow = workflow

    async def lead(self, work: str) -> bool:
        """Go through the stages until one fails; whether none did."""
        said = "nothing"
        for stage in STAGES:
            order = f"You are the {stage.role}. {stage.order}\n\nThe work: {work}\n\nSo far: {said}"
            answer = await self.go_through(stage, order)
            if answer is None:
                return False
            said = answer
        return True

    async def go_through(self, stage: Stage, order: str) -> str | None:
        """Run a stage between its markers, once there is room; what its agent said, None when it has failed."""
        await self.wait_for_room(stage)
        mark = {"stage": stage.name, "role": stage.role, "id": str(uuid4())}
        await self.mark(event="start", **mark)
        answer = None
        try:
            answer = await self.run_agent(stage, order)
        finally:
            status = "failed" if answer is None else "completed"
            await self.mark(event="end", status=status, **mark)
            say(stage.name, status)
        return answer

    async def wait_for_room(self, stage: Stage) -> None:
        """Wait until there is budget and plan for the stage's agent. Where nobody answers it may start."""
        said, labels = None, {"workflow": self.workflow, "stage": stage.name}
        while answer := await ask(self.toll, "admit", Admission, cwd=os.getcwd(), **labels):
            if answer.admitted:
                break
            if answer.why != said:
                until = answer.retry_at and f" until {answer.retry_at.astimezone():%Y-%m-%d %H:%M}"
                say(stage.name, f"waits{until or ''}: {answer.why}")
            said = answer.why
            await asyncio.sleep(pause_before(answer.retry_at))

    async def mark(self, **stage: str) -> None:
        """Say that a stage starts or ends; its id makes it the same stage when that is said again."""
        await ask(self.toll, "workflow.stage", Answer, workflow=self.workflow, **stage)

    async def run_agent(self, stage: Stage, order: str) -> str | None:
        """Run the client under the stage's labels; what it said, None when it has failed."""
        labels = {"WORKFLOW": self.workflow, "STAGE": stage.name, "AGENT": stage.role}
        process = await asyncio.create_subprocess_exec(
            *("claude", "-p", order, "--output-format", "json"),
            env=os.environ | {f"TOLL_{name}": label for name, label in labels.items()},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:  # We were interrupted.
                await ask(self.toll, "stop", Answer, agents=[str(process.pid)])
        if process.returncode:
            return None
        try:
            result = msgspec.json.decode(output, type=Result)
        except msgspec.DecodeError:
            words = " ".join(output.decode(errors="replace").split())
            say(stage.name, f"claude printed no result: {words[:LONGEST_WORDS]!r}")
            return None
        return None if result.is_error else result.result


class Overseer:
    """Sees what becomes of a workflow's budgets, and of the agents that they hold."""

    def __init__(
        self, toll: AsyncToll, workflow: str, budgets: dict[str, float], extra: float
    ) -> None:
        self.toll = toll
        self.workflow = workflow
        self.budgets = {f"stage:{workflow}/{stage}": usd for stage, usd in budgets.items()}
        self.extra = extra
        self.said: set[str] = set()

    async def watch(self) -> None:
        """React to every update, until cancelled."""
        async with AsyncFeed(patience=math.inf) as feed:
            while True:
                try:
                    async for change in feed:
                        await self.react(change.status)
                except TollError:  # The daemon was restarted meanwhile, or the agent has gone.
                    await asyncio.sleep(0.5)

    async def react(self, status: Status) -> None:
        """Tell which budgets run low, and decide on the agents that are paused."""
        for limit in status.limits:
            if limit.scope in self.budgets and limit.state == "warned":
                self.say_once(limit.scope, f"${limit.used:.2f} of ${limit.bound_usd:.2f} spent")
        if any(map(self.is_paused, status.agents)):
            now = await self.toll.status()  # Updates that wait may tell of what we did ourselves.
            limits = {limit.scope: limit for limit in now.limits}
            for agent in filter(self.is_paused, now.agents):
                await self.decide(agent, limits.get(f"stage:{self.workflow}/{agent.stage}"))

    def is_paused(self, agent: Agent) -> bool:
        """Whether it is an agent of ours that a limit or a person has paused."""
        is_ours = agent.workflow == self.workflow
        return is_ours and agent.held is not None and agent.held.kind == "paused"

    async def decide(self, agent: Agent, limit: Limit | None) -> None:
        """The first time that its stage's budget is spent it gets more; then the budget is another."""
        if limit is None or limit.state != "reached":
            self.say_once(agent.name, "paused, but not by its stage's budget: decide by hand")
        elif limit.bound_usd == self.budgets[limit.scope]:
            say(agent.name, f"paused at the stage's budget: ${self.extra:.2f} more, once")
            await self.toll.call("resume", Answer, agents=[agent.id], add_usd=self.extra)
        else:
            say(agent.name, "paused at the stage's budget again: stopped")
            await self.toll.call("stop", Answer, agents=[agent.id])

    def say_once(self, who: str, text: str) -> None:
        """A line that may be true for long."""
        if (line := f"{who}: {text}") not in self.said:
            self.said.add(line)
            say(who, text)


async def orchestrate(workflow: str, work: str, budgets: dict[str, float], extra: float) -> bool:
    """Lead the workflow from its start to its end, and show what it took; whether it was completed."""
    async with AsyncToll(timeout=STOP_SECONDS) as toll:
        await toll.status()  # Where no daemon is there to begin with this says so.
        toll.patience = RESTART_SECONDS
        await ask(toll, "workflow.start", Answer, workflow=workflow, path="full")
        for stage, usd in budgets.items():
            bound = {"workflow": workflow, "stage": stage, "usd": usd, "action": "pause"}
            await ask(toll, "limit.set", Answer, **bound)
        status = "failed"
        try:
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(Overseer(toll, workflow, budgets, extra).watch())
                if await Orchestrator(toll, workflow).lead(work):
                    status = "completed"
                watching.cancel()
        finally:
            await ask(toll, "workflow.end", Answer, workflow=workflow, status=status)
        if table := await ask(toll, "workflow.show", Table, workflow=workflow):
            show(table)
    return status == "completed"


async def ask(toll: AsyncToll, method: str, kind: type[T], **params: Any) -> T | None:
    """Ask the daemon, and again where no answer came: what is said again changes nothing.

    None where nobody answers. The work goes on: the agents' labels tell what they work for.
    """
    for more in reversed(range(ATTEMPTS)):
        try:
            return await toll.call(method, kind, **params)
        except TollError as error:
            if not (more and isinstance(error, NoAnswerError)):
                say(method, str(error))
                break
    return None


def pause_before(retry_at: datetime | None) -> float:
    """How long (s) to wait before asking again."""
    left = retry_at.timestamp() - time.time() if retry_at else 0.0
    return min(max(left, LOOK_SECONDS), LONGEST_LOOK_SECONDS)


def show(table: Table) -> None:
    """Print what the stages took."""
    print(f"{'Stage':12} {'Requests':>8} {'Tokens':>11} {'Billed':>9} {'Duration':>9}  Status")
    for row in (*table.stages, table.totals):
        name = "Total" if row is table.totals else row.stage or "(no stage)"
        took = f"{row.requests:8,} {row.total_tokens:11,} {row.cost_usd:9.4f}"
        print(f"{name:12} {took} {row.duration_seconds or 0:8.0f}s  {row.status or ''}")


def say(who: str, text: str) -> None:
    """A line of what happens, at once."""
    print(f"{who}: {text}", flush=True)


def stage_budget(text: str) -> tuple[str, float]:
    """What STAGE=USD says; ValueError for no such stage."""
    name, _, usd = text.partition("=")
    if name not in [stage.name for stage in STAGES]:
        raise ValueError
    return name, float(usd)


def arguments() -> Namespace:
    """What is wanted; ends the program where it was not said well."""
    parser = ArgumentParser(description="Lead a piece of work from its analysis to its review.")
    add = parser.add_argument
    add("workflow", metavar="WORKFLOW", help="its id, such as .claude-4nq")
    add("work", metavar="WORK", help="what is to be done")
    add("--budget", metavar="STAGE=USD", action="append", default=[], type=stage_budget)
    add("--extra", metavar="USD", default=1.0, type=float, help="what a stage may get once")
    return parser.parse_args()


def main() -> int:
    """Exit status: 0 completed, 1 failed, 3 no daemon, 127 no client, 130 interrupted."""
    given = arguments()
    if not shutil.which("claude"):
        return fail("claude is not on the PATH", 127)
    budgets = {stage.name: stage.budget_usd for stage in STAGES} | dict(given.budget)
    try:
        is_completed = asyncio.run(orchestrate(given.workflow, given.work, budgets, given.extra))
    except TollError as error:
        return fail(f"{error}; {error.hint}" if error.hint else str(error), error.exit_status)
    except KeyboardInterrupt:
        return fail("interrupted", 130)
    return 0 if is_completed else 1


def fail(text: str, status: int) -> int:
    """Say why it ended."""
    print(f"orchestrator: {text}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
