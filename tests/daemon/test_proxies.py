"""What only proxies saw is booked bit by bit, so that nobody waits for all of it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from msgspec.structs import replace

from tollkeeper_daemon.config import CcflareSettings
from tollkeeper_daemon.proxies.proxies import TAKEN_AT_ONCE, Proxies
from tollkeeper_daemon.store.proxy_shelf import ProxyRow
from tollkeeper_daemon.store.store import Store

from .lines import NOW
from .test_joins import Asked


class Books:
    """Takes what is booked down in the store; ``lots`` are how many rows at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.lots: list[int] = []

    def book_rows(self, keys: list[str]) -> None:
        """Book these."""
        self.lots.append(len(keys))
        rows = self._store.read(lambda t: [t.proxied.row(key) for key in keys])
        keep(self._store, *(replace(row, booked=True) for row in rows if row))


def keep(store: Store, *rows: ProxyRow) -> None:
    """Save the rows."""
    store.write(lambda t: [t.proxied.save(row) for row in rows])


def attempt(work: Callable[..., None], *args: Any) -> bool:
    work(*args)
    return True


def test_booked_bit_by_bit(tmp_path: Path) -> None:
    """Overdue rows are booked some at a time, all of them, and what is done in between comes to its turn."""
    count = 2 * TAKEN_AT_ONCE + 7

    async def book(store: Store, books: Books) -> list[int]:
        anything = cast("Any", SimpleNamespace(importing=None))
        proxies = Proxies(
            store,
            anything,
            anything,
            cast("Any", books),
            anything,
            anything,
            lambda: CcflareSettings(find=False),
            0,
            lambda outcome, now: None,
            attempt,
        )
        proxies.look(NOW + 3_600_000)
        booked_before_a_turn: list[int] = []
        while sum(books.lots) < count:
            booked_before_a_turn.append(sum(books.lots))
            await asyncio.sleep(0)
        return booked_before_a_turn

    with Store(tmp_path) as store:
        keep(store, *(row for number in range(count) for row in Asked(number).rows()))
        books = Books(store)
        assert [TAKEN_AT_ONCE, 2 * TAKEN_AT_ONCE] == asyncio.run(book(store, books))
        assert books.lots == [TAKEN_AT_ONCE, TAKEN_AT_ONCE, 7]
