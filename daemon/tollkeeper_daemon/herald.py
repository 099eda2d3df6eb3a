"""Tells the world: the status for who asks, and every change to who listens."""

import logging
import os
from collections import deque
from collections.abc import Callable

from tollkeeper import __version__, wire
from tollkeeper.model import (
    AccountToday,
    Action,
    Agent,
    Alert,
    AlertKind,
    DaemonInfo,
    Hold,
    Importing,
    Run,
    Span,
    Status,
    Today,
)
from tollkeeper.proxies import Proxy
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.agents.waits import Waits
from tollkeeper_daemon.budgets.board import Board
from tollkeeper_daemon.clock import iso, now_ms
from tollkeeper_daemon.config import Config
from tollkeeper_daemon.outlets.notices import Button, Notice, Troubles
from tollkeeper_daemon.outlets.notifier import Notifier
from tollkeeper_daemon.outlets.publisher import Publisher
from tollkeeper_daemon.pipeline import Outcome, Pipeline
from tollkeeper_daemon.plan.gauge import News, PlanGauge
from tollkeeper_daemon.plan.told import PlanTold
from tollkeeper_daemon.reading.backlog import Progress
from tollkeeper_daemon.reading.scan import Scan
from tollkeeper_daemon.unpriced import ToldModels
from tollkeeper_daemon.view import accounts_view, agent_view, charged_view, run_view, today_view

log = logging.getLogger(__name__)

ALERTS_KEPT = 50


