"""``prices.set``: a price of the user's own, into prices.toml and in force."""

from typing import Any

from msgspec.structs import replace

from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.model_names import model_meant
from tollkeeper_daemon.control.refusal import Refused, editing, params_as
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.ledger.price_entry import Offer, fill_in, price_json
from tollkeeper_daemon.ledger.price_toml import with_prices
from tollkeeper_daemon.ledger.prices import PriceError, PriceList, price_of


async def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """The price as it was written, what of it was assumed, and whether any request names it."""
    offer = params_as(Offer, params)
    try:
        price_of(fill_in(offer, None).entry)
    except PriceError as error:
        raise Refused("bad-params", str(error)) from None

    def change(text: str, prices: PriceList) -> tuple[str, dict[str, Any]]:
        meant = model_meant(offer.model, prices, daemon.store)
        known = prices.price(meant.model, now_ms()) if prices.knows(meant.model) else None
        filled = fill_in(replace(offer, model=meant.model), known)
        return with_prices(text, [filled.entry]), {
            "price": price_json(price_of(filled.entry)),
            "before": price_json(known) if known else None,
            "assumed": filled.assumed,
            "kept": filled.kept,
            "unseen": meant.unseen,
            "closest": meant.closest,
        }

    file = daemon.pricing.file.path
    with editing(file):
        return {**await daemon.pricing.edit(change), "file": str(file)}
