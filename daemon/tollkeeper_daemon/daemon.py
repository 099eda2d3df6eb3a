"""The daemon at work: takes what changed, posts it, tells it; and keeps everything in step."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable

from tollkeeper import wire
from tollkeeper.model import Status
from tollkeeper.paths import Paths
from tollkeeper_daemon.auditor import Auditor
from tollkeeper_daemon.bar.build import Budgets
from tollkeeper_daemon.budgets.board import Board
from tollkeeper_daemon.budgets.memories import Memories
from tollkeeper_daemon.census import Census, Reports
from tollkeeper_daemon.clock import local_day, now_ms
from tollkeeper_daemon.config import Config
from tollkeeper_daemon.events import Inlet
from tollkeeper_daemon.followed import Followed
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.history import History
from tollkeeper_daemon.ledger.prices import PriceList
from tollkeeper_daemon.marks import Marks
from tollkeeper_daemon.outlets.alive import Alive
from tollkeeper_daemon.outlets.notifier import Notifier
from tollkeeper_daemon.outlets.publisher import Publisher
from tollkeeper_daemon.ownfile import OwnFile
from tollkeeper_daemon.pipeline import Outcome, Pipeline
from tollkeeper_daemon.plan_gauge import PlanGauge
from tollkeeper_daemon.pricing import Pricing
from tollkeeper_daemon.reading import Scan, place_of
from tollkeeper_daemon.registry import Registry
from tollkeeper_daemon.repricing import Repricer
from tollkeeper_daemon.retention import Retention
from tollkeeper_daemon.roster import LiveAgent, Roster
from tollkeeper_daemon.rules.settings import Limits
from tollkeeper_daemon.salvage import salvage
from tollkeeper_daemon.sensors import Sensors
from tollkeeper_daemon.settings import Settings
from tollkeeper_daemon.sources.homes import Home, Homes
from tollkeeper_daemon.sources.watcher import Watcher
from tollkeeper_daemon.stats_caches import StatsCaches
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.watched_homes import WatchedHomes

log = logging.getLogger(__name__)

PULSE_SECONDS = 2.0
CLIENTS_SECONDS = 5.0
SWEEP_SECONDS = 60.0
HEARD_WITHIN_SECONDS = 5.0
HEARTBEAT_SECONDS = 10.0
# By then, those who begin to listen, or listened to the last daemon, are connected to this one.
FIRST_BEAT_SECONDS = 0.3
# More conversations than an agent without a session file goes through between two readings.
MOST_CLAIMED_AT_ONCE = 20


class Daemon:
    """Everything between the sources and the outlets; ``start`` and ``stop`` frame its life."""

    def __init__(
        self,
        store: Store,
        prices: PriceList,
        config: Config,
        homes: Homes,
        publisher: Publisher,
        notifier: Notifier,
        stop: asyncio.Event,
        paths: Paths,
    ) -> None:
        self.store = store
        self.followed = Followed(homes, config.accounts.source)
        self.roster = Roster()
        self.watched = WatchedHomes(store, self.followed)
        self.registry = Registry(store, self.roster)
        self.pipeline = Pipeline(store, self.roster, prices, self.followed.source_of)
        self.census = Census(
            self.roster,
            Reports(self._agent_started, self._agent_changed, self._agent_exited),
            self.followed.is_subscribed,
            self._home_of_client,
        )
        memories = Memories(store)
        board = Board(memories, self.pipeline, self.roster, self._limits)
        self.plan = PlanGauge(store, lambda: self.settings.config.plan, now_ms())
        self.herald = Herald(publisher, notifier, self.roster, self.pipeline, board, self.plan)
        self.budgets = Budgets(
            store,
            memories,
            board,
            self.pipeline,
            self.roster,
            self.herald,
            paths,
            self._limits,
            self._look_at,
        )
        self.sensors = Sensors(paths.inbox, self.roster, self.plan, self.herald)
        self._inbox, self._alive = paths.inbox, Alive(paths.alive)
        self.settings = Settings(OwnFile(paths.settings), config, self.herald.alert)
        self.settings.follow(self._settings_changed)
        notifier.on_press = self.budgets.press
        self.pricing = Pricing(OwnFile(paths.prices), self.pipeline, self.herald.alert)
        self.repricer = Repricer(self.pipeline, self._charged_anew, stop.is_set)
        self.own_plans = OwnFile(paths.plans)
        self.shut_down = stop.set
        self._inlet = Inlet(asyncio.get_running_loop())
        self.watcher = Watcher(
            self._inlet.log_changed,
            self._inlet.session_changed,
            lambda text: self.herald.alert("watches", text),
        )
        self.marks = Marks(store)
        self.history = History(
            self.marks,
            self.followed,
            self.herald,
            self._read_each,
            self._read_past,
            self._post_history,
            self._history_begins,
            self._all_is_read,
            self._history_ends,
        )
        self.stats_caches = StatsCaches(store)
        self.retention = Retention(store, config.history.keep_requests_days)
        self.auditor = Auditor(
            store, self.herald.alert, lambda: self.herald.importing is not None, now_ms()
        )
        # What went wrong, until something is saved again.
        self.failing: str | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._next_midnight = 0
        self._newcomers = asyncio.Event()

    async def start(self) -> None:
        """Take up where the last daemon ended; returns when the figures are right, or importing."""
        now = now_ms()
        agents, runs = self.store.read(lambda t: (t.agents(), t.runs()))
        self.roster.restore(agents, runs, now, self.followed.may_follow)
        self._begin_day(now)
        self.pipeline.restore()
        self.budgets.bar.take_up(now)
        self.watcher.start()
        self.watcher.watch_inbox(self._inbox, self.sensors.bell.ring)
        # First, so that no new agent joins a run of agents that are long gone.
        self._attempt(self.census.begin, now)
        self._attempt(self._follow_homes, now)
        if self.settings.config.sources.processes:
            self._attempt(self._find_clients, now)
        self._attempt(self._tick, now)
        with self.auditor.history():
            self._attempt(self._catch_up)
        if not self.herald.importing:
            self._attempt(self._let_limits_act)
        self._tasks += [
            asyncio.create_task(self._listen()),
            asyncio.create_task(self._every(PULSE_SECONDS, self._pulse)),
            asyncio.create_task(self._every(CLIENTS_SECONDS, self._look_around)),
            asyncio.create_task(self._every(SWEEP_SECONDS, self._sweep)),
            asyncio.create_task(self._beat_on()),
            asyncio.create_task(self.sensors.run()),
            asyncio.create_task(self._beat_for_newcomers()),
            asyncio.create_task(self.retention.run()),
        ]

    async def stop(self) -> None:
        """End every task and stop listening; what was read is saved already."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._alive.end()
        await self.history.stop()
        await self.budgets.stop()
        await self.auditor.stop()
        self._tick(now_ms())
        self.registry.save_run(self.roster.run)
        self.watcher.stop()
        self.census.close()

    # What comes in.

    async def _listen(self) -> None:
        while True:
            await self._inlet.arrived.wait()
            sessions, logs = self._inlet.take()
            for path in sessions:
                self._attempt(self._read_session, path)
            self._read_each(logs)

    def _read_each(self, logs: list[str]) -> list[str]:
        """Read these logs together, or, when that fails, one by one; those that failed."""
        if self._attempt(self._read_logs, logs):
            return []
        return [path for path in logs if not self._attempt(self._read_logs, [path])]

    def _attempt(self, work: Callable[..., object], *of: object) -> bool:
        """Whether the work succeeded; a failure is told, and costs nothing but this piece of it."""
        try:
            work(*of)
        except Exception as error:
            log.exception("something failed; the daemon goes on")
            self.failing = f"something failed ({error}): look at the disk's room, and at the log"
            self.herald.alert_once("failed", self.failing)
            return False
        return True

    def _read_session(self, path: str) -> None:
        if home := self.followed.home_of_session(path):
            self.census.read_session(path, home, now_ms())

    def _read_logs(self, paths: Iterable[str]) -> None:
        """Read these logs on and post what they say; a log still in the import waits for it."""
        now = now_ms()
        scans = [scan for path in paths if (scan := self._scan(path, now))]
        news = [scan for scan in scans if scan.bytes or scan.helper]
        if news:
            salvage(news, lambda scans: self._post(scans, now), self.herald.lost)
        for scan in scans:
            if scan.more:
                self._inlet.log_changed(scan.path)

    def _scan(self, path: str, now: int) -> Scan | None:
        if self.history.has(path) or not self.followed.holds(path):
            return None
        return self.marks.scan(path, now)

    def _post(self, scans: list[Scan], now: int, live: bool = True) -> None:
        self._check_day(now)
        outcome = self.pipeline.post(scans, now, live)
        self.failing = None
        self.marks.advance(scans)
        for refusal in (each for scan in scans for each in scan.refusals):
            self.herald.plan_changed(self.plan.refused(refusal.window, refusal.resets_at, now))
        if not live:
            return
        self._attempt(self.budgets.bar.charged, outcome, now)
        self.herald.tell(outcome, now)
        self.auditor.heard(scans, now)
        for agent in outcome.agents:
            self.registry.save_agent(agent.record)
        for scan in scans:
            self._find_holders(scan, now)

    def _find_holders(self, scan: Scan, now: int) -> None:
        """Give what older clients wrote to the agent that must have written it."""
        own, _ = place_of(scan.path)
        names = {each.conversation for each in (*scan.replies, *scan.prompts)}
        unheld = [name for name in names if not self.roster.is_held(name)]
        for name in sorted(unheld, key=lambda name: name != own)[:MOST_CLAIMED_AT_ONCE]:
            if self.census.guess_holder(scan.path, name):
                self._claim(name, now)

    def _claim(self, conversation: str, now: int) -> None:
        if outcome := self.pipeline.claim(conversation):
            self._attempt(self.budgets.bar.charged, outcome, now)
            self.herald.tell(outcome, now)

    def _charged_anew(self, outcome: Outcome) -> None:
        self.herald.tell(outcome, now_ms())
        self.auditor.review(now_ms())

    # The history.

    def _read_past(self, logs: list[str]) -> list[str]:
        new, known = self.watched.parted(logs, str)
        with self.budgets.bar.history(now_ms()):
            failed = self._read_each(new)
        return failed + self._read_each(known)

    def _post_history(self, scans: list[Scan]) -> None:
        now = now_ms()
        new, known = self.watched.parted(scans, lambda scan: scan.path)
        if new:
            with self.budgets.bar.history(now):
                self._post(new, now, live=False)
        if known:
            self._post(known, now, live=False)

    def _catch_up(self) -> None:
        self.history.catch_up()
        self._read_statistics()

    def _read_statistics(self) -> None:
        if not self.herald.importing:
            self._attempt(self.stats_caches.read, self.followed.homes, now_ms())

    def _history_begins(self) -> None:
        self.retention.pause()

    def _all_is_read(self, homes: list[Home]) -> None:
        """These homes hold nothing that was not read: from now on all that comes in them is news."""
        self.watched.add(homes)
        if not self.budgets.bar.is_open:
            self._attempt(self.budgets.begin, now_ms())

    def _let_limits_act(self) -> None:
        if not self.budgets.begin_if_known(now_ms()):
            self.herald.alert_once("failed", "no limit acts until the history could be read")

    def _history_ends(self) -> None:
        now = now_ms()
        self.retention.go_on()
        self._attempt(self.store.let_go)
        for agent in self.roster.agents.values():
            self._attempt(self._agent_changed, agent)
        self._attempt(self._let_limits_act)
        self._read_statistics()
        self._attempt(self.herald.beat)
        self.retention.call()
        self._attempt(self.auditor.review, now)

    # What goes on by the clock.

    async def _beat_on(self) -> None:
        self._alive.beat(now_ms())
        await asyncio.sleep(FIRST_BEAT_SECONDS)
        self._beat()
        await self._every(HEARTBEAT_SECONDS, self._beat)

    def _beat(self) -> None:
        self._alive.beat(now_ms())
        self.herald.beat()

    async def _beat_for_newcomers(self) -> None:
        """Who asked for a snapshot before they were connected to the updates sees the gap so."""
        while True:
            await self._newcomers.wait()
            await asyncio.sleep(FIRST_BEAT_SECONDS)
            self._newcomers.clear()
            self.herald.beat()

    async def _every(self, seconds: float, work: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(seconds)
            self._attempt(work)

    def _pulse(self) -> None:
        now = now_ms()
        self.census.take_pulses(now)
        self._tick(now)
        self._check_day(now)
        self.budgets.bar.look(now)
        self.herald.look_at_clock(now)
        self.auditor.look(now)

    def _tick(self, now: int) -> None:
        _, ended = self.roster.tick(now)
        self.registry.save_run(ended)

    def _look_around(self) -> None:
        now = now_ms()
        self.settings.look()
        self.pricing.look()
        self._follow_homes(now)
        if self.settings.config.sources.processes:
            self._find_clients(now)

    def _find_clients(self, now: int) -> None:
        known = len(self.followed.homes)
        self.census.find_clients(now)
        if len(self.followed.homes) > known:
            self._follow_homes(now)

    def _sweep(self) -> None:
        """Find what the file events missed, and save when agents were last alive."""
        self.registry.save_run(self.roster.run)
        overdue = time.time() - HEARD_WITHIN_SECONDS
        found = [job for job in self.history.catch_up() if job.modified < overdue]
        self._read_statistics()
        if not self.herald.importing and any(map(self.marks.has_moved_on, found)):
            self.watcher.fall_back("changes of logs were not heard of")

    def _follow_homes(self, now: int) -> None:
        """Follow the homes that are there by now; none is taken in while an import is under way."""
        for home in self.followed.homes:
            came = self.herald.importing is None and self.watcher.follow(home)
            # Before the logs, so that what is history is booked as such to its agents.
            self.census.read_sessions(home, now)
            if came and self._tasks:
                with self.auditor.history():
                    self._catch_up()

    def _check_day(self, now: int) -> None:
        if now >= self._next_midnight:
            self._begin_day(now)

    def _begin_day(self, now: int) -> None:
        midnight, self._next_midnight = local_day(now)
        self.pipeline.begin_day(midnight, self._next_midnight)
        self.marks.forget_deleted()
        self.retention.call()
        self.budgets.begin_day(now)

    # The agents, as the census finds them.

    def _agent_started(self, agent: LiveAgent) -> None:
        self._agent_seen("agent.started", agent)
        if agent.complaint:
            self.herald.alert_once("failed", agent.complaint)

    def _agent_changed(self, agent: LiveAgent) -> None:
        self._agent_seen("agent.changed", agent)

    def _agent_exited(self, agent: LiveAgent) -> None:
        self._agent_seen("agent.exited", agent)

    def _agent_seen(self, topic: wire.Topic, agent: LiveAgent) -> None:
        self.registry.save_agent(agent.record)
        self.herald.agent(topic, agent)
        if agent.record.conversation:
            self._claim(agent.record.conversation, now_ms())
        self._attempt(self.budgets.bar.look, now_ms())

    def _settings_changed(self, config: Config) -> None:
        self.herald.follow(config)
        self._attempt(self.budgets.limits_moved, now_ms())

    def _limits(self) -> Limits:
        return self.settings.config.limits

    def _look_at(self, agent: LiveAgent) -> None:
        self.census.look_at(agent, now_ms())

    def _home_of_client(self, path: str) -> Home | None:
        home, new = self.followed.admit(path)
        if home and new:
            self.census.read_sessions(home, now_ms())
        return home

    def snapshot(self) -> Status:
        """The state of everything, as of the latest update."""
        self._newcomers.set()
        return self.herald.status()
