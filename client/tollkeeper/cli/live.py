"""The live view: a status that redraws itself with every change, and survives the daemon's."""

import contextlib
import time
from collections import deque

from rich.console import Console
from rich.live import Live
from rich.text import Text

from tollkeeper.cli.context import Ask, print_json
from tollkeeper.cli.screen import console, status_screen
from tollkeeper.errors import NoAnswerError, NoDaemonError
from tollkeeper.feed import Feed
from tollkeeper.model import Importing, Status

# Ages in the table move on even when nothing happens.
REDRAW_SECONDS = 1.0
# A pipe gets a whole status at a time: not more often than this.
PIPE_SECONDS = 1.0
PATIENCE_SECONDS = 3600.0


def show_live(ask: Ask) -> None:
    """Show every change until Ctrl-C, which is the way out; in a pipe, print a status whenever it changed."""
    out = console()
    with Feed(ask.paths()) as feed, contextlib.suppress(KeyboardInterrupt):
        if ask.as_json:
            for change in feed:
                print_json(change.status)
        elif out.is_terminal:
            _redraw(feed, out)
        else:
            _print_changes(feed, out)


def _redraw(feed: Feed, out: Console) -> None:
    rate = Rate()
    with Live(console=out, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            status = _next_status(feed, REDRAW_SECONDS)
            if status is None:
                live.update(Text("The daemon is gone; waiting for it to return.", style="yellow"))
                live.refresh()
                feed.wait_for_daemon(PATIENCE_SECONDS)
                continue
            speed = rate.of(status.daemon.importing, time.monotonic())
            live.update(status_screen(status, out.width, speed))
            live.refresh()


def _print_changes(feed: Feed, out: Console) -> None:
    printed: Status | None = None
    while True:
        status = _next_status(feed, PIPE_SECONDS)
        if status is None:
            feed.wait_for_daemon(PATIENCE_SECONDS)
        elif printed is None or _shown(status) != _shown(printed):
            out.print(status_screen(status, out.width))
            out.print()
            printed = status


def _shown(status: Status) -> tuple[object, ...]:
    """What of it is worth another look."""
    return status.agents, status.today, status.limits


def _next_status(feed: Feed, wait: float) -> Status | None:
    """The status after all that has come by now; None when the daemon is gone."""
    try:
        return feed.latest(wait)
    except (NoDaemonError, NoAnswerError):
        return None


class Rate:
    """The speed of an import, in bytes per second, over its last moments."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque(maxlen=20)

    def of(self, importing: Importing | None, now: float) -> float | None:
        """The speed after this sight of the import; None until there are two."""
        if importing is None:
            self._seen.clear()
            return None
        self._seen.append((now, importing.done_bytes))
        (first, before), (last, done) = self._seen[0], self._seen[-1]
        return (done - before) / (last - first) if last > first and done > before else None
