"""What budgets are to do, said once more and as simply as can be: the bar is held against it.

The model is told what was spent and what people asked for. It takes from the daemon only which
agents it knows, which run it is, and which process got each signal. All amounts are nano-dollars or
tokens; a limit's key is its scope's kind and name, and its unit.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from tollkeeper.model import LimitAction
from tollkeeper_daemon.rules.settings import Limits
from tollkeeper_daemon.store.schema import AgentRecord

NANO_PER_TOKEN = 20_000  # What an output token of the model costs that all of them use.
STRICTNESS: tuple[LimitAction, ...] = ("warn", "block", "pause", "stop")
EVERY = ""

Key = tuple[str, str, str]
Scope = tuple[str, str]


class Paid(NamedTuple):
    """A reply: whose it was by each kind of scope, and what it came to."""

    of: dict[str, str]
    tokens: int
    billed: bool
    history: bool

    def counts(self, kind: str, name: str, measure: str, price: int) -> int:
        """What it adds to a limit, at so many nano-dollars a token. What is history counts only for what people set a limit on."""
        if self.of.get(kind) != name or (self.history and kind in ("agent", "run", "daily")):
            return 0
        if measure == "tokens":
            return self.tokens
        return self.tokens * price if self.billed or measure == "value" else 0


class Bound(NamedTuple):
    """A limit in force."""

    kind: str
    name: str
    unit: str
    bound: int
    action: LimitAction

    @property
    def key(self) -> Key:
        return self.kind, self.name, self.unit


class Asked(NamedTuple):
    """A limit that a person set; without an action it is the settings' own."""

    bound: int
    action: LimitAction | None


