"""People's words to agents: pause, resume with or without more budget, stop."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from tollkeeper.frozen import FOREGROUND, TO_FOREGROUND
from tollkeeper.model import Done
from tollkeeper.naming import named, several
from tollkeeper.signals import SignalRefused
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.bar import words
from tollkeeper_daemon.bar.bar import Bar, key_of
from tollkeeper_daemon.bar.buttons import ADD, ADDED_DOLLARS, RESUME, STOP
from tollkeeper_daemon.bar.grants import Grants, bound_with
from tollkeeper_daemon.budgets.board import Stand
from tollkeeper_daemon.outlets.notices import Notice
from tollkeeper_daemon.outlets.signals import Signals
from tollkeeper_daemon.rules.limits import Unit
from tollkeeper_daemon.rules.settings import NANO, most

BY_HAND = "told so by a person."
NOT_HELD = "it was not held"
TAKEN_BY_SHELL = (
    f"its terminal goes back to the shell: after toll resume, type  {TO_FOREGROUND}  there"
)
UNSAVED = "This can't be saved now, and is tried again: see tolld.log."


class Ambiguous(Exception):
    """Several agents are meant by one word; the text names them."""


class AgentsByHand:
    """What a command, a button or a program on the control socket asks for."""

    def __init__(self, bar: Bar, grants: Grants, roster: Roster, signals: Signals) -> None:
        self._bar = bar
        self._grants = grants
        self._roster = roster
        self._signals = signals

    def find(self, word: str) -> LiveAgent | None:
        """The living agent with this name, pid, id or conversation, or a beginning of the latter.

        Ambiguous when there is more than one.
        """
        alive = {agent.record.id: agent for agent in self._roster.alive()}
        found = named(word, [agent.record for agent in alive.values()])
        if len(found) > 1:
            raise Ambiguous(several(word, found))
        return alive[found[0].id] if found else None

    def pause(self, agent: LiveAgent, now: int) -> Done:
        """Freeze this agent."""
        self._bar.hands.look_at(agent)
        if self._bar.hands.holds.is_held(agent, "paused"):
            return _done(agent, note="it is paused already")
        if self._bar.hands.holds.is_held(agent, "stopping"):
            return _done(agent, error="it is being stopped")
        in_shell = self._signals.in_shell(agent.record.id)
        try:
            self._bar.hands.pause(agent, BY_HAND, "person", now)
        except SignalRefused as refused:
            return _done(agent, error=str(refused))
        return replace(
            _done(agent, note=" ".join([TAKEN_BY_SHELL] * in_shell + self._unsaved())),
            kind="paused",
        )

    def is_held(self, agent: LiveAgent) -> bool:
        """Whether there is anything to resume."""
        return agent.stopped or self._bar.hands.holds.of(agent) is not None

    def resume(
        self, agents: Sequence[LiveAgent], unit: Unit | None, more: int, now: int
    ) -> list[Done]:
        """Let these go on; with a unit, what holds them is raised to leave so much: once each."""
        self._bar.look_at_clock(now)
        # Of all before any is raised: then the next agent would seem to be held by nothing.
        to_raise = [self._to_raise(agent, unit) if unit else [] for agent in agents]
        too_high = [self._too_high(stands, more) for stands in to_raise]
        raised = [() if bad else stands for stands, bad in zip(to_raise, too_high, strict=True)]
        stands = {key_of(stand.limit): stand for of_agent in raised for stand in of_agent}
        told = {key: self._grants.raise_limit(stand, more, now) for key, stand in stands.items()}
        done = [
            _done(agent, error=bad)
            if bad
            else self._resume(agent, unit, [told[key_of(stand.limit)] for stand in of_agent], now)
            for agent, of_agent, bad in zip(agents, raised, too_high, strict=True)
        ]
        self._bar.look(now)
        return done

    def _too_high(self, stands: Iterable[Stand], more: int) -> str:
        """Why one of these can't be raised so much; empty when all can."""
        for stand in stands:
            unit, scope = stand.limit.unit, stand.limit.scope
            if bound_with(stand, more) > most(unit):
                name = words.whose(scope, self._bar.board.agent_name(scope))
                return f"{name} can't be raised above {words.amount(unit, most(unit))}"
        return ""

    def _to_raise(self, agent: LiveAgent, unit: Unit) -> list[Stand]:
        """What holds the agent, or else its own limit."""
        stands = [each for each in self._spent(agent) if each.limit.unit == unit]
        own = self._bar.board.own_of(agent)
        return stands or [each for each in own if each.limit.unit == unit]

    def _spent(self, agent: LiveAgent) -> list[Stand]:
        return [each for each in self._bar.board.reached_by(agent) if each.limit.action != "warn"]

    def _resume(self, agent: LiveAgent, unit: Unit | None, raised: Sequence[str], now: int) -> Done:
        if unit and not any(stand.limit.unit == unit for stand in self._bar.board.bound_by(agent)):
            return _done(agent, error=f"it has no limit in {unit} that could be raised")
        spent = self._spent(agent)
        notes = [*raised]
        notes += [f"{self._bar.describe(each)} That limit holds it no more." for each in spent]
        try:
            held = self._bar.hands.release(agent, BY_HAND, "person")
            if held is None:
                if not agent.stopped:
                    return _done(agent, note=_not_held(unit, raised))
                self._bar.hands.wake(agent, BY_HAND, "person")
            self._grants.spare(agent, spent, now)
            if held and agent.stopped:
                self._bar.hands.holds.thaw(agent)
        except SignalRefused as refused:
            return _done(agent, error=str(refused))
        if self._signals.in_shell(agent.record.id) and (held is None or held.processes):
            notes.append(words.upper(FOREGROUND))
        notes += self._unsaved()
        return replace(_done(agent, note=" ".join(notes)), kind="resumed")

    def _unsaved(self) -> list[str]:
        return [] if self._bar.is_saved else [UNSAVED]

    def press(self, notice: Notice, button: str, now: int) -> None:
        """A button of a notification was pressed: it is for whom the limit holds."""
        agents = [agent for agent in self._roster.alive() if self._is_meant(notice, agent)]
        if button == STOP[0]:
            for agent in agents:
                self._bar.hands.stop(agent, BY_HAND, "person", now)
        elif button == ADD[0]:
            self.resume(agents, "usd", ADDED_DOLLARS * NANO, now)
        elif button == RESUME[0]:
            self.resume(agents, None, 0, now)

    def _is_meant(self, notice: Notice, agent: LiveAgent) -> bool:
        held = self._bar.hands.holds.of(agent)
        if held is None:
            return False
        if notice.agent:
            return notice.agent == agent.record.id
        return held.cause == "limit" and any(
            self._bar.board.scope_name(each.limit.scope) == notice.limit
            and agent.record.id in self._bar.memories.of(key_of(each.limit)).acted
            for each in self._bar.board.bound_by(agent)
        )

    async def stop(self, agent: LiveAgent, now: int) -> Done:
        """End this agent; returns when it has ended."""
        error = await self._bar.hands.stop(agent, BY_HAND, "person", now)
        return replace(_done(agent, error=error), kind=None if error else "stopped")


def _not_held(unit: Unit | None, raised: Sequence[str]) -> str:
    if raised:
        return f"{NOT_HELD}. {' '.join(raised)}"
    own = "dollars" if unit == "usd" else unit
    return f"{NOT_HELD}, and has no limit of its own in {own} to raise" if unit else NOT_HELD


def _done(agent: LiveAgent, note: str = "", error: str = "") -> Done:
    record = agent.record
    return Done(
        id=record.id,
        agent=record.name,
        pid=record.pid,
        note=note or None,
        error=error or None,
    )
