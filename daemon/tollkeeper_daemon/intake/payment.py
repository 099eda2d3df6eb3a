"""Finds who pays for each agent that runs, and since when: its home, its settings, what it shows."""

from pathlib import Path

from msgspec.structs import replace

from tollkeeper_daemon.agents.followed import Followed
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.ledger.books import API, SUBSCRIPTION
from tollkeeper_daemon.sources.homes import Home
from tollkeeper_daemon.sources.paying import Means
from tollkeeper_daemon.store.schema import AgentRecord


class Payment:
    """What decides beside an agent's environment. Whoever is found later pays from then on."""

    def __init__(self, followed: Followed, roster: Roster, herald: Herald) -> None:
        self._followed = followed
        self._roster = roster
        self._herald = herald

    def begin(self, agent: LiveAgent) -> None:
        """An agent is new: nothing that it asked is booked yet."""
        if agent.record.by_home and agent.record.home:
            payer = self._in_home(agent)
            agent.record = replace(agent.record, home_said=payer)
            self._roster.begins_paid_by(agent, *payer)

    def look(self, now: int) -> None:
        """See whether a home has another account now, as after a login, or other settings.

        What it said at the last look of an earlier daemon counts as well.
        """
        for agent in self._roster.alive():
            if agent.record.by_home and agent.record.home:
                self._look_at(agent, now)

    def hear(self, agent: LiveAgent) -> None:
        """Note what the agent's home says by now, though somebody else tells who pays."""
        if agent.record.by_home and agent.record.home:
            agent.record = replace(agent.record, home_said=self._in_home(agent))

    def shows_plan(self, agent: LiveAgent, now: int) -> None:
        """The agent's client shows the windows of a plan: it runs on a subscription.

        That is believed once: a client may go on showing them after it changed hands. The reply that
        brought them was paid by it already, and so was all before, unless it changed hands before.
        """
        if agent.record.on_plan:
            return
        agent.record = replace(agent.record, on_plan=True)
        if agent.record.source == SUBSCRIPTION:
            return
        account = self._account_of(agent.record)
        if agent.record.one_payer:
            self._roster.was_paid_by(agent, SUBSCRIPTION, account)
            self._herald.agent("agent.changed", agent)
        else:
            self._pays(agent, SUBSCRIPTION, account, now)

    def _look_at(self, agent: LiveAgent, now: int) -> None:
        payer, known = self._in_home(agent), agent.record.home_said
        if payer == known:
            return
        agent.record = replace(agent.record, home_said=payer)
        if known is not None:
            source, account = payer
            self._pays(agent, source or API, account, now)

    def _pays(self, agent: LiveAgent, source: str, account: str, now: int) -> None:
        if self._roster.is_paid_by(agent, source, account, now):
            self._herald.agent("agent.changed", agent)

    def _account_of(self, record: AgentRecord) -> str:
        """The account of the subscription that the agent runs on, as far as its home tells."""
        home = Home(Path(record.home))
        if not record.home or record.by_token or self._followed.has_token(home, record.cwd):
            return ""
        return self._followed.account_of(home)

    def _in_home(self, agent: LiveAgent) -> tuple[str, str]:
        record = agent.record
        own = Means(by_token=record.by_token, server=record.server)
        return self._followed.payer_in(Home(Path(record.home)), record.cwd, own)