class Model:
    """Who spent what, what the limits are, and who is held. ``known`` are the daemon's agents."""

    def __init__(self) -> None:
        self.settings = Limits()
        self.paid: list[Paid] = []
        self.price = NANO_PER_TOKEN
        self.asked: dict[Key, Asked] = {}
        self.granted: Counter[Key] = Counter()
        self.told: defaultdict[Key, float] = defaultdict(float)
        # On whom a limit was carried out and how, until it is raised above what is used.
        self.acted: defaultdict[Key, dict[str, LimitAction]] = defaultdict(dict)
        self.known: dict[str, AgentRecord] = {}
        self.run = ""
        self.day = ""
        self.held: set[str] = set()
        self.blocked: set[str] = set()
        self.stopping: set[str] = set()

    # The limits.

    def limits(self) -> list[Bound]:
        """Every limit in force."""
        scopes: list[Scope] = [("agent", agent) for agent in self.known]
        scopes += [("run", self.run)] if self.run else []
        scopes += [("daily", self.day)]
        scopes += {
            (kind, name)
            for kind, name, _ in self.asked
            if kind in ("task", "workflow", "conversation")
        }
        found: list[Bound] = []
        for scope in scopes:
            for unit in ("usd", "tokens"):
                bound, action = self.asked_of(scope, unit)
                if bound:
                    bound += self.granted[(*scope, unit)]
                    found.append(Bound(*scope, unit, bound, action or self.settings.action))
        return found

    def asked_of(self, scope: Scope, unit: str) -> Asked:
        """What bounds this scope: set by hand, else brought along by the agent, else usual."""
        kind, name = scope
        by_hand = self.asked.get((kind, name, unit)) or self.asked.get((kind, EVERY, unit))
        if by_hand:
            return by_hand
        brought = self.known[name].budget if kind == "agent" else None
        usual = {
            "agent": self.settings.per_agent,
            "run": self.settings.per_run,
            "daily": self.settings.daily,
        }.get(kind, 0)
        if unit == "tokens":
            return Asked(0, None)
        return Asked(round(usual * 10**9) if brought is None else brought, None)

    def used(self, limit: Bound) -> int:
        """What was used of it."""
        measure = "tokens" if limit.unit == "tokens" else self.settings.counts
        of = limit.kind, limit.name, measure, self.price
        return sum(paid.counts(*of) for paid in self.paid)

    def passed(self, limit: Bound) -> float:
        """The highest fraction of it that was passed; 1 when it is reached."""
        used = self.used(limit)
        if used >= limit.bound:
            return 1.0
        return max((at for at in self.settings.warn_at if used / limit.bound >= at), default=0.0)

    def binds(self, limit: Bound, agent: AgentRecord) -> bool:
        """Whether the agent spends what the limit counts."""
        if limit.unit == "usd" and self.settings.counts == "cost" and agent.source != "api":
            return False
        return limit.name == {"daily": self.day, **scopes_of(agent)}[limit.kind]

    def reached(self, agent: AgentRecord) -> list[Bound]:
        """The limits that bind this agent and are used up."""
        return [
            each for each in self.limits() if self.passed(each) == 1 and self.binds(each, agent)
        ]

    # A look at everything.

    def news(self) -> Counter[tuple[Key, float]]:
        """The fractions that are to be told of now: each once, and the highest of a limit alone."""
        return Counter(
            (limit.key, passed)
            for limit in self.limits()
            if (passed := self.passed(limit)) > self.told[limit.key]
        )

    def due(self) -> dict[str, LimitAction]:
        """Whom limits ask to be dealt with now, and how; nobody is dealt with twice."""
        found: dict[str, LimitAction] = {}
        for agent in self.known.values():
            actions: list[LimitAction] = [each.action for each in self.fresh(agent)]
            if actions and agent.id not in self.stopping:
                found[agent.id] = max(actions, key=STRICTNESS.index)
        return found

    def fresh(self, agent: AgentRecord) -> list[Bound]:
        """The reached limits that were not carried out on the agent yet, or less strictly."""
        found: list[Bound] = []
        for limit in self.reached(agent):
            done = self.acted[limit.key].get(agent.id)
            if done is None or STRICTNESS.index(limit.action) > STRICTNESS.index(done):
                found.append(limit)
        return found

    def remember(self, done: Iterable[str]) -> None:
        """All that was told and done; a limit that has room starts anew."""
        for agent in done:
            for limit in self.fresh(self.known[agent]):
                self.acted[limit.key][agent] = limit.action
        for limit in self.limits():
            self.told[limit.key] = passed = self.passed(limit)
            if passed < 1:
                self.acted[limit.key].clear()

    # What people do.

    def set_limit(self, scope: Scope, unit: str, asked: Asked | None) -> None:
        """A person sets a limit, or (None) takes one back: it starts anew."""
        kind, name = scope
        if asked is None:
            del self.asked[kind, name, unit]
        else:
            self.asked[kind, name, unit] = asked
        for each in (name, self.run if kind == "run" else self.day) if name == EVERY else (name,):
            self.granted[kind, each, unit] = 0
            self.told[kind, each, unit] = 0
            self.acted[kind, each, unit].clear()

    def add_usd(self, agents: list[AgentRecord], more: int) -> None:
        """What holds these agents (or else their own limit) is raised to leave so much, once."""
        bounds = [each for each in self.limits() if each.unit == "usd"]
        raised: dict[Key, Bound] = {}
        for agent in agents:
            own = [each for each in bounds if (each.kind, each.name) == ("agent", agent.id)]
            reached = [each for each in self.reached(agent) if each in bounds]
            holding = [each for each in reached if each.action != "warn"]
            raised.update((limit.key, limit) for limit in holding or own)
        for key, limit in raised.items():
            self.granted[key] += max(0, self.used(limit) - limit.bound) + more

    def spare(self, agent: AgentRecord) -> None:
        """A person lets the agent go on: what is reached by then acts on it no more."""
        for limit in self.reached(agent):
            if limit.action != "warn":
                self.acted[limit.key][agent.id] = "stop"

    def has_usd(self, agent: AgentRecord) -> bool:
        """Whether any limit in dollars binds the agent."""
        return any(each.unit == "usd" and self.binds(each, agent) for each in self.limits())

    # Who is held.

    def hold(self, agent: str) -> None:
        """The agent is frozen."""
        self.blocked.discard(agent)
        self.held.add(agent)

    def forget(self, agent: str) -> None:
        """The agent is held no more, in whatever way."""
        for held in (self.held, self.blocked, self.stopping):
            held.discard(agent)


def scopes_of(agent: AgentRecord) -> dict[str, str]:
    """The name of each scope that the agent is in."""
    return {
        "agent": agent.id,
        "run": agent.run,
        "conversation": agent.conversation,
        "task": agent.task,
        "workflow": agent.workflow,
    }
