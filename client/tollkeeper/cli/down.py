"""``toll down``: stop the daemon."""

from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask, print_json
from tollkeeper.cli.leaving import Leaving, end_daemon, print_held
from tollkeeper.paths import find_paths

HELP = (
    "Stop the daemon; the agents go on, and what they do is read at the next start. Agents that "
    "are paused or blocked stay so: it says how to free them."
)


def options(parser: ArgumentParser) -> None:
    """None of its own."""


def run(ask: Ask, options: Namespace) -> None:
    leaving = end_daemon(find_paths())
    if ask.as_json:
        held = leaving or Leaving(0)
        print_json(
            {
                "pid": leaving.pid if leaving else None,
                "stopped": leaving is not None,
                "paused": held.paused,
                "blocked": held.blocked,
            }
        )
    elif leaving:
        print(f"The daemon (pid {leaving.pid}) is down.")
        print_held(leaving)
    else:
        print("No daemon was running.")
