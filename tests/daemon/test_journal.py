"""The journal: saved in order, numbered over restarts, and kept to a number."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tollkeeper.model import Action
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.bar.journal import Journal
from tollkeeper_daemon.budgets.board import Stand
from tollkeeper_daemon.rules.limits import Limit, Scope
from tollkeeper_daemon.store import bar_shelf
from tollkeeper_daemon.store.store import Store

from .test_pipeline import agent_in

SCOPE = Scope("agent", "100-1")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "ledger") as store:
        yield store


def note_many(journal: Journal, count: int) -> None:
    """So many entries; their texts are their numbers."""
    for _ in range(count):
        journal.note("paused", "", "person")


def numbers(entries: list[Action]) -> list[int]:
    return [entry.number for entry in entries]


def test_entries_are_told_as_they_are_kept(store: Store) -> None:
    """Who listens hears each entry once, the very one that is read later."""
    told: list[Action] = []
    journal = Journal(store, told.append)
    note_many(journal, 3)
    assert told == journal.read(0, 100)
    assert [1, 2, 3] == numbers(told)


def test_an_entry_says_everything(store: Store) -> None:
    """Time, agent, figures, cause and action are all there, dollars as dollars."""
    agent = agent_in(Roster())
    journal = Journal(store, lambda action: None)
    dollars = Stand(Limit(SCOPE, "cost", 5_000_000_000, "pause"), 5_020_000_000)
    tokens = Stand(Limit(SCOPE, "tokens", 1_000, "stop"), 1_200)
    journal.note("paused", "text", "limit", agent, dollars, "agent:a100")
    journal.note("stopped", "text", "elsewhere", agent, tokens, "run")
    journal.note("limit-cleared", "text", "person")
    first, second, third = journal.read(0, 10)
    assert ("paused", "limit", "a100", 100, "conv-1") == (
        first.kind,
        first.cause,
        first.agent,
        first.pid,
        first.conversation,
    )
    assert (agent.record.id, "agent:a100", "pause") == (first.id, first.scope, first.action)
    assert (5.0, None, 5.02) == (first.bound_usd, first.bound_tokens, first.used)
    assert (None, 1_000, 1_200) == (second.bound_usd, second.bound_tokens, second.used)
    assert third.time.endswith("+00:00")
    nothing = (third.id, third.agent, third.pid, third.conversation, third.scope, third.action)
    assert {None} == {*nothing, third.bound_usd, third.bound_tokens, third.used}


def test_reading_on(store: Store) -> None:
    """The latest come, oldest first; behind a number only those after it."""
    journal = Journal(store, lambda action: None)
    assert [] == journal.read(0, 10)
    note_many(journal, 5)
    assert [4, 5] == numbers(journal.read(0, 2))
    assert [4, 5] == numbers(journal.read(3, 10))
    assert [5] == numbers(journal.read(3, 1))
    assert [] == journal.read(5, 10)
    assert [] == journal.read(99, 10)


def test_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    """Another daemon goes on counting where the last one ended, and reads what it wrote."""
    for _ in range(3):
        with Store(tmp_path / "ledger") as store:
            note_many(Journal(store, lambda action: None), 2)
    with Store(tmp_path / "ledger") as store:
        assert [1, 2, 3, 4, 5, 6] == numbers(Journal(store, lambda action: None).read(0, 10))


def test_the_oldest_go(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than so many are kept; the numbers go on all the same."""
    monkeypatch.setattr(bar_shelf, "MOST_JOURNAL", 4)
    journal = Journal(store, lambda action: None)
    note_many(journal, 10)
    assert [7, 8, 9, 10] == numbers(journal.read(0, 100))
    assert 4 == store.read(lambda transaction: transaction.count("journal"))
    note_many(Journal(store, lambda action: None), 1)
    assert [8, 9, 10, 11] == numbers(journal.read(0, 100))
