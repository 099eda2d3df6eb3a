"""The tray's story: follow the daemon in a thread and show what it says, until somebody quits."""

import signal
import threading
from collections.abc import Callable

from tollkeeper.feed import Feed
from tollkeeper.following import follow
from tollkeeper.paths import Paths, find_paths
from tollkeeper_tray.desktop import Tray, TrayError
from tollkeeper_tray.view import View, view_of

QUIT_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# How long a silence lasts before the daemon is looked for.
SILENCE_SECONDS = 2.0
# A menu that somebody reads should not be redrawn more often than this.
PAUSE_SECONDS = 1.0


def run() -> None:
    """Show the tray until somebody quits; TollError when there is none, or when it goes away."""
    # No toolkit's main loop lets Python handle signals: a thread waits for them instead.
    signal.pthread_sigmask(signal.SIG_BLOCK, QUIT_SIGNALS)
    stopping = threading.Event()
    paths = find_paths()

    def quit() -> None:
        stopping.set()
        tray.stop()

    def wait_for_signal() -> None:
        signal.sigwait(QUIT_SIGNALS)
        quit()

    def follow_daemon() -> None:
        try:
            _follow_daemon(paths, tray.show, stopping)
        except BaseException:
            if stopping.is_set():
                return  # The icon went while it was being changed.
            # Better no icon than one that never changes again.
            tray.stop()
            raise

    def ready() -> None:
        threading.Thread(target=wait_for_signal, daemon=True).start()
        threading.Thread(target=follow_daemon, daemon=True).start()

    tray = Tray(quit)
    try:
        tray.run(ready)
    except TrayError:
        # The GTK backend fails in tidying up where nothing shows notifications.
        if not stopping.is_set():
            raise
    else:
        if not stopping.is_set():
            raise TrayError("the tray is gone")


def _follow_daemon(paths: Paths, show: Callable[[View], None], stopping: threading.Event) -> None:
    with Feed(paths) as feed:
        follow(feed, lambda status: show(view_of(status)), stopping, PAUSE_SECONDS, SILENCE_SECONDS)
