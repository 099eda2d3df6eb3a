"""``toll workflow stages``: each stage across all workflows."""

from __future__ import annotations

from argparse import Namespace

from tollkeeper.cli.context import Ask
from tollkeeper.cli.forms import print_csv, print_tables
from tollkeeper.cli.workflow_by_stage import ask_by_stage, options

__all__ = ["HELP", "options", "run"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = (
    "Show each stage across all workflows that went through it: what it takes as a rule, and how "
    "far that varies. 25 % and 75 % are the quartiles: half of the workflows lie between them."
)


def run(ask: Ask, options: Namespace) -> None:
    def show(answer: dict[str, Any], form: str | None) -> None:
        from tollkeeper.cli import workflow_spread_view as view

        if form == "csv":
            print_csv(["stage", "workflows", *view.COLUMNS], answer["stages"])
        elif answer["stages"]:
            print_tables([view.stages_table(answer["stages"])], form)
        else:
            print(view.nothing(answer["since"], options.stage))

    ask_by_stage(ask, options, "workflow.stages", show)
