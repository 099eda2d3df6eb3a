"""Whose plan it is that a status line, or a refusal in a log, tells of."""

from tollkeeper_daemon.agents.followed import Followed, own_of
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.ledger.books import SUBSCRIPTION
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.plan.accounts import Owner
from tollkeeper_daemon.sources.homes import Home


class Whose:
    """Asks agents, logs and homes, in this order: who is nearer knows better."""

    def __init__(self, roster: Roster, pipeline: Pipeline, followed: Followed) -> None:
        self._roster = roster
        self._pipeline = pipeline
        self._followed = followed

    def of(self, conversation: str, log: str, time: int) -> Owner:
        """The owner of the conversation, which has its log at this path, at this time (ms)."""
        agent = self._roster.agent_of(conversation, time)
        home = self._followed.home_of_log(log)
        if home is None and agent:
            homes = self._followed.homes
            home = next((each for each in homes if str(each.path) == agent.record.home), None)
        pays = agent is not None and agent.record.source == SUBSCRIPTION
        account = agent.record.account if agent and pays else ""
        account = account or self._pipeline.account_of(conversation)
        if home is None:
            return Owner(account)
        if not account and self._is_by_token(home, agent):
            return Owner("", str(home.path), by_token=True)
        return Owner(account or self._followed.account_of(home), str(home.path))

    def _is_by_token(self, home: Home, agent: LiveAgent | None) -> bool:
        if agent is None:
            return self._followed.has_token(home)
        return self._followed.has_token(home, agent.record.cwd, own_of(agent.record))
