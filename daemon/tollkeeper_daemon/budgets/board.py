"""The board: every limit in force, what its scope has used, and how that is shown."""

from collections.abc import Callable

from msgspec import Struct

from tollkeeper import model
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.budgets.memories import Memories
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.labels.labels import Labels
from tollkeeper_daemon.ledger.books import SUBSCRIPTION
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.rules.judge import highest_passed
from tollkeeper_daemon.rules.limits import REACHED, STRICTEST, Limit, Scope, ScopeKind, Unit, Used
from tollkeeper_daemon.rules.settings import Limits
from tollkeeper_daemon.rules.terms import EVERY, Own, Terms
from tollkeeper_daemon.tally import Tally, dollars
from tollkeeper_daemon.watched import stage_in

NEAR = 0.8
# The scopes that are fields of a book, by which the ledger is summed up when one is limited.
WATCHED = ("conversation", "workflow", "stage", "task")


class Stand(Struct, frozen=True):
    """A limit and what was used of it, in its own measure."""

    limit: Limit
    used: int

    @property
    def is_reached(self) -> bool:
        return self.used >= self.limit.bound

    @property
    def is_near(self) -> bool:
        """Whether the next reply may well cross it, and hold an agent up."""
        holds = self.limit.action != "warn" and not self.is_reached
        return holds and self.used >= NEAR * self.limit.bound


