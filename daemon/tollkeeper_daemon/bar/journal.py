"""The journal: every verdict and action with its time, agent, figures and cause; saved, then told."""

import logging
from collections.abc import Callable, Iterator
from itertools import islice, takewhile
from typing import Literal, cast

from tollkeeper import model
from tollkeeper.model import ActionKind, LimitAction
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.budgets.board import Stand
from tollkeeper_daemon.clock import iso, now_ms
from tollkeeper_daemon.store.schema import JournalRecord
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.tally import dollars

log = logging.getLogger(__name__)

Cause = Literal["limit", "person", "elsewhere"]


class Journal:
    """``tell`` is called with each new entry, once it is saved."""

    def __init__(self, store: Store, tell: Callable[[model.Action], None]) -> None:
        self._store = store
        self._tell = tell
        self._number = store.read(lambda transaction: transaction.bar.last_journal_number())

    def note(
        self,
        kind: ActionKind,
        text: str,
        cause: Cause,
        agent: LiveAgent | None = None,
        stand: Stand | None = None,
        scope: str = "",
    ) -> None:
        """Keep that this happened, now; it is told, and the log has it, when it can't be saved."""
        self._number += 1
        record = agent.record if agent else None
        entry = JournalRecord(
            number=self._number,
            time=now_ms(),
            kind=kind,
            text=text,
            cause=cause,
            id=record.id if record else "",
            agent=record.name if record else "",
            pid=record.pid if record else 0,
            conversation=record.conversation if record else "",
            scope=scope,
            unit=stand.limit.unit if stand else "",
            bound=stand.limit.bound if stand else 0,
            used=stand.used if stand else 0,
            action=stand.limit.action if stand else "",
        )
        try:
            self._store.write(lambda transaction: transaction.bar.append_journal(entry))
        except Exception:
            log.exception("can't save in the journal: %s", text)
        self._tell(shown(entry))

    def read(self, after: int, most: int) -> list[model.Action]:
        """The entries behind this number, oldest first; so many, the latest."""

        def work(transaction: Transaction) -> list[model.Action]:
            entries: Iterator[JournalRecord] = transaction.bar.latest_journal()
            latest = list(islice(takewhile(lambda each: each.number > after, entries), most))
            return [shown(each) for each in reversed(latest)]

        return self._store.read(work)


def shown(entry: JournalRecord) -> model.Action:
    """The entry as the wire shows it."""
    in_dollars = entry.unit == "usd"
    used = dollars(entry.used) if in_dollars else entry.used
    return model.Action(
        number=entry.number,
        time=iso(entry.time),
        kind=cast(ActionKind, entry.kind),
        text=entry.text,
        cause=cast(Cause, entry.cause),
        id=entry.id or None,
        agent=entry.agent or None,
        pid=entry.pid or None,
        conversation=entry.conversation or None,
        scope=entry.scope or None,
        bound_usd=dollars(entry.bound) if in_dollars else None,
        bound_tokens=entry.bound if entry.unit == "tokens" else None,
        used=used if entry.unit else None,
        action=cast(LimitAction, entry.action) if entry.action else None,
    )
