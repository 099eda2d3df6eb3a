"""The daemon at work: makes its parts, starts them, and stops them in the end."""

import asyncio

from tollkeeper.model import Status
from tollkeeper.paths import Paths
from tollkeeper_daemon.agents.census import Census, Reports
from tollkeeper_daemon.agents.followed import Followed
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.registry import Registry
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.audit.auditor import Auditor
from tollkeeper_daemon.bar.build import Budgets
from tollkeeper_daemon.beats import Beats
from tollkeeper_daemon.budgets.board import Board
from tollkeeper_daemon.budgets.memories import Memories
from tollkeeper_daemon.ccusage.beside import Beside
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.config import Config
from tollkeeper_daemon.days import Days
from tollkeeper_daemon.events import Bell, Inlet
from tollkeeper_daemon.exchange.exchange import Exchange
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.intake.agents import Agents
from tollkeeper_daemon.intake.failures import Failures
from tollkeeper_daemon.intake.history import History, Pending
from tollkeeper_daemon.intake.intake import Intake
from tollkeeper_daemon.intake.lookout import Lookout
from tollkeeper_daemon.intake.past import Past
from tollkeeper_daemon.intake.payment import Payment
from tollkeeper_daemon.intake.posting import Posting
from tollkeeper_daemon.intake.refusals import Refusals
from tollkeeper_daemon.intake.sensors import Sensors
from tollkeeper_daemon.intake.watched_homes import WatchedHomes
from tollkeeper_daemon.intake.whose import Whose
from tollkeeper_daemon.labels.task_ids import TaskIds
from tollkeeper_daemon.ledger.prices import PriceList
from tollkeeper_daemon.outlets.alive import Alive
from tollkeeper_daemon.outlets.notifier import Notifier
from tollkeeper_daemon.outlets.publisher import Publisher
from tollkeeper_daemon.outlets.segments import Segments
from tollkeeper_daemon.own.file import OwnFile
from tollkeeper_daemon.own.settings import Settings
from tollkeeper_daemon.pipeline import Outcome, Pipeline
from tollkeeper_daemon.plan.gauge import PlanGauge
from tollkeeper_daemon.plan.table import PlanTable
from tollkeeper_daemon.pricing import Pricing
from tollkeeper_daemon.proxies.proxies import Proxies
from tollkeeper_daemon.reading.marks import Marks
from tollkeeper_daemon.reading.stats_caches import StatsCaches
from tollkeeper_daemon.repricing import Repricer
from tollkeeper_daemon.retention import Retention
from tollkeeper_daemon.rules.settings import Limits
from tollkeeper_daemon.sources.homes import Homes
from tollkeeper_daemon.sources.watcher import Watcher
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.usage_files.files import UsageFiles
from tollkeeper_daemon.workflows.work import Work


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
        self.shut_down = stop.set
        self.own_plans = OwnFile(paths.plans)
        self.notifier = notifier
        self.commands = notifier.commands
        self.followed = Followed(homes, config.accounts)
        self.roster = Roster()
        self.registry = Registry(store, self.roster)
        self.pipeline = Pipeline(store, self.roster, prices, self.followed.payer_of_log)
        self.plan = PlanGauge(
            store,
            lambda: self.settings.config.plan,
            now_ms(),
            self.pipeline.plan_sums,
            PlanTable(self.own_plans).terms,
        )
        memories = Memories(store)
        self.board = board = Board(memories, self.pipeline, self.roster, self._limits)
        self.herald = Herald(publisher, notifier, self.roster, self.pipeline, board, self.plan)
        self.herald.home_of = self.followed.home_of_account
        self.failures = Failures(self.herald)
        whose = Whose(self.roster, self.pipeline, self.followed)
        refusals = Refusals(self.plan, whose, self.herald)
        self.settings = Settings(OwnFile(paths.settings), config, self.herald.alert)
        self.settings.follow(self._settings_changed)
        self.pricing = Pricing(OwnFile(paths.prices), self.pipeline, self.herald.alert)
        self.repricer = Repricer(
            self.pipeline,
            self._charged_anew,
            stop.is_set,
            lambda: self.budgets.bar.history(now_ms()),
        )
        self.auditor = Auditor(
            store, self.herald.alert, lambda: self.herald.importing is not None, now_ms()
        )
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
        self.work = Work(
            store,
            self.roster,
            self.pipeline,
            self.herald,
            self.budgets,
            self.plan,
            self.failures.attempt,
        )
        self.budgets.on_held = lambda: self.failures.attempt(self.work.look, now_ms())
        self.payment = Payment(self.followed, self.roster, self.pipeline, self.herald)
        notifier.on_press = self.budgets.press
        self.sensors = Sensors(
            paths.inbox,
            paths.status_inbox,
            Bell(asyncio.get_running_loop()),
            self.roster,
            self.plan,
            whose,
            refusals,
            self.payment,
            self.herald,
            self.failures,
        )
        self.alive = Alive(paths.alive)
        self.segments = Segments(paths.segments, config.lines)
        publisher.follow(self.segments.hear)

        self.agents = Agents(
            self.registry,
            self.pipeline,
            self.herald,
            self.budgets,
            self.payment,
            self.work,
            self.failures,
        )
        self.work.workflows.on_labelled = self.agents.changed
        self.exchange = Exchange(
            store,
            self.roster,
            self.pipeline,
            self.work,
            self.herald,
            lambda: self.settings.config,
            paths.run,
            self.failures.attempt,
        )
        self.exchange.claims.on_changed = self.agents.changed
        self.proxies = Proxies(
            store,
            self.roster,
            self.followed,
            self.pipeline,
            self.budgets.bar,
            self.herald,
            lambda: self.settings.config.ccflare,
            config.history.keep_requests_days,
            self.agents.charged,
            self.failures.attempt,
        )
        board.serves_plans = self.proxies.serves_plans
        self.census = Census(
            self.roster,
            Reports(self.agents.started, self.agents.changed, self.agents.exited),
            self.followed.is_subscribed,
            self.followed.admit,
        )

        inlet = Inlet(asyncio.get_running_loop())
        self.watcher = Watcher(
            inlet.log_changed,
            inlet.session_changed,
            inlet.folder_came,
            lambda text: self.herald.alert("watches", text),
        )
        self.marks = Marks(store)
        self._follow_workflow(config)
        self.retention = Retention(store, config.history.keep_requests_days)
        self.days = Days(self._begin_day, lambda: self.budgets.bar.in_history)
        self.budgets.bar.look_at_clock = lambda now: self.failures.attempt(self.days.check, now)
        pending = Pending()
        posting = Posting(
            self.days,
            self.pipeline,
            self.marks,
            self.budgets,
            self.work,
            self.herald,
            self.auditor,
            self.registry,
            self.roster,
            self.census,
            self.agents,
            self.failures,
            refusals,
        )
        self.intake = Intake(
            inlet,
            self.followed,
            pending,
            self.marks,
            self.census,
            posting,
            self.herald,
            self.failures,
        )

        self.ccusage = Beside(
            store,
            self.followed,
            lambda: self.settings.config.ccusage,
            lambda: self.pipeline.prices,
            paths.data,
            lambda text: self.herald.alert_once("failed", text),
            lambda: self.herald.importing is not None,
        )
        self.usage_files = UsageFiles(
            store,
            self.roster,
            lambda: self.settings.config.usage,
            self.plan.view,
            paths.data,
            lambda text: self.herald.alert_once("failed", text),
            lambda: self.herald.importing is not None,
        )
        publisher.follow(self.usage_files.hear)
        self.pipeline.on_booked = self.usage_files.booked
        self.stats_caches = StatsCaches(store)
        self.past = Past(
            self.days,
            WatchedHomes(store, self.followed),
            self.followed,
            self.roster,
            self.agents,
            self.intake,
            posting,
            self.budgets,
            self.stats_caches,
            self.retention,
            self.auditor,
            self.herald,
            self.failures,
            store.let_go,
        )
        self.history = History(self.marks, pending, self.followed, self.herald, self.past)
        self.lookout = Lookout(
            inlet,
            self.followed,
            self.watcher,
            self.census,
            self.history,
            self.past,
            self.marks,
            self.auditor,
            self.herald,
            config.sources.processes,
            self.failures,
        )
        self.beats = Beats(
            self.census,
            self.agents,
            self.registry,
            self.days,
            self.budgets,
            self.work,
            self.exchange,
            self.proxies,
            self.settings,
            self.pricing,
            self.lookout,
            self.auditor,
            self.herald,
            self.alive,
            self.failures,
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take up where the last daemon ended; returns when the figures are right, or importing."""
        now, attempt = now_ms(), self.failures.attempt
        self.segments.clear()
        agents, runs = self.store.read(lambda t: (t.agents(), t.runs()))
        self.roster.restore(agents, runs, now, self.followed.may_follow)
        self.work.restore(now)
        self.days.check(now)
        self.pipeline.restore()
        self.budgets.bar.take_up(now)
        self.watcher.start()
        self.watcher.watch_inbox(self.sensors.folder, self.sensors.bell.ring)
        # First, so that no new agent joins a run of agents that are long gone.
        attempt(self.census.begin, now)
        attempt(self.lookout.follow_homes, now)
        attempt(self.lookout.find_clients, now)
        attempt(self.registry.tick, now)
        attempt(self.lookout.catch_up)
        attempt(self.work.begin, now_ms())
        if not self.herald.importing:
            attempt(self.past.let_limits_act)
        self.segments.begin(self.herald.status())
        work = [
            self.intake.listen(),
            self.lookout.listen(),
            *self.sensors.all(),
            *self.beats.all(),
            self.retention.run(),
            self.segments.keep_up(self.failures.attempt),
            self.exchange.talk.keep_up(),
            self.ccusage.keep_up(),
            self.usage_files.keep_up(),
        ]
        self._tasks += map(asyncio.create_task, work)

    async def stop(self) -> None:
        """End every task and stop listening; what was read is saved already."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.proxies.stop()
        self.alive.end()
        self.segments.clear()
        await self.history.stop()
        await self.budgets.stop()
        await self.auditor.stop()
        self.registry.tick(now_ms())
        self.registry.save_run()
        self.work.stop(now_ms())
        await self.usage_files.stop()
        self.watcher.stop()
        self.census.close()

    def snapshot(self) -> Status:
        """The state of everything, as of the latest update."""
        self.beats.greet()
        return self.herald.status()

    def _limits(self) -> Limits:
        return self.settings.config.limits

    def _settings_changed(self, config: Config) -> None:
        if config.accounts != self.followed.accounts:
            self.followed.accounts = config.accounts
            self.failures.attempt(self.agents.look_at_payers, now_ms())
        self.herald.follow(config)
        self.segments.follow(config.lines)
        self._follow_workflow(config)
        self.ccusage.settings_moved()
        self.failures.attempt(self.budgets.limits_moved, now_ms())

    def _follow_workflow(self, config: Config) -> None:
        patterns = config.workflow.task_patterns
        self.marks.follow(patterns)
        self.pipeline.conversations.ids = TaskIds(patterns)
        self.pipeline.conversations.stage_of = config.workflow.stage_of

    def _begin_day(self, midnight: int, next_midnight: int) -> None:
        self.pipeline.begin_day(midnight, next_midnight)
        self.marks.forget_deleted()
        self.retention.call()
        self.budgets.begin_day(now_ms())

    def _charged_anew(self, outcome: Outcome) -> None:
        self.herald.tell(outcome, now_ms())
        self.auditor.review(now_ms())
        self.usage_files.charged_anew()

    def _look_at(self, agent: LiveAgent) -> None:
        self.census.look_at(agent, now_ms())
