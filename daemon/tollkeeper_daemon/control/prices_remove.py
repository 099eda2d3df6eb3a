"""``prices.remove``: prices of the user's own, out of prices.toml."""

from datetime import date
from typing import Any

from msgspec import Struct

from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.model_names import PREFIX
from tollkeeper_daemon.control.refusal import Refused, editing, params_as
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.ledger.price_entry import day_of_price, price_json
from tollkeeper_daemon.ledger.price_toml import Place, without_prices
from tollkeeper_daemon.ledger.prices import Price, PriceList, canonical


class Named(Struct, frozen=True, forbid_unknown_fields=True):
    """Which model; of its prices that from this day on alone, all without a day."""

    model: str
    since: date | None = None


async def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """The prices that were removed, and the one that holds now, or null."""
    named = params_as(Named, params)
    day = named.since.isoformat() if named.since else None

    def change(text: str, prices: PriceList) -> tuple[str, list[Price]]:
        own = _own_of(named.model, prices)
        gone = [price for price in own if named.since in (None, day_of_price(price))]
        if not gone:
            raise Refused("bad-params", _why_none(named, own, prices), "see: toll prices")
        model = canonical(gone[0].model)

        def is_meant(place: Place) -> bool:
            return place[0] == model and day in (None, place[1])

        return without_prices(text, is_meant), gone

    file = daemon.pricing.file.path
    with editing(file):
        gone = await daemon.pricing.edit(change)
    prices, model = daemon.pipeline.prices, gone[0].model
    return {
        "removed": [price_json(price) for price in gone],
        "now": price_json(prices.price(model, now_ms())) if prices.knows(model) else None,
        "file": str(file),
    }


def _own_of(name: str, prices: PriceList) -> list[Price]:
    """The user's own prices of the model of this name, with or without its first word."""
    for wanted in (canonical(name), canonical(PREFIX + name)):
        if found := [each for each in prices if each.own and canonical(each.model) == wanted]:
            return found
    return []


def _why_none(named: Named, own: list[Price], prices: PriceList) -> str:
    name = named.model[:80]
    if own:
        return f"you have no price of {name!r} from {named.since} on"
    if prices.knows(named.model) or prices.knows(PREFIX + named.model):
        return f"the price of {name!r} is built in: only your own can be removed"
    return f"no price of {name!r} is known"
