"""The work of a daemon: puts spans and workflows together, and is the one door to them."""

from collections.abc import Callable

from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.bar.build import Budgets
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.labels.labels import Fact, with_facts
from tollkeeper_daemon.ledger.books import SUBSCRIPTION
from tollkeeper_daemon.pipeline import Outcome, Pipeline
from tollkeeper_daemon.plan.gauge import PlanGauge
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.workflows.following import Following
from tollkeeper_daemon.workflows.members import Members
from tollkeeper_daemon.workflows.spans import Spans
from tollkeeper_daemon.workflows.workflows import Workflows


class Work:
    """Which spans of work last, who is at them, and what markers say.

    ``attempt`` calls who listens, so that one that fails costs nothing else. ``facts_of`` is what is known
    of the work that an agent is at.
    """

    def __init__(
        self,
        store: Store,
        roster: Roster,
        pipeline: Pipeline,
        herald: Herald,
        budgets: Budgets,
        plan: PlanGauge,
        attempt: Callable[..., object],
    ) -> None:
        conversations = pipeline.conversations

        def facts_of(agent: LiveAgent) -> tuple[Fact, ...]:
            known = conversations.read(agent.record.conversation)
            return with_facts(known.labels, agent.record.told)

        def is_limited(agent: LiveAgent, now: int) -> bool:
            is_on_plan = agent.record.source == SUBSCRIPTION
            return is_on_plan and plan.is_limited(agent.record.account, now)

        self.facts_of = facts_of
        self.spans = Spans(store, attempt)
        members = Members(
            roster,
            facts_of,
            lambda kind: conversations.stage_of(kind),
            budgets.hold_of,
            is_limited,
        )
        self._following = Following(store, self.spans, members)
        self.workflows = Workflows(store, self.spans, self._following, members, roster, herald)

    def restore(self, now: int) -> None:
        """Take up the spans that an earlier daemon left open, before it is looked who lives."""
        self._following.restore(now)

    def begin(self, now: int) -> None:
        """Who lives is known, and what they wrote is read: follow them from now on."""
        self._following.begin(now)

    def look(self, now: int) -> None:
        """See what has changed, and count the time since the last look."""
        self._following.look(now)

    def charged(self, outcome: Outcome, now: int) -> None:
        """Requests were booked."""
        self._following.charged(outcome, now)
        self._following.look(now)

    def stop(self, now: int) -> None:
        """Save what is not saved with every look."""
        self._following.settle(now)
        self.spans.save_all()
