"""Who pays for what an agent asks by a proxy: limits in dollars bind it by what the proxy tells."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.proxied import Proxied
from tollkeeper_daemon.agents.registry import Registry
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.budgets.board import Board
from tollkeeper_daemon.budgets.memories import Memories
from tollkeeper_daemon.ledger.books import QUARTER_MS, Book
from tollkeeper_daemon.rules.limits import Limit, Scope
from tollkeeper_daemon.rules.settings import Limits
from tollkeeper_daemon.store.store import Store

from .lines import NINE_MS, NOW
from .test_joins import Asked
from .test_pipeline import agent_in, pipeline, post

QUARTER = 15
# The account "work" of test_joins.py is billed, every other one is a plan.
BILLED, PLAN = "work", "home"


def told(account: str) -> Book:
    """A book that a proxy told of."""
    source = "api" if account == BILLED else "subscription"
    return Book("conv-1", "m", source, f"proxy 127.0.0.1:8080/{account}")


UNTOLD = Book("conv-1", "m", "api", "proxy 127.0.0.1:8080")


@pytest.mark.parametrize(
    ("booked", "is_billed"),
    [
        ([], None),
        ([(9, UNTOLD, 1)], None),
        ([(9, told(PLAN), 1)], False),
        ([(9, told(PLAN), 1), (9, told(BILLED), 1)], True),
        ([(9, told(BILLED), 1), (10, told(PLAN), 1)], False),
        ([(10, told(PLAN), 1), (9, told(BILLED), 1)], False),
        ([(9, told(BILLED), 1), (9, told(BILLED), -1)], None),
        ([(9, told(PLAN), 1), (10, told(BILLED), -1), (10, UNTOLD, 1)], False),
        ([(9, told(PLAN), 1), (11, UNTOLD, 1)], None),
        ([(9, told(PLAN), 1), (11, UNTOLD, 1), (11, told(PLAN), 1)], False),
        ([(9, told(PLAN), 1), (10, told(BILLED), 1), (10, told(BILLED), -1)], False),
        ([(9, told(PLAN), 1), (11, UNTOLD, 1), (11, UNTOLD, -1)], False),
        ([(11, told(PLAN), 1), (12, told(BILLED), 1)], True),
        ([(11, told(PLAN), 1), (13, told(BILLED), 1)], False),
        ([(11, told(BILLED), 1), (999, told(PLAN), 1)], True),
        ([(11, told(BILLED), 1), (999, UNTOLD, 1)], True),
        ([(999, told(BILLED), 1)], None),
    ],
)
def test_latest_word(booked: list[tuple[int, Book, int]], is_billed: bool | None) -> None:
    """The latest quarter of an hour decides that the proxy told of, until it is silent for too long.

    One that is still to come decides nothing.
    """
    proxied = Proxied()
    for quarter, book, requests in booked:
        proxied.add(quarter, book, requests)
    assert is_billed is proxied.is_billed(11 * QUARTER_MS)


class Desk(Struct):
    """An agent behind a proxy, and the board that says whether the day's dollars bind it."""

    store: Store
    roster: Roster
    agent: LiveAgent
    plans: set[str] = set()

    def ask(self, number: int, account: str | None, minute: int = 0) -> None:
        """It asks something, and the proxy tells by which account it was sent."""
        asked = Asked(number, minute, account=account)
        river = pipeline(self.store, self.roster)
        for line in asked.lines():
            post(river, line)
        river.take_rows(asked.rows())

    def is_bound(self) -> bool:
        """Whether it is bound, by a daemon that goes on and by the next one."""
        river = pipeline(self.store, self.roster)
        memories = Memories(self.store)
        board = Board(memories, river, self.roster, Limits, lambda: NOW)
        board.serves_plans = self.plans.__contains__
        daily = Limit(Scope("daily", river.day), "cost", 100, "pause")
        now = board.binds(daily, self.agent)
        self.agent.proxied = Proxied()
        river.restore()
        assert now == board.binds(daily, self.agent)
        return now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as store:
        yield store


def desk_of(store: Store, source: str) -> Desk:
    """One whose agent shows this login to the proxy."""
    roster = Roster()
    agent = agent_in(roster, "conv-1")
    agent.record = replace(agent.record, source=source)
    store.write(lambda transaction: transaction.save_agent(agent.record))
    return Desk(store, roster, agent)


def test_plan_login_on_a_billed_account(store: Store) -> None:
    """Whose requests a proxy bills is bound, though it shows a subscription's login; until a plan pays again."""
    desk = desk_of(store, "subscription")
    assert not desk.is_bound()
    desk.ask(1, BILLED)
    assert desk.is_bound()
    desk.ask(2, PLAN, QUARTER)
    assert not desk.is_bound()


def test_key_on_plan_accounts(store: Store) -> None:
    """Whose requests plans pay is not bound, though it shows a key; until they are billed, or no word comes."""
    desk = desk_of(store, "api")
    assert desk.is_bound()
    desk.ask(1, PLAN)
    assert not desk.is_bound()
    desk.ask(2, None, QUARTER)
    assert not desk.is_bound()
    desk.ask(3, BILLED, QUARTER)
    assert desk.is_bound()
    desk.ask(4, PLAN, 2 * QUARTER)
    assert not desk.is_bound()
    desk.ask(5, None, 4 * QUARTER)
    assert desk.is_bound()


def test_changed_hands(store: Store) -> None:
    """Who is seen to be paid by somebody else is bound by that, whatever a proxy told before, until the next word."""
    desk = desk_of(store, "api")
    desk.ask(1, BILLED)
    desk.roster.is_paid_by(desk.agent, "subscription", "", NINE_MS + 60_000)
    assert not desk.is_bound()
    desk.ask(2, BILLED, 2)
    assert not desk.is_bound()
    desk.ask(3, BILLED, QUARTER)
    assert desk.is_bound()


def test_changed_hands_is_saved(store: Store) -> None:
    """The next daemon knows when an agent changed hands."""
    desk = desk_of(store, "api")
    desk.roster.is_paid_by(desk.agent, "subscription", "", NINE_MS)
    Registry(store, desk.roster).save_agent(desk.agent.record)
    [record] = store.read(lambda t: t.agents())
    assert record.changed_hands == NINE_MS


def test_before_the_first_word(store: Store) -> None:
    """A key on a proxy that has only plans is not bound before the first word, until none comes for long."""
    desk = desk_of(store, "api")
    desk.plans = {"proxy 127.0.0.1:8080"}
    assert desk.is_bound()
    desk.agent.record = replace(desk.agent.record, account="proxy 127.0.0.1:8080")
    assert not desk.is_bound()
    desk.ask(1, None)
    assert not desk.is_bound()
    desk.ask(2, None, 2 * QUARTER)
    assert desk.is_bound()
    desk.ask(3, BILLED, 2 * QUARTER)
    assert desk.is_bound()
    desk.ask(4, PLAN, 3 * QUARTER)
    assert not desk.is_bound()
