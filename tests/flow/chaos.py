"""Ends the daemon at moments of chance, again and again."""

import contextlib
import random
import signal
import threading
from collections import Counter

import psutil

from tollkeeper.control import is_listening
from waiting import wait_until

from .keeper import Keeper

# From an instant, in which a daemon has hardly begun, to longer than a stage takes.
LONGEST_LIFE_SECONDS = 1.5
LONGEST_GAP_SECONDS = 0.3


class Chaos(threading.Thread):
    """Kills the daemon of a keeper, or restarts it, at moments of chance, until it is told to stop.

    Whoever started it, an example or this. It does so ``most`` times, so that a busy machine gets on.
    """

    def __init__(self, keeper: Keeper, seed: int, most: int) -> None:
        super().__init__()
        self._keeper = keeper
        self._chance = random.Random(seed)
        self._most = most
        self._done = threading.Event()
        self.ends: Counter[int] = Counter()

    def run(self) -> None:
        while self.ends.total() < self._most and not self._pause(LONGEST_LIFE_SECONDS):
            if daemon := daemon_of(self._keeper):
                self._end(daemon)
            self._pause(LONGEST_GAP_SECONDS)
            self._keeper.run("up", timeout=60)

    def finish(self) -> None:
        """Kill no more; a daemon is there."""
        self._done.set()
        self.join()

    def _pause(self, longest: float) -> bool:
        """Wait up to so many seconds; whether it is told to stop."""
        return self._done.wait(self._chance.uniform(0, longest))

    def _end(self, daemon: psutil.Process) -> None:
        number = self._chance.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM))
        with contextlib.suppress(psutil.NoSuchProcess):
            daemon.send_signal(number)
            self.ends[number] += 1
        wait_until(lambda: not is_alive(daemon), timeout=60)


def daemon_of(keeper: Keeper) -> psutil.Process | None:
    """The daemon that holds the keeper's lock, once it answers."""
    if not is_listening(keeper.paths):
        return None
    with contextlib.suppress(OSError, ValueError, psutil.Error):
        process = psutil.Process(int(keeper.paths.lock.read_text("ascii")))
        if process.environ().get("TOLL_HOME") == keeper.environment["TOLL_HOME"]:
            return process
    return None


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
