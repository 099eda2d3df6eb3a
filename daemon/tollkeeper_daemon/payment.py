"""Finds who pays for each agent that runs, and since when: its home, its settings, what it shows."""

from pathlib import Path

from tollkeeper_daemon.followed import Followed
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.ledger.books import API, SUBSCRIPTION
from tollkeeper_daemon.roster import LiveAgent, Roster
from tollkeeper_daemon.sources.homes import Home
from tollkeeper_daemon.sources.paying import Means


class Payment:
    """What decides beside an agent's environment. Whoever is found later pays from then on."""

    def __init__(self, followed: Followed, roster: Roster, herald: Herald) -> None:
        self._followed = followed
        self._roster = roster
        self._herald = herald
        # What the home of each agent said at the last look.
        self._said: dict[str, tuple[str, str]] = {}

    def begin(self, agent: LiveAgent) -> None:
        """An agent is new: nothing that it asked is booked yet."""
        if agent.record.by_home and agent.record.home:
            payer = self._said[agent.record.id] = self._in_home(agent)
            self._roster.begins_paid_by(agent, *payer)

    def look(self, now: int) -> None:
        """See whether a home has another account now, as after a login, or other settings."""
        agents = [agent for agent in self._roster.alive() if agent.record.by_home]
        self._said = {
            agent.record.id: self._said[agent.record.id]
            for agent in agents
            if agent.record.id in self._said
        }
        for agent in agents:
            if agent.record.home:
                self._look_at(agent, now)

    def shows_plan(self, agent: LiveAgent, now: int) -> None:
        """The agent's client shows the windows of a plan: it runs on a subscription.

        That is believed once: a client may go on showing them after it changed hands.
        """
        if agent.on_plan:
            return
        agent.on_plan = True
        if agent.record.source != SUBSCRIPTION:
            home = agent.record.home
            account = self._followed.account_of(Home(Path(home))) if home else ""
            self._pays(agent, SUBSCRIPTION, account, now)

    def _look_at(self, agent: LiveAgent, now: int) -> None:
        payer = self._in_home(agent)
        known = self._said.get(agent.record.id)
        self._said[agent.record.id] = payer
        if known is not None and payer != known:
            source, account = payer
            self._pays(agent, source or API, account, now)

    def _pays(self, agent: LiveAgent, source: str, account: str, now: int) -> None:
        if self._roster.is_paid_by(agent, source, account, now):
            self._herald.agent("agent.changed", agent)

    def _in_home(self, agent: LiveAgent) -> tuple[str, str]:
        record = agent.record
        own = Means(by_token=record.by_token, server=record.server)
        return self._followed.payer_in(Home(Path(record.home)), record.cwd, own)
