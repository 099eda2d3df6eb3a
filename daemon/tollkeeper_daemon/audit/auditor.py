"""Audits in the background: what the client has just summed up, and once a day the whole ledger."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any

from msgspec import Struct

from tollkeeper.model import AlertKind
from tollkeeper_daemon.audit.audits import Audited, Audits
from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.ledger.audit import ORDINARY, WORDS, Cause
from tollkeeper_daemon.reading.scan import Scan
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

log = logging.getLogger(__name__)

# By then all lines of the conversation, its subagents' too, are read.
SETTLE_MS = 5_000
FIRST_ROUND_MS = 20_000
ROUND_MS = 24 * 3_600_000
RETRY_MS = 60_000
GATHER_MS = 3_600_000
# A tenth of a cent: what differs by less is nobody's concern.
CONCERN_NANO = 1_000_000
TOLD = "audits_told"
GATHERED = "audits_gathered"
MOST_TOLD = 10_000


class Verdict(Struct, frozen=True):
    """What an audit said of one conversation, as far as people are told of it."""

    name: str
    title: str
    cause: Cause
    difference: int

    @property
    def matters(self) -> bool:
        """Whether it differs by enough, and the client is not merely still at it."""
        return self.cause not in (Cause.NONE, Cause.PENDING) and (
            abs(self.difference) > CONCERN_NANO
        )

    @property
    def is_ordinary(self) -> bool:
        """Whether it happens to everybody, and is no fault of the ledger's."""
        return self.cause in ORDINARY

    @property
    def mark(self) -> str:
        """What tells it from every other that was told."""
        return f"{self.name} {self.cause}"


