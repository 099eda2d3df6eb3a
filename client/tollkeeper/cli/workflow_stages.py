"""``toll workflow stages``: each stage across all workflows."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask
from tollkeeper.cli.forms import ask_and_show, form_options, print_csv, print_tables
from tollkeeper.cli.period import work_params, work_since_option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = (
    "Show each stage across all workflows that went through it: what it takes as a rule, and how "
    "far that varies. 25 % and 75 % are the quartiles: half of the workflows lie between them."
)


def options(parser: ArgumentParser) -> None:
    parser.add_argument("--stage", metavar="NAME", help="only this stage")
    work_since_option(parser)
    form_options(parser)


def run(ask: Ask, options: Namespace) -> None:
    params = work_params(options, stage=options.stage)

    def show(answer: dict[str, Any], form: str | None) -> None:
        from tollkeeper.cli import workflow_spread_view as view

        if form == "csv":
            print_csv(["stage", "workflows", *view.COLUMNS], answer["stages"])
        elif answer["stages"]:
            print_tables([view.stages_table(answer["stages"])], form)
        else:
            print(view.nothing(answer["since"], options.stage))

    ask_and_show(ask, options, "workflow.stages", params, show)
