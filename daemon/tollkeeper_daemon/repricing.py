"""Charges what was booked by the prices now in force: first as a look, then chunk by chunk."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from tollkeeper_daemon.ledger.books import SUBSCRIPTION, Book, Group
from tollkeeper_daemon.ledger.ledger import Posting
from tollkeeper_daemon.ledger.prices import PriceList
from tollkeeper_daemon.ledger.recharge import Postings, Recharged, recharge_all
from tollkeeper_daemon.pipeline import Outcome, Pipeline
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.tally import dollars

CHUNK_GROUPS = 2_000
# Between two chunks the daemon answers and posts what came in meanwhile.
PAUSE_SECONDS = 0.01
# How often charging anew begins, when the prices become others in the midst of it.
MOST_ROUNDS = 5
PLAINLY = nullcontext()


class RepricingError(Exception):
    """The requests can't be charged anew now; the text is one line for people."""


class Change(Struct):
    """What changes for some requests, in nano-dollars. Mutable: it grows.

    ``value`` is the list price, ``cost`` what of it is billed.
    """

    requests: int = 0
    value_before: int = 0
    value_after: int = 0
    cost_before: int = 0
    cost_after: int = 0

    def add(self, book: Book, each: Recharged) -> None:
        """One more request that changes."""
        self.requests += 1
        self.value_before += each.before.value
        self.value_after += each.after.value
        if book.source != SUBSCRIPTION:
            self.cost_before += each.before.value
            self.cost_after += each.after.value

    def as_json(self) -> dict[str, Any]:
        """The change in dollars."""
        return {
            "requests": self.requests,
            "value_before_usd": dollars(self.value_before),
            "value_after_usd": dollars(self.value_after),
            "value_difference_usd": dollars(self.value_after - self.value_before),
            "cost_before_usd": dollars(self.cost_before),
            "cost_after_usd": dollars(self.cost_after),
            "cost_difference_usd": dollars(self.cost_after - self.cost_before),
        }


class Chunk(Struct, frozen=True):
    """Some groups in a row: the key of the ``last`` one, and what charging them anew changes.

    ``guessed`` are the models of those requests that are charged at a guess after it.
    """

    last: str | None
    postings: Postings
    changed: list[tuple[Book, Recharged]]
    guessed: set[str]


class Repriced(Struct):
    """What charging anew comes to, model by model. Mutable: it grows.

    ``guessed`` are the models that have requests charged at a guess after it; ``complete`` says
    whether every request was looked at.
    """

    models: dict[str, Change] = field(default_factory=dict[str, Change])
    total: Change = field(default_factory=Change)
    guessed: set[str] = field(default_factory=set[str])
    complete: bool = True

    def add(self, chunk: Chunk) -> None:
        """Count the requests that change."""
        self.guessed |= chunk.guessed
        for book, each in chunk.changed:
            self.models.setdefault(each.reply.model, Change()).add(book, each)
            self.total.add(book, each)

    def as_json(self) -> dict[str, Any]:
        """The changes, those of most money first, and their sum."""
        models = sorted(
            self.models.items(),
            key=lambda item: (-abs(item[1].value_after - item[1].value_before), item[0]),
        )
        return {
            "models": [{"model": name, **change.as_json()} for name, change in models],
            "total": self.total.as_json(),
        }


def walk(store: Store, check: Callable[[], None]) -> Iterator[list[tuple[str, Group]]]:
    """All groups, so many at once as are soon read; ``check`` may break it off. For a thread."""
    last: str | None = ""
    while last is not None:
        check()
        groups = store.read(partial(_groups_after, last))
        yield groups
        last = groups[-1][0] if groups else None


def _groups_after(last: str, transaction: Transaction) -> list[tuple[str, Group]]:
    return transaction.groups_after(last, CHUNK_GROUPS)


class Repricer:
    """Charges stored requests anew; ``tell`` hears of the running sums that move with it.

    ``is_stopping`` says that the daemon is about to end, which does not wait for all requests;
    no limit counts what changes within ``as_history``.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        tell: Callable[[Outcome], None],
        is_stopping: Callable[[], bool],
        as_history: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._pipeline = pipeline
        self._tell = tell
        self._is_stopping = is_stopping
        self._as_history = as_history
        self._at_work = asyncio.Lock()

    def preview(self, since: int, most_seconds: float | None = None) -> Repriced:
        """What charging the requests from this time (ms) on anew would change; for a thread.

        Of a ledger that takes longer than ``most_seconds``, what was found until then.
        """
        repriced, prices, last = Repriced(), self._pipeline.prices, ""
        began = time.monotonic()
        while last is not None:
            if most_seconds is not None and time.monotonic() - began > most_seconds:
                repriced.complete = False
                break
            chunk = self._read_chunk(last, prices, since)
            repriced.add(chunk)
            last = chunk.last
        return repriced

    async def run(self, since: int) -> Repriced:
        """Charge the requests from this time (ms) on anew; what is posted meanwhile stays right.

        Each chunk is saved whole, with its sums: broken off anywhere, the ledger is consistent,
        and the next run goes over all of it again. When the prices become others meanwhile it
        begins again; a request that changes twice then counts twice. RepricingError when a run is
        under way already, or the prices will not stay.
        """
        if self._at_work.locked():
            raise RepricingError("requests are being charged anew already")
        async with self._at_work:
            repriced = Repriced()
            for _ in range(MOST_ROUNDS):
                if await self._charge_all(self._pipeline.prices, since, repriced):
                    self._pipeline.settle_unpriced(repriced.guessed)
                    return repriced
            raise RepricingError("the prices changed again and again while requests were charged")

    async def _charge_all(self, prices: PriceList, since: int, repriced: Repriced) -> bool:
        """Charge everything by these prices; False as soon as they are no longer in force."""
        repriced.guessed.clear()
        last: str | None = ""
        while last is not None:
            # Nothing is posted between the reading and the saving: both are in the loop.
            chunk = self._read_chunk(last, prices, since)
            self._save(chunk.postings.history, self._as_history())
            self._save(chunk.postings.counted)
            repriced.add(chunk)
            last = chunk.last
            await asyncio.sleep(PAUSE_SECONDS)
            if self._pipeline.prices is not prices:
                return False
        return True

    def _read_chunk(self, last: str, prices: PriceList, since: int) -> Chunk:
        self.check_stopping()

        def work(transaction: Transaction) -> Chunk:
            groups = transaction.groups_after(last, CHUNK_GROUPS)
            postings, requests = recharge_all(groups, prices, since)
            guessed = {each.reply.model for each in requests if each.after.unpriced}
            changed = [
                (transaction.book(each.before.book), each) for each in requests if each.changed
            ]
            return Chunk(groups[-1][0] if groups else None, postings, changed, guessed)

        return self._pipeline.store.read(work)

    def check_stopping(self) -> None:
        """RepricingError when the daemon is about to end."""
        if self._is_stopping():
            raise RepricingError("the daemon is about to end")

    def _save(self, posting: Posting, within: AbstractContextManager[None] = PLAINLY) -> None:
        if not posting.groups:
            return
        with within:
            outcome = self._pipeline.change(lambda _: posting)
        # The sums are news; a line for every request of the past would be none.
        self._tell(replace(outcome, charged=[]))
