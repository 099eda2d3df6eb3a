"""The daemon told to end, and whom it leaves held: for each verb that ends it."""

import time

from msgspec import Struct

from tollkeeper.cli import words
from tollkeeper.control import Toll, is_listening
from tollkeeper.errors import NoAnswerError
from tollkeeper.paths import Paths

PATIENCE_SECONDS = 10.0
MOST_NAMED = 10


class Leaving(Struct, frozen=True):
    """What the daemon answers before it ends: its pid, and whom it leaves paused and blocked."""

    pid: int
    paused: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()


def end_daemon(paths: Paths) -> Leaving | None:
    """End the daemon that runs, and wait until it is gone; None when none runs."""
    if not is_listening(paths):
        return None
    with Toll(paths) as toll:
        leaving = toll.call("shutdown", Leaving)
    _wait_until_gone(paths)
    return leaving


def print_held(leaving: Leaving) -> None:
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
