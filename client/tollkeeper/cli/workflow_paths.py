"""``toll workflow paths``: the paths that workflows go, beside each other."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask
from tollkeeper.cli.forms import ask_and_show, form_options, print_csv, print_tables
from tollkeeper.cli.period import work_params, work_since_option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = (
    "Show the paths that workflows go beside each other, such as fast-track and full: how many "
    "went each, how many of those that have ended failed, and what they took."
)


def options(parser: ArgumentParser) -> None:
    work_since_option(parser)
    form_options(parser)


def run(ask: Ask, options: Namespace) -> None:
    ask_and_show(ask, options, "workflow.paths", work_params(options), _show)


def _show(answer: dict[str, Any], form: str | None) -> None:
    from tollkeeper.cli import workflow_spread_view as view

    if form == "csv":
        columns = ["path", "workflows", "ended", "failed", "failed_share", *view.COLUMNS]
        print_csv(columns, answer["paths"])
    elif answer["paths"]:
        print_tables([view.paths_table(answer["paths"])], form)
    else:
        print(view.nothing(answer["since"]))
