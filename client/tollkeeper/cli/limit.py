"""``toll limit``: the limits in force, and those that were set by hand."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tollkeeper.cli import limit_clear, limit_set
from tollkeeper.cli.context import Ask, print_raw
from tollkeeper.cli.subverbs import add_subverbs, run_subverb

SUBVERBS = {"set": limit_set, "clear": limit_clear}
HELP = (
    "List the limits in force: how much of each is used, and what is done when it is reached; while "
    "nobody works, also what each agent and each run will have. Or "
    "set one of your own, or take it back."
)


def options(parser: ArgumentParser) -> None:
    add_subverbs(parser, SUBVERBS)


def run(ask: Ask, options: Namespace) -> int | None:
    if options.subverb:
        return run_subverb(ask, options, SUBVERBS)
    if ask.as_json:
        print_raw(ask.raw("limit"))
        return None
    from tollkeeper.cli.limit_view import print_limits

    answer = ask.plain("limit")
    settings = ask.plain("config.get", {"names": ["limits"]})["settings"]
    print_limits(answer, {each["name"]: each["value"] for each in settings})
    return None
