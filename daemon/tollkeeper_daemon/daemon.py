"""The daemon at work: takes what changed, posts it, tells it; and keeps everything in step."""

import asyncio
import contextlib
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable

from tollkeeper import __version__, wire
from tollkeeper.model import Alert, DaemonInfo, Importing, Plan, Run, Status, Today

from tollkeeper_daemon.backlog import Progress, plan, read_backlog
from tollkeeper_daemon.census import Census, Reports
from tollkeeper_daemon.clock import local_day, local_time, now_ms
from tollkeeper_daemon.config import Config
from tollkeeper_daemon.events import Inlet
from tollkeeper_daemon.followed import Followed
from tollkeeper_daemon.ledger.prices import PriceList
from tollkeeper_daemon.outlets.publisher import Publisher
from tollkeeper_daemon.pipeline import Outcome, Pipeline
from tollkeeper_daemon.reading import Job, Scan, scan_log
from tollkeeper_daemon.roster import LiveAgent, Roster
from tollkeeper_daemon.sources.homes import Home, Homes
from tollkeeper_daemon.sources.watcher import Watcher
from tollkeeper_daemon.store.schema import RunRecord
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.view import agent_view, charged_view, iso, run_view, today_view

log = logging.getLogger(__name__)

PULSE_SECONDS = 2.0
CLIENTS_SECONDS = 5.0
SWEEP_SECONDS = 60.0
HEARTBEAT_SECONDS = 10.0
# By then, those who listened to the last daemon are connected to this one.
FIRST_BEAT_SECONDS = 0.5
IMPORT_BEAT_SECONDS = 0.25
IMPORT_BATCH_SECONDS = 0.3
# So much may be read before the first answer: less than a blink, more than an hour of agents.
AT_ONCE_BYTES = 4 << 20
ALERTS_KEPT = 50
LIMITED_UNTIL = "limited_until"
# How far the times of files may lag behind the clock.
FILE_CLOCK_SECONDS = 1.0


