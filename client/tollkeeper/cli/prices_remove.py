"""``toll prices remove``: prices of one's own, no more."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask, print_raw
from tollkeeper.cli.offer import look_for_others
from tollkeeper.cli.period import day

HELP = (
    "Remove your own prices of a model; the built-in one holds again. Requests charged before "
    "keep their price until toll reprice."
)


def options(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="its name, e.g. claude-opus-5-5")
    parser.add_argument(
        "--since", metavar="DAY", type=day, help="only that from this day (UTC) on (default: all)"
    )


def run(ask: Ask, options: Namespace) -> None:
    params = {"model": options.model}
    if options.since:
        params["since"] = options.since.isoformat()
    answer = ask.plain("prices.remove", params)
    others = look_for_others(ask)
    if ask.as_json:
        print_raw(json.dumps({**answer, **others}).encode())
        return
    from tollkeeper.cli.prices_view import print_offer, print_removed

    print_removed(answer)
    print_offer(others)
