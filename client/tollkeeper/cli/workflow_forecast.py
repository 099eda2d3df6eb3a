"""``toll workflow forecast``: what a piece of work will take and cost, by the past ones."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace

from tollkeeper.cli.amounts import tokens
from tollkeeper.cli.context import Ask, print_json
from tollkeeper.errors import TollError

HELP = (
    "Predict the tokens and the cost of a piece of work from the past ones: of a workflow, or of one "
    "stage. Say what you know of it, such as toll workflow forecast --stage implement --files 4 --turns 40; "
    "without that it is what work usually comes to. It takes eight past pieces, and numpy."
)
MOST = 10**12


def options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--stage", metavar="NAME", help="of this stage, in place of whole workflows"
    )
    for name, told in (
        ("files", "it will change so many files"),
        ("lines", "it will change so many lines: added and removed, as Claude Code counts them"),
        ("turns", "it will take so many replies of the model"),
    ):
        parser.add_argument(f"--{name}", metavar="N", type=_count, help=told)


def run(ask: Ask, options: Namespace) -> None:
    from tollkeeper.forecast import FEATURES, forecast
    from tollkeeper.model import Pieces
    from tollkeeper.wire import decode

    given = {name: value for name in FEATURES if (value := getattr(options, name)) is not None}
    asked = {} if options.stage is None else {"stage": options.stage}
    past = decode(ask.raw("workflow.pieces", asked), Pieces)
    try:
        found = forecast(past, given)
    except ModuleNotFoundError as error:
        if error.name != "numpy":
            raise
        raise TollError(
            "a forecast needs numpy", "install it with: pip install 'numpy>=1.26' (extra forecast)"
        ) from None
    if ask.as_json:
        print_json(found)
        return
    from tollkeeper.cli import terminal
    from tollkeeper.cli.report import print_lines
    from tollkeeper.cli.workflow_forecast_view import lines

    print_lines(lines(found, terminal.width()))


def _count(value: str) -> int:
    count = tokens(value)
    if count > MOST:
        raise ArgumentTypeError(f"{value!r} is more than {MOST:,}")
    return count
