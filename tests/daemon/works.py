"""Made-up workflows in a store: what was booked under them, their spans and their agents."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import strategies as st

from tollkeeper_daemon.control import server
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.labels.labels import Labels
from tollkeeper_daemon.ledger.books import QUARTER_MS, Book
from tollkeeper_daemon.ledger.ledger import Posting
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.store.schema import AgentRecord, SpanRecord
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

from .lines import HAIKU, NINE_MS, OPUS
from .shelf import PRICES

Booking = tuple[int, Book, Totals]
"""The quarter of an hour, the book, and what was booked."""

NINE = NINE_MS // QUARTER_MS
UNKNOWN_MODEL = "claude-nova-9"
WORKFLOWS = ("w-1", "w-2", "")
STAGES = ("plan", "review", "")
AGENTS = {"1-1": "Ada", "2-2": "Ada", "3-3": "Bob"}


def booking(
    workflow: str = "w-1",
    stage: str = "plan",
    *,
    at: int = 0,
    task: str = "",
    agent: str = "1-1",
    helper: str = "",
    model: str = OPUS,
    source: str = "api",
    **totals: int,
) -> Booking:
    """What was booked so many quarters of an hour after nine; one request unless said otherwise."""
    book = Book(
        "conv-1",
        model,
        source,
        agent=agent,
        subagent_type=helper,
        workflow=workflow,
        task=task,
        stage=stage,
    )
    return NINE + at, book, Totals(**{"requests": 1, **totals})


def span(
    workflow: str = "w-1",
    stage: str = "plan",
    started: int = 0,
    ended: int | None = 60,
    *,
    task: str = "",
    role: str = "Ada",
    **more: Any,
) -> SpanRecord:
    """A span from so many seconds after nine to so many; None for one that lasts."""
    began = NINE_MS + started * 1000
    return SpanRecord(
        workflow,
        more.pop("id", f"m:{stage}:{role}:{started}:{ended}"),
        Labels(workflow, task, stage),
        role,
        began,
        0 if ended is None else NINE_MS + ended * 1000,
        **more,
    )


def agent(name: str, id: str) -> AgentRecord:
    """An agent that was seen."""
    return AgentRecord(id, int(id.partition("-")[0]), name, NINE_MS, "run-1")


def save_agents(store: Store) -> None:
    """Keep all agents that bookings name."""

    def work(transaction: Transaction) -> None:
        for id, name in AGENTS.items():
            transaction.save_agent(agent(name, id))

    store.write(work)


def book(store: Store, *bookings: Booking, times: int = 1) -> None:
    """Book these in one posting, as often as that, or take them away."""

    def work(transaction: Transaction) -> None:
        posting = Posting()
        for at, its_book, totals in bookings:
            posting.add((at, transaction.number_of(its_book)), totals, times)
        transaction.save(posting)

    store.write(work)


def go_through(store: Store, spans: Iterable[SpanRecord]) -> None:
    """Save these spans, one by one."""
    for each in spans:
        store.write(lambda transaction, each=each: transaction.work.save_span(each))


def ask(store: Store, method: str, **params: Any) -> dict[str, Any]:
    """What a daemon with this store answers."""
    pipeline = SimpleNamespace(prices=PRICES)
    herald = SimpleNamespace(progress=None)
    daemon = SimpleNamespace(store=store, pipeline=pipeline, herald=herald)
    return server.REPORTS[f"workflow.{method}"](cast(Daemon, daemon), params)


@st.composite
def bookings(draw: st.DrawFn) -> Booking:
    """Anything that may be booked under labels."""
    counts = st.integers(0, 1_000_000)
    stage = draw(st.sampled_from(STAGES))
    return booking(
        draw(st.sampled_from(WORKFLOWS)),
        stage,
        at=draw(st.integers(0, 9)),
        task=draw(st.sampled_from(("", "w-1.1-plan", "w-1.2"))),
        agent=draw(st.sampled_from(("", *AGENTS))),
        helper=draw(st.sampled_from(("", "analyst"))),
        model=draw(st.sampled_from((OPUS, HAIKU))),
        source=draw(st.sampled_from(("api", "subscription"))),
        requests=draw(st.integers(1, 5)),
        input=draw(counts),
        output=draw(counts),
        cache_read=draw(counts),
        cache_write_5m=draw(counts),
        cache_write_1h=draw(counts),
        value=draw(st.integers(0, 10**12)),
        unpriced=draw(st.integers(0, 1)),
    )


@st.composite
def spans(draw: st.DrawFn) -> SpanRecord:
    """Any span that has ended."""
    started = draw(st.integers(0, 600))
    return span(
        draw(st.sampled_from(WORKFLOWS)),
        draw(st.sampled_from(STAGES)),
        started,
        started + draw(st.integers(0, 300)),
        role=draw(st.sampled_from(("Ada", "analyst"))),
        worked=draw(st.integers(0, 1000)),
        waited=draw(st.integers(0, 1000)),
        held=draw(st.integers(0, 1000)),
        status=draw(st.sampled_from(("completed", "failed"))),
    )
