"""``toll workflow models``: which model has been cheaper for each stage so far."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask
from tollkeeper.cli.forms import ask_and_show, form_options, print_csv, print_tables
from tollkeeper.cli.period import work_params, work_since_option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = (
    "Show which model has been cheaper for each stage so far: what a workflow's stage came to, by the "
    "model that most of it went to, the cheapest first. What is under way is left out."
)


def options(parser: ArgumentParser) -> None:
    parser.add_argument("--stage", metavar="NAME", help="only this stage")
    work_since_option(parser)
    form_options(parser)


def run(ask: Ask, options: Namespace) -> None:
    params = work_params(options, stage=options.stage)

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

    ask_and_show(ask, options, "workflow.models", params, show)
