"""``toll ccusage`` with the real ccusage: both sides as they are, and every difference named."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

import ccusage
from corpus import write_corpus
from daemon.lines import as_block, assistant, usage
from flow.keeper import Keeper

from .random_home import write_random_home
from .seed import the_seed
from .test_ccusage_differs import CASES, COSTS, MAIN, SONNET, Case, said

CORPUS_ENDS = datetime(2025, 11, 6, tzinfo=UTC)
DAY_OF_CASES = "2026-11-22"
FIRST_DAY = date(2026, 1, 1)
# What the cases call their replies, conversations and lines.
NAMES = ("msg_1", "req_1", "r-again", "r2", "r2-again", "conv-1", "conv-2", "line-1")
# Which cause is to be named for which case, by how that begins.
CAUSES = {
    "no requestId": "no-request-id",
    "requestId on one block only": "some-request-ids",
    "no message id": "no-message-id",
    "replay that is not marked": "replay",
    "error line": "error",
    "subagent's reply repeated on a line of progress": "progress",
    "cache writes with a split of zeros": "split",
    "cache writes beyond the split": "split",
    "a split beyond the cache writes": "split",
    "kinds of tokens that are largest": "uneven",
    "null in": "null",
    "an empty message id": "empty-id",
    "blanks between": "spelling",
    "the time written as": "time",
    "ten web searches": "web-searches",
    "inference in the US": "us",
    "a model without a price": "no-price",
    "an alias": "no-price",
    "opus 5.5 in fast mode": "no-price",
    "a long prompt of haiku 5.5": "no-price",
    "more than 200,000 tokens": "above-200k",
    "a region of Bedrock": "region",
    "an old line's own costUSD": "own-cost",
    "an old line's costUSD of nothing": "own-cost",
}

Snapshot = dict[str, Any]


@pytest.fixture
def beside(ccusage_binary: Path) -> Iterator[Keeper]:
    """A daemon to be, which knows where ccusage is."""
    with Keeper() as keeper:
        settings = f'[ccusage]\ncommand = "{ccusage_binary}"\n'
        keeper.configure(f"[sources]\nprocesses = false\n\n{settings}")
        yield keeper


def ask(keeper: Keeper, *options: str) -> tuple[int, Snapshot]:
    """The exit status of ``toll ccusage`` once all logs are read, and what it says."""
    keeper.start()
    keeper.wait_for(lambda status: status.daemon.importing is None)
    result = keeper.run("ccusage", "--json", *options, timeout=60)
    assert not result.stderr
    return result.returncode, json.loads(result.stdout)


def own_day(lines: list[bytes], number: int) -> list[bytes]:
    """The lines of a case on a day of their own, with names of their own."""
    day = str(FIRST_DAY + timedelta(days=2 * number)).encode()
    moved = [line.replace(DAY_OF_CASES.encode(), day) for line in lines]
    for name in NAMES:
        old, new = f'"{name}"'.encode(), f'"{name}-{number}"'.encode()
        moved = [line.replace(old, new) for line in moved]
    return moved


def write_cases(home: Path, cases: list[Case]) -> dict[str, Case]:
    """Write the logs of all cases into one home; each case by its day."""
    for number, case in enumerate(cases):
        for name, lines in case.logs.items():
            path = home / "projects" / name.replace("-p/conv", f"-p/{number}-conv")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(as_block(own_day(lines, number)))
    return {str(FIRST_DAY + timedelta(days=2 * at)): case for at, case in enumerate(cases)}


def test_every_known_difference_is_named(beside: Keeper) -> None:
    """Of each case of docs/accounting.md the cause is named, and no other one, with all that it comes to."""
    cases = [*(case for case in CASES if "daily" in case.verbs), *COSTS]
    days = write_cases(beside.home.path, cases)
    status, found = ask(beside, "-z", "UTC")
    named = {
        days[day["date"]].name: {
            cause["cause"] for model in day["models"] for cause in model["causes"]
        }
        for day in found["daily"]
    }
    wanted = {
        case.name: next(cause for start, cause in CAUSES.items() if case.name.startswith(start))
        for case in cases
    }
    # Models that one of the two has no price for differ by that as well.
    prices = {"no-price", "guessed"}
    assert {name: {wanted[name]} | (causes & prices) for name, causes in named.items()} == named
    assert wanted.keys() == named.keys()
    for model in (model for day in found["daily"] for model in day["models"]):
        told = [each["differenceTokens"] or 0 for each in model["causes"]]
        theirs, ours = model["ccusage"], model["tollkeeper"]
        assert sum(told) == theirs["totalTokens"] - ours["totalTokens"]
    assert (status, found["totals"]["unexplained"]) == (0, 0)


@pytest.mark.parametrize("seed", [3, 4])
def test_generated_logs(beside: Keeper, seed: int) -> None:
    """Over a corpus all tokens agree, and what each difference comes to is told to the last cent."""
    write_corpus(beside.home.path, 3, seed, 14, CORPUS_ENDS)
    status, found = ask(beside)
    assert (status, found["totals"]["unexplained"]) == (0, 0)
    assert found["totals"]["differ"] > 0
    for model in (model for day in found["daily"] for model in day["models"]):
        theirs, ours = model["ccusage"], model["tollkeeper"]
        assert theirs["totalTokens"] == ours["totalTokens"]
        told = sum(cause["differenceUSD"] for cause in model["causes"])
        assert told == pytest.approx(theirs["totalCost"] - ours["totalCost"], abs=1e-6)


@pytest.mark.parametrize("number", range(3))
def test_random_homes(beside: Keeper, number: int) -> None:
    """Over odd but honest logs every difference has a name."""
    print(f"TOLL_SEED={the_seed()}")
    write_random_home(Random(f"{the_seed()} {number}"), beside.home.path)
    status, found = ask(beside)
    assert (status, found["totals"]["unexplained"]) == (0, 0)


def test_logs_that_are_gone(beside: Keeper) -> None:
    """What the ledger keeps of a log that was deleted is named as that."""
    for name, text in ((MAIN, said()), ("-p/conv-2.jsonl", said(message="m2", request="r2"))):
        path = beside.home.path / "projects" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text + b"\n")
    beside.start()
    beside.wait_for_requests(2)
    (beside.home.path / "projects" / MAIN).unlink()
    [model] = beside.json("ccusage")["daily"][0]["models"]
    assert (model["ccusage"]["outputTokens"], model["tollkeeper"]["outputTokens"]) == (500, 1000)
    [cause] = model["causes"]
    assert (cause["cause"], cause["count"], cause["differenceTokens"]) == ("gone", 1, -510)
    apart = model["ccusage"]["totalCost"] - model["tollkeeper"]["totalCost"]
    assert cause["differenceUSD"] == pytest.approx(apart, abs=1e-8)


def test_what_is_kept(beside: Keeper) -> None:
    """The snapshot of the day is what was answered, and the ledger's side is that of the report."""
    path = beside.home.path / "projects" / MAIN
    path.parent.mkdir(parents=True)
    lines = [said(), assistant(usage(9, 8, 7, 6, 5), model=SONNET, message="m2", request="r2")]
    path.write_bytes(as_block(lines))
    status, found = ask(beside)
    [kept] = (beside.paths.data / "usage" / "ccusage-snapshots").iterdir()
    assert (0, found) == (status, json.loads(kept.read_bytes()))
    assert kept.stat().st_mode & 0o777 == 0o600
    report = beside.report("daily", timezone=found["timezone"])
    assert [day["tollkeeper"] for day in found["daily"]] == [
        {key: row[key] for key in found["daily"][0]["tollkeeper"]} for row in report["daily"]
    ]
    assert found["totals"]["differ"] == 0
    assert found["ccusage"]["version"] == ccusage.VERSION
    table = beside.run("ccusage", "--all").stdout
    assert "1 of 1 pairs of day and model agree, 0 differ" in table
