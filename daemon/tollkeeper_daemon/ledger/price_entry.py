"""A price as somebody writes it: what was left out filled in, and the entry of prices.toml made."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta, Struct, structs

from tollkeeper_daemon.ledger.prices import MOST_DOLLARS, Price, PriceError
from tollkeeper_daemon.toml_text import rounded

Entry = dict[str, Any]
"""One ``[[prices]]`` table of prices.toml, numbers as Decimal."""

# As much as is kept of a model's name in a log.
LONGEST_MODEL = 200
# What the provider asks for the cache of every model, as multiples of its input rate.
USUAL_MULTIPLES = {
    "cache_read": Decimal("0.1"),
    "cache_write_5m": Decimal("1.25"),
    "cache_write_1h": Decimal(2),
}
RATES = ("input", "output", *USUAL_MULTIPLES)
FACTORS = ("fast", "above_100k")


class Offer(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new price in dollars per million tokens; None where it is left out."""

    model: Annotated[str, Meta(max_length=LONGEST_MODEL)]
    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write_5m: Decimal | None = None
    cache_write_1h: Decimal | None = None
    fast: Decimal | None = None
    above_100k: Decimal | None = None
    since: date | None = None


class Filled(Struct, frozen=True):
    """An entry made of an offer: the cache rates that were ``assumed``, the factors ``kept``."""

    entry: Entry
    assumed: list[str]
    kept: list[str]


def fill_in(offer: Offer, known: Price | None) -> Filled:
    """The whole entry: cache rates left out are the usual multiples, factors those known so far.

    PriceError when a figure is none that a price can have.
    """
    said = {name: value for name, value in structs.asdict(offer).items() if value is not None}
    for name, value in said.items():
        if isinstance(value, Decimal) and not _can_be(name, value):
            raise PriceError(f"the price of {offer.model[:80]}: {name} = {str(value)[:40]} is none")
    assumed = {
        name: offer.input * multiple
        for name, multiple in USUAL_MULTIPLES.items()
        if name not in said
    }
    kept = {
        name: Decimal(factor) / 1000
        for name in FACTORS
        if known and name not in said and (factor := getattr(known, name)) != 1000
    }
    complete = {**said, **assumed, **kept}
    order = ("model", "since", *RATES, *FACTORS)
    entry = {
        name: rounded(value) if isinstance(value, Decimal) else value
        for name in order
        if (value := complete.get(name)) is not None
    }
    return Filled(entry, list(assumed), list(kept))


def _can_be(name: str, value: Decimal) -> bool:
    """Whether a price can have this figure; a model may be free, but a factor is none of zero."""
    if not (value.is_finite() and 0 <= value <= MOST_DOLLARS):
        return False
    return name not in FACTORS or rounded(value) > 0


def same_rates(one: Price, other: Price) -> bool:
    """Whether both cost the same, whenever they hold."""
    return all(getattr(one, name) == getattr(other, name) for name in (*RATES, *FACTORS))


def day_of_price(price: Price) -> date | None:
    """The day (UTC) from which the price holds; None for from the beginning."""
    return datetime.fromtimestamp(price.since / 1000, UTC).date() if price.since else None


def price_json(price: Price) -> dict[str, Any]:
    """The price as it is told: rates in dollars per million tokens."""
    day = day_of_price(price)
    return {
        "model": price.model,
        **{name: getattr(price, name) / 1e6 for name in RATES},
        **{name: getattr(price, name) / 1e3 for name in FACTORS},
        "since": day.isoformat() if day else None,
        "whose": "own" if price.own else "built-in",
    }
