"""People's words to agents: pause, resume with or without more budget, stop."""

from collections.abc import Sequence

from msgspec.structs import replace

from tollkeeper.model import Done
from tollkeeper.signals import SignalRefused
from tollkeeper_daemon.bar.bar import Bar, key_of
from tollkeeper_daemon.budgets.board import Stand
from tollkeeper_daemon.budgets.memories import Key
from tollkeeper_daemon.outlets.signals import Signals
from tollkeeper_daemon.roster import LiveAgent, Roster
from tollkeeper_daemon.rules.limits import Unit

BY_HAND = "told so by a person."
# Claude Code that was frozen does not set its terminal up again, and bash does not either: after a
# mere fg, Enter would not send a prompt any more.
TO_FOREGROUND = "stty raw opost -echo; fg"
FOREGROUND = f"it is a stopped job of its shell now: type  {TO_FOREGROUND}  in its terminal"
TAKEN_BY_SHELL = (
    f"its terminal goes back to the shell: after toll resume, type  {TO_FOREGROUND}  there"
)


class AgentsByHand:
    """What a command, a button or a program on the control socket asks for."""

    def __init__(self, bar: Bar, roster: Roster, signals: Signals) -> None:
        self._bar = bar
        self._roster = roster
        self._signals = signals

    def find(self, word: str) -> LiveAgent | None:
        """The living agent with this name, pid, id or conversation."""
        for agent in self._roster.alive():
            record = agent.record
            if word in (record.name, str(record.pid), record.id, record.conversation):
                return agent
        return None

    def pause(self, agent: LiveAgent, now: int) -> Done:
        """Freeze this agent."""
        if self._bar.hands.holds.is_held(agent, "paused"):
            return _done(agent, note="it is paused already")
        in_shell = self._signals.in_shell(agent.record.id)
        try:
            self._bar.hands.pause(agent, BY_HAND, "person", now)
        except SignalRefused as refused:
            return _done(agent, error=str(refused))
        return replace(
            _done(agent, note=TAKEN_BY_SHELL if in_shell else ""),
            kind="paused",
        )

    def is_held(self, agent: LiveAgent) -> bool:
        """Whether there is anything to resume."""
        return agent.stopped or self._bar.hands.holds.of(agent) is not None

    def resume(
        self, agents: Sequence[LiveAgent], unit: Unit | None, more: int, now: int
    ) -> list[Done]:
        """Let these go on; with a unit, what holds them is raised to leave so much: once each."""
        raised: set[Key] = set()
        for agent in agents if unit else ():
            for stand in self._to_raise(agent, unit):
                if key_of(stand.limit) not in raised:
                    raised.add(key_of(stand.limit))
                    self._bar.grant(stand, more, now)
        return [self._resume(agent, unit, now) for agent in agents]

    def _to_raise(self, agent: LiveAgent, unit: Unit | None) -> list[Stand]:
        """What holds the agent, or else its own limit."""
        stands = [each for each in self._spent(agent) if each.limit.unit == unit]
        own = self._bar.board.own_of(agent)
        return stands or [each for each in own if each.limit.unit == unit]

    def _spent(self, agent: LiveAgent) -> list[Stand]:
        return [each for each in self._bar.reached_by(agent) if each.limit.action != "warn"]

    def _resume(self, agent: LiveAgent, unit: Unit | None, now: int) -> Done:
        if unit and not any(stand.limit.unit == unit for stand in self._bar.bound_by(agent)):
            return _done(agent, error=f"it has no limit in {unit} that could be raised")
        notes = [f"{self._bar.describe(stand)} It holds it no more" for stand in self._spent(agent)]
        try:
            held = self._bar.hands.release(agent, BY_HAND, "person")
            if held is None and not agent.stopped:
                return _done(agent, note="it was not held")
            if held is None:
                self._bar.hands.wake(agent, BY_HAND, "person")
        except SignalRefused as refused:
            return _done(agent, error=str(refused))
        if self._signals.in_shell(agent.record.id) and (held is None or held.processes):
            notes.append(FOREGROUND)
        self._bar.look(now)
        return replace(_done(agent, note="; ".join(notes)), kind="resumed")

    async def stop(self, agent: LiveAgent, now: int) -> Done:
        """End this agent; returns when it has ended."""
        error = await self._bar.hands.stop(agent, BY_HAND, "person", now)
        return replace(_done(agent, error=error), kind=None if error else "stopped")


def _done(agent: LiveAgent, note: str = "", error: str = "") -> Done:
    record = agent.record
    return Done(
        id=record.id,
        agent=record.name,
        pid=record.pid,
        note=note or None,
        error=error or None,
    )
