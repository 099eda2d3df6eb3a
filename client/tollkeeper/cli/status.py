"""``toll status``: the state of things, once or live."""

import click

from tollkeeper.cli.context import Ask, print_json, verb_options
from tollkeeper.model import Status


@click.command("status", short_help="the state of things: agents, plan, today")
@click.option("--live", is_flag=True, help="Stay, and show every change as it comes.")
@verb_options
def command(ask: Ask, live: bool = False) -> None:
    """Show the agents, what each has used, and the sums of today and of this run."""
    if live:
        from tollkeeper.cli.live import show_live

        show_live(ask)
        return
    status = ask.call("snapshot", Status)
    if ask.as_json:
        print_json(status)
        return
    from tollkeeper.cli.screen import console, status_screen

    out = console()
    out.print(status_screen(status, out.width))
