"""The sensors: what Claude Code tells its status lines and hooks, noted on agents and plan, and told."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from msgspec.structs import replace

from tollkeeper.model import AgentState
from tollkeeper_daemon.agents.live import LiveAgent, LiveSubagent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.events import Bell
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.intake.failures import Failures
from tollkeeper_daemon.intake.payment import Payment
from tollkeeper_daemon.intake.refusals import Refusals
from tollkeeper_daemon.intake.whose import Whose
from tollkeeper_daemon.ledger.books import SUBSCRIPTION
from tollkeeper_daemon.plan.gauge import PlanGauge
from tollkeeper_daemon.sources import inbox
from tollkeeper_daemon.transcript.letters import (
    HookReport,
    Sighting,
    StatusLine,
    parse_hook,
    parse_status_line,
)

log = logging.getLogger(__name__)

T = TypeVar("T")

Shown = tuple[float | None, tuple[Sighting, ...]]
"""What a conversation's status line showed last of the plan, and after how much time at the API."""

# Of so many conversations it is remembered what they showed.
MOST_SHOWN = 2_000
# What comes within so short a time is read together.
GATHER_SECONDS = 0.02
LOOK_SECONDS = 0.25

# What an agent does from each event on, where it does not say so itself in a session file.
STATES: dict[str, AgentState] = {
    "SessionStart": "idle",
    "UserPromptSubmit": "working",
    "PreToolUse": "working",
    "PostToolUse": "working",
    "Stop": "idle",
    "StopFailure": "idle",
}
# A helper whose request fails ends with that alone.
ENDS = {"SubagentStop", "StopFailure"}
WAITS_FOR = {"permission_prompt": "permission prompt", "elicitation_dialog": "dialog open"}


class Sensors:
    """Reads the inbox, and tells what is news. ``bad_letters`` counts what could not be read."""

    def __init__(
        self,
        folder: Path,
        status_folder: Path,
        bell: Bell,
        roster: Roster,
        plan: PlanGauge,
        whose: Whose,
        refusals: Refusals,
        payment: Payment,
        herald: Herald,
        failures: Failures,
    ) -> None:
        self.bad_letters = 0
        self.folder = folder
        self._slips = inbox.Slips(status_folder)
        self.bell = bell
        self._roster = roster
        self._plan = plan
        self._whose = whose
        self._refusals = refusals
        self._payment = payment
        self._shown: dict[str, Shown] = {}
        self._herald = herald
        self._failures = failures

    def all(self) -> list[Coroutine[Any, Any, None]]:
        """What is to run for as long as the daemon lives."""
        return [self._listen(), self._look()]

    async def _listen(self) -> None:
        """Read what hooks report at once, and what an earlier daemon left."""
        self.bell.ring()
        while True:
            await self.bell.heard()
            self._failures.attempt(self.read_hooks, now_ms())
            await asyncio.sleep(GATHER_SECONDS)

    async def _look(self) -> None:
        """Look whether status lines were refreshed. They come too often to be told of each."""
        while True:
            self._failures.attempt(self.read_status_lines, now_ms())
            self._failures.attempt(self._refusals.look, now_ms())
            await asyncio.sleep(LOOK_SECONDS)

    def read_hooks(self, now: int) -> None:
        """Take in what hooks left in the inbox."""
        letters = inbox.take(self.folder)
        self.bad_letters += letters.bad
        for report in self._parsed(parse_hook, letters.contents):
            self._heed(report, now)
        if letters.more:
            self.bell.ring()

    def read_status_lines(self, now: int) -> None:
        """Take in which status lines were refreshed."""
        slips, bad = self._slips.new(now * inbox.NS_PER_MS)
        self.bad_letters += bad
        for slip in slips:
            for line in self._parsed(parse_status_line, [slip.content]):
                self._note(line, min(slip.written, now))

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
        """What a status line was told: the plan's windows, and how things stand with the agent."""
        self.bad_letters += line.refused
        agent = self._roster.agent_of(line.conversation, now)
        if agent and line.on_plan:
            self._payment.shows_plan(agent, now)
        is_first = line.conversation not in self._shown
        if line.windows and self._is_news(line):
            owner = self._whose.of(line.conversation, line.log, now)
            for seen in line.windows:
                figure = (seen.window, seen.used_percent, seen.resets_at)
                # It may have been shown before, to an earlier daemon or under another conversation.
                if not (is_first and self._plan.holds(*figure, owner)):
                    self._herald.plan_changed(self._plan.observed(*figure, now, owner))
        if agent and _note_shown(agent, line):
            self._herald.agent("agent.changed", agent)

    def _is_news(self, line: StatusLine) -> bool:
        """Whether the client heard of the plan anew: one that is idle repeats what it knows."""
        shown = (line.api_ms, line.windows)
        if line.api_ms is not None and self._shown.get(line.conversation) == shown:
            return False
        if len(self._shown) >= MOST_SHOWN:
            self._shown.clear()
        self._shown[line.conversation] = shown
        return True

    def _heed(self, report: HookReport, now: int) -> None:
        """What a hook reported: what the agent does, and which helpers it has."""
        agent = self._roster.agent_of(report.conversation, now)
        agent = agent or self._roster.with_pid(report.pid)
        if agent is None:
            return
        if report.is_refusal and agent.record.source == SUBSCRIPTION:
            self._refusals.reported(report, now)
        before = (agent.state(now), agent.waiting_for, _helpers(agent))
        agent.last_time = max(agent.last_time, min(report.time, now))
        if report.helper:
            _note_helper(agent, report)
        elif agent.status is None:
            _note_state(agent, report)
        if before != (agent.state(now), agent.waiting_for, _helpers(agent)):
            self._herald.agent("agent.changed", agent)


def _note_shown(agent: LiveAgent, line: StatusLine) -> bool:
    """How full the context is, the lines that changed so far, and the model before it was asked.

    Whether any of it is news. The client writes the lines into its log only when it leaves a conversation.
    """
    before = (agent.context_used_percent, agent.lines_added, agent.lines_removed, agent.record)
    if line.context_used_percent is not None:
        agent.context_used_percent = line.context_used_percent
    if line.lines and line.conversation == agent.record.conversation:
        agent.lines_added, agent.lines_removed = line.lines
    if line.model and not agent.record.model:
        agent.record = replace(agent.record, model=line.model)
    return before != (
        agent.context_used_percent,
        agent.lines_added,
        agent.lines_removed,
        agent.record,
    )


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
    helper.finished = report.event in ENDS


def _helpers(agent: LiveAgent) -> list[tuple[str, str, bool]]:
    return [(each.id, each.type, each.finished) for each in agent.subagents.values()]
