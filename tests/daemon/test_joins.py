"""What logs and proxies tell of the same requests, in any order and again: each counts once, with its account."""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.retention import FORGOTTEN, Retention
from tollkeeper_daemon.store.proxy_shelf import ProxyRow
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

from .lines import DATA, NINE_MS, NOW, OPUS, as_line, assistant, usage
from .shelf import account_of_store
from .test_pipeline import pipeline, post

SERVER = "127.0.0.1:8080"
# The same proxy by another address of this machine, and one that it passes its requests on to.
SAME, NEXT = "192.168.0.2:8080", "127.0.0.1:9090"
PASSED_MS = 40
MINUTE = 60_000

T = TypeVar("T")


class Asked(Struct, frozen=True):
    """A request as it was: who knows of it, and by what.

    ``other`` is another proxy that tells of it, with or without the names that this one tells. ``logged`` is
    the output that the log has of a reply that broke off.
    """

    number: int
    minute: int = 0
    conversation: str = "conv-1"
    output: int = 20
    is_logged: bool = True
    has_request_id: bool = True
    account: str | None = "work"
    tells_id: bool = True
    tells_conversation: bool = True
    sees_id_late: bool = False
    input: int = 10
    logged: int | None = None
    other: str = ""
    other_tells_id: bool = True
    other_tells_conversation: bool = True

    def lines(self) -> list[bytes]:
        """What the log says of it: a first block with part of the output, then all of it."""
        if not self.is_logged:
            return []
        names = {
            "message": f"m{self.number}",
            "request": f"r{self.number}" if self.has_request_id else None,
            "timestamp": iso(self.time),
            "sessionId": self.conversation,
        }
        parts = (1, self.output if self.logged is None else self.logged)
        return [assistant(usage(self.input, each, 5, 3, 4), **names) for each in parts]

    def rows(self) -> list[ProxyRow]:
        """What the proxies say of it, the first of them perhaps without its headers at first."""
        if self.account is None:
            return []
        row = ProxyRow(
            proxy=SERVER,
            id=f"row-{self.number}",
            source="api" if self.account == "work" else "subscription",
            account=f"proxy {SERVER}/{self.account}",
            time=self.time + 2_000,
            seen=NOW,
            model=OPUS,
            input=self.input,
            output=self.output,
            cache_read=5,
            cache_write=7,
            request=f"r{self.number}" if self.tells_id else "",
            conversation=self.conversation if self.tells_conversation else "",
        )
        first = [replace(row, request="", conversation="")] if self.sees_id_late else []
        return [*first, row, *self._other_rows(row)]

    def _other_rows(self, row: ProxyRow) -> list[ProxyRow]:
        if not self.other:
            return []
        row = replace(
            row,
            proxy=self.other,
            account=f"proxy {self.other}/{self.account}",
            request=f"r{self.number}" if self.other_tells_id else "",
            conversation=self.conversation if self.other_tells_conversation else "",
        )
        passed = replace(row, id=f"next-{self.number}", time=row.time + PASSED_MS)
        return [row if self.other == SAME else passed]

    @property
    def is_told(self) -> bool:
        """Whether log line and rows have as much in common as there must be to know them for one."""
        ids, conversations = self.ids, self.conversations
        can_be_found = any(ids) or (self.logged is None) or any(conversations)
        return can_be_found and any(ids) <= self.has_request_id

    @property
    def ids(self) -> tuple[bool, bool]:
        """Whether each proxy tells the request's id."""
        return self.tells_id, bool(self.other) and self.other_tells_id

    @property
    def conversations(self) -> tuple[bool, bool]:
        """Whether each proxy tells the conversation."""
        return self.tells_conversation, bool(self.other) and self.other_tells_conversation

    @property
    def time(self) -> int:
        return NINE_MS + self.minute * MINUTE


Event = bytes | ProxyRow | None
"""A line of a log, a row of a proxy, or that the wait for log lines is over."""


def tell(river: Pipeline, store: Store, event: Event) -> None:
    """Let it happen."""
    if event is None:
        river.book_rows(store.read(lambda t: t.proxied.waiting()))
    elif isinstance(event, bytes):
        post(river, event)
    else:
        river.take_rows([event])


def after(
    events: Sequence[Event], look: Callable[[Store], T], restarts: frozenset[int] = frozenset()
) -> T:
    """What is to be seen in the store after these events, with another daemon from some of them on."""
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder)) as store:
        river = pipeline(store)
        for place, event in enumerate(events):
            if place in restarts:
                river = pipeline(store)
            tell(river, store, event)
        return look(store)


def counted(store: Store) -> Counter[str]:
    """How many requests each account has."""

    def work(transaction: Transaction) -> Counter[str]:
        found: Counter[str] = Counter()
        for (_, number), totals in transaction.rows():
            found[transaction.book(number).account] += totals.requests
        return +found

    return store.read(work)


