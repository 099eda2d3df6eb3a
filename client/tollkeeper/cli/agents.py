"""``toll agents``: a line per agent."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from datetime import datetime

from tollkeeper.cli.context import Ask, print_json

HELP = "Show a line per agent: state, model, tokens, money."


def options(parser: ArgumentParser) -> None:
    """None of its own."""


def run(ask: Ask, options: Namespace) -> None:
    from tollkeeper.cli.limit_screen import held_lines
    from tollkeeper.cli.screen import agents_table, console
    from tollkeeper.model import Status

    status = ask.call("snapshot", Status)
    if ask.as_json:
        print_json(status.agents)
    elif status.agents:
        out = console()
        out.print(agents_table(status.agents, datetime.fromisoformat(status.time), out.width))
        for line in held_lines(status.agents):
            out.print(line)
    else:
        print("No agent is running.")
