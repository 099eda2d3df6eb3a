"""``prices.import``: what LiteLLM's price list says otherwise of Claude models, into prices.toml."""

from collections import Counter
from typing import Any

from msgspec import Struct

from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.refusal import Refused, editing, params_as
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.ledger.litellm import judge
from tollkeeper_daemon.ledger.price_toml import with_prices
from tollkeeper_daemon.ledger.prices import PriceList

# Far more than there are models of Claude; written in a second.
MOST_WRITTEN = 300


class Listed(Struct, frozen=True, forbid_unknown_fields=True):
    """Entries of the list by their names, numbers as text; ``all`` takes those known as well."""

    entries: dict[str, Any]
    all: bool = False


async def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """What became of each entry, and how many had each fate."""
    listed = params_as(Listed, params)

    def change(text: str, prices: PriceList) -> tuple[str, dict[str, Any]]:
        verdicts = judge(listed.entries, prices, now_ms(), listed.all)
        entries = [verdict.entry for verdict in verdicts if verdict.entry]
        if len(entries) > MOST_WRITTEN:
            raise Refused(
                "too-many",
                f"{len(entries):,} prices would be written, and at most {MOST_WRITTEN} are at once",
                "cut the list down to the models that you use",
            )
        return with_prices(text, entries), {
            "counts": Counter(verdict.fate for verdict in verdicts),
            "entries": [verdict.as_json() for verdict in verdicts],
        }

    file = daemon.pricing.file.path
    with editing(file):
        return {**await daemon.pricing.edit(change), "file": str(file)}
