"""``prices.check``: which models have no price, and what was charged at a guess."""

from typing import Any

from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.refusal import Refused
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.ledger.books import totals_of
from tollkeeper_daemon.ledger.requests import resolve
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.repricing import RepricingError, walk
from tollkeeper_daemon.tally import dollars


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """Models without a price of their own, and requests charged at a guess that is outdated."""
    try:
        return _check(daemon)
    except RepricingError as error:
        raise Refused("failed", str(error), "try again later") from None


def _check(daemon: Daemon) -> dict[str, Any]:
    prices, now = daemon.pipeline.prices, now_ms()
    guessed: dict[str, Totals] = {}
    outdated: dict[str, Totals] = {}
    for groups in walk(daemon.store, daemon.repricer.check_stopping):
        for _, group in groups:
            for reply, made in zip(resolve(group.entries), group.charges, strict=True):
                if not prices.knows(reply.model):
                    guessed.setdefault(reply.model, Totals()).add(totals_of(reply, made))
                elif made.unpriced:
                    outdated.setdefault(reply.model, Totals()).add(totals_of(reply, made))
    return {
        "without_price": [
            {**line, "charged_as": prices.price(line["model"], now).model}
            for line in _lines(guessed)
        ],
        "outdated": _lines(outdated),
    }


def _lines(models: dict[str, Totals]) -> list[dict[str, Any]]:
    """A line per model, the one of most money first."""
    return [
        {
            "model": model,
            "requests": totals.requests,
            "total_tokens": totals.tokens,
            "value_usd": dollars(totals.value),
        }
        for model, totals in sorted(models.items(), key=lambda item: (-item[1].value, item[0]))
    ]
