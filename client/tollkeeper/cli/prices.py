"""``toll prices``: every known price."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace

from tollkeeper.cli import prices_check, prices_import, prices_remove, prices_set, words
from tollkeeper.cli.context import Ask, print_raw
from tollkeeper.cli.subverbs import add_subverbs, run_subverb

SUBVERBS = {
    "set": prices_set,
    "remove": prices_remove,
    "import": prices_import,
    "check": prices_check,
}
HELP = (
    "List every known price, in dollars per million tokens: what came with Tollkeeper, and your "
    "own on top. Or set a price, remove one, import a list of them, or check which are missing."
)


def options(parser: ArgumentParser) -> None:
    add_subverbs(parser, SUBVERBS)


def run(ask: Ask, options: Namespace) -> int | None:
    if options.subverb:
        return run_subverb(ask, options, SUBVERBS)
    answer = ask.plain("prices")
    if answer["broken"]:
        told = f"{answer['broken']}; the prices from before the mistake are in force: mend it, or move it away"
        print(f"toll: {words.plain(told)}", file=sys.stderr)
    if ask.as_json:
        print_raw(json.dumps(answer["prices"]).encode())
        return None
    from tollkeeper.cli.prices_view import print_prices

    print_prices(answer)
    return None
