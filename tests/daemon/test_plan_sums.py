"""What each account was used for: messages of the day and month, and the same after a restart."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tollkeeper_daemon.ledger.books import Book, quarter
from tollkeeper_daemon.ledger.ledger import Posting
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.plan.sums import Messages, PlanSums
from tollkeeper_daemon.store.store import Store

DAY = timedelta(days=1)
TODAY = datetime(2026, 11, 22)
OPUS, SONNET = "claude-opus-5-5", "claude-sonnet-5-5"
SUBSCRIBED = "subscription"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "ledger") as store:
        yield store


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def sums_of(store: Store, day: datetime = TODAY) -> PlanSums:
    sums = PlanSums()
    begin(sums, store, day)
    return sums


def begin(sums: PlanSums, store: Store, day: datetime) -> None:
    store.read(lambda transaction: sums.begin_day(ms(day), ms(day + DAY), transaction))


def book_messages(store: Store, sums: PlanSums, moment: datetime, book: Book, count: int) -> None:
    """So many messages were answered then, for a dollar each."""
    time, totals = quarter(ms(moment)), Totals(messages=count, value=count * 10**9)

    def save(transaction: object) -> None:
        posting = Posting()
        posting.add((time, transaction.number_of(book)), totals)  # pyright: ignore
        transaction.save(posting)  # pyright: ignore

    store.write(save)
    sums.add(time, book, totals)


def test_messages_of_today_and_of_opus_this_month(store: Store) -> None:
    """Messages count by the local day, those of Opus by the calendar month; who pays by key has none."""
    sums = sums_of(store)
    noon = TODAY + DAY / 2
    for moment, model, source, account, count in (
        (noon, OPUS, SUBSCRIBED, "a", 3),
        (noon, SONNET, SUBSCRIBED, "a", 5),
        (noon, SONNET, SUBSCRIBED, "b", 7),
        (noon, OPUS, "api", "", 100),
        (TODAY.replace(day=1), OPUS, SUBSCRIBED, "a", 20),
        (TODAY.replace(day=1) - DAY / 24, OPUS, SUBSCRIBED, "a", 1_000),
    ):
        book_messages(store, sums, moment, Book("c", model, source, account), count)
    for each in (sums, sums_of(store)):
        assert each.messages("a", alone=False) == Messages(today=8, opus=23)
        assert each.messages("b", alone=False) == Messages(today=7, opus=0)
        assert sorted(each.names) == ["a", "b"]


def test_a_new_day_and_a_new_month(store: Store) -> None:
    """At midnight the day's count begins anew, and with the month that of Opus, as after a restart."""
    sums = sums_of(store)
    book_messages(store, sums, TODAY + DAY / 2, Book("c", OPUS, SUBSCRIBED, "a"), 3)
    book_messages(store, sums, TODAY + DAY * 1.5, Book("c", OPUS, SUBSCRIBED, "a"), 4)
    for day, today, opus in ((TODAY + DAY, 4, 7), (datetime(2026, 12, 1), 0, 0)):
        begin(sums, store, day)
        for each in (sums, sums_of(store, day)):
            assert each.messages("a", alone=False) == Messages(today, opus)


def test_a_message_that_moves_to_its_model(store: Store) -> None:
    """A message waits under no model; when Opus answers it, it is one of Opus."""
    sums = sums_of(store)
    noon = TODAY + DAY / 2
    book_messages(store, sums, noon, Book("c", "", SUBSCRIBED, "a"), 1)
    assert sums.messages("a", alone=False) == Messages(1, 0)
    book_messages(store, sums, noon, Book("c", "", SUBSCRIBED, "a"), -1)
    book_messages(store, sums, noon, Book("c", OPUS, SUBSCRIBED, "a"), 1)
    assert sums.messages("a", alone=False) == Messages(1, 1)


def test_value_since_a_moment_within_a_quarter(store: Store) -> None:
    """What came after a moment is told to the request, also when the sums are read from the store."""
    sums = sums_of(store)
    noon, book = TODAY + DAY / 2, Book("c", OPUS, SUBSCRIBED, "a")
    book_messages(store, sums, noon, book, 2)
    booked = sums.booked("a", False, ms(noon))
    book_messages(store, sums, noon, book, 3)
    book_messages(store, sums, noon + DAY / 24, book, 4)
    later = ms(noon + DAY / 12)
    for each in (sums, sums_of(store)):
        assert each.since("a", False, ms(noon), booked, later) == 7 * 10**9
        assert each.since("b", False, ms(noon), 0, later) == 0
        assert each.since("a", False, ms(noon), 10**15, later) == 0
