"""A desk at which tests sit: the real bar on a made-up machine, with one agent at first."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tollkeeper import wire
from tollkeeper.paths import Paths
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.bar.build import Budgets
from tollkeeper_daemon.budgets.board import Board
from tollkeeper_daemon.budgets.memories import Memories
from tollkeeper_daemon.config import Notify, PlanSettings
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.ledger.books import Charge
from tollkeeper_daemon.ledger.prices import PriceList
from tollkeeper_daemon.outlets.commands import Commands
from tollkeeper_daemon.outlets.notifier import Notifier
from tollkeeper_daemon.outlets.publisher import Publisher
from tollkeeper_daemon.outlets.signals import Signals
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.plan.gauge import PlanGauge
from tollkeeper_daemon.reading.scan import scan
from tollkeeper_daemon.records import FileMark
from tollkeeper_daemon.repricing import Repricer
from tollkeeper_daemon.rules.settings import Limits
from tollkeeper_daemon.sources.tail import Reading
from tollkeeper_daemon.store.store import Store

from .kernel import FakeKernel
from .lines import NOW, as_block, assistant, usage
from .machine import process, session
from .shelf import PRICES

DAY = 24 * 3_600_000
MIDNIGHT = NOW - 12 * 3_600_000
HOUR = 3_600_000
LOG = "/h/projects/-home-dev-src-shop/conv-1.jsonl"
# A thousand tokens of Opus' output.
REPLY_USD = 0.02


class Silent(Publisher):
    """Publishes to nobody."""

    def __init__(self) -> None:
        self.sequence = 0

    def publish(self, topic: wire.Topic, kind: type[Any], time: str, **content: Any) -> None:
        self.sequence += 1


class Desk:
    """A bar on a made-up machine, with one agent; the test says what time it is.

    ``after`` is the daemon that was there before, on the same machine.
    """

    def __init__(
        self, store: Store, folder: Path, limits: Limits, after: "Desk | None" = None
    ) -> None:
        self.folder = folder
        self.store = store
        self.limits = limits
        self.kernel = after.kernel if after else FakeKernel()
        self.roster = Roster()
        self.pipeline = Pipeline(store, self.roster, PRICES, lambda path: ("api", ""))
        self.memories = Memories(store)
        board = Board(self.memories, self.pipeline, self.roster, lambda: self.limits)
        notifier = Notifier(Notify(desktop=False), Commands(30))
        plan = PlanGauge(store, PlanSettings, MIDNIGHT, self.pipeline.plan_sums, lambda name: None)
        self.herald = Herald(Silent(), notifier, self.roster, self.pipeline, board, plan)
        self.budgets = Budgets(
            store,
            self.memories,
            board,
            self.pipeline,
            self.roster,
            self.herald,
            Paths(folder, folder, folder),
            lambda: self.limits,
            self._look_at,
            Signals(self.kernel, self.kernel.sleep),
        )
        self.process = after.process if after else self.kernel.start()
        seen = process(self.process.pid, started=self.process.stat.start)
        said = session(self.process.pid, "conv-1")
        self.agent = self.roster.appear(seen, said, False, MIDNIGHT)
        self.begin_day(MIDNIGHT)
        self._replies = 0

    def _look_at(self, agent: LiveAgent) -> None:
        agent.stopped = self.process.stopped

    def begin(self) -> "Desk":
        """All history is read."""
        self.budgets.begin(MIDNIGHT)
        return self

    def begin_day(self, midnight: int) -> None:
        """This is the day now."""
        self.pipeline.begin_day(midnight, midnight + DAY)
        self.budgets.begin_day(midnight)

    def reply(self, time: int, message: int = 0, output: int = 1000) -> None:
        """The agent gets a reply, or more of the one with this number."""
        if not message:
            message = self._replies = self._replies + 1
        line = assistant(
            usage(output=output),
            message=f"msg_{message}",
            request=f"req_{message}",
            timestamp=datetime.fromtimestamp(time / 1000, UTC).isoformat(),
        )
        block = as_block([line])
        reading = Reading((1, 1), block, FileMark(LOG, len(block)), len(block))
        outcome = self.pipeline.post([scan(reading, time)], time)
        self.budgets.bar.charged(outcome, time)

    def resume(self, now: int, more: int = 0) -> None:
        """A person lets it go on."""
        self.budgets.agents.resume([self.agent], "usd" if more else None, more, now)

    def reprice(self, prices: PriceList) -> None:
        """These are the prices now, and everything is charged anew."""
        self.pipeline.prices = prices
        history = self.budgets.bar.history
        repricer = Repricer(self.pipeline, lambda _: None, lambda: False, lambda: history(NOW))
        asyncio.run(repricer.run(0))

    def charges(self) -> list[Charge]:
        """What each request was charged, in the order of the messages."""
        groups = self.store.read(lambda transaction: list(transaction.all_groups()))
        return [made for _, group in groups for made in group.charges]

    def used(self) -> list[float]:
        """What counts of each limit in force."""
        return [limit.used for limit in self.budgets.limits.all()]

    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.budgets.journal.read(0, 100)]

    def alerts(self) -> list[str]:
        return [alert.kind for alert in self.herald.status().alerts]
