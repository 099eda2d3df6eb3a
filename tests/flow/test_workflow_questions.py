"""What workflows cost, asked of a running daemon whose agents bear labels."""

import csv
import io
from typing import Any

import pytest

from waiting import wait_until

from .agent_process import AgentProcess
from .keeper import Keeper
from .lines import HAIKU, OPUS, USUAL, USUAL_HAIKU_USD, USUAL_USD

Json = dict[str, Any]
ROLES = {"analyze": "analyst", "plan": "planner", "implement": "implementer", "review": "reviewer"}


def work_at(keeper: Keeper, workflow: str, number: int, stage: str, replies: int) -> AgentProcess:
    """An agent that goes through this stage, with so many replies of each of two models."""
    labels = {
        "TOLL_AGENT": ROLES[stage],
        "TOLL_WORKFLOW": workflow,
        "TOLL_TASK": f"{workflow}.{number}-{stage}",
        "TOLL_STAGE": stage,
    }
    before = keeper.requests()
    agent = keeper.start_agent(labels=labels)
    agent.says("busy")
    for _ in range(replies):
        agent.log.reply(model=OPUS)
        agent.log.reply(model=HAIKU)
    keeper.wait_for_requests(before + 2 * replies)
    return agent


@pytest.fixture
def worked(daemon: Keeper) -> Keeper:
    """A daemon that has seen two workflows, of four stages and of one, to their ends."""
    for number, stage in enumerate(ROLES, 1):
        work_at(daemon, ".claude-4nq", number, stage, replies=number).exit()
    work_at(daemon, ".claude-4nx", 3, "implement", replies=1).exit()
    for workflow in (".claude-4nq", ".claude-4nx"):
        wait_until(lambda workflow=workflow: {"completed"} == statuses(daemon, workflow))
    return daemon


def statuses(keeper: Keeper, workflow: str) -> set[str | None]:
    """How its stages ended, None while one lasts."""
    told = keeper.report("workflow.show", workflow=workflow)
    return {stage["status"] for stage in told["stages"]}


PAIR_USD = USUAL_USD + USUAL_HAIKU_USD


def test_show(worked: Keeper) -> None:
    """Each stage stands in order with its task, role, models and what it took; they add up to the total."""
    told = worked.json("workflow", "show", ".claude-4nq")
    stages = told["stages"]
    assert list(ROLES) == [stage["stage"] for stage in stages]
    for number, stage in enumerate(stages, 1):
        assert [f".claude-4nq.{number}-{stage['stage']}"] == stage["tasks"]
        assert [[ROLES[stage["stage"]]], [HAIKU, OPUS]] == [stage["roles"], stage["models"]]
        assert (2 * number, 2 * number * USUAL.total) == (stage["requests"], stage["total_tokens"])
        assert pytest.approx(number * PAIR_USD) == stage["cost_usd"]
        assert (number / 10, 1) == (stage["share"], stage["runs"])
        assert stage["duration_seconds"] > 0
    totals = told["totals"]
    assert (20, 20 * USUAL.total) == (totals["requests"], totals["total_tokens"])
    # 15,000 tokens read, 500 and 1,500 written: at $4, $0.20, $5, $8 a million, and at $0.10, $0.01,
    # $0.125, $0.20.
    opus = 15_000 * (4 - 0.2) - 500 * (5 - 4) - 1_500 * (8 - 4)
    haiku = 15_000 * (0.1 - 0.01) - 500 * (0.125 - 0.1) - 1_500 * (0.2 - 0.1)
    assert pytest.approx(10 * (opus + haiku) / 1e6) == totals["cache_saved_usd"]
    assert pytest.approx(15_000 / (USUAL.total - USUAL.output)) == totals["cache_hit_rate"]


def test_same_as_reports(worked: Keeper) -> None:
    """The questions and the reports tell the same, over a restart too."""
    before = [ask(worked) for _ in range(2)]
    worked.kill()
    worked.start()
    assert [ask(worked)] * 2 == before
    parts = worked.report("daily", by=["workflow", "stage"])["totals"]["breakdown"]
    reported = {(*part["by"].values(),): part["costUSD"] for part in parts}
    for workflow in (".claude-4nq", ".claude-4nx"):
        for stage in worked.json("workflow", "show", workflow)["stages"]:
            assert reported.pop((workflow, stage["stage"])) == stage["cost_usd"]
    assert {} == reported