class Board:
    """Looks things up and changes nothing. ``settings`` are those of ``[limits]`` now, ``now`` is the time (ms).

    ``serves_plans`` says whether an account stands for a proxy that sends all by subscriptions now.
    """

    def __init__(
        self,
        memories: Memories,
        pipeline: Pipeline,
        roster: Roster,
        settings: Callable[[], Limits],
        now: Callable[[], int] = now_ms,
    ) -> None:
        self.serves_plans: Callable[[str], bool] = lambda account: False
        self._memories = memories
        self._pipeline = pipeline
        self._roster = roster
        self._settings = settings
        self._now = now

    @property
    def day(self) -> str:
        """The local day that is counted now."""
        return self._pipeline.day

    def stands(self) -> list[Stand]:
        """Every limit in force, with what was used of it."""
        return self._stands([*map(_scope_of, self._roster.alive()), *self._shared_scopes()])

    def of_agent(self, agent: LiveAgent) -> tuple[model.Limit, ...]:
        """The limits of this agent alone, as they are shown."""
        return tuple(self.view(each) for each in self.own_of(agent))

    def shared(self) -> tuple[model.Limit, ...]:
        """All other limits, as they are shown."""
        return tuple(self.view(each) for each in self._stands(self._shared_scopes()))

    def own_of(self, agent: LiveAgent) -> list[Stand]:
        """How the limits of this agent alone stand."""
        return self._stands([_scope_of(agent)])

    def reached_by(self, agent: LiveAgent) -> list[Stand]:
        """The limits that are reached and bind this agent."""
        return [stand for stand in self.bound_by(agent) if stand.is_reached]

    def bound_by(self, agent: LiveAgent) -> list[Stand]:
        """The limits that bind this agent."""
        return [each for each in self.stands() if self.binds(each.limit, agent)]

    def for_newcomer(self, work: Labels, billed: bool, budget: int | None = None) -> list[Stand]:
        """The limits that would bind an agent that started now with these labels, and a budget (nano) of its own.

        Where no agent works it would begin a run, which has used nothing.
        """
        run, agent = self._roster.run, Scope("agent", "")
        kinds: tuple[ScopeKind, ...] = ("workflow", "stage", "task")
        scopes = [agent, Scope("run", run.id if run else EVERY), Scope("daily", self.day)]
        scopes += [Scope(kind, name) for kind in kinds if (name := _in(kind, work))]
        labels = {} if budget is None else {agent: budget}
        return [
            Stand(limit, self._used_by_newcomers(limit))
            for limit in self._terms().in_force(scopes, labels)
            if billed or limit.measure != "cost"
        ]

    def _used_by_newcomers(self, limit: Limit) -> int:
        scope = limit.scope
        is_new = scope.kind == "agent" or (scope.kind == "run" and scope.name == EVERY)
        return 0 if is_new else self.used(scope).of(limit.measure)

    def stand_if(self, scope: Scope, unit: Unit, own: Own) -> Stand | None:
        """How this limit would stand if it were set by hand now; None for no limit."""
        instance = self.instances(scope)[-1]
        limit = self._terms().as_if(instance, unit, own)
        return limit and Stand(limit, self.used(instance).of(limit.measure))

    def stand_without(self, scope: Scope, unit: Unit) -> Stand | None:
        """How the limit would stand that holds once this one is cleared; None when none does."""
        own = {key: each for key, each in self._memories.own.items() if key != (scope, unit)}
        found = self._stands([self.instances(scope)[-1]], Terms(self._settings(), own, {}))
        return next((stand for stand in found if stand.limit.unit == unit), None)

    def instances(self, scope: Scope) -> list[Scope]:
        """The scope; behind one of every run or every day, that of the run or the day of now."""
        now = [each for each in self._shared_scopes() if each.kind == scope.kind]
        return [scope, *now] if scope.name == EVERY else [scope]

    def _terms(self) -> Terms:
        return Terms(self._settings(), self._memories.own, self._memories.of_limits)

    def _stands(self, scopes: list[Scope], terms: Terms | None = None) -> list[Stand]:
        labels = {scope: budget for scope in scopes if (budget := self._brought(scope)) is not None}
        return [
            Stand(limit, self.used(limit.scope).of(limit.measure))
            for limit in (terms or self._terms()).in_force(scopes, labels)
        ]

    def _brought(self, scope: Scope) -> int | None:
        """The budget (nano-dollars) that the agent brought along, if the scope is one that did."""
        agent = self._roster.agents.get(scope.name) if scope.kind == "agent" else None
        return agent.record.budget if agent else None

    def _shared_scopes(self) -> list[Scope]:
        run = self._roster.run
        scopes = [Scope("run", run.id)] if run else []
        scopes.append(Scope("daily", self.day))
        labelled = {scope for scope, _ in self._memories.own if scope.kind in WATCHED}
        return scopes + sorted(labelled, key=lambda scope: (scope.kind, scope.name))

    def used(self, scope: Scope) -> Used:
        """What was used of the scope since somebody watches it."""
        return self.spent(scope) - self._memories.excused.get(scope, Used())

    def spent(self, scope: Scope) -> Used:
        """All that was ever used of the scope."""
        if scope.kind == "agent":
            agent = self._roster.agents.get(scope.name)
            return _used(agent.tally) if agent else Used()
        if scope.kind == "run":
            return _used(self._pipeline.run)
        if scope.kind == "daily":
            return sum(map(_used, self._pipeline.today.values()), Used())
        return _used(self._pipeline.watched.tally(scope.kind, scope.name))

    def current(self) -> list[Scope]:
        """The scopes in which what is read as history counts for nothing: agents, run and day."""
        agents = [_scope_of(agent) for agent in self._roster.agents.values()]
        return agents + [each for each in self._shared_scopes() if each.kind not in WATCHED]

    def binds(self, limit: Limit, agent: LiveAgent) -> bool:
        """Whether this agent spends what the limit counts."""
        if limit.measure == "cost" and not self._is_billed(agent):
            return False
        record = agent.record
        names = {
            "agent": {record.id},
            "run": {record.run},
            "daily": {limit.scope.name},
            "conversation": {record.conversation},
        }
        kind, name = limit.scope.kind, limit.scope.name
        return name in names.get(kind, ()) or any(name == _in(kind, work) for work in _work(agent))

    def _is_billed(self, agent: LiveAgent) -> bool:
        """Whether money is paid for what the agent does; told by its bookings where nothing else says.

        What a proxy tells of its requests goes before: which key the agent shows to it says nothing.
        """
        record, now = agent.record, self._now()
        told = agent.proxied.is_billed(now, record.changed_hands)
        if told is not None:
            return told
        if record.source and agent.proxied.is_silent(now, record.changed_hands):
            return record.source != SUBSCRIPTION
        if record.source:
            return self.is_billed(record.source, record.account)
        return agent.tally.cost > 0 or not agent.tally.totals.value

    def is_billed(self, source: str, account: str) -> bool:
        """Whether money is paid for what is asked by this one, as far as is known before anything is."""
        return source != SUBSCRIPTION and not self.serves_plans(account)

    def view(self, stand: Stand) -> model.Limit:
        """The limit as the wire shows it."""
        limit, in_dollars = stand.limit, stand.limit.unit == "usd"
        passed = highest_passed(limit, stand.used)
        return model.Limit(
            scope=self.scope_name(limit.scope),
            bound_usd=dollars(limit.bound) if in_dollars else None,
            bound_tokens=None if in_dollars else limit.bound,
            used=dollars(stand.used) if in_dollars else stand.used,
            fraction=round(stand.used / limit.bound, 4),
            action=limit.action,
            state="reached" if passed >= REACHED else "warned" if passed else "under",
            waived=stand.is_reached and self._is_waived(limit),
            by_hand=self._terms().is_by_hand(limit.scope, limit.unit),
        )

    def _is_waived(self, limit: Limit) -> bool:
        """Whether a person let all go on that it binds: then nobody is dealt with because of it."""
        if limit.action == STRICTEST:  # It may as well have been carried out.
            return False
        acted = self._memories.of((limit.scope, limit.unit)).acted
        bound = [agent for agent in self._roster.alive() if self.binds(limit, agent)]
        return bool(bound) and all(acted.get(each.record.id) == STRICTEST for each in bound)

    def scope_name(self, scope: Scope) -> str:
        """The scope in the words of the wire."""
        if scope.kind in ("run", "daily"):
            return scope.kind
        return f"{scope.kind}:{self.agent_name(scope) or scope.name}"

    def agent_name(self, scope: Scope) -> str:
        """The name of the agent that the scope is; empty when it is none that is known."""
        agent = self._roster.agents.get(scope.name) if scope.kind == "agent" else None
        return agent.record.name if agent else ""


def _scope_of(agent: LiveAgent) -> Scope:
    return Scope("agent", agent.record.id)


def _work(agent: LiveAgent) -> list[Labels]:
    """The work that the agent does now, and its helpers."""
    record = agent.record
    own = Labels(record.workflow, record.task, record.stage)
    return [own, *(each.labels for each in agent.subagents.values() if not each.finished)]


def _in(kind: ScopeKind, work: Labels) -> str:
    """The scope of this kind that the work is in; empty for none."""
    match kind:
        case "workflow":
            return work.workflow
        case "stage":
            return stage_in(work.workflow, work.stage)
        case "task":
            return work.task
        case _:
            return ""


def _used(tally: Tally) -> Used:
    return Used(tally.cost, tally.totals.value, tally.totals.tokens)
