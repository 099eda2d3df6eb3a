"""``toll up``: start the daemon."""

import click

from tollkeeper.cli.context import Ask, print_json, verb_options
from tollkeeper.control import Toll
from tollkeeper.paths import find_paths
from tollkeeper.start import ensure_daemon


@click.command("up", short_help="start the daemon")
@verb_options
def command(ask: Ask) -> None:
    """Start the daemon in the background, unless it runs already."""
    paths = find_paths()
    started = ask.may_start and ensure_daemon(paths)
    with Toll(paths) as toll:
        pid = toll.call("ping", dict[str, object])["pid"]
    if ask.as_json:
        print_json({"pid": pid, "started": started})
    else:
        print(f"The daemon {'is up' if started else 'was up already'}, with pid {pid}.")
