"""``reprice``: charges stored requests by the prices in force, or says what that would change."""

import asyncio
from datetime import date
from typing import Annotated, Any

from msgspec import Meta, Struct

from tollkeeper_daemon.clock import start_of
from tollkeeper_daemon.control.refusal import Refused, params_as
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.repricing import RepricingError


class Span(Struct, frozen=True, forbid_unknown_fields=True):
    """From which local day on; everything without one. Only a look unless told otherwise.

    ``most_seconds`` is for a look that need not see everything.
    """

    since: date | None = None
    dry_run: bool = True
    most_seconds: Annotated[float, Meta(ge=0)] | None = None


async def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """What changes, model by model; told when it is done."""
    span = params_as(Span, params)
    since = start_of(span.since) if span.since else 0
    try:
        if span.dry_run:
            repriced = await asyncio.to_thread(daemon.repricer.preview, since, span.most_seconds)
        else:
            repriced = await daemon.repricer.run(since)
            # The books and the pages of the whole ledger are in memory now.
            daemon.store.let_go()
    except RepricingError as error:
        raise Refused("failed", str(error), "try again later") from None
    return {
        "dry_run": span.dry_run,
        "since": span.since.isoformat() if span.since else None,
        "complete": repriced.complete,
        **repriced.as_json(),
    }
