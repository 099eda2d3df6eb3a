"""What ``toll workflow stages`` and ``models`` share: the options, and how they ask."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask
from tollkeeper.cli.forms import ask_and_show, form_options
from tollkeeper.cli.period import work_params, work_since_option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def options(parser: ArgumentParser) -> None:
    parser.add_argument("--stage", metavar="NAME", help="only this stage")
    work_since_option(parser)
    form_options(parser)


def ask_by_stage(
    ask: Ask, options: Namespace, method: str, show: Callable[[dict[str, Any], str | None], None]
) -> None:
    """Ask by these options, and show the answer in the form that was asked for."""
    ask_and_show(ask, options, method, work_params(options, stage=options.stage), show)
