"""Writes the ledger fixture: ``python tests/data/make_ledger.py tests/data/ledger-v4``.

A ledger that any later version must load; ``ledger-v2-bar`` is the first that has limits in it, ``ledger-v3``
the first with workflows, ``ledger-v3-proxied`` with what proxies told. Make one more folder for each new schema version, with the code that writes it, and
leave the older ones as they are.
"""

import sys
import tempfile
from pathlib import Path

import lmdb
from msgspec.structs import replace

from tollkeeper_daemon.labels.labels import Fact, Labels, Layer
from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.ledger.ledger import Ledger
from tollkeeper_daemon.ledger.prices import load_prices
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.records import Advice, Edit, Edits, FileMark, Prompt, Reply
from tollkeeper_daemon.store.errands import Ended, EventsFile, PendingComment
from tollkeeper_daemon.store.proxy_shelf import ProxyRow
from tollkeeper_daemon.store.schema import (
    AgentRecord,
    Conversation,
    ExcusedRecord,
    GaugeRecord,
    HoldRecord,
    JournalRecord,
    LimitRecord,
    MemoryRecord,
    RunRecord,
    SpanRecord,
    WorkflowRecord,
)
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

NINE = 1_795_338_000_000  # 2026-11-22T09:00:00Z
QUARTER = 900_000
OPUS, HAIKU = "claude-opus-5-5", "claude-haiku-5-5"


def reply(message: str, request: str, model: str, time: int, output: int, **more: object) -> Reply:
    """A reply with 10 tokens of input."""
    fields: dict[str, object] = {
        "line": "" if message or request else "line-1",
        "conversation": "conv-1",
        "owned": False,
        "subagent": "",
        "subagent_type": "",
        "input": 10,
        "cache_read": 0,
        "cache_write_5m": 0,
        "cache_write_1h": 0,
        "web_searches": 0,
        "fast": False,
        "us": False,
        **more,
    }
    return Reply(message=message, request=request, model=model, time=time, output=output, **fields)  # pyright: ignore[reportArgumentType]


RECORDS: list[Reply | Prompt] = [
    Prompt("prompt-1", "conv-1", NINE, "/home/dev/src/shop"),
    reply("msg_1", "req_1", OPUS, NINE, 100),
    reply("msg_1", "req_1-replay", OPUS, NINE, 90),
    reply("msg_2", "req_2", OPUS, NINE, 200, advice=(Advice(HAIKU, 1_000, 50),)),
    reply("msg_3", "req_3", HAIKU, NINE + QUARTER, 300, subagent="a1", subagent_type="analyst"),
    reply("", "req_stray", OPUS, NINE, 400),
    reply("", "", "claude-opus-9", NINE + QUARTER, 500, conversation="conv-2"),
]


def book(conversation: str, model: str, subagent: str = "", subagent_type: str = "") -> Book:
    """Where these records are booked: one agent on a task, and a subscription beside it."""
    if conversation == "conv-2":
        return Book(conversation, model, "subscription", account="account-1")
    return Book(
        conversation,
        model,
        "api",
        "",
        "4711-99",
        subagent,
        subagent_type,
        "shop-1",
        "shop-1.1",
        "s",
    )


def fill(transaction: Transaction) -> None:
    """Post the records, and save one of each other thing."""
    ledger = Ledger(
        load_prices(),
        lambda each: book(each.conversation, each.model, each.subagent, each.subagent_type),
        lambda each: book(each.conversation, ""),
    )
    transaction.save(ledger.post(RECORDS, transaction))
    transaction.save_conversation(
        "conv-1",
        Conversation(
            project="-home-dev-src-shop",
            cwd="/home/dev/src/shop",
            title="Agent-1",
            source="api",
            first_time=NINE,
            last_time=NINE + QUARTER,
            client_cost=12_345,
            lines_added=3,
            lines_removed=2,
        ),
    )
    transaction.save_file((64_769, 123), FileMark("/h/projects/p/conv-1.jsonl", 4_096, 77))
    transaction.save_agent(
        AgentRecord(
            id="4711-99",
            pid=4_711,
            name="Agent-1",
            started=NINE,
            run="run-1",
            conversation="conv-1",
            source="api",
            budget=5_000_000_000,
            named_by_label=True,
        )
    )
    transaction.save_run(RunRecord("run-1", NINE, NINE + QUARTER))
    transaction.set_meta("bad_lines", 3)