class Daemon:
    """Everything between the sources and the outlets; ``start`` and ``stop`` frame its life."""

    def __init__(
        self,
        store: Store,
        prices: PriceList,
        config: Config,
        homes: Homes,
        publisher: Publisher,
        stop: asyncio.Event,
    ) -> None:
        self.store = store
        self.config = config
        self.followed = Followed(homes, config.accounts.source)
        self.roster = Roster()
        self.pipeline = Pipeline(store, self.roster, prices, self.followed.source_of)
        self.census = Census(
            self.roster,
            Reports(self._agent_started, self._agent_changed, self._agent_exited),
            self.followed.is_subscribed,
            self._home_of_client,
        )
        self.publisher = publisher
        self.importing: Progress | None = None
        self.alerts: deque[Alert] = deque(maxlen=ALERTS_KEPT)
        self.started = now_ms()
        self.shut_down = stop.set
        self._inlet = Inlet(asyncio.get_running_loop())
        self.watcher = Watcher(
            self._inlet.log_changed, self._inlet.session_changed, self._watches_ran_out
        )
        self._marks = store.read(lambda transaction: transaction.files())
        self._pending: set[str] = set()
        self._last_find = store.last_saved
        self._tasks: list[asyncio.Task[None]] = []
        self._next_midnight = 0
        self._limited_until: int = store.read(lambda t: t.meta(LIMITED_UNTIL)) or 0
        self.unpriced_models: set[str] = set()

    async def start(self) -> None:
        """Take up where the last daemon ended; returns when the figures are right, or importing."""
        now = now_ms()
        self.roster.restore(*self.store.read(lambda t: (t.agents(), t.runs())), now)
        self._begin_day(now)
        self.pipeline.restore()
        self.watcher.start()
        self._follow_homes(now)
        self.census.begin(now)
        if self.config.sources.processes:
            self.census.find_clients(now)
        backlog = self._find_backlog()
        if sum(job.bytes for job in backlog) <= AT_ONCE_BYTES:
            self._read_logs([job.path for job in backlog])
        else:
            self._tasks.append(asyncio.create_task(self._import(backlog)))
        self._tasks += [
            asyncio.create_task(self._listen()),
            asyncio.create_task(self._every(PULSE_SECONDS, self._pulse)),
            asyncio.create_task(self._every(CLIENTS_SECONDS, self._look_around)),
            asyncio.create_task(self._every(SWEEP_SECONDS, self._sweep)),
            asyncio.create_task(self._beat_on()),
        ]

    async def stop(self) -> None:
        """End every task and stop listening; what was read is saved already."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.watcher.stop()
        self.census.close()

    # What comes in.

    async def _listen(self) -> None:
        while True:
            await self._inlet.arrived.wait()
            sessions, logs = self._inlet.take()
            now = now_ms()
            for path in sessions:
                if home := self.followed.home_of_session(path):
                    self.census.read_session(path, home, now)
            self._read_logs(logs)

    def _read_logs(self, paths: Iterable[str]) -> None:
        """Read these logs on and post what they say; a log still in the import waits for it."""
        now = now_ms()
        scans = [scan for path in paths if (scan := self._scan(path, now))]
        news = [scan for scan in scans if scan.bytes or scan.helper]
        if news:
            self._post(news, now)
        for scan in scans:
            if scan.more:
                self._inlet.log_changed(scan.path)

    def _scan(self, path: str, now: int) -> Scan | None:
        if path in self._pending or not self.followed.holds(path):
            return None
        try:
            status = os.stat(path)
            return scan_log(path, self._marks.get((status.st_dev, status.st_ino)), now)
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("can't read %s: %s", path, error.strerror)
            return None

    def _post(self, scans: list[Scan], now: int, live: bool = True) -> None:
        self._check_day(now)
        outcome = self.pipeline.post(scans, now, live)
        for scan in scans:
            self._marks[scan.file] = scan.mark
            for refusal in scan.refusals:
                self._limit_until(refusal.resets_at, now)
        if not live:
            return
        self._tell(outcome, now)
        for scan in scans:
            self._find_holders(scan, now)

    def _find_holders(self, scan: Scan, now: int) -> None:
        """Give what older clients wrote to the agent that must have written it."""
        for name in {each.conversation for each in (*scan.replies, *scan.prompts)}:
            if not self.roster.is_held(name) and self.census.guess_holder(scan.path, name):
                self._claim(name, now)

    def _claim(self, conversation: str, now: int) -> None:
        if outcome := self.pipeline.claim(conversation):
            self._tell(outcome, now)

    def _limit_until(self, resets_at: int, now: int) -> None:
        """The plan refused a request until then (ms); news only if that is still to come."""
        if now < resets_at and resets_at > self._limited_until:
            self.store.write(lambda transaction: transaction.set_meta(LIMITED_UNTIL, resets_at))
            self._limited_until = resets_at
            self._publish("plan", wire.PlanUpdate, plan=self._plan())
            self.alert("limited", f"the plan refuses requests until {local_time(resets_at)}")

    def _check_plan(self, now: int) -> None:
        if self._limited_until and now >= self._limited_until:
            self._limited_until = 0
            self._publish("plan", wire.PlanUpdate, plan=self._plan())

    # The history.

    def _find_backlog(self) -> list[Job]:
        """The logs that hold more than was read of them, or something else in as many bytes."""
        jobs: list[Job] = []
        since, self._last_find = self._last_find - FILE_CLOCK_SECONDS, time.time()
        for entry in self.followed.logs():
            with contextlib.suppress(OSError):
                status = entry.stat()
                mark = self._marks.get((status.st_dev, status.st_ino))
                unread = status.st_size - (mark.offset if mark else 0)
                if unread or status.st_mtime > since:
                    jobs.append(Job(entry.path, mark, abs(unread), status.st_mtime))
        return jobs

    async def _import(self, backlog: list[Job]) -> None:
        """Read the history; the daemon answers meanwhile, and nothing of it counts as news."""
        self._pending = {job.path for job in backlog}
        self.importing = Progress(total=sum(job.bytes for job in backlog))
        beat = asyncio.create_task(self._every(IMPORT_BEAT_SECONDS, self.beat))
        try:
            await self._import_all(backlog, self.importing)
        finally:
            beat.cancel()
            self._pending.clear()
            self.importing = None
        log.info("imported %d logs", len(backlog))
        self._sweep()
        self.beat()

    async def _import_all(self, backlog: list[Job], progress: Progress) -> None:
        """Post what is read in large batches, since each costs a write to the disk."""
        held: list[Scan] = []
        last = 0.0
        async for scans in read_backlog(plan(backlog), progress):
            held += scans
            if time.monotonic() - last > IMPORT_BATCH_SECONDS:
                self._post_history(held)
                held, last = [], time.monotonic()
        self._post_history(held)

    def _post_history(self, scans: list[Scan]) -> None:
        if scans:
            self._post(scans, now_ms(), live=False)
            self._pending -= {scan.path for scan in scans if not scan.more}

    # What goes on by the clock.

    async def _beat_on(self) -> None:
        await asyncio.sleep(FIRST_BEAT_SECONDS)
        self.beat()
        await self._every(HEARTBEAT_SECONDS, self.beat)

    async def _every(self, seconds: float, work: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(seconds)
            work()

    def _pulse(self) -> None:
        now = now_ms()
        self.census.take_pulses(now)
        gone, ended = self.roster.tick(now)
        if gone or ended:
            self._save_run(ended)
        self._check_day(now)
        self._check_plan(now)

    def _look_around(self) -> None:
        now = now_ms()
        self._follow_homes(now)
        if self.config.sources.processes:
            self.census.find_clients(now)

    def _sweep(self) -> None:
        """Find what the file events missed, and save when agents were last alive."""
        self._read_logs([job.path for job in self._find_backlog()])
        self._save_run(self.roster.run)

    def _follow_homes(self, now: int) -> None:
        for home in self.followed.homes:
            if self.watcher.follow(home):
                self._read_logs([job.path for job in self._find_backlog()] if self._tasks else [])
            self.census.read_sessions(home, now)

    def _check_day(self, now: int) -> None:
        if now >= self._next_midnight:
            self._begin_day(now)

    def _begin_day(self, now: int) -> None:
        midnight, self._next_midnight = local_day(now)
        self.pipeline.begin_day(midnight, self._next_midnight)

    # What goes out.

    def status(self) -> Status:
        """The state of everything, as of the latest update."""
        now = now_ms()
        return Status(
            version=__version__,
            protocol=wire.PROTOCOL,
            sequence=self.publisher.sequence,
            time=iso(now),
            daemon=self._info(),
            agents=tuple(agent_view(agent, now) for agent in self.roster.agents.values()),
            plan=self._plan(),
            today=self._today(),
            run=self._run(),
            alerts=tuple(self.alerts),
        )

    def beat(self) -> None:
        """Publish a sign of life, with what a long import has come to so far."""
        self._publish(
            "heartbeat", wire.Heartbeat, daemon=self._info(), today=self._today(), run=self._run()
        )

    def _info(self) -> DaemonInfo:
        progress = self.importing
        return DaemonInfo(
            pid=os.getpid(),
            started_at=iso(self.started),
            importing=Importing(done_bytes=progress.done, total_bytes=progress.total)
            if progress
            else None,
        )

    def _plan(self) -> Plan:
        return Plan(limited_until=iso(self._limited_until) if self._limited_until else None)

    def _today(self) -> Today:
        return today_view(self.pipeline.today)

    def _run(self) -> Run | None:
        return run_view(self.roster, self.pipeline.run)

    def _tell(self, outcome: Outcome, now: int) -> None:
        self._publish(
            "usage",
            wire.UsageUpdate,
            charged=tuple(charged_view(book, totals) for book, totals in outcome.charged),
            agents=tuple(agent_view(agent, now) for agent in outcome.agents),
            today=self._today(),
            run=self._run(),
        )
        for model in outcome.unpriced_models - self.unpriced_models:
            self.unpriced_models.add(model)
            self.alert(
                "unknown-model", f"no price for {model}: charged as its dearest kin, shown ~"
            )

    def _agent_started(self, agent: LiveAgent) -> None:
        self._save_agent(agent)
        self._publish_agent("agent.started", agent)
        if agent.record.conversation:
            self._claim(agent.record.conversation, now_ms())

    def _agent_changed(self, agent: LiveAgent) -> None:
        self._save_agent(agent)
        self._publish_agent("agent.changed", agent)
        if agent.record.conversation:
            self._claim(agent.record.conversation, now_ms())

    def _agent_exited(self, agent: LiveAgent) -> None:
        self._save_agent(agent)
        self._publish_agent("agent.exited", agent)

    def _publish_agent(self, topic: wire.Topic, agent: LiveAgent) -> None:
        self._publish(topic, wire.AgentUpdate, agent=agent_view(agent, now_ms()))

    def _publish(self, topic: wire.Topic, kind: type[wire.Update], **content: object) -> None:
        self.publisher.publish(topic, kind, iso(now_ms()), **content)

    def alert(self, kind: str, text: str) -> None:
        """Keep something that a person should know, and tell it."""
        found = Alert(time=iso(now_ms()), kind=kind, text=text)
        self.alerts.append(found)
        self._publish("alert", wire.AlertUpdate, alert=found)
        log.warning("%s: %s", kind, text)

    # Odds and ends.

    @property
    def logs_read(self) -> int:
        """How many logs stand in the ledger."""
        return len(self._marks)

    def _save_agent(self, agent: LiveAgent) -> None:
        def work(transaction: Transaction) -> None:
            transaction.save_agent(agent.record)
            if self.roster.run:
                transaction.save_run(self.roster.run)

        self.store.write(work)

    def _save_run(self, run: RunRecord | None) -> None:
        if run is not None:
            self.store.write(lambda transaction: transaction.save_run(run))

    def _watches_ran_out(self, text: str) -> None:
        self.alert("watches", text)

    def _home_of_client(self, path: str) -> Home | None:
        home, new = self.followed.admit(path)
        if new:
            self._follow_homes(now_ms())
        return home
