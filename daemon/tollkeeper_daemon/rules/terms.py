"""Finds the limits in force: what the settings ask for, what was set by hand, and what was granted."""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from tollkeeper.model import LimitAction
from tollkeeper_daemon.rules.limits import UNITS, Limit, Measure, Scope, ScopeKind, Unit
from tollkeeper_daemon.rules.settings import Limits, nano_of

# Set by hand for every run, or for every day.
EVERY = ""


class Own(Struct, frozen=True):
    """A limit that was set by hand: nano-dollars or tokens, 0 for no limit at all.

    Without an action it is the settings' own.
    """

    bound: int
    action: LimitAction | None = None


class Memory(Struct, frozen=True):
    """What is remembered of one limit: what was told of it, and what it was raised by.

    ``acted`` are the ids of the agents that it was carried out on, and the action that was asked
    for: none is dealt with twice, unless a stricter one is in force by now. For those that a person
    let go on it is the strictest.
    """

    told: float = 0.0
    granted: int = 0
    acted: Mapping[str, LimitAction] = field(default_factory=dict[str, LimitAction])


NOTHING = Memory()


class Terms(Struct, frozen=True):
    """Everything that says what the limits are: settings, limits set by hand, and memories."""

    settings: Limits
    own: Mapping[tuple[Scope, Unit], Own]
    memories: Mapping[tuple[Scope, Unit], Memory]

    def in_force(self, scopes: Iterable[Scope], labels: Mapping[Scope, int]) -> list[Limit]:
        """The limits on these scopes, with what was granted on top.

        ``labels`` are the budgets (nano-dollars) that agents brought along in their environment.
        """
        found: list[Limit] = []
        for scope in scopes:
            for unit in UNITS:
                own = self._own(scope, unit) or self._usual(scope, unit, labels)
                if own is not None and own.bound > 0:
                    found.append(self._limit(scope, unit, own))
        return found

    def is_by_hand(self, scope: Scope, unit: Unit) -> bool:
        """Whether the limit in force was set by hand."""
        return self._own(scope, unit) is not None

    def as_if(self, scope: Scope, unit: Unit, own: Own) -> Limit | None:
        """The limit that this would be, if it were set by hand now; None for no limit."""
        limit = self._limit(scope, unit, own) if own.bound else None
        return limit and replace(limit, bound=own.bound, told=0.0)

    def _own(self, scope: Scope, unit: Unit) -> Own | None:
        found = self.own.get((scope, unit))
        if found is None and scope.kind in ("run", "daily"):
            found = self.own.get((Scope(scope.kind, EVERY), unit))
        return found

    def _usual(self, scope: Scope, unit: Unit, labels: Mapping[Scope, int]) -> Own | None:
        if unit == "tokens":
            return None
        if scope in labels:
            return Own(labels[scope])
        usual: dict[ScopeKind, float] = {
            "agent": self.settings.per_agent,
            "run": self.settings.per_run,
            "daily": self.settings.daily,
        }
        return Own(nano_of(usual.get(scope.kind, 0)))

    def _limit(self, scope: Scope, unit: Unit, own: Own) -> Limit:
        memory = self.memories.get((scope, unit), NOTHING)
        measure: Measure = "tokens" if unit == "tokens" else self.settings.counts
        return Limit(
            scope=scope,
            measure=measure,
            bound=own.bound + memory.granted,
            action=own.action or self.settings.action,
            warn_at=self.settings.warn_at,
            told=memory.told,
        )
