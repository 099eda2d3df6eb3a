"""Leads a piece of work through analysis, plan, implementation and review, and watches what each stage spends.

    python orchestrator.py .claude-4nq "Let the shop take tips" --budget implement=3

Each stage is a run of `claude -p` that gets what the one before it has said. When a stage has spent its budget its
agent is paused, and gets a little more, once; the next time it is stopped, and the stage has failed.
"""

import asyncio
import math
import os
import shutil
import sys
from argparse import ArgumentParser
from typing import Any, TypeVar
from uuid import uuid4

import msgspec
from msgspec import Struct

from tollkeeper import AsyncFeed, AsyncToll
from tollkeeper.errors import NoAnswerError, TollError
from tollkeeper.model import Agent, Limit, Status

T = TypeVar("T")
Answer = dict[str, Any]

# A daemon that was there and is not is being restarted: calls wait so long for it.
RESTART_SECONDS = 10.0
# A stop is answered when the agent has ended, which may take it a while.
STOP_SECONDS = 30.0
ATTEMPTS = 3


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
        """Run a stage between its markers; what its agent said, None when it has failed."""
        mark = {
            "workflow": self.workflow,
            "stage": stage.name,
            "role": stage.role,
            "id": str(uuid4()),
        }
        await ask(self.toll, "workflow.stage", Answer, **mark, event="start")
        answer = None
        try:
            answer = await self.run_agent(stage, order)
        finally:
            status = "failed" if answer is None else "completed"
            await ask(self.toll, "workflow.stage", Answer, **mark, event="end", status=status)
            say(stage.name, status)
        return answer

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
        result = msgspec.json.decode(output, type=Result)
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
                except (
                    TollError
                ):  # The daemon was restarted in the midst of it, or the agent has gone.
                    await asyncio.sleep(0.5)

    async def react(self, status: Status) -> None:
        """Tell which budgets run low, and decide on the agents that are paused."""
        for limit in status.limits:
            if limit.scope in self.budgets and limit.state == "warned":
                self.say_once(
                    limit.scope, f"{limit.used:.2f} of {limit.bound_usd:.2f} dollars are spent"
                )
        if any(map(self.is_paused, status.agents)):
            now = await self.toll.status()  # Updates that wait may tell of what we did ourselves.
            limits = {limit.scope: limit for limit in now.limits}
            for agent in filter(self.is_paused, now.agents):
                await self.decide(agent, limits.get(f"stage:{self.workflow}/{agent.stage}"))

    def is_paused(self, agent: Agent) -> bool:
        """Whether a limit or a person paused an agent of ours."""
        return (
            agent.workflow == self.workflow
            and agent.held is not None
            and agent.held.kind == "paused"
        )

    async def decide(self, agent: Agent, limit: Limit | None) -> None:
        """An agent gets more the first time that its stage's budget is spent, and is stopped the next time."""
        if limit is None or limit.state != "reached":
            self.say_once(agent.name, "paused, and not by its stage's budget: decide by hand")
        elif limit.bound_usd == self.budgets[limit.scope]:
            say(
                agent.name,
                f"paused, since the budget is spent: it gets {self.extra:.2f} dollars more",
            )
            await self.toll.call("resume", Answer, agents=[agent.id], add_usd=self.extra)
        else:
            say(agent.name, "the budget is spent again: it is stopped")
            await self.toll.call("stop", Answer, agents=[agent.id])

    def say_once(self, who: str, text: str) -> None:
        if (line := f"{who}: {text}") not in self.said:
            self.said.add(line)
            print(line, flush=True)


async def orchestrate(workflow: str, work: str, budgets: dict[str, float], extra: float) -> bool:
    """Lead the workflow from its start to its end, and show what it took; whether it was completed."""
    async with AsyncToll(timeout=STOP_SECONDS) as toll:
        await toll.status()  # NoDaemonError where there is none to start with.
        toll.patience = RESTART_SECONDS
        await ask(toll, "workflow.start", Answer, workflow=workflow, path="full")
        for stage, usd in budgets.items():
            await ask(
                toll, "limit.set", Answer, workflow=workflow, stage=stage, usd=usd, action="pause"
            )
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


def show(table: Table) -> None:
    """Print what the stages took."""
    print(f"{'Stage':12} {'Requests':>8} {'Tokens':>11} {'Billed':>9} {'Duration':>9}  Status")
    for row in (*table.stages, table.totals):
        name = "Total" if row is table.totals else row.stage or "(no stage)"
        took = f"{row.requests:8,} {row.total_tokens:11,} {row.cost_usd:9.4f} {row.duration_seconds or 0:8.0f}s"
        print(f"{name:12} {took}  {row.status or ''}")


def say(who: str, text: str) -> None:
    print(f"{who}: {text}", flush=True)


def budget(text: str) -> tuple[str, float]:
    stage, _, usd = text.partition("=")
    if stage not in {each.name for each in STAGES}:
        raise ValueError
    return stage, float(usd)


def main() -> int:
    parser = ArgumentParser(description="Lead a piece of work from analysis to review.")
    parser.add_argument("workflow", help="its id, such as .claude-4nq")
    parser.add_argument("work", help="what is to be done")
    parser.add_argument(
        "--budget",
        action="append",
        type=budget,
        default=[],
        metavar="STAGE=USD",
        help="instead of the usual one",
    )
    parser.add_argument(
        "--extra", type=float, default=1.0, metavar="USD", help="what a stage gets once"
    )
    given = parser.parse_args()
    if not shutil.which("claude"):
        print("orchestrator: claude is not on the PATH", file=sys.stderr)
        return 127
    budgets = {stage.name: stage.budget_usd for stage in STAGES} | dict(given.budget)
    try:
        is_completed = asyncio.run(orchestrate(given.workflow, given.work, budgets, given.extra))
    except TollError as error:
        print(
            f"orchestrator: {error}" + (f" ({error.hint})" if error.hint else ""), file=sys.stderr
        )
        return error.exit_status
    except KeyboardInterrupt:
        print("orchestrator: interrupted", file=sys.stderr)
        return 130
    return 0 if is_completed else 1


if __name__ == "__main__":
    sys.exit(main())
