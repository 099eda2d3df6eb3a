"""The tray's story: follow the daemon in a thread and show what it says, until somebody quits."""

import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime

from tollkeeper.display import DisplayFile
from tollkeeper.feed import Feed
from tollkeeper.following import follow
from tollkeeper.paths import Paths, find_paths
from tollkeeper_tray.deeds import do
from tollkeeper_tray.desktop import Tray, TrayError
from tollkeeper_tray.menu import Choice
from tollkeeper_tray.view import View, view_of

QUIT_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# How long a silence lasts before the daemon is looked for, and ages are told anew.
SILENCE_SECONDS = 1.0
# A change is shown at once, and the next one not before.
PAUSE_SECONDS = 0.5


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

    def choose(choice: Choice) -> None:
        if choice.verb == "quit":
            quit()
        else:
            threading.Thread(target=_do, args=(choice, paths, tray), daemon=True).start()

    def ready() -> None:
        threading.Thread(target=wait_for_signal, daemon=True).start()
        threading.Thread(target=follow_daemon, daemon=True).start()

    tray = Tray(choose)
    tray.run(ready)
    if not stopping.is_set():
        raise TrayError("the tray is gone")


def _do(choice: Choice, paths: Paths, tray: Tray) -> None:
    if came := do(choice, paths):
        if came.is_error:
            print(f"toll-tray: {came.text}", file=sys.stderr)
        tray.tell(came.text)


def _follow_daemon(paths: Paths, show: Callable[[View], None], stopping: threading.Event) -> None:
    display = DisplayFile(paths.settings)
    with Feed(paths) as feed:
        follow(
            feed,
            lambda status: show(view_of(status, datetime.now().astimezone(), display.look().line)),
            stopping,
            PAUSE_SECONDS,
            SILENCE_SECONDS,
        )
