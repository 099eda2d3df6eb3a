"""Hands over the report of what has ended: a day, a week, a run. Each is told once."""

import asyncio
import logging
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from tollkeeper_daemon.clock import iso, now_ms
from tollkeeper_daemon.control import daily, weekly
from tollkeeper_daemon.control.sheets import read_sheet_in
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.ledger.books import quarter
from tollkeeper_daemon.outlets.on_events import OnEvents
from tollkeeper_daemon.reports.choice import Choice, day_at
from tollkeeper_daemon.reports.markdown import table
from tollkeeper_daemon.reports.periods import first_of_week
from tollkeeper_daemon.reports.runs import run_report
from tollkeeper_daemon.store.transaction import Transaction

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
RETRY_SECONDS = 60.0
# By then the last lines of a day are read.
SETTLE_MS = 10_000
TOLD = "endings_told"
BY_AGENT = Choice(by=("agent",))

Content = dict[str, Any]


class Endings:
    """Looks every few seconds whether something has ended that was not told yet.

    What ended while no daemon ran is told by the next one, the latest of each kind; a new ledger's
    past is told by none.
    """

    def __init__(self, daemon: Daemon, on_events: OnEvents) -> None:
        self._daemon = daemon
        self._on_events = on_events
        self._told: dict[str, str] = daemon.store.read(lambda t: t.meta(TOLD)) or {}
        self._run: str | None = None
        self._ended_run = ""
        self._task: asyncio.Task[None] | None = None
        self._reports: dict[str, Callable[[str], Content]] = {
            "day_ended": self._day,
            "week_ended": self._week,
            "run_ended": self._run_of,
        }

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._look_on())

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _look_on(self) -> None:
        while True:
            try:
                await self._look()
            except Exception as error:
                log.exception("what has ended can't be told")
                text = f"the report of what has ended failed ({error}); it is tried again"
                self._daemon.herald.alert_once("failed", text)
                await asyncio.sleep(RETRY_SECONDS)
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        # What a history still holds belongs into the reports as well.
        if self._daemon.herald.importing:
            return
        ended = self._ended()
        for event, name in news(self._told, ended).items():
            content: Content | None = None
            if self._on_events.wants(event):
                content = await asyncio.to_thread(self._reports[event], name)
            self._remember({event: name})
            if content is not None:
                self._on_events.tell(event, {"topic": event, **content})
        self._remember({event: name for event, name in ended.items() if event not in self._told})

    def _ended(self) -> dict[str, str]:
        """What of each kind has ended last, by names that sort by time; empty for nothing yet."""
        today = day_at(now_ms() - SETTLE_MS, None)
        week = first_of_week(today, self._daemon.settings.config.reports.start_of_week)
        return {
            "day_ended": (today - timedelta(days=1)).isoformat(),
            "week_ended": (week - timedelta(days=7)).isoformat(),
            "run_ended": self._last_run(),
        }

    def _last_run(self) -> str:
        """The run that ended last; looked up when another one is current."""
        current = self._daemon.roster.run.id if self._daemon.roster.run else ""
        if current != self._run:
            runs = self._daemon.store.read(lambda transaction: transaction.runs())
            # One that has just ended may not be saved as such yet.
            if all(run.ended or run.id == current for run in runs[-2:]):
                self._run = current
                self._ended_run = max((run.id for run in runs if run.ended), default="")
        return self._ended_run

    def _remember(self, told: dict[str, str]) -> None:
        if told:
            self._told |= told
            known = dict(self._told)
            self._daemon.store.write(lambda transaction: transaction.set_meta(TOLD, known))

    # The reports, made in a thread.

    def _day(self, name: str) -> Content:
        span = {"since": name, "until": name}
        return {
            "day": name,
            "report": daily.answer(self._daemon, span),
            "markdown": self._table(f"{date.fromisoformat(name):%A, %Y-%m-%d}", daily, span),
        }

    def _week(self, name: str) -> Content:
        last = date.fromisoformat(name) + timedelta(days=6)
        span = {"since": name, "until": last.isoformat()}
        return {
            "week": name,
            "report": weekly.answer(self._daemon, span),
            "markdown": self._table(f"Week of {name} to {last}", weekly, span),
        }

    def _table(self, title: str, verb: Any, span: dict[str, Any]) -> str:
        report = verb.answer(self._daemon, {**span, "by": ["agent"]})
        rows = report.get("daily") or report.get("weekly")
        return table(title, rows[0] if rows else None)

    def _run_of(self, name: str) -> Content:
        return self._daemon.store.read(lambda transaction: _run_content(transaction, name))


def news(told: dict[str, str], ended: dict[str, str]) -> dict[str, str]:
    """What of the ended is later than what was told; where nothing ever was, nothing is."""
    return {event: name for event, name in ended.items() if name > told.get(event, name)}


def _run_content(transaction: Transaction, name: str) -> Content:
    run = next(run for run in transaction.runs() if run.id == name)
    agents = [agent for agent in transaction.agents() if agent.run == name]
    since = min((agent.started for agent in agents), default=run.started)
    sheet = read_sheet_in(transaction, BY_AGENT, quarter(min(since, run.started)))
    report = run_report(sheet, {agent.id for agent in agents}, BY_AGENT)
    span = {"id": name, "started_at": iso(run.started), "ended_at": iso(run.ended)}
    used = report if report["requests"] else None
    return {"run": span, "report": report, "markdown": table(f"Run {name}", used)}
