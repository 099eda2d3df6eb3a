"""``burn``: what was spent in each of the last minutes."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from tollkeeper_daemon.clock import iso, now_ms
from tollkeeper_daemon.control.refusal import params_as
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.ledger.books import Group
from tollkeeper_daemon.ledger.requests import resolve
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.tally import dollars

MINUTE_MS = 60_000
DAY_MINUTES = 24 * 60


class Span(Struct, frozen=True, forbid_unknown_fields=True):
    """So many minutes, the current one last."""

    minutes: Annotated[int, Meta(ge=1, le=DAY_MINUTES)] = 60


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """The list price of each minute's requests in dollars, and when the first minute begins."""
    count = params_as(Span, params).minutes
    now = now_ms() // MINUTE_MS
    first = now + 1 - count

    def work(transaction: Transaction) -> list[int]:
        spent = [0] * count
        for _, time, key in transaction.timeline(first * MINUTE_MS, (now + 1) * MINUTE_MS):
            if group := transaction.group(key):
                spent[time // MINUTE_MS - first] += _value_at(time, group)
        return spent

    minutes = [dollars(value) for value in daemon.store.read(work)]
    return {"begins_at": iso(first * MINUTE_MS), "minutes": minutes}


def _value_at(time: int, group: Group) -> int:
    """What the group's requests of this time (ms) are worth, in nano-dollars."""
    pairs = zip(resolve(group.entries), group.charges, strict=True)
    return sum(charge.value for reply, charge in pairs if reply.time == time)
