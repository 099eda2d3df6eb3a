"""The daemon's real parts that keep budgets, joined as daemon.py joins them, on a made-up machine."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from tollkeeper import wire
from tollkeeper.model import Action
from tollkeeper_daemon.agents.census import Census, Reports
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.registry import Registry
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.bar.build import Budgets
from tollkeeper_daemon.budgets.board import Board
from tollkeeper_daemon.budgets.memories import Memories
from tollkeeper_daemon.config import Notify, PlanSettings
from tollkeeper_daemon.days import Days
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.ledger.prices import PriceList, load_prices
from tollkeeper_daemon.outlets.commands import Commands
from tollkeeper_daemon.outlets.notifier import Notifier
from tollkeeper_daemon.outlets.publisher import Publisher
from tollkeeper_daemon.outlets.signals import Signals
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.plan.gauge import PlanGauge
from tollkeeper_daemon.reading.scan import Scan
from tollkeeper_daemon.records import FileMark, Reply
from tollkeeper_daemon.repricing import Repricer
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

from .bar_world import World
from .lines import OPUS
from .test_prices import entry


class FusedStore(Store):
    """A store in which the daemon may die before and after it saves something, or the disk is full."""

    def __init__(self, path: Path, burn: Callable[[], None]) -> None:
        self._burn = burn
        self.is_full = False
        super().__init__(path)

    def write(self, work: Callable[[Transaction], Any]) -> Any:
        self._burn()
        if self.is_full:
            raise OSError("no space left on the device")
        result = super().write(work)
        self._burn()
        return result


class Listener:
    """Hears every update; keeps the entries of the journal."""

    def __init__(self) -> None:
        self.sequence = 0
        self.actions: list[Action] = []

    def publish(self, topic: wire.Topic, kind: type[wire.Update], time: str, **of: Any) -> None:
        self.sequence += 1
        if topic == "action":
            self.actions.append(of["action"])


class Parts:
    """One life of the daemon: the parts that decide and act, joined as daemon.py joins them."""

    def __init__(
        self, world: World, listener: Listener, sleep: Callable[[float], Any], replies: "Replies"
    ) -> None:
        self.world = world
        self.replies = replies
        self.store = FusedStore(world.paths.ledger, world.burn)
        self.roster = Roster()
        self.pipeline = Pipeline(self.store, self.roster, self.prices(), lambda path: ("api", ""))
        reports = Reports(self._seen, self._seen, self._seen)
        home = world.home
        self.census = Census(self.roster, reports, lambda home: True, lambda path: (home, False))
        self.memories = Memories(self.store)
        self.board = Board(self.memories, self.pipeline, self.roster, lambda: world.settings)
        self.registry = Registry(self.store, self.roster)
        self.herald = Herald(
            cast(Publisher, listener),
            Notifier(Notify(desktop=False), Commands(timeout=1.0)),
            self.roster,
            self.pipeline,
            self.board,
            PlanGauge(
                self.store,
                PlanSettings,
                world.now,
                self.pipeline.plan_sums,
                lambda name: None,
            ),
        )
        self.budgets = Budgets(
            self.store,
            self.memories,
            self.board,
            self.pipeline,
            self.roster,
            self.herald,
            world.paths,
            lambda: world.settings,
            lambda agent: self.census.look_at(agent, world.now),
            Signals(world.kernel, sleep),
        )

        self.repricer = Repricer(
            self.pipeline,
            lambda outcome: self.herald.tell(outcome, world.now),
            lambda: False,
            lambda: self.budgets.bar.history(world.now),
        )
        self.days = Days(self._begin_day, lambda: self.budgets.bar.in_history)

    def prices(self) -> PriceList:
        """What tokens cost now."""
        dollars = self.world.price / 1_000
        return load_prices(entry(OPUS, "0").replace("output = 2", f"output = {dollars}"))

    def start(self, history: bool) -> None:
        """Take up where the last daemon ended, and read what was spent meanwhile."""
        now = self.world.now
        self.roster.restore(*self.store.read(lambda t: (t.agents(), t.runs())), now)
        self.days.check(now)
        self.pipeline.restore()
        self.budgets.bar.take_up(now)
        self.census.begin(now)
        self.look_around()
        self._tick()
        bar = self.budgets.bar
        with bar.history(now) if bar.is_new else contextlib.nullcontext():
            self.read_logs(live=not history)
        self.budgets.begin(now)

    async def die(self) -> None:
        """Nothing of it is left but what was saved."""
        await self.budgets.stop()
        self.store.close()

    def _begin_day(self, midnight: int, next_midnight: int) -> None:
        self.pipeline.begin_day(midnight, next_midnight)
        self.budgets.begin_day(self.world.now)

    def look_around(self) -> None:
        """Read the session files that changed."""
        self.census.read_sessions(self.world.home, self.world.now)

    def pulse(self) -> None:
        """What is done every two seconds."""
        self.census.take_pulses(self.world.now)
        self._tick()
        self.days.check(self.world.now)
        self.budgets.bar.look(self.world.now)

    def read_logs(self, live: bool = True) -> None:
        """Read what the clients wrote since the last time."""
        self.days.check(self.world.now)
        if scans := self.replies.take():
            outcome = self.pipeline.post(scans, self.world.now, live)
            if live:
                self.budgets.bar.charged(outcome, self.world.now)
                self.herald.tell(outcome, self.world.now)

    def _tick(self) -> None:
        self.registry.tick(self.world.now)
        self.registry.save_run()

    def _seen(self, agent: LiveAgent) -> None:
        with contextlib.suppress(OSError):
            self.registry.save_agent(agent.record)
        self.herald.agent("agent.changed", agent)
        if outcome := self.pipeline.claim(agent.record.conversation):
            self.budgets.bar.charged(outcome, self.world.now)
        self.budgets.bar.look(self.world.now)


class Replies:
    """What the clients wrote into their logs and no daemon has saved yet."""

    def __init__(self) -> None:
        self._count = 0
        self._waiting: list[Scan] = []
        self._taken: list[Scan] = []

    def add(self, conversation: str, time: int, tokens: int, subagent: str) -> None:
        """A reply of so many output tokens."""
        self._count += 1
        path = f"/h/projects/-p/{conversation}.jsonl"
        reply = Reply(
            message=f"m{self._count}",
            request=f"r{self._count}",
            line="",
            conversation=conversation,
            owned=True,
            time=time,
            model=OPUS,
            subagent=subagent,
            subagent_type="",
            input=0,
            output=tokens,
            cache_read=0,
            cache_write_5m=0,
            cache_write_1h=0,
            web_searches=0,
            fast=False,
            us=False,
        )
        mark = FileMark(path, self._count)
        self._waiting.append(Scan(path, (1, self._count), mark, 1, (reply,), (), (), ()))

    def take(self) -> list[Scan]:
        """All that waits."""
        self._taken, self._waiting = self._waiting, []
        return self._taken

    def take_back(self) -> None:
        """The daemon died, perhaps before the last that were taken were saved: they come again."""
        self._waiting = [*self._taken, *self._waiting]
