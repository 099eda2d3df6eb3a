"""Audits in the background: what the client has just summed up, and once a day the whole ledger."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable

from msgspec import Struct

from tollkeeper_daemon.audits import Audited, Audits
from tollkeeper_daemon.ledger.audit import ORDINARY, WORDS, Cause
from tollkeeper_daemon.reading import Scan
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

log = logging.getLogger(__name__)

# By then all lines of the conversation, its subagents' too, are read.
SETTLE_MS = 5_000
FIRST_ROUND_MS = 20_000
ROUND_MS = 24 * 3_600_000
GATHER_MS = 3_600_000
# A tenth of a cent: what differs by less is nobody's concern.
CONCERN_NANO = 1_000_000
TOLD = "audits_told"
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
        alert: Callable[[str, str], None],
        is_busy: Callable[[], bool],
        now: int,
    ) -> None:
        self._store = store
        self._alert = alert
        self._is_busy = is_busy
        self._audits = Audits()
        self._causes: dict[str, Cause] = {}
        self._due: dict[str, int] = {}
        self._round_at = now + FIRST_ROUND_MS
        self._gathered: dict[str, Verdict] = {}
        self._gathered_told_at = 0
        self._told: dict[str, None] = dict.fromkeys(store.read(lambda t: t.meta(TOLD)) or ())
        self._task: asyncio.Task[None] | None = None

    def counts(self) -> dict[str, int]:
        """How many conversations were audited, agree, and differ."""
        causes = Counter(self._causes.values())
        agree = causes[Cause.NONE]
        return {"audited": causes.total(), "agree": agree, "differ": causes.total() - agree}

    def heard(self, scans: Iterable[Scan], now: int) -> None:
        """These lines were read live: the conversations that the client summed up in them are due."""
        for scan in scans:
            for stated in scan.stated:
                self._due[stated.conversation] = now + SETTLE_MS

    def history_read(self, now: int) -> None:
        """History came in: the whole ledger is due."""
        self._round_at = now + SETTLE_MS

    def look(self, now: int) -> None:
        """Begin what is due, unless an audit is still under way, or the history not yet read."""
        if self._is_busy() or (self._task is not None and not self._task.done()):
            return
        self._tell_gathered(now)
        due = [name for name, at in self._due.items() if at <= now]
        if now >= self._round_at:
            self._round_at = now + ROUND_MS
            self._task = asyncio.create_task(self._go_round())
        elif due:
            for name in due:
                del self._due[name]
            self._task = asyncio.create_task(self._look_at(due, now))

    async def stop(self) -> None:
        """Wait for the audit under way: the store must not be closed under it."""
        if self._task is not None:
            await self._task

    async def _look_at(self, names: list[str], now: int) -> None:
        verdicts = await self._judge(lambda t: self._audits.audit(t, names))
        for verdict in self._new(verdicts):
            if verdict.cause in ORDINARY:
                self._gathered[verdict.name] = verdict
            else:
                self._alert("audit", _words(verdict))
        self._tell_gathered(now)

    async def _go_round(self) -> None:
        """Audit everything. What is ordinary is no news, and the rest is told in one alert.

        What is yet to settle is looked at when it has.
        """
        found = await self._judge(Audits().audit_all)
        settled = [each for each in found if each.name not in self._due]
        odd = self._new(each for each in settled if each.cause not in ORDINARY)
        if len(odd) == 1:
            self._alert("audit", _words(odd[0]))
        elif odd:
            self._alert(
                "audit",
                f"{len(odd)} of {len(found)} conversations differ from the client's own totals "
                "for reasons that are not ordinary: see toll audit",
            )

    async def _judge(self, audit: Callable[[Transaction], Iterable[Audited]]) -> list[Verdict]:
        def work(transaction: Transaction) -> list[Verdict]:
            return [_verdict(each) for each in audit(transaction) if each.finding]

        try:
            verdicts = await asyncio.to_thread(self._store.read, work)
        except Exception:
            log.exception("an audit failed; the next one goes on")
            return []
        self._causes.update((each.name, each.cause) for each in verdicts)
        return verdicts

    def _new(self, verdicts: Iterable[Verdict]) -> list[Verdict]:
        """Those that matter and were not told before; from now on they were."""
        new = [each for each in verdicts if each.matters and each.mark not in self._told]
        if new:
            self._told.update((each.mark, None) for each in new)
            while len(self._told) > MOST_TOLD:
                del self._told[next(iter(self._told))]
            self._store.write(lambda transaction: transaction.set_meta(TOLD, [*self._told]))
        return new

    def _tell_gathered(self, now: int) -> None:
        """Tell what is ordinary, all in one, at most once an hour."""
        if not self._gathered or now < self._gathered_told_at + GATHER_MS:
            return
        verdicts, self._gathered, self._gathered_told_at = [*self._gathered.values()], {}, now
        if len(verdicts) == 1:
            self._alert("audit", _words(verdicts[0]))
            return
        causes = "; ".join(sorted({WORDS[each.cause] for each in verdicts}))
        self._alert(
            "audit",
            f"{len(verdicts)} conversations differ from the client's own totals by "
            f"{_dollars(sum(abs(each.difference) for each in verdicts))}: {causes}. See toll audit",
        )


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


def _dollars(nano: int) -> str:
    return f"${nano / 1e9:.4f}"
