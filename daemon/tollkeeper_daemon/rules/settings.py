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
    """``[limits]``: bounds in dollars, and what is done when one is reached."""

    per_agent: Annotated[
        Dollars, Meta(description="Dollars that one agent may spend; 0 is no limit")
    ] = 5.0
    per_run: Annotated[
        Dollars, Meta(description="Dollars that all agents of a run may spend; 0 is no limit")
    ] = 20.0
    daily: Annotated[
        Dollars, Meta(description="Dollars that may be spent in a day; 0 is no limit")
    ] = 50.0
    action: Annotated[
        LimitAction, Meta(description="What is done with an agent that reaches a limit")
    ] = "pause"
    warn_at: Annotated[
        tuple[Fraction, ...], Meta(description="Fractions of a limit at which to warn")
    ] = (0.8,)
    counts: Annotated[
        Literal["cost", "value"],
        Meta(
            description="Limits count what is billed (cost), or the list price of everything (value)"
        ),
    ] = "cost"
    grace_seconds: Annotated[
        float, Meta(ge=0, le=3600, description="What a stopped agent gets to end by itself")
    ] = 10.0


def most(unit: Unit) -> int:
    """The highest bound that there can be, in nano-dollars or tokens."""
    return MOST_DOLLARS * NANO if unit == "usd" else MOST_TOKENS


def nano_of(dollars: float) -> int:
    """The dollars in nano-dollars, at least one if they are any at all: 0 would be no limit."""
    return max(round(dollars * NANO), 1) if dollars > 0 else 0
