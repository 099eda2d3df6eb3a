"""Views and reports: what sums and roster look like to the world."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper_daemon import reports, view
from tollkeeper_daemon.control import daily, session
from tollkeeper_daemon.control.refusal import Refused
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.roster import LiveAgent, LiveSubagent, Roster
from tollkeeper_daemon.store.schema import AgentRecord, Conversation
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.tally import Tally, dollars

from .lines import HAIKU, NINE_MS, NOW, OPUS
from .shelf import post_to_store
from .test_ledger import reply

HOUR = 3_600_000
SUBSCRIBED = Book("conv-1", OPUS, "subscription")
BILLED = Book("conv-1", OPUS, "api")


# Views.


def test_money_is_rounded_to_nine_places() -> None:
    """A nano-dollar is the ninth place, and no more digits are told."""
    assert (0.047152, 0.1, 0.000000001, 0.0) == (
        dollars(47_152_000),
        dollars(100_000_000),
        dollars(1),
        dollars(0),
    )


@given(st.integers(0, 10**15))
def test_dollars_are_exact(nano: int) -> None:
    """Whatever is told in dollars can be turned back into nano-dollars, up to a million."""
    assert nano == round(dollars(nano) * 1e9)


def test_subscription_has_a_value_but_no_cost() -> None:
    """A day's cost is what is billed, its value the list price of everything."""
    tallies = {"subscription": Tally(), "api": Tally(), "proxy-1": Tally()}
    for source, tally in tallies.items():
        tally.add(Book("c", OPUS, source), Totals(requests=1, value=10**9))
    today = view.today_view(tallies)
    assert (0.0, 1.0) == (today.subscription.cost_usd, today.subscription.value_usd)
    assert (2.0, 2.0) == (today.api.cost_usd, today.api.value_usd)
    assert (2.0, 3.0, 3) == (today.total.cost_usd, today.total.value_usd, today.total.requests)


def test_usage_view() -> None:
    """Every sum has its word on the wire."""
    tally = Tally()
    tally.add(BILLED, Totals(1, 2, 3, 4, 5, 6, 7, 8, 9_000_000_000, 10))
    usage = tally.usage()
    assert (1, 2, 3, 4, 5, 6, 7, 8, 25, 9.0, 9.0, 10) == (
        usage.requests,
        usage.messages,
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_5m_tokens,
        usage.cache_write_1h_tokens,
        usage.web_searches,
        usage.total_tokens,
        usage.cost_usd,
        usage.value_usd,
        usage.unpriced_requests,
    )


def test_agent_view() -> None:
    """An agent is told with its project's name, what is unknown as null, and its helpers."""
    agent = LiveAgent(AgentRecord("1-2", 1, "a", NINE_MS, "r", cwd="/home/dev/shop/"))
    agent.subagents = {
        "h1": LiveSubagent("h1", "analyst", last_time=NOW),
        "h2": LiveSubagent("h2", last_time=NOW - 61_000),
        "h3": LiveSubagent("h3", last_time=NOW, finished=True),
    }
    told = view.agent_view(agent, NOW)
    assert ("shop", None, None, "2026-11-22T09:00:00.000+00:00") == (
        told.project,
        told.model,
        told.last_activity_at,
        told.started_at,
    )
    assert ["working", "done", "done"] == [each.state for each in told.subagents]
    assert ["analyst", None, None] == [each.type for each in told.subagents]


def test_no_run() -> None:
    """Without a run there is none to tell."""
    assert view.run_view(Roster(), Tally()) is None


# Reports.


def rows(*told: tuple[str, Book, int]) -> list[reports.Sum]:
    """Rows of the sums: when, in which book, and for how many nano-dollars."""
    return [
        (
            int(datetime.fromisoformat(moment).timestamp()) // 900,
            book,
            Totals(requests=1, input=10, value=value),
        )
        for moment, book, value in told
    ]


def test_days_of_a_zone() -> None:
    """The same rows fall on other days in other zones, to the quarter of an hour."""
    told = rows(
        ("2026-11-21T18:14:59Z", BILLED, 1),
        ("2026-11-21T18:15:00Z", BILLED, 2),
        ("2026-11-21T23:00:00Z", BILLED, 4),
    )
    for zone, expected in (
        ("UTC", {"2026-11-21": 7}),
        ("Asia/Kathmandu", {"2026-11-21": 1, "2026-11-22": 6}),
        ("Europe/Berlin", {"2026-11-21": 3, "2026-11-22": 4}),
    ):
        report = reports.daily(told, ZoneInfo(zone))
        found = {day["date"]: round(day["valueUSD"] * 1e9) for day in report["daily"]}
        assert expected == found


