"""``toll weekly``: usage by week."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask
from tollkeeper.cli.period import WEEKDAYS, period_options
from tollkeeper.cli.periods import show

HELP = "Show tokens and money by week: what was billed, and the list price of everything."


def options(parser: ArgumentParser) -> None:
    period_options(parser)
    parser.add_argument(
        "-w",
        "--start-of-week",
        type=str.lower,
        choices=WEEKDAYS,
        metavar="DAY",
        help="the day on which weeks begin (default: reports.start_of_week, sunday)",
    )


def run(ask: Ask, options: Namespace) -> None:
    show(ask, options, "weekly", "week", "Week", start_of_week=options.start_of_week)
