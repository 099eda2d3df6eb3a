"""A status that is shown as it changes: what dashboard and tray have in common."""

import threading
from collections.abc import Callable
from typing import Protocol

from tollkeeper.errors import TollError
from tollkeeper.model import Status


class Source(Protocol):
    """What a feed is here: where the latest status comes from."""

    def latest(self, wait: float) -> Status:
        """The status after all that has come by now; TollError when there is no daemon."""
        ...


def follow(
    source: Source,
    show: Callable[[Status | None], None],
    stopping: threading.Event,
    pause: float,
    silence: float,
) -> None:
    """Show what the source says until told to stop; None while no daemon answers.

    A change is shown at once, and the next one not before ``pause`` seconds; after a ``silence`` the
    same is shown again, since ages move on.
    """
    while not stopping.is_set():
        try:
            status = source.latest(silence)
        except TollError:
            status = None
        show(status)
        stopping.wait(pause)
