"""``toll prices set``: a price of one's own."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from decimal import Decimal, InvalidOperation

from tollkeeper.cli import words
from tollkeeper.cli.context import Ask, print_raw
from tollkeeper.cli.offer import look_for_others
from tollkeeper.cli.period import day

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = (
    "Set what a model costs, in dollars per million tokens. It goes into your prices.toml and is "
    "in force at once; requests charged before keep their price until toll reprice. "
    "Cache rates left out are the usual multiples of the input's: a tenth for a read, 1.25 and "
    "2 times for a write of 5 minutes and of an hour."
)
RATES = ("input", "output", "cache-read", "cache-write-5m", "cache-write-1h")


def options(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="its name, e.g. claude-opus-5-5")
    for name in RATES:
        parser.add_argument(
            f"--{name}", metavar="USD", type=figure, required=name in ("input", "output")
        )
    parser.add_argument("--fast", metavar="F", type=factor, help="factor on requests of speed fast")
    parser.add_argument(
        "--above-100k",
        metavar="F",
        type=factor,
        help="factor on requests with more than 100,000 tokens of prompt",
    )
    parser.add_argument(
        "--since", metavar="DAY", type=day, help="from this day (UTC) on (default: always)"
    )


def figure(value: str) -> str:
    """A number that is not negative, as it was written."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal(-1)
    if not number.is_finite() or number < 0:
        raise ArgumentTypeError(f"{value!r} is not a number of zero or more")
    return value


def factor(value: str) -> str:
    """A number above zero, as it was written."""
    if not Decimal(figure(value)):
        raise ArgumentTypeError(f"{value!r} is not a number above zero")
    return value


def run(ask: Ask, options: Namespace) -> None:
    names = (*RATES, "fast", "above-100k")
    figures = {name.replace("-", "_"): getattr(options, name.replace("-", "_")) for name in names}
    params = {"model": options.model, "since": options.since and options.since.isoformat()}
    given = {name: value for name, value in {**params, **figures}.items() if value is not None}
    answer = ask.plain("prices.set", given)
    others = look_for_others(ask)
    if answer["unseen"]:
        print(f"toll: {unseen(answer)}", file=sys.stderr)
    if ask.as_json:
        print_raw(json.dumps({**answer, **others}).encode())
        return
    from tollkeeper.cli.prices_view import print_offer, print_set

    print_set(answer)
    print_offer(others)


def unseen(answer: dict[str, Any]) -> str:
    """That no request names the model yet, and what it may have been meant to be."""
    model = words.plain(answer["price"]["model"])
    closest = words.plain(", ".join(answer["closest"]))
    known = f"known are {closest}" if closest else "see: toll prices"
    return f"no request names {model} yet; {known}"
