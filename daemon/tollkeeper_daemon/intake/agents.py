"""What follows when an agent comes, changes or goes: it is saved, told and judged."""

from tollkeeper import wire
from tollkeeper_daemon.agents.registry import Registry
from tollkeeper_daemon.agents.roster import LiveAgent
from tollkeeper_daemon.bar.build import Budgets
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.intake.failures import Failures
from tollkeeper_daemon.intake.payment import Payment
from tollkeeper_daemon.pipeline import Pipeline


class Agents:
    """Takes the reports of the census, and gives agents what they wrote."""

    def __init__(
        self,
        registry: Registry,
        pipeline: Pipeline,
        herald: Herald,
        budgets: Budgets,
        payment: Payment,
        failures: Failures,
    ) -> None:
        self._registry = registry
        self._pipeline = pipeline
        self._herald = herald
        self._budgets = budgets
        self._payment = payment
        self._failures = failures

    def started(self, agent: LiveAgent) -> None:
        """The agent was not known before."""
        self._payment.begin(agent)
        self._seen("agent.started", agent)
        if agent.complaint:
            self._herald.alert_once("failed", agent.complaint)

    def changed(self, agent: LiveAgent) -> None:
        """Its state, its conversation or its name is another."""
        self._seen("agent.changed", agent)

    def exited(self, agent: LiveAgent) -> None:
        """It runs no more."""
        self._seen("agent.exited", agent)

    def claim(self, conversation: str, now: int) -> None:
        """Book what was written in the conversation to the agent that holds it by now."""
        if outcome := self._pipeline.claim(conversation):
            for agent in outcome.agents:
                self._registry.save_agent(agent.record)
            self._failures.attempt(self._budgets.bar.charged, outcome, now)
            self._herald.tell(outcome, now)

    def claim_again(self, now: int) -> None:
        """Claim what could not be saved before."""
        for conversation in self._pipeline.unclaimed():
            self._failures.attempt(self.claim, conversation, now)

    def settle_payers(self, now: int) -> None:
        """Save who pays from now on, and book to them what was asked since."""
        turned = [each.agent for each in self._pipeline.roster.turned]
        if outcome := self._pipeline.settle_payers():
            for agent in turned:
                self._registry.save_agent(agent.record)
            self._failures.attempt(self._budgets.bar.charged, outcome, now)
            if outcome.charged:
                self._herald.tell(outcome, now)

    def look_at_payers(self, now: int) -> None:
        """See whether anybody changed hands, and save by what that was seen."""
        self._payment.look(now)
        self.settle_payers(now)
        for agent in self._pipeline.roster.alive():
            self._registry.save_agent(agent.record)

    def accounts_changed(self, now: int) -> None:
        """``[accounts]`` is another now. It counts from now on, where no agent and no log tells."""
        for agent in self._pipeline.roster.alive():
            if agent.record.on_plan or self._pipeline.conversations.is_named(
                agent.record.conversation
            ):
                self._payment.hear(agent)
        self.look_at_payers(now)

    def _seen(self, topic: wire.Topic, agent: LiveAgent) -> None:
        self._failures.attempt(self._registry.save_agent, agent.record)
        self._herald.agent(topic, agent)
        self._failures.attempt(self.settle_payers, now_ms())
        if agent.record.conversation:
            self._failures.attempt(self.claim, agent.record.conversation, now_ms())
        self._failures.attempt(self._budgets.bar.look, now_ms())