def by_name(counts: Counter[str]) -> Counter[str]:
    """The same by what the accounts are called, whichever proxy they are behind."""
    found: Counter[str] = Counter()
    for account, count in counts.items():
        found[account.rpartition("/")[2]] += count
    return found


def asked(distinct: bool) -> st.SearchStrategy[list[Asked]]:
    """Some requests; ``distinct`` ones have no tokens in common."""
    one = st.builds(
        Asked,
        number=st.integers(1, 6),
        minute=st.sampled_from([0, 1, 14, 16, 52, 58, 61, 70]),
        conversation=st.sampled_from(["conv-1", "conv-2"]),
        output=st.integers(20, 21),
        is_logged=st.booleans(),
        has_request_id=st.booleans(),
        account=st.sampled_from(["work", "home", None]),
        tells_id=st.booleans(),
        tells_conversation=st.booleans(),
        sees_id_late=st.booleans(),
        logged=st.sampled_from([None, None, 3, 20]),
        other=st.sampled_from(["", SAME, NEXT]),
        other_tells_id=st.booleans(),
        other_tells_conversation=st.booleans(),
    )
    several = st.lists(one, max_size=6, unique_by=lambda each: each.number)
    if not distinct:
        return several
    return several.map(lambda all: [replace(each, input=10 + each.number) for each in all])


@settings(max_examples=150, deadline=None)
@given(asked(distinct=False), st.data())
def test_any_interleaving(requests: list[Asked], data: st.DataObject) -> None:
    """Lines and rows in any order, repeated, with waits that end too soon and daemons in between: the

    books are the same as when all is told in turn.
    """
    lines: list[Event] = [line for each in requests for line in each.lines()]
    rows: list[Event] = [row for each in requests for row in each.rows()]
    again = st.lists(st.sampled_from([*lines, *rows, None]), max_size=6)
    events = data.draw(st.permutations([*lines, *rows, *data.draw(again)]))
    restarts = data.draw(st.frozensets(st.integers(0, len(events)), max_size=2))
    in_turn = after([*lines, *rows, None], account_of_store)
    assert in_turn == after([*events, None], account_of_store, restarts)


@settings(max_examples=100, deadline=None)
@given(asked(distinct=True), st.data())
def test_each_once(requests: list[Asked], data: st.DataObject) -> None:
    """Every request that a log or a proxy tells of is counted once, and those of proxies by their accounts."""
    requests = [each for each in requests if each.is_told]
    lines: list[Event] = [line for each in requests for line in each.lines()]
    rows: list[Event] = [row for each in requests for row in each.rows()]
    events = data.draw(st.permutations([*lines, *rows]))
    by_account = after([*events, None], counted)
    assert by_account.total() == sum(
        each.is_logged or each.account is not None for each in requests
    )
    expected = Counter(each.account or "" for each in requests if each.is_logged or each.account)
    assert expected == by_name(by_account)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as store:
        yield store


def test_late_line_withdraws(store: Store) -> None:
    """A log line that comes after its request was booked for the proxy takes that booking's place."""
    river = pipeline(store)
    one = Asked(1)
    river.take_rows(one.rows())
    assert Counter() == counted(store)
    tell(river, store, None)
    assert {f"proxy {SERVER}/work": 1} == counted(store)
    for line in one.lines():
        post(river, line)
    assert {f"proxy {SERVER}/work": 1} == counted(store)
    totals = river.today["api"].totals
    assert (1, 20, 3, 4) == (
        totals.requests,
        totals.output,
        totals.cache_write_5m,
        totals.cache_write_1h,
    )


@pytest.mark.parametrize("ids", [(True, True), (False, False), (False, True)])
@pytest.mark.parametrize("is_logged", [True, False])
def test_last_proxy_pays(store: Store, ids: tuple[bool, bool], is_logged: bool) -> None:
    """Of two proxies that pass a request on the last one's account pays, whichever was heard first."""
    river = pipeline(store)
    here, there = ids
    one = Asked(1, is_logged=is_logged, tells_id=here, other=NEXT, other_tells_id=there)
    for row in one.rows():
        river.take_rows([row])
        tell(river, store, None)
    for line in one.lines():
        post(river, line)
    assert {f"proxy {NEXT}/work": 1} == counted(store)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_id_in_two_messages(place: int) -> None:
    """A request whose id stands in two messages has its account in both, whenever the row comes."""
    one = Asked(1)
    line = assistant(
        usage(10, 20, 5, 3, 4),
        message="m2",
        request="r1",
        timestamp=iso(one.time),
        sessionId="conv-1",
    )
    events: list[Event] = [one.lines()[-1], line]
    events[place:place] = one.rows()
    assert {f"proxy {SERVER}/work": 2} == after([*events, None], counted)