class Herald:
    """What is told, from the roster and the running sums as they stand.

    ``importing`` is set while the history is read, ``hold_of`` says how an agent is held,
    ``home_of`` names the Claude home of an account, and ``proxies`` says how those stand that are followed.
    """

    def __init__(
        self,
        publisher: Publisher,
        notifier: Notifier,
        roster: Roster,
        pipeline: Pipeline,
        board: Board,
        plan: PlanGauge,
    ) -> None:
        self.importing: Progress | None = None
        self.hold_of: Callable[[LiveAgent], Hold | None] = lambda agent: None
        self.home_of: Callable[[str], str | None] = lambda account: None
        self.proxies: Callable[[], tuple[Proxy, ...]] = lambda: ()
        self._publisher = publisher
        self._notifier = notifier
        self._roster = roster
        self._pipeline = pipeline
        self._board = board
        self._plan = plan
        self._alerts: deque[Alert] = deque(maxlen=ALERTS_KEPT)
        self._troubles = Troubles()
        self._told_models = ToldModels()
        self._plan_told = PlanTold()
        self._waits = Waits(notifier.waiting_after_seconds)
        self._started = now_ms()

    def status(self) -> Status:
        """The state of everything, as of the latest update."""
        now = now_ms()
        return Status(
            version=__version__,
            protocol=wire.PROTOCOL,
            sequence=self._publisher.sequence,
            time=iso(now),
            daemon=self._info(),
            agents=tuple(self._agent(agent, now) for agent in self._roster.agents.values()),
            plan=self._plan.view(now),
            plans=self._plan.views(now),
            today=self._today(),
            run=self._run(),
            limits=self._board.shared(),
            alerts=tuple(self._alerts),
            accounts=self._accounts(),
            proxies=self.proxies(),
        )

    def beat(self) -> None:
        """A sign of life, with what a long import has come to so far."""
        self._publish(
            "heartbeat",
            wire.Heartbeat,
            daemon=self._info(),
            agents=tuple(self._roster.agents),
            today=self._today(),
            run=self._run(),
            limits=self._board.shared(),
            accounts=self._accounts(),
        )

    def tell(self, outcome: Outcome, now: int) -> None:
        """Requests were charged."""
        self._publish(
            "usage",
            wire.UsageUpdate,
            charged=tuple(charged_view(book, totals) for book, totals in outcome.charged),
            agents=tuple(self._agent(agent, now) for agent in outcome.agents),
            today=self._today(),
            run=self._run(),
            limits=self._board.shared(),
            accounts=self._accounts(),
        )
        for text in self._told_models.news(outcome.unpriced_models):
            self.alert("unknown-model", text)

    def agent(self, topic: wire.Topic, agent: LiveAgent) -> None:
        """An agent started, changed or exited."""
        now = now_ms()
        self._publish(topic, wire.AgentUpdate, agent=self._agent(agent, now))
        self._waits.note(agent, now)

    def limits_changed(self) -> None:
        """A limit was set, neared, reached or cleared."""
        self._publish("limit", wire.LimitUpdate, limits=self._board.shared())

    def proxies_changed(self) -> None:
        """Of a proxy, or of one of its accounts, something is otherwise."""
        self._publish("proxies", wire.ProxiesUpdate, proxies=self.proxies())

    def acted(self, action: Action) -> None:
        """The journal has a new entry."""
        self._publish("action", wire.ActionUpdate, action=action)

    def workflow(
        self, event: wire.WorkflowEvent, workflow: str, status: str = "", span: Span | None = None
    ) -> None:
        """A workflow, or a stage of one, started or ended."""
        self._publish(
            "workflow",
            wire.WorkflowUpdate,
            workflow=workflow,
            event=event,
            status=status or None,
            span=span,
        )

    def plan_changed(self, news: list[News] | None) -> None:
        """The plan was seen anew, with this news of it; None is for no change."""
        if news is not None:
            self._tell_plan(now_ms())
            for each in news:
                self.alert(each.kind, each.text)

    def _tell_plan(self, now: int) -> None:
        plans = self._plan.views(now)
        self._plan_told.note(plans, now)
        self._publish("plan", wire.PlanUpdate, plan=self._plan.view(now), plans=plans)

    def follow(self, config: Config) -> None:
        """The settings are these now."""
        self._notifier.follow(config.notify)
        self._waits.after_seconds = config.notify.waiting_after_seconds

    def look_at_clock(self, now: int) -> None:
        """Tell what time alone brings.

        The plan's refusal is over, its estimates moved, an agent waits too long.
        """
        self.plan_changed(self._plan.look(now))
        if self._plan_told.is_due(self._plan.views(now), now):
            self._tell_plan(now)
        for agent, text in self._waits.overdue(self._roster.alive(), now):
            self.alert("waiting", text, agent)

    def lost(self, scan: Scan, error: Exception) -> None:
        """What these lines say can't be posted."""
        log.error("a block of %r can't be posted", scan.path, exc_info=error)
        block = f"{scan.bytes:,} bytes of {scan.path}"
        self.alert_once("failed", f"{block} can't be counted ({error}): see tolld.log")

    def alert(
        self,
        kind: AlertKind,
        text: str,
        agent: LiveAgent | None = None,
        buttons: tuple[Button, ...] = (),
        limit: str = "",
    ) -> None:
        """Something that a person should know; kept in the status, and shown where they look.

        ``agent`` is whom it is about, or ``limit`` the scope that agents share; ``buttons`` are what
        a person may answer.
        """
        name = agent.record.name if agent else None
        found = Alert(time=iso(now_ms()), kind=kind, text=text, agent=name)
        self._alerts.append(found)
        log.warning("%s: %s", kind, text)
        self._publish("alert", wire.AlertUpdate, alert=found)
        whom = agent.record.id if agent else ""
        self._notifier.show(
            Notice(kind=kind, text=text, agent=whom, name=name or "", limit=limit, buttons=buttons)
        )

    def alert_once(self, kind: AlertKind, text: str) -> None:
        """The same of what goes wrong again and again: once, until it was well for an hour."""
        if self._troubles.is_news(text, now_ms()):
            self.alert(kind, text)

    @property
    def progress(self) -> Importing | None:
        """How far the reading of the history has come, while it lasts."""
        found = self.importing
        return Importing(done_bytes=found.done, total_bytes=found.total) if found else None

    def _info(self) -> DaemonInfo:
        return DaemonInfo(pid=os.getpid(), started_at=iso(self._started), importing=self.progress)

    def _agent(self, agent: LiveAgent, now: int) -> Agent:
        return agent_view(agent, now, self._board.of_agent(agent), self.hold_of(agent))

    def _today(self) -> Today:
        return today_view(self._pipeline.today)

    def _accounts(self) -> tuple[AccountToday, ...]:
        return accounts_view(self._pipeline.today_by_account, self.home_of)

    def _run(self) -> Run | None:
        return run_view(self._roster, self._pipeline.run)

    def _publish(self, topic: wire.Topic, kind: type[wire.Update], **content: object) -> None:
        self._publisher.publish(topic, kind, iso(now_ms()), **content)
