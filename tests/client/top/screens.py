"""A dashboard without a daemon: what it is told is said by the test, and what it shows is text."""

import os
import threading
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from rich.cells import cell_len
from textual.app import App
from textual.pilot import Pilot

from client.making import TIME
from tollkeeper import wire
from tollkeeper.errors import NoDaemonError, TollError
from tollkeeper.model import Status
from tollkeeper.paths import Paths, find_paths
from tollkeeper.top.app import Dashboard, StatusCame

NOW = datetime.fromisoformat(TIME)
# The width of a letter in a screenshot.
CELL = 12.2
DATA = Path(__file__).parents[2] / "data" / "top"


class Silence:
    """A feed that waits until it is closed."""

    def __init__(self) -> None:
        self._closed = threading.Event()

    def latest(self, wait: float) -> Status:
        """Nothing comes."""
        self._closed.wait()
        raise NoDaemonError("closed")

    @contextmanager
    def opened(self, paths: Paths) -> Generator["Silence"]:
        """Itself, as long as the dashboard follows it."""
        yield self

    def close(self) -> None:
        """Let the one go that waits."""
        self._closed.set()


class Answers:
    """What each verb is answered with: a value of the wire, a function of the params, or an error."""

    def __init__(self) -> None:
        self.by_verb: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def __call__(self, verb: str, kind: type[Any], **params: Any) -> Any:
        if verb != "burn":  # Asked for by itself, whatever page is seen.
            self.asked.append((verb, params))
        answer = self.by_verb.get(verb, NoDaemonError("no daemon is running"))
        if callable(answer):
            answer = answer(params)
        if isinstance(answer, TollError):
            raise answer
        return wire.decode(wire.encode(answer), kind)


class Board:
    """A dashboard that hears only what the test says; to be used inside ``run_test``."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.silence = Silence()
        self.answers = Answers()
        self.now = NOW
        self.app = Dashboard(
            find_paths({"TOLL_HOME": str(home)}),
            {"COLORTERM": "truecolor", **environment},
            self.silence.opened,
            lambda: self.now,
            self.answers,
        )

    def says(self, status: Status | None) -> None:
        """The daemon says this, or is gone."""
        self.app.post_message(StatusCame(status))


def text_of(app: App[None]) -> list[str]:
    """What stands on the screen, line by line."""
    lines: defaultdict[float, str] = defaultdict(str)
    root = ElementTree.fromstring(app.export_screenshot())
    for each in root.iter("{http://www.w3.org/2000/svg}text"):
        if "-line-" in each.get("clip-path", ""):
            row, column = float(each.get("y", 0)), round(float(each.get("x", 0)) / CELL)
            gap = column - cell_len(lines[row])
            lines[row] += " " * gap + (each.text or "").replace("\xa0", " ").rstrip("\n")
    return [line.rstrip() for _, line in sorted(lines.items())]


async def settle(pilot: Pilot[None]) -> None:
    """Let everything happen that is under way: until the screen is the same twice."""
    before, shown = None, text_of(pilot.app)
    while shown != before:
        await pilot.pause(0.05)
        before, shown = shown, text_of(pilot.app)


def compare(name: str, lines: list[str]) -> None:
    """The screen is as it is kept under this name; TOLL_SNAPSHOTS=write keeps it."""
    kept, shown = DATA / f"{name}.txt", "".join(f"{line}\n" for line in lines)
    if os.environ.get("TOLL_SNAPSHOTS") == "write":
        kept.write_text(shown)
    assert kept.read_text() == shown
