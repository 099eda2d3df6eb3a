"""``toll accounts``: a line per account, those behind a proxy first."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from datetime import datetime

from tollkeeper.cli.context import Ask, print_json

HELP = (
    "Show a line per account: its plan, whether it is limited and until when, its windows, and "
    "what it came to today. Accounts behind ccflare or better-ccflare come first."
)


def options(parser: ArgumentParser) -> None:
    """None of its own."""


def run(ask: Ask, options: Namespace) -> None:
    from tollkeeper.accounts import account_rows
    from tollkeeper.model import Status

    status = ask.call("snapshot", Status)
    rows = account_rows(status)
    if ask.as_json:
        print_json(rows)
        return
    from tollkeeper.cli import terminal
    from tollkeeper.cli.accounts_view import lines

    colours = terminal.shows_colours()
    now = datetime.fromisoformat(status.time)
    for text, style in lines(rows, status.proxies, now, terminal.width()):
        print(terminal.styled(text, style) if colours else text)
