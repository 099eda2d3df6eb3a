"""``toll plans``: the subscription plans that are known."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from tollkeeper.cli import plans_remove, plans_set
from tollkeeper.cli.context import Ask, print_raw
from tollkeeper.cli.subverbs import add_subverbs, run_subverb

SUBVERBS = {"set": plans_set, "remove": plans_remove}
HELP = (
    "List the subscription plans: what each costs a month, and about how much it gives. Or set "
    "one of your own, or remove it."
)


def options(parser: ArgumentParser) -> None:
    add_subverbs(parser, SUBVERBS)


def run(ask: Ask, options: Namespace) -> int | None:
    if options.subverb:
        return run_subverb(ask, options, SUBVERBS)
    answer = ask.plain("plans")
    if ask.as_json:
        print_raw(json.dumps(answer["plans"]).encode())
        return None
    from tollkeeper.cli.plans_view import print_plans

    print_plans(answer["plans"])
    return None
