"""The verb ``export``: every request once, oldest first, page by page."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleeting import fleeting_folder
from tollkeeper.exports import Page, Request
from tollkeeper_daemon import clock
from tollkeeper_daemon.clock import FAR
from tollkeeper_daemon.control import export
from tollkeeper_daemon.control.refusal import Refused
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.ledger.ledger import Ledger
from tollkeeper_daemon.records import Advice, Reply
from tollkeeper_daemon.store.schema import AgentRecord, Conversation
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

from .entries import replies
from .lines import HAIKU, NINE_MS, OPUS
from .shelf import PRICES, added_up, book_of_prompt, post_to_store
from .test_ledger import reply


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as store:
        yield store


def ask(store: Store, **params: Any) -> Page:
    """The page that a daemon with this store answers with."""
    return export.answer(cast(Daemon, SimpleNamespace(store=store)), params)


def all_pages(store: Store, **params: Any) -> Iterator[Page]:
    """Page after page, to the last."""
    page = ask(store, **params)
    yield page
    while page.next is not None:
        page = ask(store, **params, after=page.next)
        yield page


def exported(store: Store, **params: Any) -> list[Request]:
    """The requests on all pages."""
    return [request for page in all_pages(store, **params) for request in page.requests]


def names(requests: list[Request]) -> list[str | None]:
    """The ids of these requests."""
    return [request.request for request in requests]


@settings(max_examples=100)
@given(st.lists(replies(), max_size=12), st.integers(1, 4))
def test_every_request_once_and_oldest_first(told: list[Reply], limit: int) -> None:
    """The pages of any size hold what the sums hold, in the order of time."""
    with fleeting_folder() as folder, Store(Path(folder)) as store:
        post_to_store(store, [told])
        found = exported(store, limit=limit)
        total = store.read(lambda t: added_up(totals for _, totals in t.rows()))
    assert total.requests == len(found)
    assert sorted(each.time for each in found) == [each.time for each in found]
    assert total.tokens == sum(
        each.input_tokens
        + each.output_tokens
        + each.cache_read_tokens
        + each.cache_write_5m_tokens
        + each.cache_write_1h_tokens
        for each in found
    )
    assert total.value == sum(round(each.value_usd * 1e9) for each in found)
    assert total.unpriced == sum(each.unpriced for each in found)


def test_what_is_told_of_a_request(store: Store) -> None:
    """A request is told with its place, its agent, its labels, its payer and its figures."""
    book = Book("conv-1", OPUS, "proxy-1", "acc", "4711-99", "h1", "analyst", "w", "t", "s")
    ledger = Ledger(PRICES, lambda reply: book, book_of_prompt)
    made = reply(output=3, cache_read=4, cache_write_5m=5, cache_write_1h=6, web_searches=7)

    def fill(transaction: Transaction) -> None:
        transaction.save(ledger.post([made], transaction))
        transaction.save_conversation("conv-1", Conversation("-src-shop", "/src/shop"))
        transaction.save_agent(AgentRecord("4711-99", 4711, "Ada", NINE_MS, "run-1"))

    store.write(fill)
    [found] = exported(store)
    assert (
        Request(
            time="2026-11-22T09:00:00.000+00:00",
            conversation="conv-1",
            project="shop",
            cwd="/src/shop",
            agent="Ada",
            agent_id="4711-99",
            subagent="h1",
            subagent_type="analyst",
            model=OPUS,
            source="proxy-1",
            account="acc",
            workflow="w",
            task="t",
            stage="s",
            request="r1",
            input_tokens=10,
            output_tokens=3,
            cache_read_tokens=4,
            cache_write_5m_tokens=5,
            cache_write_1h_tokens=6,
            web_searches=7,
            fast=False,
            us=False,
            value_usd=found.value_usd,
            cost_usd=found.value_usd,
            unpriced=False,
        )
        == found
    )
    assert found.value_usd > 0.07


def test_what_is_not_known(store: Store) -> None:
    """What is not known of a request is None; what a subscription pays costs nothing."""
    ledger = Ledger(PRICES, lambda reply: Book("", OPUS, "subscription"), book_of_prompt)
    store.write(lambda t: t.save(ledger.post([reply("m1", "", fast=True, us=True)], t)))
    [found] = exported(store)
    known = {name for name in Request.__struct_fields__ if getattr(found, name) is not None}
    assert {"time", "model", "source"} == {
        name for name in known if isinstance(getattr(found, name), str)
    }
    assert (True, True, 0.0) == (found.fast, found.us, found.cost_usd)
    assert found.value_usd > 0


def test_project_without_a_directory(store: Store) -> None:
    """A conversation whose directory is not known is named by its log's folder."""
    post_to_store(store, [[reply()]])
    store.write(lambda t: t.save_conversation("conv-1", Conversation("-src-shop")))
    [found] = exported(store)
    assert ("-src-shop", None) == (found.project, found.cwd)


def test_requests_of_one_reply(store: Store) -> None:
    """Advice stands beside its reply, on the same page; a later request of the group in its place."""
    advised = reply(advice=(Advice(HAIKU, 5), Advice(HAIKU, 6)))
    later = reply(request="r3", input=11, time=NINE_MS + 2)
    post_to_store(store, [[advised, later, reply("m2", "r2", time=NINE_MS + 1)]])
    pages = [[each.input_tokens for each in page.requests] for page in all_pages(store, limit=1)]
    assert [[10, 5, 6], [10], [11]] == pages


