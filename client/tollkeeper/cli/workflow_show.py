"""``toll workflow show``: what each stage of a workflow took."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask
from tollkeeper.cli.forms import ask_and_show, form_options, print_csv, print_tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = (
    "Show what each stage of a workflow took: tokens, money, time, and who did it. A stage's "
    "duration is the time by the clock on the wall; worked, waited for people and held at limits "
    "are parts of it."
)


def options(parser: ArgumentParser) -> None:
    parser.add_argument("workflow", metavar="ID", help="which workflow; '' for work of none")
    form_options(parser)


def run(ask: Ask, options: Namespace) -> None:
    ask_and_show(ask, options, "workflow.show", {"workflow": options.workflow}, _show)


def _show(answer: dict[str, Any], form: str | None) -> None:
    from tollkeeper.cli import workflow_show_view as view

    if form == "csv":
        print_csv(view.COLUMNS, view.records(answer))
    else:
        print_tables([view.table(answer, form)], form)
