"""``toll up``: start the daemon."""

from argparse import ArgumentParser, Namespace

from msgspec import Struct

from tollkeeper.cli.context import Ask, print_json
from tollkeeper.control import Toll
from tollkeeper.paths import find_paths
from tollkeeper.start import ensure_daemon

HELP = "Start the daemon in the background, unless it runs already."


class Present(Struct, frozen=True):
    """What of the answer to a ping is told."""

    pid: int


def options(parser: ArgumentParser) -> None:
    """None of its own."""


def run(ask: Ask, options: Namespace) -> None:
    paths = find_paths()
    started = ask.may_start and ensure_daemon(paths)
    with Toll(paths) as toll:
        pid = toll.call("ping", Present).pid
    if ask.as_json:
        print_json({"pid": pid, "started": started})
    else:
        print(f"The daemon {'is up' if started else 'was up already'}, with pid {pid}.")
