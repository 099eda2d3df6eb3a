"""``toll workflow compare``: workflows side by side."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask
from tollkeeper.cli.forms import ask_and_show, form_options, print_csv, print_tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = (
    "Compare workflows, stage by stage and in all. Each is set beside the first: how much more or "
    "less it took, and by how many percent."
)


def options(parser: ArgumentParser) -> None:
    parser.add_argument("first", metavar="ID", help="the workflow that the others are set beside")
    parser.add_argument("others", metavar="ID", nargs="+", help="the others")
    form_options(parser)


def run(ask: Ask, options: Namespace) -> None:
    params = {"workflows": [options.first, *options.others]}
    ask_and_show(ask, options, "workflow.compare", params, _show)


def _show(answer: dict[str, Any], form: str | None) -> None:
    from tollkeeper.cli import workflow_compare_view as view

    if form == "csv":
        print_csv(view.COLUMNS, view.records(answer))
    else:
        print_tables([view.table(answer)], form)
