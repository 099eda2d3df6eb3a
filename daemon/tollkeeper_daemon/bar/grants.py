"""What people grant: more of a limit, and that an agent goes on in spite of one."""

from collections.abc import Iterable

from msgspec.structs import replace

from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.bar import words
from tollkeeper_daemon.bar.bar import Bar, key_of
from tollkeeper_daemon.bar.buttons import RESUME, STOP
from tollkeeper_daemon.budgets.board import Stand
from tollkeeper_daemon.rules.judge import highest_passed
from tollkeeper_daemon.rules.limits import STRICTEST
from tollkeeper_daemon.rules.terms import Memory


class Grants:
    """Notes what was granted, and offers it where a person may not know that there is room again."""

    def __init__(self, bar: Bar, roster: Roster) -> None:
        self._bar = bar
        self._roster = roster
        self._offered: set[str] = set()

    def raise_limit(self, stand: Stand, more: int, now: int) -> str:
        """Raise a limit so that so much is left of it, nano-dollars or tokens: it starts anew.

        That it was raised, and to how much, in a sentence.
        """
        key, bound = key_of(stand.limit), bound_with(stand, more)
        granted = self._bar.memories.of(key).granted + bound - stand.limit.bound
        raised = Stand(replace(stand.limit, bound=bound), stand.used)
        told = highest_passed(raised.limit, raised.used)
        self._bar.memories.touch(key, now)
        with self._bar.saving():
            self._bar.memories.remember({key: Memory(told, granted)}, now)
        text = words.raised(raised, self._bar.board.agent_name(stand.limit.scope))
        self._bar.note_limit("granted", text, stand.limit.scope, raised)
        return text

    def spare(self, agent: LiveAgent, stands: Iterable[Stand], now: int) -> None:
        """A person lets the agent go on: these limits act on it no more, whatever they ask for."""
        known = {key: self._bar.memories.of(key) for key in (key_of(each.limit) for each in stands)}
        changed = {
            key: replace(memory, acted={**memory.acted, agent.record.id: STRICTEST})
            for key, memory in known.items()
        }
        with self._bar.saving():
            self._bar.memories.remember(changed, now)

    def with_room(self) -> list[LiveAgent]:
        """The agents that a limit holds, which is not reached any more: a person may resume them."""
        held = self._bar.hands.holds
        return [
            agent
            for agent in self._roster.alive()
            if (record := held.of(agent))
            and record.cause == "limit"
            and record.kind != "stopping"
            and all(stand.limit.action == "warn" for stand in self._bar.board.reached_by(agent))
        ]

    def offer(self) -> None:
        """Tell of each held agent that has room again, once for as long as it has."""
        with_room = self.with_room()
        for agent in with_room:
            if agent.record.id not in self._offered:
                text = words.offered(agent.record.name)
                self._bar.herald.alert("paused", text, agent, (RESUME, STOP))
        self._offered = {agent.record.id for agent in with_room}


def bound_with(stand: Stand, more: int) -> int:
    """What a limit has to be raised to, so that so much is left of it."""
    return max(stand.limit.bound, stand.used) + more
