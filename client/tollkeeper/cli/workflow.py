"""``toll workflow``: where workflows and stages begin and end, and what they cost."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tollkeeper.cli import (
    workflow_compare,
    workflow_end,
    workflow_forecast,
    workflow_models,
    workflow_paths,
    workflow_show,
    workflow_stage,
    workflow_stages,
    workflow_start,
    workflow_top,
)
from tollkeeper.cli.context import Ask, UsageError
from tollkeeper.cli.subverbs import add_subverbs, run_subverb

SUBVERBS = {
    "start": workflow_start,
    "stage": workflow_stage,
    "end": workflow_end,
    "show": workflow_show,
    "compare": workflow_compare,
    "top": workflow_top,
    "stages": workflow_stages,
    "models": workflow_models,
    "paths": workflow_paths,
    "forecast": workflow_forecast,
}
HELP = (
    "Say where a workflow begins and ends, and each stage of it; ask what workflows cost: by stage, "
    "beside each other, which are the dearest, and what the next one will."
)


def options(parser: ArgumentParser) -> None:
    add_subverbs(parser, SUBVERBS)


def run(ask: Ask, options: Namespace) -> int | None:
    if not options.subverb:
        raise UsageError(f"say one of {', '.join(SUBVERBS)}; see toll workflow --help")
    return run_subverb(ask, options, SUBVERBS)