def test_pages(store: Store) -> None:
    """A full page names the next, the last does not; the first says how many requests there are."""
    post_to_store(store, [[reply(f"m{each}", f"r{each}") for each in range(7)]])
    pages = list(all_pages(store, limit=3))
    assert [3, 3, 1] == [len(page.requests) for page in pages]
    assert [7, None, None] == [page.total for page in pages]
    assert [7] == [len(page.requests) for page in all_pages(store, limit=7)]
    assert [7] == [len(page.requests) for page in all_pages(store)]


def test_requests_that_come_meanwhile(store: Store) -> None:
    """A request that comes after a page was read is on a later page, if it is a later one."""
    post_to_store(store, [[reply(f"m{each}", f"r{each}", time=each) for each in (1, 2, 5)]])
    page = ask(store, limit=2)
    post_to_store(store, [[reply("m4", "r4", time=4), reply("m0", "r0", time=0)]])
    assert page.next is not None
    assert ["r4", "r5"] == names(ask(store, after=page.next).requests)


def test_nothing_to_export(store: Store) -> None:
    """An empty ledger, and an empty span, is one empty page."""
    empty = Page([], None, 0)
    assert empty == ask(store)
    post_to_store(store, [[reply()]])
    assert empty == ask(store, until="2026-11-21", timezone="UTC")
    assert empty == ask(store, since="2026-11-23", timezone="UTC")
    assert empty == ask(store, since="2026-11-23", until="2026-11-22", timezone="UTC")


def hourly(store: Store, start: datetime, hours: int) -> None:
    """A request at the beginning and one at the end of each of these hours."""
    first = int(start.timestamp() * 1000)
    post_to_store(
        store,
        [
            [
                reply(name, name, time=first + hour * 3_600_000 + offset)
                for hour in range(hours)
                for offset in (0, 3_599_999)
                for name in [f"{hour}-{offset}"]
            ]
        ],
    )


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("UTC", "2026-03-29", 24),
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Asia/Kathmandu", "2026-05-05", 24),
        ("Africa/Cairo", "2026-04-24", 23),  # The clocks go on at midnight: the day begins at one.
        ("Africa/Cairo", "2026-10-29", 25),  # They go back at midnight: 23 o'clock comes twice.
        ("America/Havana", "2026-11-01", 25),  # They go back to midnight, which comes twice.
    ],
)
def test_days_of_a_zone(store: Store, zone: str, day: str, hours: float) -> None:
    """A day is as long as the clocks of its zone make it, and what lies in it is its own."""
    named = date.fromisoformat(day)
    hourly(store, datetime(named.year, named.month, named.day, tzinfo=UTC) - timedelta(days=2), 120)
    found = exported(store, since=day, until=day, timezone=zone)
    assert 2 * hours == len(found)
    times = [datetime.fromisoformat(each.time).astimezone(ZoneInfo(zone)) for each in found]
    assert {named} == {each.date() for each in times}
    around = exported(
        store,
        since=(named - timedelta(days=1)).isoformat(),
        until=(named + timedelta(days=1)).isoformat(),
        timezone=zone,
    )
    others = {
        datetime.fromisoformat(each.time).astimezone(ZoneInfo(zone)).date()
        for each in around
        if each not in found
    }
    assert {named - timedelta(days=1), named + timedelta(days=1)} == others


def test_local_zone_is_the_default(store: Store, in_zone: Callable[[str], None]) -> None:
    """Without a zone days are those of the local one."""
    hourly(store, datetime(2026, 10, 24, tzinfo=UTC), 72)
    in_zone("Europe/Berlin")
    expected = exported(store, since="2026-10-25", until="2026-10-25", timezone="Europe/Berlin")
    assert 50 == len(expected)
    assert expected == exported(store, since="2026-10-25", until="2026-10-25")


@pytest.mark.parametrize("zone", [None, "UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_ends_of_the_calendar(store: Store, zone: str | None) -> None:
    """The first and the last day that can be named bound nothing."""
    post_to_store(store, [[reply("m1", "r1", time=0), reply("m2", "r2", time=NINE_MS)]])
    assert ["r1", "r2"] == names(
        exported(store, since="0001-01-01", until="9999-12-31", timezone=zone)
    )
    assert [] == exported(store, since="9999-12-31", timezone=zone)
    assert [] == exported(store, until="0001-01-01", timezone=zone)
    assert FAR >= clock.start_of(date.max, None)


@pytest.mark.parametrize(
    "params",
    [
        {"since": "22.11.2026"},
        {"until": "2026-13-01"},
        {"timezone": "Mars/Olympus"},
        {"timezone": "../../etc/passwd"},
        {"after": "no hex"},
        {"after": 5},
        {"after": "00" * 600},
        {"limit": 0},
        {"limit": 2001},
        {"limit": "many"},
        {"by": ["agent"]},
    ],
)
def test_bad_params(store: Store, params: dict[str, Any]) -> None:
    """What is no span, no place and no number of requests is refused in one line."""
    with pytest.raises(Refused) as raised:
        ask(store, **params)
    assert "bad-params" == raised.value.code
    assert "\n" not in str(raised.value)


@settings(max_examples=30)
@given(st.binary(max_size=40))
def test_any_place(after: bytes) -> None:
    """A place that no page named begins somewhere, and harms nothing."""
    with fleeting_folder() as folder, Store(Path(folder)) as store:
        post_to_store(store, [[reply()]])
        assert len(ask(store, after=after.hex()).requests) in (0, 1)
