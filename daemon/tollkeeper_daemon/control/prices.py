"""``prices``: every price that is known."""

from typing import Any

from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.ledger.price_entry import price_json


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """The prices in force, by model and day, and how the user's own file is."""
    daemon.pricing.look()
    known = sorted(daemon.pipeline.prices, key=lambda price: (price.model, price.since))
    return {
        "prices": [price_json(price) for price in known],
        "file": str(daemon.pricing.file.path),
        "broken": daemon.pricing.broken,
    }
