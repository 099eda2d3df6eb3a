"""``reprice``: charges stored requests by the prices in force, or says what that would change."""

import asyncio
from datetime import date, datetime
from typing import Any

from msgspec import Struct

from tollkeeper_daemon.control.refusal import Refused, params_as
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.repricing import RepricingError


class Span(Struct, frozen=True, forbid_unknown_fields=True):
    """From which local day on; everything without one. Only a look unless told otherwise."""

    since: date | None = None
    dry_run: bool = True


async def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """What changes, model by model; told when it is done."""
    span = params_as(Span, params)
    since = _midnight(span.since) if span.since else 0
    try:
        if span.dry_run:
            repriced = await asyncio.to_thread(daemon.repricer.preview, since)
        else:
            repriced = await daemon.repricer.run(since)
    except RepricingError as error:
        raise Refused("failed", str(error), "try again later") from None
    daemon.store.let_go()
    return {
        "dry_run": span.dry_run,
        "since": span.since.isoformat() if span.since else None,
        **repriced.as_json(),
    }


def _midnight(day: date) -> int:
    """When the day begins here, in ms; 0 for days before there were any requests."""
    try:
        return int(datetime(day.year, day.month, day.day).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0
