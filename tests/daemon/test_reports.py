"""Reports: what the sums come to by day, week, month and conversation, split and narrowed."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from tollkeeper_daemon.config import Config, Weekday
from tollkeeper_daemon.control import daily, monthly, session, weekly
from tollkeeper_daemon.control.refusal import Refused
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.own.file import OwnFile
from tollkeeper_daemon.own.settings import Settings
from tollkeeper_daemon.reports import conversations, periods
from tollkeeper_daemon.reports.choice import Dimension
from tollkeeper_daemon.reports.conversations import SessionChoice
from tollkeeper_daemon.reports.periods import WEEKDAYS, PeriodChoice
from tollkeeper_daemon.reports.sheet import Place, Sheet
from tollkeeper_daemon.store.schema import Conversation
from tollkeeper_daemon.store.store import Store

from .lines import HAIKU, NINE_MS, OPUS
from .shelf import post_to_store
from .test_ledger import reply

HOUR = 3_600_000
SUBSCRIBED = Book("conv-1", OPUS, "subscription")
BILLED = Book("conv-1", OPUS, "api")
DOLLAR = 10**9

Booking = tuple[str, Book, int]
Json = dict[str, Any]

# Whatever adds up: all figures of a line but those that only name something.
COUNTS = (
    "inputTokens",
    "outputTokens",
    "cacheCreationTokens",
    "cacheReadTokens",
    "webSearches",
    "totalTokens",
    "requests",
    "messages",
    "unpricedRequests",
)
MONEY = ("totalCost", "valueUSD", "costUSD")


def sheet(*bookings: Booking, places: dict[str, Place] | None = None, **names: str) -> Sheet:
    """The rows of these: when, in which book, and for how many nano-dollars."""
    books = [*dict.fromkeys(book for _, book, _ in bookings)]
    rows = [
        (
            int(datetime.fromisoformat(moment).timestamp()) // 900,
            books.index(book),
            [*astuple(Totals(requests=1, input=10, value=value))],
        )
        for moment, book, value in bookings
    ]
    return Sheet(sorted(rows), dict(enumerate(books)), names, places or {})


def worth(lines: list[Json], key: str) -> dict[str, int]:
    """The value of each line in nano-dollars."""
    return {line[key]: round(line["valueUSD"] * 1e9) for line in lines}


def test_days_of_a_zone() -> None:
    """The same rows fall on other days in other zones, to the quarter of an hour."""
    told = sheet(
        ("2026-11-21T18:14:59Z", BILLED, 1),
        ("2026-11-21T18:15:00Z", BILLED, 2),
        ("2026-11-21T23:00:00Z", BILLED, 4),
    )
    for zone, expected in (
        ("UTC", {"2026-11-21": 7}),
        ("Asia/Kathmandu", {"2026-11-21": 1, "2026-11-22": 6}),
        ("Europe/Berlin", {"2026-11-21": 3, "2026-11-22": 4}),
    ):
        report = periods.daily(told, PeriodChoice(timezone=zone))
        assert expected == worth(report["daily"], "date")


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        ("Europe/Berlin", "2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z"),
        ("Europe/Berlin", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"),
        ("Europe/Berlin", "2026-10-25T22:59:59Z", "2026-10-25T23:00:00Z"),
        ("America/New_York", "2026-11-02T04:59:59Z", "2026-11-02T05:00:00Z"),
        ("America/Havana", "2026-11-01T03:59:59Z", "2026-11-01T04:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-04T12:59:59Z", "2026-10-04T13:00:00Z"),
    ],
)
def test_days_around_a_change_of_clocks(zone: str, before: str, after: str) -> None:
    """A day of 23, 25 or 24 and a half hours begins and ends at its own midnights."""
    report = periods.daily(
        sheet((before, BILLED, 1), (after, BILLED, 2)), PeriodChoice(timezone=zone)
    )
    days = [date.fromisoformat(line["date"]) for line in report["daily"]]
    assert [1, 2] == [*worth(report["daily"], "date").values()]
    assert timedelta(1) == days[1] - days[0]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("sunday", {"2026-11-15": 1, "2026-11-22": 6}),
        ("monday", {"2026-11-16": 3, "2026-11-23": 4}),
        ("saturday", {"2026-11-21": 7}),
    ],
)
def test_weeks(start: Weekday, expected: dict[str, int]) -> None:
    """A week is named by its first day, whichever weekday that is."""
    told = sheet(
        ("2026-11-21T12:00Z", BILLED, 1),
        ("2026-11-22T12:00Z", BILLED, 2),
        ("2026-11-23T12:00Z", BILLED, 4),
    )
    report = periods.weekly(told, PeriodChoice(timezone="UTC"), start)
    assert expected == worth(report["weekly"], "week")


def test_months() -> None:
    """A month is named by year and month, in the zone that was asked for."""
    told = sheet(("2026-10-31T23:30Z", BILLED, 1), ("2026-11-22T12:00Z", BILLED, 2))
    for zone, expected in (
        ("UTC", {"2026-10": 1, "2026-11": 2}),
        ("Europe/Berlin", {"2026-11": 3}),
    ):
        report = periods.monthly(told, PeriodChoice(timezone=zone))
        assert expected == worth(report["monthly"], "month")


def test_report_lines() -> None:
    """A line has ccusage's keys, its models from the dearest down, and subscription apart."""
    haiku = Book("conv-1", HAIKU, "api")
    report = periods.daily(
        sheet(
            ("2026-11-22T09:00Z", haiku, DOLLAR),
            ("2026-11-22T09:00Z", SUBSCRIBED, 3 * DOLLAR),
            ("2026-11-22T09:00Z", Book("conv-1", "", "api"), 0),
        ),
        PeriodChoice(timezone="UTC"),
    )
    (line,) = report["daily"]
    assert [OPUS, HAIKU] == line["modelsUsed"] == [m["modelName"] for m in line["modelBreakdowns"]]
    assert (4.0, 4.0, 1.0, 30) == (
        line["totalCost"],
        line["valueUSD"],
        line["costUSD"],
        line["totalTokens"],
    )
    assert [3.0, 1.0] == [each["cost"] for each in line["modelBreakdowns"]]
    assert line["totalTokens"] == report["totals"]["totalTokens"]


