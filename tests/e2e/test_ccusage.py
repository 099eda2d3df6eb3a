"""The reports beside those of the real ccusage: the same tokens, wherever it counts right."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

import ccusage
from corpus import write_corpus
from flow.keeper import Keeper

from .random_home import write_random_home
from .seed import the_seed

Figures = tuple[int, ...]
"""Tokens: input, output, cache writes, cache reads."""

# Where a report holds its rows, and what names a row.
VERBS = {
    "daily": ("daily", "date"),
    "weekly": ("weekly", "week"),
    "monthly": ("monthly", "month"),
    "session": ("sessions", "sessionId"),
}
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
]
KEYS = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")
BLOCK_KEYS = (
    "inputTokens",
    "outputTokens",
    "cacheCreationInputTokens",
    "cacheReadInputTokens",
)
# A corpus of a seed is always the same. In these nothing is that ccusage counts wrong by day, and
# both Europe's clocks and America's change.
SEEDS = (3, 4)
CORPUS_ENDS = datetime(2025, 11, 6, tzinfo=UTC)
RANDOM_HOMES = 5


@pytest.fixture(
    scope="module", params=[*(f"corpus {seed}" for seed in SEEDS), *range(RANDOM_HOMES)]
)
def keeper(request: pytest.FixtureRequest) -> Iterator[Keeper]:
    """A daemon over a made-up home: a long corpus like a real one's, or a small odd one."""
    with Keeper() as keeper:
        if isinstance(request.param, str):
            seed = int(request.param.split()[1])
            write_corpus(keeper.home.path, 3, seed, 14, CORPUS_ENDS)
        else:
            seed = f"{the_seed()} {request.param}"
            print(f"TOLL_SEED={the_seed()}")
            write_random_home(Random(seed), keeper.home.path)
        keeper.start()
        keeper.wait_for(lambda status: status.daemon.importing is None)
        yield keeper


def test_same_tokens(keeper: Keeper, ccusage_binary: Path) -> None:
    """Every row of every report has ccusage's tokens by model, in all time zones."""
    kin = kin_of(keeper.home.path)
    for verb in VERBS:
        for zone in ZONES:
            theirs = ccusage.report(ccusage_binary, keeper.home.path, verb, "-z", zone)
            ours = keeper.report(verb, timezone=zone)
            assert by_model(theirs, verb, kin) == by_model(ours, verb, kin), (verb, zone)


@pytest.mark.parametrize("keeper", range(RANDOM_HOMES), indirect=True, scope="module")
def test_same_blocks(keeper: Keeper, ccusage_binary: Path) -> None:
    """Every block of five hours begins when ccusage's does, and has its tokens."""
    theirs = ccusage.report(ccusage_binary, keeper.home.path, "blocks")
    assert blocks(theirs) == blocks(keeper.report("blocks"))


def test_same_days_of_a_span(keeper: Keeper, ccusage_binary: Path) -> None:
    """From a day on, and until a day, there are the same rows."""
    days = [row["date"] for row in keeper.report("daily", timezone="UTC")["daily"]]
    since, until = days[len(days) // 3], days[len(days) * 2 // 3]
    span = ("--since", since.replace("-", ""), "--until", until.replace("-", ""))
    theirs = ccusage.report(ccusage_binary, keeper.home.path, "daily", "-z", "UTC", *span)
    ours = keeper.report("daily", timezone="UTC", since=since, until=until)
    assert by_model(theirs, "daily", {}) == by_model(ours, "daily", {})


def by_model(report: dict[str, Any], verb: str, kin: dict[str, str]) -> dict[str, Figures]:
    """Tokens by row and model; the rows of kin in one, and fast replies under their model's name."""
    rows, name = VERBS[verb]
    found: dict[str, Figures] = {}
    for row in report[rows]:
        for model in row["modelBreakdowns"]:
            key = f"{kin.get(row[name], row[name])} {model['modelName'].removesuffix('-fast')}"
            known = found.get(key, (0, 0, 0, 0))
            figures = (model[each] for each in KEYS)
            found[key] = tuple(map(sum, zip(known, figures, strict=True)))
    return {key: figures for key, figures in found.items() if any(figures)}


def blocks(report: dict[str, Any]) -> dict[str, Figures]:
    """Tokens by the start of the block, without gaps and blocks of nothing but error lines."""
    found = {
        block["startTime"][:19]: tuple(block["tokenCounts"][key] for key in BLOCK_KEYS)
        for block in report["blocks"]
    }
    return {start: figures for start, figures in found.items() if any(figures)}


def kin_of(home: Path) -> dict[str, str]:
    """Which names of sessions are to be seen as one.

    ccusage books what a fork copied to the fork, where the fork's name comes first, and takes the
    run of a workflow for a session of its own.
    """
    kin: dict[str, str] = {}
    for path in sorted(home.rglob("*.jsonl")):
        if "workflows" in path.parts:
            kin[path.parent.name] = path.parents[3].name
        for line in path.read_bytes().splitlines():
            if b'"requestSessionId"' in line:
                fields = json.loads(line)
                kin[fields["sessionId"]] = fields["requestSessionId"]
    return {name: _eldest(name, kin) for name in kin}


def _eldest(name: str, kin: dict[str, str]) -> str:
    while (parent := kin.get(name, name)) != name:
        name = parent
    return name
