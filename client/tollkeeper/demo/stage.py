"""Plays the demo in its folder, until its input ends: ``python -m tollkeeper.demo.stage FOLDER``.

A process of its own, and in a session of its own: however ``toll demo`` ends, by ^C, by a signal, with its terminal
or in a crash, its end of the pipe closes, and all that belongs to the demo is taken down from here. Where both are killed at
once, daemon and agents end by their bond, and the next demo removes the folder.
"""

import argparse
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from tollkeeper.control import Toll, is_listening
from tollkeeper.demo import home, past, story
from tollkeeper.demo.agent import Agent
from tollkeeper.demo.bond import bond
from tollkeeper.demo.place import Place
from tollkeeper.errors import NoAnswerError, NoDaemonError, TollError
from tollkeeper.start import ensure_daemon

READY: Final = "ready"
TRAY: Final = (sys.executable, "-m", "tollkeeper_tray")
# How often agents are looked at that somebody may have ended or frozen.
LOOK_SECONDS: Final = 0.2
# Some ticks of the system's clock: so they are told apart, and stand in their order, by their start.
START_SECONDS: Final = 0.03
PATIENCE_SECONDS: Final = 15.0


def main() -> None:
    """Play until the input ends; a failure is one line on stderr, and exit status 1."""
    parser = argparse.ArgumentParser(description="Play the demo, until the input ends.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tray", action="store_true")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _leave)
    place = Place(options.folder)
    try:
        with _stage(place, options.tray) as toll:
            print(READY, flush=True)
            Play(place, toll).run()
    except TollError as error:
        sys.exit(f"{error.message}{f'; {error.hint}' if error.hint else ''}")
    finally:
        _remove(place.folder)


def _leave(number: int, frame: object) -> None:
    """Go out through every ``with``."""
    sys.exit(128 + number)


@contextmanager
def _stage(place: Place, tray: bool) -> Generator[Toll]:
    """A daemon in the folder, which is down when this is over; and the tray, if it is wanted."""
    with ExitStack() as ending:
        home.subscribe(place)
        past.write(place)
        ending.callback(_end_daemon, place)
        ensure_daemon(place.paths, bond(signal.SIGTERM))
        if tray:
            tray_process = subprocess.Popen(
                TRAY,
                preexec_fn=bond(signal.SIGTERM),  # noqa: PLW1509 - it only calls prctl
            )
            ending.enter_context(_ended(tray_process))
        yield ending.enter_context(Toll(place.paths))


class Play:
    """The agents, and the story that they play."""

    def __init__(self, place: Place, toll: Toll) -> None:
        self._place = place
        self._toll = toll
        self._agents: dict[str, Agent] = {}
        self._environment = place.environment()
        self._curtain = home.now()

    def run(self) -> None:
        """Play until the input ends, and end the agents."""
        try:
            self._gather()
            begun = time.monotonic()
            for deed in story.story():
                if not self._wait_until(begun + deed.at):
                    return
                self._do(deed)
        finally:
            for agent in self._agents.values():
                agent.end()

    def _gather(self) -> None:
        """Start the agents that are not there: at first all, later those that somebody ended."""
        for part in story.CAST:
            if part.name not in self._agents or not self._agents[part.name].look():
                self._agents[part.name] = Agent(self._place, part, self._environment, self._curtain)
                time.sleep(START_SECONDS)

    def _wait_until(self, moment: float) -> bool:
        """Wait for this moment, and look after the agents meanwhile; whether it is still wanted."""
        while True:
            left = moment - time.monotonic()
            if select.select([sys.stdin], [], [], min(max(left, 0.0), LOOK_SECONDS))[0]:
                return False
            for agent in self._agents.values():
                agent.look()
            if left <= LOOK_SECONDS:
                if left > 0:
                    time.sleep(left)
                return True

    def _do(self, deed: story.Deed) -> None:
        match deed:
            case story.Grant():
                self._gather()
                self._call("resume", all=True, add_usd=story.GRANT_USD)
            case story.Marker():
                self._mark(deed)
            case _:
                self._agents[deed.agent].play(deed)

    def _mark(self, deed: story.Marker) -> None:
        named: dict[str, Any] = {"workflow": deed.workflow}
        if deed.event == "end":
            named["status"] = "completed"
        if not deed.stage:
            self._call(f"workflow.{deed.event}", **named)
            return
        named |= {"stage": deed.stage, "event": deed.event, "agent": deed.agent}
        self._call("workflow.stage", **named)

    def _call(self, method: str, **params: Any) -> None:
        """Tell the daemon; somebody who looks at the demo may have ended it, or an agent that is meant."""
        with suppress(TollError):
            self._toll.call(method, dict[str, Any], **params)


def _end_daemon(place: Place) -> None:
    """End whichever daemon listens in the folder, and wait until it is gone."""
    if not is_listening(place.paths):
        return
    with suppress(NoDaemonError, NoAnswerError), Toll(place.paths) as toll:
        toll.call("shutdown", dict[str, Any])
    deadline = time.monotonic() + PATIENCE_SECONDS
    while is_listening(place.paths) and time.monotonic() < deadline:
        time.sleep(0.02)


@contextmanager
def _ended(process: "subprocess.Popen[bytes]") -> Generator[None]:
    """The process, for as long as this lasts."""
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _remove(folder: Path) -> None:
    """Remove the folder; what ends just now may still be writing into it."""
    for _ in range(100):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.lexists(folder):
            return
        time.sleep(0.02)


if __name__ == "__main__":
    main()