def test_no_cost() -> None:
    """Without cost, and without models, no trace of them is told."""
    told = sheet(("2026-11-22T09:00Z", BILLED, DOLLAR))
    report = periods.daily(told, PeriodChoice(cost=False))
    (line,) = report["daily"]
    for part in (line, report["totals"], line["modelBreakdowns"][0]):
        assert not {"cost", "totalCost", "valueUSD", "costUSD"} & part.keys()
    (line,) = periods.daily(told, PeriodChoice(brief=True))["daily"]
    assert "modelBreakdowns" not in line
    assert [OPUS] == line["modelsUsed"]


def test_order() -> None:
    """The newest lines may come first."""
    told = sheet(*((f"2026-11-{day}T12:00Z", BILLED, day) for day in (20, 21, 22)))
    report = periods.daily(told, PeriodChoice(timezone="UTC", order="desc"))
    assert ["22", "21", "20"] == [line["date"][-2:] for line in report["daily"]]
    assert 63 == round(report["totals"]["valueUSD"] * 1e9)


TODAY = date(2026, 11, 22)  # a Sunday


@pytest.mark.parametrize(
    ("first_of_last", "last", "since"),
    [
        (periods.days_ago, 1, "2026-11-22"),
        (periods.days_ago, 30, "2026-10-24"),
        (periods.weeks_ago("sunday"), 1, "2026-11-22"),
        (periods.weeks_ago("monday"), 1, "2026-11-16"),
        (periods.weeks_ago("monday"), 3, "2026-11-02"),
        (periods.months_ago, 1, "2026-11-01"),
        (periods.months_ago, 12, "2025-12-01"),
        (periods.months_ago, 10**9, "0001-01-01"),
        (periods.days_ago, 10**9, "0001-01-01"),
    ],
)
def test_last(first_of_last: Callable[[date, int], date], last: int, since: str) -> None:
    """The last so many days, weeks or months are those of the calendar, the one of today included."""
    found = periods.lately(PeriodChoice(last=last), TODAY, first_of_last)
    assert since == str(found.since)
    later = PeriodChoice(last=last, since=date(2026, 11, 22))
    assert date(2026, 11, 22) == periods.lately(later, TODAY, first_of_last).since
    assert periods.lately(PeriodChoice(), TODAY, first_of_last).since is None


PLACES = {
    "conv-1": Place("-home-dev-shop", "/home/dev/shop", first_time=2),
    "conv-2": Place("-home-dev-docs", "/home/dev/docs", first_time=1),
    "conv-3": Place("-home-dev-old", first_time=3),
}
OF_THREE = sheet(
    ("2026-11-21T12:00Z", BILLED, 1),
    ("2026-11-22T12:00Z", Book("conv-2", HAIKU, "api"), 2),
    ("2026-11-22T12:00Z", Book("conv-3", HAIKU, "api"), 4),
    places=PLACES,
)


