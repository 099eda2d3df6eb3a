"""``toll workflow``: says where a workflow begins and ends, and each stage of it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tollkeeper.cli import workflow_end, workflow_stage, workflow_start
from tollkeeper.cli.context import Ask, UsageError
from tollkeeper.cli.subverbs import add_subverbs, run_subverb

SUBVERBS = {"start": workflow_start, "stage": workflow_stage, "end": workflow_end}
HELP = "Say where a workflow begins and ends, and each stage of it: what is spent in between is its own."


def options(parser: ArgumentParser) -> None:
    add_subverbs(parser, SUBVERBS)


def run(ask: Ask, options: Namespace) -> int | None:
    if not options.subverb:
        raise UsageError(f"say one of {', '.join(SUBVERBS)}; see toll workflow --help")
    return run_subverb(ask, options, SUBVERBS)
