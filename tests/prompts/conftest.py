"""Fixtures: a run directory without a daemon, and terminals of the tests' own."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .terminal import Terminal

STARSHIP = Path(__file__).parents[2] / ".cache" / "starship" / "bin"


class Place:
    """A home with a run directory in it, as a daemon keeps it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.run = home / "toll" / "run"
        (self.run / "segments").mkdir(parents=True)
        self.alive(30)

    def alive(self, seconds: float) -> None:
        """A daemon lives for so long from now on, or died so long ago."""
        (self.run / "alive").touch()
        moment = time.time() + seconds
        os.utime(self.run / "alive", (moment, moment))

    def shows(self, line: str) -> None:
        """This is the segment of everything."""
        (self.run / "segments" / "all").write_text(f"{line}\n")

    def is_gone(self) -> None:
        """The daemon ended as it should."""
        (self.run / "segments" / "all").unlink(missing_ok=True)
        (self.run / "alive").unlink(missing_ok=True)


@pytest.fixture
def place() -> Iterator[Place]:
    with tempfile.TemporaryDirectory(
        prefix="toll-",
        dir="/tmp",
        ignore_cleanup_errors=True,  # A shell may just save its history.
    ) as folder:
        yield Place(Path(folder).resolve())


Open = Callable[..., Terminal]


@pytest.fixture
def open_terminal(place: Place) -> Iterator[Open]:
    """Opens terminals in which a command runs."""
    need("tmux")
    with ExitStack() as stack:

        def open_one(*command: str, **environment: str) -> Terminal:
            return stack.enter_context(Terminal(place.home, command, environment))

        yield open_one


def need(*programs: str) -> None:
    """Skip where one of these is not installed, or fail where these tests were asked for."""
    path = os.pathsep.join([os.environ["PATH"], str(STARSHIP)])
    if lacking := [each for each in programs if shutil.which(each, path=path) is None]:
        reason = f"{', '.join(lacking)} not installed"
        if os.environ.get("TOLL_REQUIRE_E2E"):
            pytest.fail(reason)
        pytest.skip(reason)
