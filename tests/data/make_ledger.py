"""Writes the ledger fixture: ``python tests/data/make_ledger.py tests/data/ledger-v2``.

A ledger that any later version must load. Make one more folder for each new schema version, with
the code that writes it, and leave the older ones as they are.
"""

import sys
from pathlib import Path

from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.ledger.ledger import Ledger
from tollkeeper_daemon.ledger.prices import load_prices
from tollkeeper_daemon.records import Advice, FileMark, Prompt, Reply
from tollkeeper_daemon.store.schema import AgentRecord, Conversation, RunRecord
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


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    with Store(folder) as store:
        store.write(fill)
    (folder / "lock.mdb").unlink()