class Auditor:
    """Looks after each new total of the client, and tells of differences, of each once.

    ``alert`` takes a kind and a text; ``is_busy`` says that the history is still being read.
    """

    def __init__(
        self,
        store: Store,
        alert: Callable[[AlertKind, str], None],
        is_busy: Callable[[], bool],
        now: int,
    ) -> None:
        self._store = store
        self._alert = alert
        self._is_busy = is_busy
        self._audits = Audits()
        self._causes: dict[str, Cause] = {}
        self._reviewed_at = 0
        self._round_at = now + FIRST_ROUND_MS
        self._is_history = False
        self._unfinished: set[str] = set()
        self._told: dict[str, None] = dict.fromkeys(store.read(lambda t: t.meta(TOLD)) or ())
        # Those that wait to be told together are looked at once more after a restart.
        self._gathered: dict[str, Verdict] = {}
        self._gathered_told_at, waiting = store.read(lambda t: t.meta(GATHERED)) or (0, ())
        self._due: dict[str, int] = dict.fromkeys(waiting, now + FIRST_ROUND_MS)
        self._task: asyncio.Task[None] | None = None

    def counts(self) -> dict[str, Any]:
        """How many conversations agree and differ, and when all of them were last looked at."""
        causes = Counter(self._causes.values())
        agree = causes[Cause.NONE]
        return {
            "audited": causes.total(),
            "agree": agree,
            "differ": causes.total() - agree,
            "unexplained": causes[Cause.UNKNOWN],
            "time": iso(self._reviewed_at) if self._reviewed_at else None,
        }

    def heard(self, scans: Iterable[Scan], now: int) -> None:
        """These lines were read: the conversations that the client summed up in them are due."""
        for scan in scans:
            is_history = self._is_history or scan.path in self._unfinished
            if is_history and scan.more:
                self._unfinished.add(scan.path)
            else:
                self._unfinished.discard(scan.path)
            if is_history and scan.stated:
                self.review(now)
            elif not is_history:
                self._due.update((each.conversation, now + SETTLE_MS) for each in scan.stated)

    @contextmanager
    def history(self) -> Generator[None]:
        """What is read within was written while nobody listened, and is no news one by one."""
        self._is_history = True
        try:
            yield
        finally:
            self._is_history = False

    def review(self, now: int) -> None:
        """History came in, or was charged anew: the whole ledger is due."""
        self._round_at = now + SETTLE_MS

    def reviewed(self, found: Iterable[Audited], now: int) -> None:
        """Somebody looked at the whole ledger, and this came of it. For any thread."""
        self._causes = {each.name: each.finding.cause for each in found if each.finding}
        self._reviewed_at = now

    def look(self, now: int) -> None:
        """Begin what is due, unless an audit is still under way, or the history not yet read."""
        if self._is_busy() or (self._task is not None and not self._task.done()):
            return
        self._tell_gathered(now)
        due = [name for name, at in self._due.items() if at <= now]
        if now >= self._round_at:
            self._round_at = now + ROUND_MS
            self._task = asyncio.create_task(self._go_round(now))
        elif due:
            for name in due:
                del self._due[name]
            self._task = asyncio.create_task(self._look_at(due, now))

    async def stop(self) -> None:
        """Wait for the audit under way: the store must not be closed under it."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _look_at(self, names: list[str], now: int) -> None:
        try:
            found = await self._audit(lambda t: self._audits.audit(t, names))
            self._causes |= {each.name: each.cause for each in found}
            self._tell_singly(found)
            self._tell_gathered(now)
        except Exception:
            log.exception("an audit failed; it is tried again")
            for name in names:
                self._due.setdefault(name, now + RETRY_MS)

    async def _go_round(self, now: int) -> None:
        """Audit everything. What is ordinary is no news, and the rest is told in one alert.

        What is yet to settle is looked at when it has.
        """
        try:
            found = await self._audit(Audits().audit_all)
            self._causes = {each.name: each.cause for each in found}
            self._reviewed_at = now
            settled = [each for each in found if each.name not in self._due]
            odd = [each for each in settled if self._is_news(each) and not each.is_ordinary]
            if odd:
                self._tell(odd, _words(odd[0]) if len(odd) == 1 else _many_odd(odd, found))
        except Exception:
            log.exception("an audit of everything failed; it is tried again")
            self._round_at = min(self._round_at, now + RETRY_MS)

    async def _audit(self, audit: Callable[[Transaction], Iterable[Audited]]) -> list[Verdict]:
        def work(transaction: Transaction) -> list[Verdict]:
            return [_verdict(each) for each in audit(transaction) if each.finding]

        return await asyncio.to_thread(self._store.read, work)

    def _is_news(self, verdict: Verdict) -> bool:
        return verdict.matters and verdict.mark not in self._told

    def _tell_singly(self, verdicts: Iterable[Verdict]) -> None:
        """Tell what is odd at once, and gather what is ordinary."""
        before = [*self._gathered]
        for verdict in verdicts:
            self._gathered.pop(verdict.name, None)
            if not self._is_news(verdict):
                continue
            if verdict.is_ordinary:
                self._gathered[verdict.name] = verdict
            else:
                self._tell([verdict], _words(verdict))
        if before != [*self._gathered]:
            self._save()

    def _tell_gathered(self, now: int) -> None:
        """Tell what is ordinary, all in one, at most once an hour."""
        if not self._gathered or now < self._gathered_told_at + GATHER_MS:
            return
        verdicts, self._gathered_told_at = [*self._gathered.values()], now
        self._tell(verdicts, _words(verdicts[0]) if len(verdicts) == 1 else _many(verdicts))

    def _tell(self, verdicts: Iterable[Verdict], text: str) -> None:
        """Tell it, and then remember that it was told: twice is better than never."""
        self._alert("audit", text)
        for each in verdicts:
            self._told[each.mark] = None
            self._gathered.pop(each.name, None)
        while len(self._told) > MOST_TOLD:
            del self._told[next(iter(self._told))]
        self._save()

    def _save(self) -> None:
        """What can't be saved now is saved with the next; until then this daemon knows it."""

        def work(transaction: Transaction) -> None:
            transaction.set_meta(TOLD, [*self._told])
            transaction.set_meta(GATHERED, (self._gathered_told_at, [*self._gathered]))

        try:
            self._store.write(work)
        except Exception:
            log.exception("what was told of audits can't be saved now")


def _verdict(audited: Audited) -> Verdict:
    finding = audited.finding
    assert finding is not None
    title = audited.conversation.title or audited.name[:8]
    return Verdict(audited.name, title, finding.cause, finding.difference)


def _words(verdict: Verdict) -> str:
    more = "more" if verdict.difference > 0 else "less"
    return (
        f"the client counts {_dollars(abs(verdict.difference))} {more} than the ledger in "
        f"{verdict.title}: {WORDS[verdict.cause]}. See toll audit"
    )


def _many(verdicts: list[Verdict]) -> str:
    causes = "; ".join(sorted({WORDS[each.cause] for each in verdicts}))
    apart = sum(abs(each.difference) for each in verdicts)
    return (
        f"{len(verdicts)} conversations differ from the client's own totals by "
        f"{_dollars(apart)}: {causes}. See toll audit"
    )


def _many_odd(odd: list[Verdict], found: list[Verdict]) -> str:
    return (
        f"{len(odd)} of {len(found)} conversations differ from the client's own totals "
        "for reasons that are not ordinary: see toll audit"
    )


def _dollars(nano: int) -> str:
    return f"${nano / 1e9:.4f}"
