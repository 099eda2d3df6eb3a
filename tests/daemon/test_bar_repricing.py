"""New prices and the bar: what was history stays uncounted, the rest counts by its new price."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tollkeeper_daemon.ledger.prices import load_prices
from tollkeeper_daemon.rules.settings import Limits
from tollkeeper_daemon.store.store import Store

from .desk import REPLY_USD, Desk
from .lines import NOW, OPUS
from .test_prices import entry

LIMITS = Limits(2.5 * REPLY_USD, 2.5 * REPLY_USD, 2.5 * REPLY_USD)
# A thousand tokens of output come to five times as much, and no input is paid.
DEARER, CHEAPER = (load_prices(entry(OPUS, "0").replace("= 2", f"= {each}")) for each in (100, 10))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "ledger") as store:
        yield store


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    """An agent with three replies in the history, on a budget of two and a half."""
    desk = Desk(store, tmp_path, LIMITS)
    with desk.budgets.bar.history(NOW):
        for number in range(3):
            desk.reply(NOW + number)
    return desk.begin()


def test_history_stays_uncounted(desk: Desk) -> None:
    """What was read as history costs more by now, and no limit knows of it."""
    desk.reprice(DEARER)
    desk.budgets.bar.look(NOW + 5)
    assert [0.0, 0.0, 0.0] == desk.used()
    assert ([], False) == (desk.kinds(), desk.process.stopped)


def test_what_counts_does_so_by_its_new_price(desk: Desk) -> None:
    """A reply that is no history counts with what it costs by the new prices, up and down."""
    desk.reply(NOW + 5)
    assert [REPLY_USD] * 3 == desk.used()
    desk.reprice(CHEAPER)
    assert [REPLY_USD / 2] * 3 == desk.used()
    desk.budgets.bar.look(NOW + 6)
    assert not desk.process.stopped
    desk.reprice(DEARER)
    assert [5 * REPLY_USD] * 3 == desk.used()
    desk.budgets.bar.look(NOW + 7)
    assert desk.process.stopped


def test_the_next_daemon_knows_it(desk: Desk, store: Store, tmp_path: Path) -> None:
    """What is history, and what was taken off for it, is known after a restart."""
    desk.reprice(DEARER)
    second = Desk(store, tmp_path, LIMITS)
    store.write(lambda transaction: transaction.save_agent(second.agent.record))
    second.pipeline.restore()
    second.begin()
    assert [0.0, 0.0, 0.0] == second.used()
    second.reprice(CHEAPER)
    assert [0.0, 0.0, 0.0] == second.used()


def test_reply_that_goes_on_after_the_history(desk: Desk) -> None:
    """A reply of which only the first lines were history stays marked so; what came later counts."""
    desk.reply(NOW, message=1, output=3_000)
    assert [2 * REPLY_USD] * 3 == desk.used()
    assert all(made.history for made in desk.charges())


def test_history_that_is_read_again(desk: Desk) -> None:
    """Lines that were counted are no history because a home that is new holds them, too."""
    desk.reply(NOW + 5)
    with desk.budgets.bar.history(NOW):
        desk.reply(NOW + 5, message=4)
    assert [False] == [made.history for made in desk.charges()][3:]
