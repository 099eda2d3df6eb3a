"""LiteLLM's price list: which of its entries are prices of Claude models that are news here.

Its form: model_prices_and_context_window.json of https://github.com/BerriAI/litellm, dollars per
token, a name for each model, region and provider.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Literal

import msgspec
from msgspec import Struct

from tollkeeper_daemon.ledger.price_entry import (
    Entry,
    Offer,
    day_of_price,
    fill_in,
    price_json,
    same_rates,
)
from tollkeeper_daemon.ledger.prices import (
    Price,
    PriceError,
    PriceList,
    canonical,
    family_of,
    price_of,
)

PROVIDER = "anthropic"
TOKENS_IN_A_PRICE = 10**6
THOUSANDTH = Decimal("0.001")

Fate = Literal["added", "changed", "same", "skipped", "broken"]


class Listed(Struct, frozen=True, kw_only=True):
    """What of an entry matters here; dollars per token, and factors on the whole request."""

    input_cost_per_token: Decimal
    output_cost_per_token: Decimal
    cache_read_input_token_cost: Decimal | None = None
    cache_creation_input_token_cost: Decimal | None = None
    cache_creation_input_token_cost_above_1hr: Decimal | None = None
    input_cost_per_token_above_100k_tokens: Decimal | None = None
    output_cost_per_token_above_100k_tokens: Decimal | None = None
    provider_specific_entry: dict[str, Any] | None = None


class Verdict(Struct, frozen=True):
    """What becomes of one entry of the list, and why.

    ``entry`` is to be written into prices.toml, ``before`` the price that it takes the place of.
    """

    model: str
    fate: Fate
    reason: str
    entry: Entry | None = None
    before: Price | None = None
    assumed: list[str] = []

    def as_json(self) -> dict[str, Any]:
        """The verdict as it is told."""
        return {
            "model": self.model,
            "fate": self.fate,
            "reason": self.reason,
            "assumed": self.assumed,
            "price": price_json(price_of(self.entry)) if self.entry else None,
            "before": price_json(self.before) if self.before else None,
        }


def judge(listed: Mapping[str, Any], prices: PriceList, now: int, every: bool) -> list[Verdict]:
    """A verdict for each entry, in order of their names; a broken one costs itself alone.

    ``every`` takes up those as well that cost what is known already.
    """
    return list(_verdicts(listed, prices, now, every))


def _verdicts(
    listed: Mapping[str, Any], prices: PriceList, now: int, every: bool
) -> Iterator[Verdict]:
    taken: dict[str, str] = {}
    # The plainest spelling of a model comes first.
    for model in sorted(listed, key=lambda name: (len(name), name)):
        if not family_of(model):
            yield Verdict(model, "skipped", "no Claude model")
        elif (provider := _provider(listed[model])) != PROVIDER:
            yield Verdict(model, "skipped", f"sold by another provider: {provider}")
        elif first := taken.get(canonical(model)):
            yield Verdict(model, "skipped", f"another name of the same model: {first}")
        else:
            verdict = _judge_one(model, listed[model], prices, now, every)
            if verdict.fate != "broken":
                taken[canonical(model)] = model
            yield verdict


def _provider(entry: Any) -> str:
    """Who sells it; lists that are cut down to one provider do not always say."""
    named = entry.get("litellm_provider") if isinstance(entry, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return named[:40] if isinstance(named, str) and named else PROVIDER


def _judge_one(model: str, entry: Any, prices: PriceList, now: int, every: bool) -> Verdict:
    known = prices.price(model, now) if prices.knows(model) else None
    try:
        offer = _offer(model, msgspec.convert(entry, Listed), known)
        filled = fill_in(offer, known)
        new = price_of(filled.entry)
    except (PriceError, msgspec.ValidationError, ArithmeticError) as error:
        return Verdict(model, "broken", str(error)[:200])
    if known is None:
        return Verdict(model, "added", "had no price", filled.entry, None, filled.assumed)
    if not same_rates(known, new):
        reason = "costs something else than was known"
        return Verdict(model, "changed", reason, filled.entry, known, filled.assumed)
    if every:
        reason = "costs what is known already, and was asked for all the same"
        return Verdict(model, "same", reason, filled.entry, known, filled.assumed)
    return Verdict(model, "same", "costs what is known already")


def _offer(model: str, listed: Listed, known: Price | None) -> Offer:
    """The entry in our terms; it takes the place of the price in force, from that one's day on."""
    more = listed.provider_specific_entry or {}
    return Offer(
        model=known.model if known else model,
        input=_per_million(listed.input_cost_per_token),
        output=_per_million(listed.output_cost_per_token),
        cache_read=_maybe(listed.cache_read_input_token_cost),
        cache_write_5m=_maybe(listed.cache_creation_input_token_cost),
        cache_write_1h=_maybe(listed.cache_creation_input_token_cost_above_1hr),
        fast=msgspec.convert(more["fast"], Decimal) if "fast" in more else None,
        above_100k=_above(listed),
        since=day_of_price(known) if known else None,
    )


def _above(listed: Listed) -> Decimal | None:
    """The factor on requests of more than 100,000 tokens, where the list has rates for them."""
    rates = (
        (listed.input_cost_per_token_above_100k_tokens, listed.input_cost_per_token),
        (listed.output_cost_per_token_above_100k_tokens, listed.output_cost_per_token),
    )
    factors = {(above / below).quantize(THOUSANDTH) for above, below in rates if above is not None}
    if len(factors) > 1:
        raise PriceError("its rates above 100,000 tokens are not one multiple of those below")
    return factors.pop() if factors else None


def _maybe(per_token: Decimal | None) -> Decimal | None:
    return None if per_token is None else _per_million(per_token)


def _per_million(per_token: Decimal) -> Decimal:
    return per_token * TOKENS_IN_A_PRICE
