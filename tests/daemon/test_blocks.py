"""Blocks: ccusage's rule to the hour, the plan's own windows before it, burn rate and projection."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from tollkeeper_daemon.control import blocks as control
from tollkeeper_daemon.control.refusal import Refused
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.ledger.books import QUARTER_MS, Book
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.reports.blocks import BlockChoice, blocks
from tollkeeper_daemon.reports.sheet import Sheet
from tollkeeper_daemon.store.schema import Conversation, PlanWindow
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

from .lines import HAIKU, NINE_MS, OPUS
from .shelf import post_to_store
from .test_ledger import reply

HOUR = 3_600_000
MINUTE = 60_000
BOOK = Book("conv-1", OPUS, "api")
FREE = Book("conv-2", HAIKU, "subscription")
LATER = NINE_MS + 30 * 24 * HOUR

Json = dict[str, Any]


def at(stamp: str) -> int:
    """The time (ms) of an hour and minute of 2026-11-22, or of a whole stamp."""
    stamp = stamp if "T" in stamp else f"2026-11-22T{stamp}"
    return int(datetime.fromisoformat(f"{stamp}Z").timestamp() * 1000)


def report(
    times: list[int],
    resets: list[int] | None = None,
    now: int = LATER,
    book: Callable[[int], Book] = lambda _: BOOK,
    **asked: Any,
) -> list[Json]:
    """The blocks of requests at these times, a hundred tokens and a nano-dollar each."""
    one = [*astuple(Totals(requests=1, input=60, output=40, value=1))]
    by_quarter: dict[int, list[int]] = {}
    for time in sorted(times):
        by_quarter.setdefault(time // QUARTER_MS, []).append(time)
    known = [BOOK, FREE]
    rows = [(time // QUARTER_MS, known.index(book(time)), one) for time in sorted(times)]
    choice = msgspec.convert({"timezone": "UTC", **asked}, BlockChoice)
    edges = {quarter: (of[0], of[-1]) for quarter, of in by_quarter.items()}
    return blocks(
        Sheet(rows, dict(enumerate(known))), choice, edges.__getitem__, resets or [], now
    )["blocks"]


def spans(found: list[Json]) -> list[tuple[str, str, int]]:
    """Start, end and number of requests of each block; gaps have none."""
    return [(each["startTime"][11:16], each["endTime"][11:16], each["entries"]) for each in found]


def test_a_block_begins_at_the_full_hour() -> None:
    """A block lasts five hours from the full hour of its first request."""
    found = report([at("09:47"), at("13:59:59.999"), at("14:00")])
    assert [("09:00", "14:00", 2), ("14:00", "19:00", 1)] == spans(found)
    assert ["2026-11-22T09:00:00.000Z", "2026-11-22T14:00:00.000Z"] == [b["id"] for b in found]
    assert "2026-11-22T13:59:59.999Z" == found[0]["actualEndTime"]


def test_a_pause_is_a_gap() -> None:
    """After more than five hours without a request a gap is told, from five hours after the last."""
    found = report([at("09:10"), at("15:20")])
    assert [("09:00", "14:00", 1), ("14:10", "15:20", 0), ("15:00", "20:00", 1)] == spans(found)
    assert [False, True, False] == [block["isGap"] for block in found]
    assert "gap-2026-11-22T14:10:00.000Z" == found[1]["id"]
    assert [False] == [block["isGap"] for block in report([at("09:10"), at("15:20")], last=1)]
    assert 3 == len(report([at("03:10"), at("09:10"), at("15:20")], last=2))


def test_a_pause_to_the_millisecond() -> None:
    """Exactly five hours are no gap yet, a millisecond more is one."""
    first = at("09:59:30")
    for pause, gaps in ((5 * HOUR, 0), (5 * HOUR + 1, 1)):
        assert gaps == sum(block["isGap"] for block in report([first, first + pause]))


def test_a_longer_session() -> None:
    """With --session-length a block lasts so many hours, and a pause must be as long."""
    found = report([at("09:10"), at("18:00")], session_length=10)
    assert [("09:00", "19:00", 2)] == spans(found)


def test_prompts_alone_are_no_block() -> None:
    """A prompt that nothing answered opens no block."""
    message = [*astuple(Totals(messages=1))]
    sheet = Sheet([(NINE_MS // QUARTER_MS, 0, message)], {0: BOOK})
    assert [] == blocks(sheet, BlockChoice(), lambda _: (0, 0), [], LATER)["blocks"]


def test_the_plans_window_wins() -> None:
    """Where a window of the plan is known, what was requested in it is that block, so labelled."""
    found = report([at("08:30"), at("09:10"), at("12:10"), at("14:20")], resets=[at("14:03")])
    assert [("08:00", "09:03", 1), ("09:03", "14:03", 2), ("14:00", "19:00", 1)] == spans(found)
    assert ["estimate", "plan", "estimate"] == [block["basis"] for block in found]


def test_windows_count_for_five_hours_only() -> None:
    """Blocks of another length are estimated throughout."""
    found = report([at("09:10")], resets=[at("14:03")], session_length=3)
    assert [("09:00", "12:00", 1)] == spans(found)


def test_the_active_block() -> None:
    """The block of now has a burn rate and a projection; so long as it is not over, nor long idle."""
    times = [at("09:10"), at("09:40")]
    (block,) = report(times, now=at("10:00"))
    assert block["isActive"]
    assert {
        "tokensPerMinute": 200 / 30,
        "tokensPerMinuteForIndicator": 200 / 30,
        "costPerHour": 4e-9,
    } == pytest.approx(block["burnRate"])
    assert {"remainingMinutes": 240, "totalTokens": 1800, "totalCost": 0.0} == block["projection"]
    (block,) = report(times, now=at("14:00"))
    assert (False, None, None) == (block["isActive"], block["burnRate"], block["projection"])


def test_one_request_has_no_rate() -> None:
    """One request alone is no rate."""
    (block,) = report([at("09:10")], now=at("09:20"))
    assert (True, None, None) == (block["isActive"], block["burnRate"], block["projection"])


def test_only_some() -> None:
    """Only the active block, only the last three days, only days of a span; gaps go with them."""
    days = [at(f"2026-11-{day}T09:10") for day in (17, 20, 22)]
    assert ["22"] == _days(report(days, now=at("09:30"), active=True))
    assert ["20", "22"] == _days(report(days, now=at("09:30"), recent=True))
    spanned = report(days, since="2026-11-18", until="2026-11-20")
    assert ["20"] == _days(spanned)
    assert 1 == len(spanned)
    assert ["22", "20", "17"] == _days(report(days, order="desc"))
    assert [] == report(days, active=True)


def _days(found: list[Json]) -> list[str]:
    return [block["id"][8:10] for block in found if not block["isGap"]]


@pytest.mark.parametrize(
    ("limit", "status", "percent"),
    [(1000, "exceeds", 180.0), (2000, "warning", 90.0), (5000, "ok", 36.0)],
)
def test_token_limit(limit: int, status: str, percent: float) -> None:
    """A block is measured against a limit by what it comes to at its end."""
    (block,) = report([at("09:10"), at("09:40")], now=at("10:00"), token_limit=limit)
    assert {
        "limit": limit,
        "projectedUsage": 1800,
        "percentUsed": percent,
        "status": status,
    } == block["tokenLimitStatus"]


def test_the_limit_max() -> None:
    """The limit max is what the largest block before came to; without one there is no limit."""
    times = [at("2026-11-21T09:10"), at("2026-11-21T09:20"), at("09:10")]
    (*_, block) = report(times, now=at("09:30"), token_limit="max")
    assert 200 == block["tokenLimitStatus"]["limit"]
    (block,) = report([at("09:10")], now=at("09:30"), token_limit="max")
    assert "tokenLimitStatus" not in block


def test_money_of_a_block() -> None:
    """costUSD is the list price, as in ccusage, billedUSD what is billed; --no-cost leaves out both."""
    times = [at("09:10"), at("09:40"), at("09:41")]

    def book(time: int) -> Book:
        return FREE if time == at("09:40") else BOOK

    asked: Json = {"now": at("10:00"), "book": book}
    (block,) = report(times, **asked)
    assert (3e-9, 3e-9, 2e-9) == (block["costUSD"], block["valueUSD"], block["billedUSD"])
    (block,) = report(times, cost=False, **asked)
    assert not {"costUSD", "valueUSD", "billedUSD"} & block.keys()
    assert "costPerHour" not in block["burnRate"]
    assert "totalCost" not in block["projection"]


def test_blocks_by() -> None:
    """A block is split by what was asked for."""
    times = [at("09:10"), at("09:40")]
    (block,) = report(times, by=["source"], book=lambda time: FREE if time == times[0] else BOOK)
    assert [100, 100] == [part["totalTokens"] for part in block["breakdown"]]


moments = st.lists(st.integers(0, 4 * 24 * 60).map(lambda minute: NINE_MS + minute * MINUTE))


@given(moments, st.lists(st.integers(0, 100).map(lambda hour: NINE_MS + hour * HOUR), max_size=3))
def test_every_request_is_in_one_block(times: list[int], resets: list[int]) -> None:
    """The blocks hold every request once, each within its bounds, and lie one after the other."""
    found = [block for block in report(times, resets) if not block["isGap"]]
    assert len(times) == sum(block["entries"] for block in found)
    stamps = [datetime.fromtimestamp(time / 1000, UTC) for time in sorted(times)]
    for block in found:
        start, end = (datetime.fromisoformat(block[key]) for key in ("startTime", "endTime"))
        assert start <= datetime.fromisoformat(block["actualEndTime"]) <= end
        assert block["entries"] >= 1
        assert sum(start <= stamp < end for stamp in stamps) >= block["entries"]
    assert sorted(block["startTime"] for block in found) == [block["startTime"] for block in found]


@given(moments)
def test_blocks_are_ccusages(times: list[int]) -> None:
    """Without a known window the blocks are those that ccusage's rule makes, request by request."""
    expected: list[tuple[int, int]] = []
    start = last = None
    for time in sorted(times):
        if start is None or last is None or time - start >= 5 * HOUR or time - last > 5 * HOUR:
            start = time - time % HOUR
            expected.append((start, 0))
        expected[-1] = (start, expected[-1][1] + 1)
        last = time
    found = [block for block in report(times) if not block["isGap"]]
    assert expected == [
        (int(datetime.fromisoformat(block["startTime"]).timestamp() * 1000), block["entries"])
        for block in found
    ]


