"""The history that is there at the first start: read whole, while the daemon answers."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tollkeeper.feed import Feed
from tollkeeper.model import Status
from waiting import wait_until

from .claude_home import Log
from .keeper import Keeper
from .lines import USUAL_USD, Writer

REPO = Path(__file__).parents[2]
# Enough to be read by workers, and for as long as it takes to look at an import under way.
MEGABYTES = 150

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up history, with the truth about it in ``truth.json``."""
    folder = tmp_path_factory.mktemp("corpus")
    command = [sys.executable, "benchmarks/corpus.py", folder, "--seed", "7"]
    subprocess.run(
        [*command, "--megabytes", str(MEGABYTES)], cwd=REPO, check=True, stdout=subprocess.DEVNULL
    )
    return folder


@pytest.fixture
def truth(corpus: Path) -> dict[str, Any]:
    return json.loads((corpus / "truth.json").read_bytes())


@pytest.fixture
def keeper(corpus: Path) -> Iterator[Keeper]:
    """A Tollkeeper that has a history before it, and did not start yet."""
    with Keeper() as idle:
        shutil.copytree(corpus / "projects", idle.home.projects, dirs_exist_ok=True)
        yield idle


def test_import_equals_the_truth(keeper: Keeper, truth: dict[str, Any]) -> None:
    """Every request of the history is counted once, while the daemon answers and says how far."""
    keeper.start()
    importing = keeper.toll.status().daemon.importing
    assert importing and importing.done_bytes < importing.total_bytes
    _await_import(keeper)
    _compare(keeper, truth)


def test_import_is_published(keeper: Keeper) -> None:
    """A subscriber sees the import grow and end."""
    keeper.start()
    seen: list[int | None] = []
    with Feed(keeper.paths) as feed:
        while not seen or seen[-1] is not None:
            change = feed.next_change(20)
            assert change
            importing = change.status.daemon.importing
            seen.append(importing.done_bytes if importing else None)
    grown = [done for done in seen if done is not None]
    assert grown and grown == sorted(grown)


def test_lines_during_the_import(keeper: Keeper, truth: dict[str, Any]) -> None:
    """Lines appended to logs that are being imported, and new logs, are counted once as well."""
    old = max(keeper.home.projects.rglob("*.jsonl"), key=lambda path: path.stat().st_size)
    grown = Log(old, Writer(old.stem, "/home/dev/src/shop"))
    fresh = keeper.home.log()
    keeper.start()
    added = 0
    while keeper.toll.status().daemon.importing:
        grown.reply()
        fresh.reply()
        added += 2
    assert added
    grown.reply()
    fresh.reply()
    keeper.wait_for_requests(truth["requests"] + added + 2)
    spent = truth["cost_usd"] + (added + 2) * USUAL_USD
    assert keeper.report("daily")["totals"]["totalCost"] == pytest.approx(spent)


@pytest.mark.parametrize("end", [Keeper.stop, Keeper.kill], ids=["SIGTERM", "kill -9"])
def test_import_goes_on_after_an_end(
    keeper: Keeper, truth: dict[str, Any], end: Callable[[Keeper], object]
) -> None:
    """An import that was cut off goes on at the next start, and ends equal to the truth."""
    keeper.start()
    # On a machine that pauses us it may be over before it is seen half done.
    keeper.wait_for(lambda status: _is_part_done(status) or status.daemon.importing is None)
    assert keeper.process
    workers = psutil.Process(keeper.process.pid).children(recursive=True)
    end(keeper)
    wait_until(lambda: not any(_runs(each) for each in workers), what="the workers to end")
    keeper.start()
    _await_import(keeper)
    _compare(keeper, truth)


def test_second_start_imports_nothing(keeper: Keeper, truth: dict[str, Any]) -> None:
    """What was imported once is not read again."""
    keeper.start()
    _await_import(keeper)
    keeper.restart()
    assert keeper.toll.status().daemon.importing is None
    _compare(keeper, truth)


def test_agents_after_the_import(keeper: Keeper) -> None:
    """When the import is over, a subscriber has the agents as a snapshot and a later daemon do."""
    agent = keeper.start_agent()
    agent.says("busy")
    agent.log.prompt()
    agent.log.reply()
    agent.log.subagent("analyst", "look at it").reply()
    keeper.start()
    with Feed(keeper.paths) as feed:
        while not (change := feed.next_change(20)) or change.status.daemon.importing:
            assert change
        seen = feed.latest(1)
    assert [(each.usage.requests, each.usage.messages) for each in seen.agents] == [(2, 1)]
    before = keeper.agent(agent)
    assert seen.agents == (before,)
    after = keeper.restart().agent(agent)
    assert (after.usage, after.model, after.source) == (before.usage, before.model, before.source)


def test_history_is_no_news(keeper: Keeper, truth: dict[str, Any]) -> None:
    """Nobody is told of requests that are history, and no agent gets them."""
    keeper.start()
    topics: set[str] = set()
    with Feed(keeper.paths) as feed:
        while (change := feed.next_change(20)) and change.status.daemon.importing:
            topics.add(change.topic)
    assert "snapshot" in topics and "usage" not in topics
    assert keeper.toll.agents() == ()


def _runs(process: psutil.Process) -> bool:
    """Whether it still does; an orphan that nobody reaps does not."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _await_import(keeper: Keeper) -> None:
    keeper.wait_for(lambda status: status.daemon.importing is None, 60)


def _is_part_done(status: Status) -> bool:
    importing = status.daemon.importing
    return importing is not None and importing.done_bytes > 0


def _compare(keeper: Keeper, truth: dict[str, Any]) -> None:
    """Set the reports beside the truth: requests, prompts, dollars, and tokens by model."""
    report = keeper.report("daily")
    totals = report["totals"]
    assert (totals["requests"], totals["messages"]) == (truth["requests"], truth["prompts"])
    assert totals["totalCost"] == pytest.approx(truth["cost_usd"], abs=1e-6)
    assert _by_model(report) == {
        name: (
            model["input"],
            model["output"],
            model["cache_read"],
            model["cache_write_5m"] + model["cache_write_1h"],
            pytest.approx(model["cost_usd"], abs=1e-6),
        )
        for name, model in truth["models"].items()
    }


def _by_model(report: dict[str, Any]) -> dict[str, tuple[float, ...]]:
    keys = ("inputTokens", "outputTokens", "cacheReadTokens", "cacheCreationTokens", "cost")
    found: dict[str, tuple[float, ...]] = {}
    for day in report["daily"]:
        for each in day["modelBreakdowns"]:
            sums = found.get(each["modelName"], (0,) * len(keys))
            found[each["modelName"]] = tuple(
                known + each[key] for known, key in zip(sums, keys, strict=True)
            )
    return found
