"""``toll daily``: usage by day."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask
from tollkeeper.cli.period import period_options
from tollkeeper.cli.periods import show

HELP = "Show tokens and money by day: what was billed, and the list price of everything."


def options(parser: ArgumentParser) -> None:
    period_options(parser)


def run(ask: Ask, options: Namespace) -> None:
    show(ask, options, "daily", "date", "Day")
