"""``toll workflow``: what workflows and their stages cost."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tollkeeper.cli import (
    workflow_compare,
    workflow_paths,
    workflow_show,
    workflow_stages,
    workflow_top,
)
from tollkeeper.cli.context import Ask, UsageError
from tollkeeper.cli.subverbs import add_subverbs, run_subverb

SUBVERBS = {
    "show": workflow_show,
    "compare": workflow_compare,
    "top": workflow_top,
    "stages": workflow_stages,
    "paths": workflow_paths,
}
HELP = "Ask what workflows cost: by stage, beside each other, and which are the dearest."


def options(parser: ArgumentParser) -> None:
    add_subverbs(parser, SUBVERBS)


def run(ask: Ask, options: Namespace) -> int | None:
    if not options.subverb:
        raise UsageError(f"say one of {', '.join(SUBVERBS)}; see toll workflow --help")
    return run_subverb(ask, options, SUBVERBS)