class Keeper:
    """As much of a daemon as the report needs."""

    def __init__(self, store: Store) -> None:
        self.store = store


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Daemon]:
    with Store(tmp_path) as store:
        times = [NINE_MS + 7 * MINUTE, NINE_MS + 9 * MINUTE]
        post_to_store(store, [[reply(f"m{time}", f"r{time}", time=time) for time in times]])
        yield cast(Daemon, Keeper(store))


def test_answer(keeper: Daemon) -> None:
    """The answer looks the exact times up, and knows the windows that the store keeps."""
    (block,) = control.answer(keeper, {})["blocks"]
    assert ("2026-11-22T09:09:00.000Z", 2) == (block["actualEndTime"], block["entries"])
    window = PlanWindow("five_hour", "", NINE_MS + 30 * MINUTE, NINE_MS)
    keeper.store.write(lambda transaction: transaction.save_window(window))
    (block,) = control.answer(keeper, {})["blocks"]
    assert ("2026-11-22T09:30:00.000Z", "plan") == (block["endTime"], block["basis"])


def test_times_are_those_of_the_project(keeper: Daemon) -> None:
    """Of one project, a block's edges and its burn rate are told by that project's requests."""
    other = reply("other", "other", time=NINE_MS + 14 * MINUTE, conversation="conv-2")
    post_to_store(keeper.store, [[other]])

    def save(transaction: Transaction) -> None:
        for name in ("conv-1", "conv-2"):
            transaction.save_conversation(name, Conversation(f"-{name}", f"/{name}"))

    keeper.store.write(save)
    (block,) = control.answer(keeper, {"project": "conv-1"})["blocks"]
    assert ("2026-11-22T09:09:00.000Z", 2) == (block["actualEndTime"], block["entries"])
    (block,) = control.answer(keeper, {"project": "conv-2"})["blocks"]
    assert ("2026-11-22T09:14:00.000Z", 1) == (block["actualEndTime"], block["entries"])


@pytest.mark.parametrize(
    "params",
    [
        {"token_limit": 0},
        {"token_limit": -5},
        {"token_limit": 10**15 + 1},
        {"token_limit": 10**400},
        {"session_length": 0},
        {"session_length": 25},
        {"token_limit": "most"},
        {"active": 1},
    ],
)
def test_bad_params(keeper: Daemon, params: Json) -> None:
    """What makes no sense is refused."""
    with pytest.raises(Refused):
        control.answer(keeper, params)
