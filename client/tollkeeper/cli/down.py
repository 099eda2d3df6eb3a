"""``toll down``: stop the daemon."""

import time
from argparse import ArgumentParser, Namespace

from msgspec import Struct

from tollkeeper.cli.context import Ask, print_json
from tollkeeper.control import Toll, is_listening
from tollkeeper.errors import NoAnswerError
from tollkeeper.paths import Paths, find_paths

PATIENCE_SECONDS = 10.0
HELP = "Stop the daemon; the agents go on, and what they do is read at the next start."


class Leaving(Struct, frozen=True):
    """What the daemon answers before it ends."""

    pid: int


def options(parser: ArgumentParser) -> None:
    """None of its own."""


def run(ask: Ask, options: Namespace) -> None:
    paths = find_paths()
    if not is_listening(paths):
        pid = None
    else:
        with Toll(paths) as toll:
            pid = toll.call("shutdown", Leaving).pid
        _wait_until_gone(paths)
    if ask.as_json:
        print_json({"pid": pid, "stopped": pid is not None})
    else:
        print(f"The daemon (pid {pid}) is down." if pid else "No daemon was running.")


def _wait_until_gone(paths: Paths) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while is_listening(paths):
        if time.monotonic() > deadline:
            raise NoAnswerError("the daemon is still closing", f"its log is {paths.log}")
        time.sleep(0.02)
