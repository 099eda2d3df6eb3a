"""Finds who pays for each agent that runs, and since when: its home, its settings, what it shows."""

from pathlib import Path

from msgspec.structs import replace

from tollkeeper_daemon.agents.followed import Followed, own_of
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.ledger.books import API, SUBSCRIPTION
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.sources.homes import Home
from tollkeeper_daemon.store.schema import AgentRecord


class Payment:
    """What decides beside an agent's environment. Whoever is found later pays from then on."""

    def __init__(
        self, followed: Followed, roster: Roster, pipeline: Pipeline, herald: Herald
    ) -> None:
        self._followed = followed
        self._roster = roster
        self._pipeline = pipeline
        self._herald = herald

    def begin(self, agent: LiveAgent) -> None:
        """An agent is new: nothing that it asked is booked yet."""
        if _is_looked_at(agent.record):
            payer = self._in_home(agent)
            self._note(agent, payer)
            self._roster.begins_paid_by(agent, *payer)

    def look(self, now: int) -> None:
        """See whether a home has another account now, as after a login, or other settings.

        What it said at the last look of an earlier daemon counts as well. What ``[accounts]`` says counts
        from now on where no agent and no log tells.
        """
        for agent in self._roster.alive():
            if _is_looked_at(agent.record):
                self._look_at(agent, now)

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
        payer, record = self._in_home(agent), agent.record
        self._note(agent, payer)
        if record.home_said in (None, payer):
            return
        is_by_accounts = agent.record.home_set != record.home_set
        if is_by_accounts and (record.on_plan or self._pipeline.is_named(record.conversation)):
            return
        source, account = payer
        self._pays(agent, source or API, account, now)

    def _note(self, agent: LiveAgent, payer: tuple[str, str]) -> None:
        """The agent's home says that this one pays; so do settings or ``[accounts]``."""
        by_hand = self._followed.set_by_hand(Home(Path(agent.record.home)))
        agent.record = replace(agent.record, home_said=payer, home_set=by_hand)

    def _pays(self, agent: LiveAgent, source: str, account: str, now: int) -> None:
        if self._roster.is_paid_by(agent, source, account, now):
            self._herald.agent("agent.changed", agent)

    def _account_of(self, record: AgentRecord) -> str:
        """The account of the subscription that the agent runs on, as far as its home tells."""
        home = Home(Path(record.home))
        if not record.home or self._followed.has_token(home, record.cwd, own_of(record)):
            return ""
        return self._followed.account_of(home)

    def _in_home(self, agent: LiveAgent) -> tuple[str, str]:
        record = agent.record
        home = Home(Path(record.home))
        return self._followed.payer_in(home, record.cwd, own_of(record))


def _is_looked_at(record: AgentRecord) -> bool:
    """Whether it is known where its settings lie, and by what its environment pays."""
    return bool(record.home and (record.by_home or record.keys))
