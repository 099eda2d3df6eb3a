"""After a change of prices: whether stored requests are charged at others."""

from __future__ import annotations

from tollkeeper.cli.context import Ask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# A million requests take half a minute to look at; nobody waits for that after every change.
MOST_SECONDS = 2.0


def look_for_others(ask: Ask) -> dict[str, Any]:
    """How many requests are charged at other prices, and whether all were counted."""
    answer = ask.plain("reprice", {"most_seconds": MOST_SECONDS})
    return {
        "requests_at_other_prices": answer["total"]["requests"],
        "counted_all": answer["complete"],
    }


def offer(found: dict[str, Any]) -> str | None:
    """That those could be charged anew, in a line; None when there are none."""
    count, complete = found["requests_at_other_prices"], found["counted_all"]
    if count:
        least = "" if complete else "at least "
        told = "request is" if count == 1 else "requests are"
        return f"{least}{count:,} {told} charged at other prices: toll reprice"
    if not complete:
        return "Whether requests are charged at other prices takes long to say: toll reprice"
    return None
