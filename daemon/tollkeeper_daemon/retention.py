"""Drops requests that are older than they are kept; the sums over them stay for ever."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import TypeVar

from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.ledger.requests import resolve, stray_key
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
# Dropped in a few hundredths of a second, in which the daemon does not answer.
DROPPED_AT_ONCE = 200
# The name in the store's meta of the time (ms) before which no proxy's row is known any more.
FORGOTTEN = "proxied_before"

Place = TypeVar("Place", bytes, str)


class Retention:
    """Drops what is old whenever a round is due, in small transactions.

    ``keep_days`` is how many days a request is kept; 0 keeps all of them for ever.
    """

    def __init__(self, store: Store, keep_days: int) -> None:
        self._store = store
        self._keep_days = keep_days
        self._due = asyncio.Event()
        self._free = asyncio.Event()
        self._free.set()

    def call(self) -> None:
        """A round is due: a day began, or history came in."""
        self._due.set()

    def pause(self) -> None:
        """Drop nothing for now: a history is read, and of its old requests lines are still to come."""
        self._free.clear()

    def go_on(self) -> None:
        """The history is read."""
        self._free.set()

    async def run(self) -> None:
        """Do a round each time that one is due."""
        while self._keep_days:
            await self._due.wait()
            self._due.clear()
            try:
                await self.drop(now_ms() - self._keep_days * DAY_MS)
            except Exception:
                log.exception("dropping old requests failed; the next day goes on with it")

    async def drop(self, before: int) -> None:
        """Drop all requests and prompts from before this time (ms); others get their turn too.

        Rows of proxies stay for a day more: those of requests that are just not dropped began a little earlier.
        """
        has_rows = self._store.read(lambda t: t.count("proxied")) > 0
        if has_rows:
            await self._go_through_rows(before, _bury_rows)
        await self._go_through(partial(_drop_requests, before), b"")
        await self._go_through(partial(_drop_prompts, before), "")
        if has_rows:
            await self._drop_rows(before - DAY_MS)

    async def _drop_rows(self, before: int) -> None:
        """Forget what proxies told from before this time; what they tell of it later is not taken in."""
        self._store.write(lambda t: t.set_meta(FORGOTTEN, max(t.meta(FORGOTTEN) or 0, before)))
        await self._go_through_rows(before, _forget_rows)

    async def _go_through_rows(
        self, before: int, work: Callable[[list[str], Transaction], None]
    ) -> None:
        old = await asyncio.to_thread(self._store.read, partial(_old_rows, before))
        for first in range(0, len(old), DROPPED_AT_ONCE):
            await self._free.wait()
            self._store.write(partial(work, old[first : first + DROPPED_AT_ONCE]))
            await asyncio.sleep(0)

    async def _go_through(
        self, drop: Callable[[Place, Transaction], Place | None], start: Place
    ) -> None:
        place: Place | None = start
        while place is not None:
            await self._free.wait()
            place = self._store.write(partial(drop, place))
            await asyncio.sleep(0)


def _drop_requests(before: int, after: bytes, transaction: Transaction) -> bytes | None:
    """Drop the next groups on the time line that are older as a whole; the place to go on behind."""
    moments = list(islice(transaction.timeline(0, before, after), DROPPED_AT_ONCE))
    for key in dict.fromkeys(key for _, _, key in moments):
        group = transaction.group(key)
        if group and all(reply.time < before for reply in resolve(group.entries)):
            transaction.drop_group(key)
    return moments[-1][0] if moments else None


def _drop_prompts(before: int, after: str, transaction: Transaction) -> str | None:
    """Drop the old ones of the next prompts; the line id to go on behind."""
    lot = [noted.prompt for noted in islice(transaction.prompts(after), DROPPED_AT_ONCE)]
    for prompt in lot:
        if prompt.time < before:
            transaction.drop_prompt(prompt)
    return lot[-1].line if lot else None


def _old_rows(before: int, transaction: Transaction) -> list[str]:
    """The keys of the rows from before this time."""
    return [row.key for row in transaction.proxied.rows() if row.time < before]


def _bury_rows(keys: list[str], transaction: Transaction) -> None:
    """What stands for these rows is to be dropped: no log line that comes later is counted in its place."""
    for row in map(transaction.proxied.row, keys):
        if row and row.booked and row.request:
            transaction.bury({stray_key(row.request)})


def _forget_rows(keys: list[str], transaction: Transaction) -> None:
    for row in map(transaction.proxied.row, keys):
        if row:
            transaction.proxied.drop(row)