@pytest.mark.parametrize(
    ("project", "value"),
    [("shop", 1), ("/home/dev/docs", 2), ("-home-dev-old", 4), ("sho", 0), ("", 4)],
)
def test_project(project: str, value: int) -> None:
    """A project is named by its path, its folder or its slug, and by no part of them."""
    for report in (
        periods.daily(OF_THREE, PeriodChoice(project=project)),
        conversations.session(OF_THREE, SessionChoice(project=project)),
    ):
        assert value == round(report["totals"]["valueUSD"] * 1e9)


def test_instances() -> None:
    """The projects one after the other, each with its days, as ccusage tells them."""
    report = periods.daily(OF_THREE, PeriodChoice(timezone="UTC", instances=True))
    assert "daily" not in report
    found = {project: worth(lines, "date") for project, lines in report["projects"].items()}
    assert {
        "-home-dev-docs": {"2026-11-22": 2},
        "-home-dev-old": {"2026-11-22": 4},
        "-home-dev-shop": {"2026-11-21": 1},
    } == found
    assert {"-home-dev-shop"} == {line["project"] for line in report["projects"]["-home-dev-shop"]}


def test_by() -> None:
    """A line is split by whatever was asked for, the dearest first, and so are the totals."""
    ada = Book("conv-1", OPUS, "api", agent="1-2", subagent="h1", subagent_type="analyst", task="t")
    bob = Book("conv-2", HAIKU, "subscription", account="a1", agent="3-4", subagent="h2", stage="s")
    told = sheet(
        ("2026-11-22T09:00Z", ada, 1),
        ("2026-11-22T09:15Z", ada, 2),
        ("2026-11-22T09:15Z", bob, 5),
        places=PLACES,
        **{"1-2": "Ada"},
    )
    for by, expected in (
        (("agent",), [("3-4",), ("Ada",)]),
        (("subagent",), [("h2",), ("analyst",)]),
        (("source", "account"), [("subscription", "a1"), ("api", "")]),
        (("model", "task", "stage"), [(HAIKU, "", "s"), (OPUS, "t", "")]),
        (("project", "workflow"), [("/home/dev/docs", ""), ("/home/dev/shop", "")]),
    ):
        report = periods.daily(told, PeriodChoice(timezone="UTC", by=cast(Any, by)))
        (line,) = report["daily"]
        for part in (line, report["totals"]):
            assert expected == [tuple(each["by"].values()) for each in part["breakdown"]]
            assert [5, 3] == [round(each["valueUSD"] * 1e9) for each in part["breakdown"]]


def test_messages_by_family() -> None:
    """Messages are told by the family of the model that answered them."""
    told = sheet(
        ("2026-11-22T09:00Z", BILLED, 1), ("2026-11-22T09:00Z", Book("c", HAIKU, "api"), 1)
    )
    messages = Totals.__struct_fields__.index("messages")
    for row, count in zip(told.rows, (3, 2), strict=True):
        row[2][messages] = count
    report = periods.daily(told, PeriodChoice())
    assert {"opus": 3, "haiku": 2} == report["daily"][0]["messagesByFamily"]
    assert {"opus": 3, "haiku": 2} == report["totals"]["messagesByFamily"]


def test_message_without_a_request() -> None:
    """A model that only has a message, whose answer came the next day, was not used that day."""
    alone = Sheet([(1_991_000, 0, [*astuple(Totals(messages=1))])], {0: BILLED})
    (line,) = periods.daily(alone, PeriodChoice())["daily"]
    assert ([], [], 1) == (line["modelsUsed"], line["modelBreakdowns"], line["messages"])
    assert {"opus": 1} == line["messagesByFamily"]


def test_sessions_report() -> None:
    """A line per conversation by its first activity, with its place; some by the id's beginning."""
    report = conversations.session(OF_THREE, SessionChoice())
    assert ["conv-2", "conv-1", "conv-3"] == [line["sessionId"] for line in report["sessions"]]
    assert "/home/dev/docs" == report["sessions"][0]["cwd"]
    assert report["sessions"][0]["lastActivity"] is None
    last = conversations.session(OF_THREE, SessionChoice(last=2, order="desc"))
    assert ["conv-3", "conv-1"] == [line["sessionId"] for line in last["sessions"]]
    named = conversations.session(OF_THREE, SessionChoice(id="conv-1"))
    assert 1 == round(named["totals"]["valueUSD"] * 1e9)


# Whatever is asked, the lines add up.

ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia")
books = st.builds(
    Book,
    conversation=st.sampled_from(["conv-1", "conv-2", "conv-3"]),
    model=st.sampled_from([OPUS, HAIKU, ""]),
    source=st.sampled_from(["api", "subscription"]),
    agent=st.sampled_from(["", "1-2", "3-4"]),
    task=st.sampled_from(["", "t1"]),
)
# Five weeks around a change of the clocks in Europe.
quarters = st.integers(0, 35 * 96).map(lambda step: 1_991_000 + step)
figures = st.lists(st.integers(0, 2), min_size=10, max_size=10)
Rows = list[tuple[int, Book, list[int]]]
rows = st.lists(st.tuples(quarters, books, figures), max_size=30)
splits = st.lists(st.sampled_from(["agent", "model", "task", "project"]), unique=True, max_size=2)


