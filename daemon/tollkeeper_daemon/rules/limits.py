"""A limit: what it bounds, at how much, and what is done when it is reached."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from tollkeeper.model import LimitAction

ScopeKind = Literal["agent", "run", "daily", "workflow", "stage", "task", "conversation"]
Unit = Literal["usd", "tokens"]
Measure = Literal["cost", "value", "tokens"]

# From the mildest to the strictest.
ACTIONS: tuple[LimitAction, ...] = ("warn", "block", "pause", "stop")
STRICTEST = ACTIONS[-1]
UNITS: tuple[Unit, ...] = ("usd", "tokens")
REACHED = 1.0


class Scope(Struct, frozen=True):
    """Whose spending is bounded.

    ``name`` is an agent's or a run's id, a local day such as ``2026-11-24``, a conversation's id, or
    the label of a workflow or task; of a stage it is ``workflow/stage``.
    """

    kind: ScopeKind
    name: str


class Used(Struct, frozen=True):
    """What a scope has used: billed and list price in nano-dollars, and tokens."""

    cost: int = 0
    value: int = 0
    tokens: int = 0

    def __add__(self, other: "Used") -> "Used":
        return Used(self.cost + other.cost, self.value + other.value, self.tokens + other.tokens)

    def __sub__(self, other: "Used") -> "Used":
        return Used(self.cost - other.cost, self.value - other.value, self.tokens - other.tokens)

    def of(self, measure: Measure) -> int:
        """The part that a limit measures; what moved away can't make it less than nothing."""
        amounts: dict[Measure, int] = {
            "cost": self.cost,
            "value": self.value,
            "tokens": self.tokens,
        }
        return max(amounts[measure], 0)


class Limit(Struct, frozen=True):
    """A bound in force: nano-dollars, or tokens.

    ``warn_at`` are fractions of the bound. ``told`` is the highest fraction that was told of it so
    far, 1 when it was reached.
    """

    scope: Scope
    measure: Measure
    bound: int
    action: LimitAction
    warn_at: tuple[float, ...] = ()
    told: float = 0.0

    @property
    def unit(self) -> Unit:
        """Dollars or tokens: a scope has at most one limit in each."""
        return "tokens" if self.measure == "tokens" else "usd"


class Verdict(Struct, frozen=True):
    """That a limit passed a fraction of its bound, for the first time, at a time (ms)."""

    limit: Limit
    used: int
    threshold: float
    time: int

    @property
    def is_reached(self) -> bool:
        """Whether the bound itself was passed, rather than a fraction to warn at."""
        return self.threshold >= REACHED


def is_stricter(action: LimitAction, than: LimitAction) -> bool:
    """Whether the action takes more from an agent than the other one."""
    return ACTIONS.index(action) > ACTIONS.index(than)


def strictest(actions: Iterable[LimitAction]) -> LimitAction:
    """The action that wins when several limits are reached at once."""
    asked = set(actions)
    for action in reversed(ACTIONS):
        if action in asked:
            return action
    return "warn"