def test_report_lines() -> None:
    """A line has ccusage's keys, its models from the dearest down, and subscription apart."""
    haiku = Book("conv-1", HAIKU, "api")
    report = reports.daily(
        rows(
            ("2026-11-22T09:00Z", haiku, 10**9),
            ("2026-11-22T09:00Z", SUBSCRIBED, 3 * 10**9),
            ("2026-11-22T09:00Z", Book("conv-1", "", "api"), 0),
        ),
        UTC,
    )
    (line,) = report["daily"]
    assert [OPUS, HAIKU] == line["modelsUsed"] == [m["modelName"] for m in line["modelBreakdowns"]]
    assert (4.0, 4.0, 1.0, 30) == (
        line["totalCost"],
        line["valueUSD"],
        line["costUSD"],
        line["totalTokens"],
    )
    assert line["totalTokens"] == report["totals"]["totalTokens"]


def test_sessions_report() -> None:
    """A line per conversation, by its first activity."""
    told = rows(("2026-11-22T09:00Z", BILLED, 1), ("2026-11-22T09:00Z", Book("c0", OPUS, "api"), 2))
    first = {"conv-1": "2026-11-22", "c0": "2026-11-21"}
    report = reports.session(told, lambda name: {"firstActivity": first[name]})
    assert ["c0", "conv-1"] == [line["sessionId"] for line in report["sessions"]]


class Keeper:
    """As much of a daemon as a report needs."""

    def __init__(self, store: Store) -> None:
        self.store = store


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Daemon]:
    with Store(tmp_path) as store:
        days = [NINE_MS - 24 * HOUR, NINE_MS, NINE_MS + 24 * HOUR]
        post_to_store(store, [[reply(f"m{day}", f"r{day}", output=1, time=day) for day in days]])
        known = Conversation("p", "/a", "title", first_time=days[0], last_time=days[2])
        store.write(lambda transaction: transaction.save_conversation("conv-1", known))
        yield cast(Daemon, Keeper(store))


@pytest.mark.parametrize(
    ("params", "days"),
    [
        ({}, ["21", "22", "23"]),
        ({"since": "2026-11-22"}, ["22", "23"]),
        ({"until": "2026-11-22"}, ["21", "22"]),
        ({"since": "2026-11-22", "until": "2026-11-22"}, ["22"]),
        ({"since": "2026-11-23", "until": "2026-11-21"}, []),
        ({"since": "0001-01-01", "until": "9999-12-31"}, ["21", "22", "23"]),
        ({"since": "9999-12-31"}, []),
        ({"timezone": "Pacific/Kiritimati"}, ["21", "22", "23"]),
        ({"timezone": "Pacific/Kiritimati", "since": "2026-11-23"}, ["23"]),
    ],
)
@pytest.mark.parametrize("local", ["UTC", "Pacific/Auckland", "America/Los_Angeles"])
def test_periods(
    keeper: Daemon,
    in_zone: Callable[[str], None],
    local: str,
    params: dict[str, Any],
    days: list[str],
) -> None:
    """A report holds the days from the first to the last that was asked for, inclusive."""
    in_zone(local)
    report = daily.answer(keeper, {"timezone": "UTC", **params})
    assert [f"2026-11-{day}" for day in days] == [line["date"] for line in report["daily"]]


def test_local_zone_is_the_default(keeper: Daemon, in_zone: Callable[[str], None]) -> None:
    """Without a zone the days are those of this machine, from the first to the last there are."""
    in_zone("Pacific/Kiritimati")
    for since in ("0001-01-01", "2026-11-22"):
        report = daily.answer(keeper, {"since": since})
        assert "2026-11-23" in [line["date"] for line in report["daily"]]


@pytest.mark.parametrize(
    "params",
    [
        {"timezone": "Nowhere/Land"},
        {"timezone": ""},
        {"timezone": "../../etc/passwd"},
        {"timezone": "Europe"},
        {"timezone": 5},
        {"since": "yesterday"},
        {"since": 5},
        {"sicne": "2026-11-22"},
    ],
)
def test_bad_periods(keeper: Daemon, params: dict[str, Any]) -> None:
    """A period that makes no sense is refused for what it is."""
    with pytest.raises(Refused) as raised:
        daily.answer(keeper, params)
    assert "bad-params" == raised.value.code


def test_session_answer(keeper: Daemon) -> None:
    """A conversation is told with its place, title and times."""
    (line,) = session.answer(keeper, {})["sessions"]
    assert ("conv-1", "p", "/a", "title") == (
        line["sessionId"],
        line["projectPath"],
        line["cwd"],
        line["title"],
    )
    assert line["firstActivity"] < line["lastActivity"]
