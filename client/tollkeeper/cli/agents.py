"""``toll agents``: a line per agent."""

from datetime import datetime

import click

from tollkeeper.cli.context import Ask, print_json, verb_options
from tollkeeper.model import Status


@click.command("agents", short_help="a line per agent")
@verb_options
def command(ask: Ask) -> None:
    """Show a line per agent: state, model, tokens, money."""
    status = ask.call("snapshot", Status)
    if ask.as_json:
        print_json(status.agents)
        return
    from tollkeeper.cli.screen import agents_table, console

    out = console()
    if status.agents:
        out.print(agents_table(status.agents, datetime.fromisoformat(status.time), out.width))
    else:
        out.print("No agent is running.")