def fill_bar(transaction: Transaction) -> None:
    """Save one of each thing that is remembered of limits."""
    bar = transaction.bar
    bar.save_limit(LimitRecord("task", "shop-1.1", "tokens", 5_000_000, "stop"))
    bar.save_limit(LimitRecord("daily", "", "usd", 7_000_000_000))
    bar.save_memory(
        MemoryRecord("agent", "4711-99", "usd", NINE, 1.0, 2_000_000_000, ("4711-99", "4712-3"))
    )
    bar.save_excused(ExcusedRecord("run", "run-1", NINE, 1_000, 2_000, 30))
    bar.save_hold(
        HoldRecord("4711-99", "paused", NINE, "Its limit.", "limit", ("4711-99", "4713-100"))
    )
    bar.save_hold(HoldRecord("4712-3", "blocked", NINE, "Its limit.", "limit", (), "conv-2"))
    bar.append_journal(JournalRecord(1, NINE, "limit-set", "Set.", "person", scope="daily"))
    bar.append_journal(
        JournalRecord(
            number=2,
            time=NINE,
            kind="paused",
            text="Agent-1 is paused.",
            cause="limit",
            id="4711-99",
            agent="Agent-1",
            pid=4_711,
            conversation="conv-1",
            scope="agent:Agent-1",
            unit="usd",
            bound=5_000_000_000,
            used=5_020_000_000,
            action="pause",
        )
    )
    bar.save_gauge(GaugeRecord("five_hour", 81.5, NINE + QUARTER, NINE, 80.0))


SHOP = "/home/dev/src/shop"
FILE = f"{SHOP}/.claude/workflow-metrics.jsonl"
DONE = SpanRecord(
    workflow="shop-1",
    id="m:1",
    labels=Labels("shop-1", "shop-1.1", "s"),
    role="Agent-1",
    started=NINE,
    ended=NINE + QUARTER,
    status="completed",
    worked=600_000,
    waited=200_000,
    held=100_000,
    conversation="conv-1",
    agent="4711-99",
    folder=SHOP,
    reported=((OPUS, Totals(requests=1, output=100, value=7)),),
    commented=True,
    before=Totals(requests=1),
    before_cost=5,
)
PRESUMED = SpanRecord(
    workflow="shop-1",
    id="m:2",
    labels=Labels("shop-1", "shop-1.2-review", "review"),
    role="reviewer",
    started=NINE + QUARTER,
    ended=NINE + QUARTER + 1_000,
    folder=SHOP,
    presumed=True,
)
LASTING = SpanRecord(
    workflow="shop-2",
    id="s:conv-2:a1",
    labels=Labels("shop-2", "", "plan"),
    role="planner",
    started=NINE,
    worked=5,
    agent="4712-3",
    subagent="a1",
)


def fill_work(transaction: Transaction) -> None:
    """Save one of each thing that is remembered of workflows, and that is still to be done about them."""
    work, errands = transaction.work, transaction.errands
    work.save_workflow(
        WorkflowRecord("shop-1", NINE, NINE + 2 * QUARTER, "full", "completed", SHOP)
    )
    work.save_workflow(WorkflowRecord("shop-2", NINE))
    for span in (DONE, PRESUMED, LASTING):
        work.save_span(span)
    errands.save_reckoned("shop-1", work.sums_of("shop-1")[:1])
    errands.add_ended(Ended("shop-1", "m:2"))
    errands.add_ended(Ended("shop-1"))
    errands.add_lines(FILE, 4_096, b'{"workflow_id":"shop-1"}\n', NINE)
    errands.save_comment(
        PendingComment(
            "shop-1", "m:2", "shop-1.2-review", SHOP, "marker", "text\nmarker\n", NINE, 2, 7
        )
    )
    errands.save_events_file(FILE, EventsFile(FileMark(FILE, 300, 99), 2, NINE, 0, 1))
    transaction.edits.add(Edits("conv-1", "", "", (Edit(NINE, 4_711, 60),)))
    conversation = transaction.conversation("conv-1")
    assert conversation
    told = Fact(NINE, Layer.MARKED, labels=DONE.labels)
    transaction.save_conversation("conv-1", replace(conversation, labels=(told,)))
    (agent,) = transaction.agents()
    transaction.save_agent(replace(agent, told=(told,)))


PROXIED = ProxyRow(
    proxy="127.0.0.1:8080",
    id="row-1",
    source="api",
    account="proxy 127.0.0.1:8080/work",
    time=NINE + QUARTER,
    seen=NINE + QUARTER,
    model=OPUS,
    input=10,
    output=600,
)


def fill_proxied(transaction: Transaction) -> None:
    """Save what a proxy told of two requests that are in no log yet: of one of them it knows the id."""
    transaction.proxied.save(PROXIED)
    transaction.proxied.save(replace(PROXIED, id="row-2", output=700, request="req_7"))


def write(folder: Path) -> None:
    """Write the ledger into this folder, without the pages that are free."""
    with tempfile.TemporaryDirectory() as place:
        with Store(Path(place)) as store:
            for work in (fill, fill_bar, fill_work, fill_proxied):
                store.write(work)
        folder.mkdir()
        with lmdb.open(place, max_dbs=99) as environment:
            environment.copy(str(folder), compact=True)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
