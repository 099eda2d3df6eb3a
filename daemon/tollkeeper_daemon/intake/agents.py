"""What follows when an agent comes, changes or goes: it is saved, told and judged."""

from tollkeeper import wire
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.registry import Registry
from tollkeeper_daemon.bar.build import Budgets
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.intake.failures import Failures
from tollkeeper_daemon.intake.payment import Payment
from tollkeeper_daemon.labels.labels import Labels, Layer
from tollkeeper_daemon.pipeline import Outcome, Pipeline
from tollkeeper_daemon.workflows.work import Work


class Agents:
    """Takes the reports of the census, and gives agents what they wrote."""

    def __init__(
        self,
        registry: Registry,
        pipeline: Pipeline,
        herald: Herald,
        budgets: Budgets,
        payment: Payment,
        work: Work,
        failures: Failures,
    ) -> None:
        self._registry = registry
        self._pipeline = pipeline
        self._herald = herald
        self._budgets = budgets
        self._payment = payment
        self._work = work
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
            self.charged(outcome, now)

    def charged(self, outcome: Outcome, now: int) -> None:
        """Something was booked to agents that no line of a log has just told of: none went on by it."""
        for agent in outcome.agents:
            self._registry.save_agent(agent.record)
        self._failures.attempt(self._budgets.bar.look, now)
        if outcome.charged:
            self._herald.tell(outcome, now)

    def claim_again(self, now: int) -> None:
        """Claim what could not be saved before."""
        for conversation in self._pipeline.unclaimed():
            self._failures.attempt(self.claim, conversation, now)

    def tag(self, agent: LiveAgent, labels: Labels, since: int, subagent: str, now: int) -> int:
        """Somebody says which work the agent, or a subagent of it, does; how many requests that moves."""
        self._pipeline.roster.belongs_to(agent, Layer.SAID, labels, since, subagent)
        outcome = self.settle(now)
        return sum(max(totals.requests, 0) for _, totals in outcome.charged) if outcome else 0

    def settle(self, now: int) -> Outcome | None:
        """Save who pays from now on, and for which work, and book by it what was asked since."""
        roster = self._pipeline.roster
        agents = {each.agent.record.id: each.agent for each in (*roster.turned, *roster.labelled)}
        before = {name: _labels(agent) for name, agent in agents.items()}
        outcome = self._pipeline.settle(now)
        if outcome:
            for name, agent in agents.items():
                self._registry.save_agent(agent.record)
                if _labels(agent) != before[name]:
                    self._herald.agent("agent.changed", agent)
            self._failures.attempt(self._budgets.bar.look, now)
            self._failures.attempt(self._work.look, now)
            if outcome.charged:
                self._herald.tell(outcome, now)
        return outcome

    def look_at_payers(self, now: int) -> None:
        """See whether anybody changed hands, and save by what that was seen."""
        self._payment.look(now)
        self.settle(now)
        for agent in self._pipeline.roster.alive():
            self._registry.save_agent(agent.record)

    def _seen(self, topic: wire.Topic, agent: LiveAgent) -> None:
        self._failures.attempt(self._registry.save_agent, agent.record)
        self._herald.agent(topic, agent)
        self._failures.attempt(self.settle, now_ms())
        if agent.record.conversation:
            self._failures.attempt(self.claim, agent.record.conversation, now_ms())
        self._failures.attempt(self._work.look, now_ms())
        self._failures.attempt(self._budgets.bar.look, now_ms())


def _labels(agent: LiveAgent) -> tuple[str, str, str]:
    return agent.record.workflow, agent.record.task, agent.record.stage
