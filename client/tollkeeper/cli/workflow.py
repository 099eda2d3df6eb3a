"""``toll workflow``: what is asked of workflows."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tollkeeper.cli import workflow_forecast
from tollkeeper.cli.context import Ask, UsageError
from tollkeeper.cli.subverbs import add_subverbs, run_subverb

SUBVERBS = {"forecast": workflow_forecast}
HELP = "Ask what workflows and their stages will come to."


def options(parser: ArgumentParser) -> None:
    add_subverbs(parser, SUBVERBS)


def run(ask: Ask, options: Namespace) -> int | None:
    if not options.subverb:
        raise UsageError(f"say one of {', '.join(SUBVERBS)}; see toll workflow --help")
    return run_subverb(ask, options, SUBVERBS)
