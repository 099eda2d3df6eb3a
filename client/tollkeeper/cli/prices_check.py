"""``toll prices check``: which models have no price, and what was charged at a guess."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask, print_raw

HELP = (
    "Say which models in the ledger have no price of their own and are charged at a guess, and "
    "which requests were, though there is a price by now."
)


def options(parser: ArgumentParser) -> None:
    """None of its own."""


def run(ask: Ask, options: Namespace) -> None:
    if ask.as_json:
        print_raw(ask.raw("prices.check"))
        return
    from tollkeeper.cli.prices_view import print_check

    print_check(ask.plain("prices.check"))