@pytest.mark.parametrize("other", ["", SAME, NEXT])
def test_broken_off(store: Store, other: str) -> None:
    """A reply that broke off has another output in the log than the proxy guesses, and counts once."""
    river = pipeline(store)
    one = Asked(1, tells_id=False, logged=3, other=other, other_tells_id=False)
    river.take_rows(one.rows())
    tell(river, store, None)
    for line in one.lines():
        post(river, line)
    assert {"work": 1} == by_name(counted(store))
    assert river.today["api"].totals.output == 3


def test_rows_are_forgotten(store: Store) -> None:
    """Rows go with the requests that they tell of, and what was counted of them is not counted again."""
    river = pipeline(store)
    unlogged, logged = Asked(1, is_logged=False), Asked(2)
    for line in logged.lines():
        post(river, line)
    river.take_rows([*unlogged.rows(), *logged.rows()])
    tell(river, store, None)
    before = counted(store)
    assert before.total() == 2
    two_days = 2 * 24 * 60 * MINUTE
    asyncio.run(Retention(store, 1).drop(NOW + two_days))
    assert [] == store.read(lambda t: [*t.proxied.rows()])
    assert NOW + two_days // 2 == store.read(lambda t: t.meta(FORGOTTEN))
    # The log line of a request that was only seen by the proxy comes after all.
    for line in replace(unlogged, is_logged=True).lines():
        post(river, line)
    assert before == counted(store)


def test_line_after_its_stand_in(store: Store) -> None:
    """What was dropped is not counted again by its log line, though its row is kept for a day more."""
    river = pipeline(store)
    unlogged = Asked(1, is_logged=False)
    river.take_rows(unlogged.rows())
    tell(river, store, None)
    before = counted(store)
    asyncio.run(Retention(store, 1).drop(unlogged.time + MINUTE))
    assert store.read(lambda t: t.count("proxied")) == 1
    assert store.read(lambda t: t.count("groups")) == 0
    for line in replace(unlogged, is_logged=True).lines():
        post(river, line)
    assert before == counted(store)


@pytest.mark.parametrize("version", ["ledger-v3-proxied", "ledger-v4"])
def test_rows_of_old_ledgers(tmp_path: Path, version: str) -> None:
    """Rows that an earlier version kept are joined with log lines that come now, by id and by tokens."""
    shutil.copytree(DATA / version, tmp_path / "ledger")
    names = {"sessionId": "conv-9", "timestamp": iso(NINE_MS + 15 * MINUTE)}
    with Store(tmp_path / "ledger") as store:
        before = counted(store)
        river = pipeline(store)
        post(river, assistant(usage(10, 600, 0, 0, 0), message="m6", request="req_6", **names))
        post(river, assistant(usage(10, 700, 0, 0, 0), message="m7", request="req_7", **names))
        tell(river, store, None)
        assert {f"proxy {SERVER}/work": 2} == counted(store) - before


@pytest.mark.parametrize("more", ["", "r1"])
def test_row_of_a_dropped_request(store: Store, more: str) -> None:
    """A row whose logged request was dropped is none by itself when another one like it is told, or its id."""
    river = pipeline(store)
    one, other = Asked(1, has_request_id=False, tells_id=False), Asked(2, tells_id=False)
    post(river, *one.lines())
    river.take_rows(one.rows())
    before = counted(store)
    asyncio.run(Retention(store, 1).drop(one.time + MINUTE))
    assert store.read(lambda t: t.count("groups")) == 0
    river.take_rows([*other.rows(), *(replace(row, request=more) for row in one.rows())])
    tell(river, store, None)
    assert {f"proxy {SERVER}/work": 1} == counted(store) - before


def test_twin_of_a_dropped_stand_in(store: Store) -> None:
    """What only a proxy told and was dropped is not counted again when another one tells of it."""
    river = pipeline(store)
    one = Asked(1, is_logged=False, tells_id=False, other=NEXT, other_tells_id=False)
    row, passed = one.rows()
    river.take_rows([row])
    tell(river, store, None)
    before = counted(store)
    asyncio.run(Retention(store, 1).drop(one.time + MINUTE))
    assert store.read(lambda t: t.count("groups")) == 0
    river.take_rows([passed])
    tell(river, store, None)
    assert before == counted(store)
    # One more like them, for which they are joined anew.
    river.take_rows([replace(row, id="far", time=row.time + 5 * MINUTE)])
    tell(river, store, None)
    assert {f"proxy {SERVER}/work": 1} == counted(store) - before


def test_moves_are_no_requests(store: Store) -> None:
    """Neither a login nor labels that are learned later take from a request what the proxy told."""
    river = pipeline(store)
    one = Asked(1)
    for line in one.lines():
        post(river, line)
    river.take_rows(one.rows())
    owner = {"type": "session-owner", "accountUuid": "acc-1", "sessionId": "conv-1"}
    post(river, as_line(owner), *Asked(2, minute=-1, account=None).lines())
    assert {f"proxy {SERVER}/work": 1, "acc-1": 1} == counted(store)