def ask(keeper: Keeper) -> list[Json]:
    """All answers."""
    return [
        keeper.report("workflow.show", workflow=".claude-4nq"),
        keeper.report("workflow.compare", workflows=[".claude-4nq", ".claude-4nx"]),
        *(keeper.report(f"workflow.{verb}") for verb in ("top", "stages", "paths")),
    ]


def test_compare_and_top(worked: Keeper) -> None:
    """Two workflows stand beside each other, and the dearest of all stages is told."""
    told = worked.json("workflow", "compare", ".claude-4nq", ".claude-4nx")
    [implement] = [stage["cells"][1] for stage in told["stages"] if stage["stage"] == "implement"]
    assert pytest.approx(-2 * PAIR_USD) == implement["difference"]["cost_usd"]
    assert pytest.approx(-200 / 3) == implement["difference_percent"]["cost_usd"]
    top = worked.json("workflow", "top", "--last", "2")
    assert [10 / 11, 1 / 11] == pytest.approx([each["share"] for each in top["workflows"]])
    assert ["implement", "review"] == [each["stage"] for each in top["stages"]]
    assert ["implementer", "reviewer"] == [each["role"] for each in top["roles"]]
    stages = worked.json("workflow", "stages", "--stage", "implement")["stages"]
    assert [2] == [stage["workflows"] for stage in stages]
    assert pytest.approx(2 * PAIR_USD) == stages[0]["cost_usd"]["median"]
    [path] = worked.json("workflow", "paths")["paths"]
    assert (None, 2) == (path["path"], path["workflows"])


def test_for_people_and_files(worked: Keeper) -> None:
    """Every question has its table, its CSV and its Markdown."""
    for question in (
        ["show", ".claude-4nq"],
        ["compare", ".claude-4nq", ".claude-4nx"],
        ["top"],
        ["stages"],
        ["paths"],
    ):
        for form in ([], ["--format", "csv"], ["--format", "markdown"]):
            result = worked.run("workflow", *question, *form)
            assert (0, "") == (result.returncode, result.stderr)
            assert "implement" in result.stdout or question == ["paths"]
    printed = worked.run("workflow", "show", ".claude-4nq", "--format", "csv").stdout
    records = list(csv.DictReader(io.StringIO(printed)))
    assert list(ROLES) == [record["stage"] for record in records]
    cost = sum(float(record["cost_usd"]) for record in records)
    assert pytest.approx(10 * PAIR_USD) == cost


def test_subagents_are_roles(daemon: Keeper) -> None:
    """A subagent's type is its stage and its role, beside the agent that it works for."""
    agent = daemon.start_agent(labels={"TOLL_AGENT": "master", "TOLL_WORKFLOW": "bd-4nq"})
    agent.says("busy")
    agent.log.reply()
    agent.log.subagent("analyst", "look at it").reply()
    daemon.wait_for_requests(2)
    told = daemon.json("workflow", "show", "bd-4nq")
    found = [(stage["stage"], stage["roles"]) for stage in told["stages"]]
    assert [("analyze", ["analyst"]), (None, ["master"])] == found


def test_moved(daemon: Keeper) -> None:
    """What is said later to be of another workflow is asked for there, and is gone from where it was."""
    work_at(daemon, ".claude-4nq", 1, "analyze", replies=1)
    daemon.json("tag", "analyst", "--workflow", ".claude-4nx", "--since", "start")
    assert [".claude-4nx"] == [
        each["workflow"] for each in daemon.json("workflow", "top")["workflows"]
    ]
    result = daemon.run("workflow", "show", ".claude-4nq")
    told = "toll: no workflow '.claude-4nq' is known; is it '.claude-4nx'?\n"
    assert (1, "", told) == (result.returncode, result.stdout, result.stderr)
