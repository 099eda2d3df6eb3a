"""How pieces of work spread: what one takes as a rule, and how far the others lie from that. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any

from tollkeeper_daemon.reports.work import KEYS, MEASURES, Measure, in_words
from tollkeeper_daemon.store.schema import WorkBrief

PLACES = {"min": 0, "lower_quartile": 1, "median": 2, "upper_quartile": 3, "max": 4}

Piece = dict[Measure, int | None]
"""What one piece of work took by each measure; None where that is not known."""


def piece_of(briefs: Iterable[WorkBrief], duration: int | None) -> Piece:
    """What these took together, in this time (ms)."""
    lot = [*briefs]
    return {
        "cost": sum([brief.cost for brief in lot]),
        "value": sum([brief.value for brief in lot]),
        "tokens": sum([brief.tokens for brief in lot]),
        "duration": duration,
    }


def spreads_json(pieces: Sequence[Piece]) -> dict[str, Any]:
    """How the pieces spread by each measure; None where it is not known of any."""
    found: dict[str, Any] = {}
    for measure in MEASURES:
        known = [amount for piece in pieces if (amount := piece[measure]) is not None]
        found[KEYS[measure]] = _spread(measure, known)
    return found


def _spread(measure: Measure, amounts: list[int]) -> dict[str, Any] | None:
    if not amounts:
        return None
    ordered = sorted(amounts)
    quartiles = {name: in_words(measure, quartile(ordered, at)) for name, at in PLACES.items()}
    return {"count": len(ordered), "total": in_words(measure, sum(ordered)), **quartiles}


def quartile(ordered: Sequence[int], number: int) -> int:
    """The amount that so many quarters of them lie below, from 0, the least, to 4, the largest.

    Between two it is told by how near it is to each (the median of two is half way), to a whole number.
    """
    place, rest = divmod((len(ordered) - 1) * number, 4)
    low = ordered[place]
    return low + ((ordered[place + 1] - low) * rest + 2) // 4 if rest else low
