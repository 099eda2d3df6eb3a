"""What is known of a piece of work, and how it is summed up: what all answers about workflows share."""

from collections.abc import Callable, Iterable
from typing import Any, Literal, get_args

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.ledger.books import QUARTER_MS, quarter
from tollkeeper_daemon.ledger.prices import PriceList
from tollkeeper_daemon.store.schema import SpanRecord, WorkflowRecord, WorkInBrief, WorkSum
from tollkeeper_daemon.tally import Tally, dollars

Measure = Literal["cost", "value", "tokens", "duration"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
# What each is called in an answer, where it is the sum of whole numbers.
KEYS: dict[Measure, str] = {
    "cost": "cost_usd",
    "value": "value_usd",
    "tokens": "total_tokens",
    "duration": "duration_seconds",
}
RUNNING = "running"

NameOf = Callable[[str], str]
"""The name of the agent with this id."""


class Work(Struct, frozen=True):
    """A workflow: what its markers told, how its stages were gone through, and what they came to."""

    name: str
    record: WorkflowRecord | None = None
    spans: tuple[SpanRecord, ...] = ()
    sums: tuple[WorkSum, ...] = ()


def in_words(measure: Measure, amount: int | None) -> float | int | None:
    """The amount as it is told: nano-dollars in dollars, milliseconds in seconds, tokens as such."""
    if amount is None or measure == "tokens":
        return amount
    return seconds(amount) if measure == "duration" else dollars(amount)


def seconds(time: int) -> float:
    """Milliseconds as seconds."""
    return time / 1000


def share_of(part: int, whole: int) -> float:
    """Which part of the whole it is, from 0 to 1; nothing of nothing."""
    return part / whole if whole else 0.0


def worked_on(works: Iterable[WorkInBrief], since: int) -> list[WorkInBrief]:
    """The workflows that were worked on since this time (ms), to a quarter of an hour, each as a whole.

    What is of no workflow is no whole: each part of it counts for itself.
    """
    if not since:
        return [*works]
    first = quarter(since)
    kept: list[WorkInBrief] = []
    for work in works:
        lately = tuple([brief for brief in work.briefs if brief.last >= first])
        if lately or work.last >= first:
            kept.append(work if work.workflow else replace(work, briefs=lately))
    return kept


def cache_saved(sums: Iterable[WorkSum], prices: PriceList) -> int | None:
    """What the cache saved, in nano-dollars at list price: less than nothing where writing cost more.

    It is what the tokens read and written would have cost as plain input, less what reading and writing
    cost, by the rates of the day on which that work began. None where a model has no price.
    """
    pico = 0
    for each in sums:
        totals = each.totals
        if not (totals.cache_read or totals.cache_write_5m or totals.cache_write_1h):
            continue
        price = prices.price(each.model, each.first * QUARTER_MS)
        if price.guessed:
            return None
        pico += (
            totals.cache_read * (price.input - price.cache_read)
            + totals.cache_write_5m * (price.input - price.cache_write_5m)
            + totals.cache_write_1h * (price.input - price.cache_write_1h)
        )
    return (pico + 500) // 1000


def usage_json(tally: Tally) -> dict[str, Any]:
    """A sum under the keys of every usage on the wire, and how much of its input the cache had."""
    totals = tally.totals
    written = totals.cache_write_5m + totals.cache_write_1h
    prompt = totals.input + totals.cache_read + written
    return {
        **to_builtins(tally.usage()),
        "cache_hit_rate": totals.cache_read / prompt if prompt else None,
    }


def workflow_json(name: str, record: WorkflowRecord | None) -> dict[str, Any]:
    """What a workflow is called, and how it stands by its markers; None for what none told."""
    return {
        "workflow": name or None,
        "path": (record and record.path) or None,
        "status": status_of(record),
        "started_at": iso(record.started) if record and record.started else None,
        "ended_at": iso(record.ended) if record and record.ended else None,
    }


def status_of(record: WorkflowRecord | None) -> str | None:
    """How the workflow ended, or that it has not; None where no marker told of it."""
    if record is None:
        return None
    return (record.status or None) if record.ended else RUNNING
