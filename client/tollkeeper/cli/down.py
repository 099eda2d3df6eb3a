"""``toll down``: stop the daemon."""

import time
from argparse import ArgumentParser, Namespace

from msgspec import Struct

from tollkeeper.cli import words
from tollkeeper.cli.context import Ask, print_json
from tollkeeper.control import Toll, is_listening
from tollkeeper.errors import NoAnswerError
from tollkeeper.paths import Paths, find_paths

PATIENCE_SECONDS = 10.0
MOST_NAMED = 10
HELP = (
    "Stop the daemon; the agents go on, and what they do is read at the next start. Agents that "
    "are paused or blocked stay so: it says how to free them."
)


class Leaving(Struct, frozen=True):
    """What the daemon answers before it ends: its pid, and whom it leaves paused and blocked."""

    pid: int
    paused: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()


def options(parser: ArgumentParser) -> None:
    """None of its own."""


def run(ask: Ask, options: Namespace) -> None:
    paths = find_paths()
    leaving = None
    if is_listening(paths):
        with Toll(paths) as toll:
            leaving = toll.call("shutdown", Leaving)
        _wait_until_gone(paths)
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
        _print_held(leaving)
    else:
        print("No daemon was running.")


def _print_held(leaving: Leaving) -> None:
    """Whom nobody looks after now, and how to free them."""
    for how, names in (("paused", leaving.paused), ("blocked", leaving.blocked)):
        for name in names[:MOST_NAMED]:
            freed = f"toll resume {words.typed(name)} frees it"
            print(words.plain(f"{name} stays {how}: {freed}"))
        if (more := len(names) - MOST_NAMED) > 0:
            print(f"{more} more stay {how}.")
    if leaving.paused or leaving.blocked:
        print("To free all of them without a daemon: toll resume --all --no-start")


def _wait_until_gone(paths: Paths) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while is_listening(paths):
        if time.monotonic() > deadline:
            raise NoAnswerError("the daemon is still closing", f"its log is {paths.log}")
        time.sleep(0.02)