def of_rows(told: Rows) -> Sheet:
    """The sheet of these rows."""
    known = [*dict.fromkeys(book for _, book, _ in told)]
    found = [(quarter, known.index(book), counts) for quarter, book, counts in told]
    return Sheet(sorted(found), dict(enumerate(known)), {"1-2": "Ada"}, PLACES)


def adds_up(parts: list[Json], whole: Json) -> None:
    """The parts come to the whole, to the token and the nano-dollar."""
    for key in COUNTS:
        assert whole[key] == sum(part[key] for part in parts), key
    for key in MONEY:
        assert round(whole[key] * 1e9) == sum(round(part[key] * 1e9) for part in parts), key


@given(rows, st.sampled_from(ZONES), splits, st.sampled_from(WEEKDAYS))
def test_every_report_adds_up(told: Rows, zone: str, by: list[Dimension], start: Weekday) -> None:
    """The lines of every report add up to its totals, and each split to its line."""
    asked: Json = {"timezone": zone, "by": tuple(by)}
    found = [
        (periods.daily(of_rows(told), PeriodChoice(**asked)), "daily"),
        (periods.weekly(of_rows(told), PeriodChoice(**asked), start), "weekly"),
        (periods.monthly(of_rows(told), PeriodChoice(**asked)), "monthly"),
        (conversations.session(of_rows(told), SessionChoice(**asked)), "sessions"),
    ]
    parted = periods.daily(of_rows(told), PeriodChoice(instances=True, **asked))
    every = [line for lines in parted["projects"].values() for line in lines]
    for report, lines in [*((report, report[key]) for report, key in found), (parted, every)]:
        adds_up(lines, report["totals"])
        for whole in (*lines, report["totals"]) if by else ():
            adds_up(whole["breakdown"], whole)


@given(rows, st.sampled_from(ZONES), st.sampled_from(ZONES))
def test_zones_differ_only_in_their_boundaries(told: Rows, one: str, other: str) -> None:
    """The same totals whatever the zone; a day holds just the quarters of its own midnights."""
    first, second = (
        periods.daily(of_rows(told), PeriodChoice(timezone=zone)) for zone in (one, other)
    )
    assert first["totals"] == second["totals"]
    for line in first["daily"]:
        begin = datetime.combine(date.fromisoformat(line["date"]), datetime.min.time())
        start, end = (
            int(moment.replace(tzinfo=ZoneInfo(one)).timestamp()) // 900
            for moment in (begin, begin + timedelta(1))
        )
        within = [counts for quarter, _, counts in told if start <= quarter < end]
        assert line["requests"] == sum(counts[0] for counts in within)


class Keeper:
    """As much of a daemon as a report needs."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.settings = Settings(OwnFile(Path("config.toml")), Config(), lambda kind, text: None)


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
        {"by": ["colour"]},
        {"last": 0},
        {"order": "up"},
        {"project": 1},
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


def test_weekly_and_monthly_answers(keeper: Daemon) -> None:
    """Weeks begin as the settings say, unless the call says otherwise."""
    assert ["2026-11-15", "2026-11-22"] == [
        line["week"] for line in weekly.answer(keeper, {"timezone": "UTC"})["weekly"]
    ]
    asked = {"timezone": "UTC", "start_of_week": "saturday"}
    assert ["2026-11-21"] == [line["week"] for line in weekly.answer(keeper, asked)["weekly"]]
    assert ["2026-11"] == [line["month"] for line in monthly.answer(keeper, {})["monthly"]]


def test_last_answers(keeper: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last days, weeks and months are counted back from now, in the zone asked for."""
    monkeypatch.setattr("tollkeeper_daemon.control.sheets.now_ms", lambda: NINE_MS + 20 * HOUR)
    for verb, key, zone, expected in (
        (daily, "daily", "UTC", ["2026-11-22", "2026-11-23"]),
        (daily, "daily", "America/Los_Angeles", ["2026-11-21", "2026-11-22", "2026-11-23"]),
        (weekly, "weekly", "UTC", ["2026-11-15", "2026-11-22"]),
        (monthly, "monthly", "UTC", ["2026-11"]),
    ):
        report = verb.answer(keeper, {"timezone": zone, "last": 2})
        assert expected == [next(iter(line.values())) for line in report[key]]
