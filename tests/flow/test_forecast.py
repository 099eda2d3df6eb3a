"""``toll workflow forecast`` against a running daemon, from the logs of past work."""

from typing import Any

import pytest

from waiting import wait_until

from . import lines
from .keeper import Keeper
from .lines import USUAL, USUAL_USD

LINES_A_FILE = 10
TURNS_A_FILE = 3


def do_work(keeper: Keeper, number: int, files: int) -> None:
    """A workflow whose implementer changes so many files, in three replies each, and whose planner none."""
    log = keeper.home.log()
    log.reply()
    planner = log.subagent("planner", f"plan task .claude-w{number}a.2-plan")
    planner.reply()
    helper = log.subagent("implementer", f"do task .claude-w{number}a.3-implement")
    for file in range(files):
        helper.reply()
        helper.edit(f"/src/{file}.py")
        helper.edit(f"/src/{file}.py", "two", "six")
    log.append(lines.cost_state(log.writer, files * LINES_A_FILE - files, files))


@pytest.fixture
def past(keeper: Keeper) -> Keeper:
    """A daemon that has read the logs of nine workflows, of one file to nine."""
    for files in range(1, 10):
        do_work(keeper, files, files)
    keeper.start()
    keeper.wait_for_requests(9 * 2 + 45 * TURNS_A_FILE)
    return keeper


def pieces(keeper: Keeper, **params: str) -> list[dict[str, Any]]:
    """The past pieces of work, as the daemon tells them."""
    return keeper.report("workflow.pieces", **params)["pieces"]


def test_pieces(past: Keeper) -> None:
    """Each stage has its own files, lines and turns, though one conversation did all of them."""
    found = {each["workflow"]: each for each in pieces(past, stage="implement")}
    assert {f".claude-w{n}a" for n in range(1, 10)} == found.keys()
    for number in range(1, 10):
        each = found[f".claude-w{number}a"]
        expected = (number, LINES_A_FILE * number, TURNS_A_FILE * number)
        assert expected == (each["files"], each["lines"], each["turns"])
        assert USUAL.total * TURNS_A_FILE * number == each["tokens"]
    assert {(0, 0, 1)} == {
        (each["files"], each["lines"], each["turns"]) for each in pieces(past, stage="plan")
    }


def test_forecast(past: Keeper) -> None:
    """The command predicts a stage by what is known of it, over a restart too."""
    asked = ("workflow", "forecast", "--stage", "implement", "--turns", "20")
    answer = past.json(*asked)
    assert (9, ["turns"]) == (answer["pieces"], answer["used"])
    tokens = answer["forecast"]["tokens"]
    assert tokens["low"] <= tokens["predicted"] <= tokens["high"]
    assert tokens["predicted"] == pytest.approx(20 * USUAL.total, rel=0.1)
    value = answer["forecast"]["value_usd"]["predicted"]
    assert value == pytest.approx(20 * USUAL_USD, rel=0.1)
    past.kill()
    past.start()
    assert answer == past.json(*asked)


def test_too_little(past: Keeper) -> None:
    """Too little history ends with 0 and says what there is."""
    result = past.run("workflow", "forecast", "--stage", "review")
    expected = "Too little history for a forecast of stage review: no pieces of work are over, 8 are needed.\n"
    assert (0, expected, "") == (result.returncode, result.stdout, result.stderr)


def test_said_later(past: Keeper) -> None:
    """Work that gets another label later takes its files and lines with it."""
    agent = past.start_agent(labels={"TOLL_WORKFLOW": "first", "TOLL_STAGE": "implement"})
    agent.says("busy")
    before = past.requests()
    agent.log.edit("/src/a.py")
    agent.log.edit("/src/b.py")
    agent.log.append(lines.cost_state(agent.log.writer, 5, 2))
    agent.log.reply()
    past.wait_for_requests(before + 3)
    past.json("tag", str(agent.pid), "--workflow", "second", "--since", "start")
    agent.exit()

    def over() -> dict[str, Any] | None:
        found = {each["workflow"]: each for each in pieces(past, stage="implement")}
        assert "first" not in found
        return found.get("second")

    second = wait_until(over)
    assert (2, 7, 3) == tuple(second[name] for name in ("files", "lines", "turns"))
