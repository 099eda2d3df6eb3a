"""Ends the daemon at moments of chance, again and again."""

import contextlib
import random
import signal
import subprocess
import threading
from collections import Counter

import psutil

from tollkeeper.control import is_listening
from waiting import wait_until

from .keeper import TOLL, Keeper

# From an instant, in which a daemon has hardly begun, to longer than a stage takes.
LONGEST_LIFE_SECONDS = 1.5
LONGEST_GAP_SECONDS = 0.3


class Chaos(threading.Thread):
    """Kills the daemon of a keeper, or restarts it, at moments of chance, until it is told to stop.

    Whoever started it, an example or this.
    """

    def __init__(self, keeper: Keeper, seed: int) -> None:
        super().__init__()
        self._keeper = keeper
        self._chance = random.Random(seed)
        self._done = threading.Event()
        self._begun: list[subprocess.Popen[bytes]] = []
        self.ends: Counter[int] = Counter()

    def run(self) -> None:
        while not self._done.wait(self._chance.uniform(0, LONGEST_LIFE_SECONDS)):
            if daemon := daemon_of(self._keeper):
                self._end(daemon)
            self._done.wait(self._chance.uniform(0, LONGEST_GAP_SECONDS))
            self._start()
        for process in self._begun:
            process.wait(30)

    def finish(self) -> None:
        """Kill no more."""
        self._done.set()
        self.join()

    def _end(self, daemon: psutil.Process) -> None:
        number = self._chance.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM))
        with contextlib.suppress(psutil.NoSuchProcess):
            daemon.send_signal(number)
            self.ends[number] += 1
        wait_until(lambda: not is_alive(daemon))

    def _start(self) -> None:
        quiet = subprocess.DEVNULL
        environment = self._keeper.environment
        self._begun.append(
            subprocess.Popen([TOLL, "up"], env=environment, stdout=quiet, stderr=quiet)
        )


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
