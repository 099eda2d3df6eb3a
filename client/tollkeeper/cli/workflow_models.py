"""``toll workflow models``: which model has been cheaper for each stage so far."""

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
    "Show which model has been cheaper for each stage so far: what a workflow's stage came to, by the "
    "model that most of it went to, the cheapest first. What is under way is left out."
)


def run(ask: Ask, options: Namespace) -> None:
    def show(answer: dict[str, Any], form: str | None) -> None:
        from tollkeeper.cli import workflow_spread_view as view

        lines = [
            {"stage": each["stage"], **line} for each in answer["stages"] for line in each["models"]
        ]
        if form == "csv":
            print_csv(["stage", "model", "workflows", *view.COLUMNS], lines)
        elif lines:
            print_tables([view.models_table(lines)], form)
        else:
            print(view.nothing(answer["since"], options.stage))
            if answer["under_way"]:
                print(f"Not over yet, and not counted: {answer['under_way']:,}.")

    ask_by_stage(ask, options, "workflow.models", show)
