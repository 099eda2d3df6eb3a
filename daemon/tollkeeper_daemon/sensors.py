"""The sensors: what Claude Code tells its status lines and hooks, noted on agents and plan, and told."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tollkeeper.model import AgentState
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.events import Bell
from tollkeeper_daemon.failures import Failures
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.payment import Payment
from tollkeeper_daemon.plan_gauge import PlanGauge
from tollkeeper_daemon.roster import LiveAgent, LiveSubagent, Roster
from tollkeeper_daemon.sources import inbox
from tollkeeper_daemon.transcript.letters import (
    HookReport,
    StatusLine,
    parse_hook,
    parse_status_line,
)

log = logging.getLogger(__name__)

T = TypeVar("T")

# What comes within so short a time is read together.
GATHER_SECONDS = 0.02

# What an agent does from each event on, where it does not say so itself in a session file.
STATES: dict[str, AgentState] = {
    "SessionStart": "idle",
    "UserPromptSubmit": "working",
    "PreToolUse": "working",
    "PostToolUse": "working",
    "Stop": "idle",
    "StopFailure": "idle",
}
WAITS_FOR = {"permission_prompt": "permission prompt", "elicitation_dialog": "dialog open"}


class Sensors:
    """Reads the inbox, and tells what is news. ``bad_letters`` counts what could not be read."""

    def __init__(
        self,
        folder: Path,
        roster: Roster,
        plan: PlanGauge,
        payment: Payment,
        herald: Herald,
        failures: Failures,
    ) -> None:
        self.bad_letters = 0
        self.folder = folder
        self.bell = Bell(asyncio.get_running_loop())
        self._roster = roster
        self._plan = plan
        self._payment = payment
        self._herald = herald
        self._failures = failures

    async def listen(self) -> None:
        """Read the inbox whenever the bell has rung, and what an earlier daemon left at once."""
        self.bell.ring()
        while True:
            await self.bell.heard()
            self._failures.attempt(self.read, now_ms())
            await asyncio.sleep(GATHER_SECONDS)

    def read(self, now: int) -> None:
        """Take in what lies in the inbox."""
        letters = inbox.take(self.folder)
        if letters.more:
            self.bell.ring()
        self.bad_letters += letters.bad
        for report in self._parsed(parse_hook, letters.hooks):
            self._heed(report, now)
        for line in self._parsed(parse_status_line, letters.status_lines):
            self._note(line, now)

    def _parsed(self, parse: Callable[[bytes], T], letters: list[bytes]) -> list[T]:
        found: list[T] = []
        for letter in letters:
            try:
                found.append(parse(letter))
            except ValueError as error:
                self.bad_letters += 1
                log.debug("%s", error)
        return found

    def _note(self, line: StatusLine, now: int) -> None:
        """What a status line was told: the plan's windows, and how full the context is."""
        self.bad_letters += line.refused
        for seen in line.windows:
            news = self._plan.observed(seen.window, seen.used_percent, seen.resets_at, now)
            self._herald.plan_changed(news)
        agent = self._roster.agent_of(line.conversation, now)
        if agent and line.on_plan:
            self._payment.shows_plan(agent, now)
        percent = line.context_used_percent
        if agent and percent is not None and percent != agent.context_used_percent:
            agent.context_used_percent = percent
            self._herald.agent("agent.changed", agent)

    def _heed(self, report: HookReport, now: int) -> None:
        """What a hook reported: what the agent does, and which helpers it has."""
        agent = self._roster.agent_of(report.conversation, now)
        agent = agent or self._roster.with_pid(report.pid)
        if agent is None:
            return
        before = (agent.state(now), agent.waiting_for, _helpers(agent))
        agent.last_time = max(agent.last_time, min(report.time, now))
        if report.helper:
            _note_helper(agent, report)
        elif agent.status is None:
            _note_state(agent, report)
        if before != (agent.state(now), agent.waiting_for, _helpers(agent)):
            self._herald.agent("agent.changed", agent)


def _note_state(agent: LiveAgent, report: HookReport) -> None:
    if report.event in STATES:
        agent.reported, agent.waiting_for = STATES[report.event], ""
    elif report.event == "Notification" and report.detail in WAITS_FOR:
        agent.reported, agent.waiting_for = "waiting", WAITS_FOR[report.detail]


def _note_helper(agent: LiveAgent, report: HookReport) -> None:
    """A subagent started, works, or ended; its type is known from its start on."""
    helper = agent.subagents.setdefault(report.helper, LiveSubagent(report.helper))
    helper.type = helper.type or report.helper_type
    helper.last_time = max(helper.last_time, report.time)
    helper.finished = report.event == "SubagentStop"


def _helpers(agent: LiveAgent) -> list[tuple[str, str, bool]]:
    return [(each.id, each.type, each.finished) for each in agent.subagents.values()]
