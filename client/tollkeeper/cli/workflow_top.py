"""``toll workflow top``: the dearest workflows, stages and roles."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask
from tollkeeper.cli.forms import ask_and_show, form_options, print_csv, print_tables
from tollkeeper.cli.period import count, work_params, work_since_option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = (
    "Show what drives the cost: the dearest workflows, stages and roles, and the share of each. A "
    "role is a helper's type, or an agent's name."
)
MEASURES = ("cost", "value", "tokens", "duration")


def options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--by",
        choices=MEASURES,
        help="what is billed, the list price, the tokens or the time (default: what is billed, or "
        "the list price where nothing is)",
    )
    work_since_option(parser)
    parser.add_argument(
        "--last",
        metavar="N",
        type=count,
        help="so many of each (default: 10 workflows, 3 stages, 3 roles)",
    )
    form_options(parser)


def run(ask: Ask, options: Namespace) -> None:
    params = work_params(options, by=options.by, last=options.last)
    ask_and_show(ask, options, "workflow.top", params, _show)


def _show(answer: dict[str, Any], form: str | None) -> None:
    from tollkeeper.cli import workflow_top_view as view

    if form == "csv":
        print_csv(view.COLUMNS, view.records(answer))
    elif answer["workflows"]:
        print_tables(view.tables(answer, form), form)
    else:
        print(view.nothing(answer))
