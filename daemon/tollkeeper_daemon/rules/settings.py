"""The settings that the rules go by: what is bounded unless somebody says otherwise."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from tollkeeper.model import LimitAction
from tollkeeper_daemon.rules.limits import Unit

# More than anybody can spend.
MOST_DOLLARS = 1_000_000_000
MOST_TOKENS = 10**15
Dollars = Annotated[float, Meta(ge=0, le=MOST_DOLLARS)]
MoreDollars = Annotated[float, Meta(gt=0, le=MOST_DOLLARS)]
Tokens = Annotated[int, Meta(ge=0, le=MOST_TOKENS)]
MoreTokens = Annotated[int, Meta(gt=0, le=MOST_TOKENS)]
NANO = 10**9
Label = Annotated[str, Meta(min_length=1, max_length=200)]
Fraction = Annotated[float, Meta(gt=0, lt=1)]


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """``[limits]``: bounds in dollars, 0 for none, and what is done when one is reached.

    They count what is billed; with ``counts = "value"`` the list price of everything, a
    subscription's requests too. ``warn_at`` are fractions of a bound. An agent that is stopped gets
    ``grace_seconds`` to end by itself.
    """

    per_agent: Dollars = 5.0
    per_run: Dollars = 20.0
    daily: Dollars = 50.0
    action: LimitAction = "pause"
    warn_at: tuple[Fraction, ...] = (0.8,)
    counts: Literal["cost", "value"] = "cost"
    grace_seconds: Annotated[float, Meta(ge=0, le=3600)] = 10.0


def most(unit: Unit) -> int:
    """The highest bound that there can be, in nano-dollars or tokens."""
    return MOST_DOLLARS * NANO if unit == "usd" else MOST_TOKENS


def nano_of(dollars: float) -> int:
    """The dollars in nano-dollars, at least one if they are any at all: 0 would be no limit."""
    return max(round(dollars * NANO), 1) if dollars > 0 else 0
