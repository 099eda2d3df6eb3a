"""What is exchanged about work: lines and comments come once, however often the daemon is killed and bd fails."""

import json
import os
import random
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from beads_project import BeadsProject
from tollkeeper import wire
from waiting import wait_until

from .agent_process import AgentProcess
from .keeper import Keeper
from .lines import OPUS, USUAL, USUAL_USD

pytestmark = pytest.mark.skipif(
    not os.path.exists("/proc/self/stat"), reason="process starts are noted as Linux does"
)

WORKFLOW = ".claude-4nq"
STAGES = ("analyze", "plan", "implement", "review", "polish", "ship")
# How bd behaves as each of these stages ends.
MODES: tuple[dict[str, Any], ...] = (
    {"waits": 0.5},
    {"refuses": "Error: database is locked"},
    {"dies": "add"},
    {"lingers": 2},
    {"waits": 60},
    {},
)


def task_of(stage: str) -> str:
    """The task of a stage."""
    return f"{WORKFLOW}.{STAGES.index(stage) + 1}-{stage}"


class Shop:
    """A project with a file of workflows and with Beads, and an agent that works in it."""

    def __init__(self, keeper: Keeper) -> None:
        self.keeper = keeper
        self.beads = BeadsProject(keeper.root / "beads", {task_of(stage): [] for stage in STAGES})
        self.beads.write_program(keeper.root / "bin" / "bd")
        keeper.configure(
            "[sources]\nprocesses = false\n[workflow]\nwrite_metrics = true\n"
            f'[beads]\ncomment = true\ncommand = "{keeper.root}/bin/bd"\n'
        )
        self.folder = keeper.home.cwd("shop")
        self.file = self.folder / ".claude" / "workflow-metrics.jsonl"
        self.file.parent.mkdir()

    def agent(self) -> AgentProcess:
        """An agent that is at work."""
        agent = self.keeper.start_agent()
        agent.says("busy")
        self.keeper.wait_for(lambda status: agent.pid in [each.pid for each in status.agents])
        return agent

    def tells(self, event: str, stage: str, days_ago: int = 0) -> None:
        """Somebody appends an event, as the scripts of the orchestrator do."""
        then = datetime.now(UTC) - timedelta(days=days_ago)
        stamp = then.isoformat(timespec="milliseconds")
        line = {"event": f"stage_{event}", "task_id": task_of(stage), "timestamp": stamp}
        with self.file.open("ab") as file:
            file.write(json.dumps(line).encode() + b"\n")

    def lines(self) -> list[dict[str, Any]]:
        """The daemon's lines."""
        lines = [json.loads(line) for line in self.file.read_bytes().splitlines()]
        return [line for line in lines if "event" not in line]

    def waiting(self) -> int:
        """How many comments wait."""
        health = self.keeper.toll.call("health", dict[str, Any])
        return health["exchange"]["comments_waiting"]


@pytest.mark.timeout(240)
def test_killed_daemon_tells_once(keeper: Keeper) -> None:
    """Each stage has one line and its task one comment, with all of its figures, after a kill at each of them."""
    shop = Shop(keeper)
    chance = random.Random(4)
    keeper.start()
    agent = shop.agent()
    asked = 0
    for number, (stage, mode) in enumerate(zip(STAGES, MODES, strict=True), start=1):
        shop.tells("start", stage)
        wait_until(lambda stage=stage: keeper.agent(agent).stage == stage)
        for _ in range(number):
            agent.log.reply()
        asked += number
        keeper.wait_for_requests(asked)
        shop.beads.behaves(**mode)
        shop.tells("end", stage)
        assert keeper.process
        with pytest.raises(subprocess.TimeoutExpired):
            keeper.process.wait(chance.uniform(0, 8))
        keeper.kill()
        shop.beads.behaves()
        keeper.start()
    wait_until(lambda: len(shop.lines()) >= len(STAGES), 60)
    wait_until(lambda: len(shop.beads.comments()) >= len(STAGES), 60)
    wait_until(lambda: shop.waiting() == 0, 60)
    assert keeper.json("workflow", "end", WORKFLOW)["status"] == "completed"
    keeper.restart()
    wait_until(lambda: shop.waiting() == 0)
    wanted = [
        (stage, task_of(stage), OPUS, number * USUAL.output, number * USUAL_USD, "completed")
        for number, stage in enumerate(STAGES, start=1)
    ]
    assert wanted == [
        (
            line["stage"],
            line["task_id"],
            line["model"],
            line["tokens"]["output"],
            pytest.approx(line["value_usd"]),
            line["status"],
        )
        for line in sorted(shop.lines(), key=lambda line: STAGES.index(line["stage"]))
    ]
    for number, stage in enumerate(STAGES, start=1):
        [text] = shop.beads.comments(task_of(stage))
        assert f"- **Output tokens**: {number * USUAL.output:,}\n" in text
        assert f"- **Stage**: {stage}\n" in text
    [span] = {line["span"] for line in shop.lines() if line["stage"] == "ship"}
    assert span == f"m:{len(STAGES)}"


def test_stages_of_last_month(keeper: Keeper) -> None:
    """A file with old events is read, and whoever listens hears of the new ones alone."""
    shop = Shop(keeper)
    for stage in STAGES[:2]:
        shop.tells("start", stage, days_ago=30)
        shop.tells("end", stage, days_ago=29)
    keeper.start()
    with keeper.feed() as feed:
        shop.agent()
        wait_until(lambda: keeper.run("workflow", "show", WORKFLOW).returncode == 0)
        shop.tells("start", "ship")
        shop.tells("end", "ship")
        told: list[str | None] = []

        def hears() -> bool:
            change = feed.next_change(10)
            assert change, told
            if isinstance(change.update, wire.WorkflowUpdate):
                told.append(change.update.span.stage if change.update.span else None)
            return told.count("ship") == 2

        wait_until(hears)
    assert ["ship", "ship"] == [stage for stage in told if stage]


def test_bd_that_is_absent(keeper: Keeper) -> None:
    """Without bd a comment waits, which health shows, and is written when there is one."""
    shop = Shop(keeper)
    program = keeper.root / "bin" / "bd"
    aside = Path(f"{program}.aside")
    program.rename(aside)
    keeper.start()
    shop.agent()
    shop.tells("start", "plan")
    shop.tells("end", "plan")
    wait_until(lambda: shop.waiting() == 1)

    def failing() -> str:
        health = keeper.toll.call("health", dict[str, Any])
        return health["exchange"]["comments_failing"] or ""

    assert f"{program} is not there" == wait_until(failing)
    aside.rename(program)
    wait_until(lambda: shop.waiting() == 0, 40)
    assert 1 == len(shop.beads.comments(task_of("plan")))
