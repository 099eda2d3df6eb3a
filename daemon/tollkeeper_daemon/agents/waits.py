"""Which agents have waited for a person for too long, and for what. Pure: it is told, and looks at no clock."""

from collections.abc import Iterable

from msgspec import Struct

from tollkeeper.cli.words import plain, span
from tollkeeper_daemon.agents.live import LiveAgent

LONGEST_WORDS = 80


class Wait(Struct):
    """One waiting of an agent: for what, since when (ms), and whether it was told."""

    what: str
    since: int
    told: bool = False


class Waits:
    """Follows each waiting from when it is first seen; each is told once.

    ``after_seconds`` is how long an agent may wait; with 0 none is ever told.
    """

    def __init__(self, after_seconds: int) -> None:
        self.after_seconds = after_seconds
        self._waits: dict[str, Wait] = {}

    def note(self, agent: LiveAgent, now: int) -> None:
        """The agent is as it is now: it waits, waits for something else, or waits no more."""
        id, state = agent.record.id, agent.state(now)
        known = self._waits.get(id)
        if state == "paused":
            return  # It can't say anything else meanwhile.
        if state != "waiting":
            self._waits.pop(id, None)
        elif known is None or known.what != agent.waiting_for:
            self._waits[id] = Wait(agent.waiting_for, now)

    def overdue(self, agents: Iterable[LiveAgent], now: int) -> list[tuple[LiveAgent, str]]:
        """Those of the living agents that have just waited too long, with what to say of them."""
        found: list[tuple[LiveAgent, str]] = []
        living = {agent.record.id: agent for agent in agents}
        self._waits = {id: wait for id, wait in self._waits.items() if id in living}
        for id, agent in living.items():
            self.note(agent, now)
            wait, after = self._waits.get(id), self.after_seconds * 1000
            if wait and not wait.told and after and now - wait.since >= after:
                wait.told = True
                found.append((agent, _told(agent, wait, now)))
        return found


def _told(agent: LiveAgent, wait: Wait, now: int) -> str:
    name, what = plain(agent.record.name), plain(wait.what)[:LONGEST_WORDS]
    long = span((now - wait.since) / 1000)
    return f"{name[:LONGEST_WORDS]} has been waiting for {long}: {what or 'for you'}"
