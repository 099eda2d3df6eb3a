"""``toll demo``: a made-up fleet in a folder of its own, for whoever wants to see before there are agents."""

from __future__ import annotations

import importlib.util
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from argparse import ArgumentParser, Namespace
from contextlib import contextmanager, suppress

from tollkeeper.cli.context import Ask, UsageError, print_json
from tollkeeper.errors import TollError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import IO

    from tollkeeper.demo.place import Place

    Stage = subprocess.Popen[bytes]

HELP = (
    "Show Tollkeeper at work without an agent: a made-up fleet, with a daemon of its own, in a temporary folder. "
    "Agents work, wait, cross a budget, and go through a workflow of four stages, until you leave. Nothing of yours "
    "is read, changed or signalled, and nothing is left behind."
)
ENDING = (signal.SIGTERM, signal.SIGHUP)
# How long its end may take: the daemon saves, the folder is removed.
END_SECONDS = 30.0


class DemoError(TollError):
    """The demo can't be shown, or has ended by itself."""

    code = "demo"


def options(parser: ArgumentParser) -> None:
    parser.add_argument("--seconds", metavar="N", type=float, help="end by itself after so long")
    parser.add_argument("--tray", action="store_true", help="show the tray icon, too")
    parser.add_argument(
        "--no-top", action="store_true", help="open no dashboard: say where to look instead"
    )


def run(ask: Ask, options: Namespace) -> None:
    from tollkeeper.cli.doctor_tray import HOW_TO_INSTALL, is_installed
    from tollkeeper.demo.place import hold, left, make

    if options.seconds is not None and not options.seconds > 0:
        raise UsageError("--seconds must be more than 0")
    if options.tray and not is_installed():
        raise DemoError("the tray icon is not installed", HOW_TO_INSTALL)
    in_terminal = sys.stdin.isatty() and sys.stdout.isatty() and not ask.as_json
    with_top = in_terminal and not options.no_top and importlib.util.find_spec("textual")
    with _ending(), tempfile.TemporaryFile() as errors:
        for old in left():
            _take_down(old)
        place = make()
        held = hold(place)
        stage = _start(place, options.tray, errors, held)
        try:
            _await_ready(stage, errors)
            if with_top:
                _show_top(place, options.seconds)
            else:
                _tell(ask, place, bool(options.tray))
                _wait(stage, options.seconds)
        except KeyboardInterrupt:
            pass  # That is how one leaves.
        finally:
            _end(stage, place)
        said = _last_words(errors)
        if stage.returncode:
            raise DemoError(f"the demo ended early: {said or stage.returncode}")
        if said:  # Such as by a tray that found no desktop.
            print(said, file=sys.stderr)


@contextmanager
def _ending() -> Generator[None]:
    """Let signals that end us go the way of all ends."""

    def leave(number: int, frame: object) -> None:
        sys.exit(128 + number)

    before = {number: signal.signal(number, leave) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start(place: Place, tray: bool, errors: IO[bytes], held: int) -> Stage:
    """The process that plays it: its input is open for as long as we live, and it holds the folder, too."""
    command = [sys.executable, "-m", "tollkeeper.demo.stage", str(place.folder)]
    return subprocess.Popen(
        [*command, "--tray"] if tray else command,
        env=place.environment(),
        cwd=place.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        start_new_session=True,
        pass_fds=[held],
    )


def _await_ready(stage: Stage, errors: IO[bytes]) -> None:
    assert stage.stdout
    if not stage.stdout.readline():
        stage.wait()
        raise DemoError(f"the demo did not start: {_last_words(errors) or stage.returncode}")


def _show_top(place: Place, seconds: float | None) -> None:
    """The dashboard in this terminal, until somebody leaves it or its time is over."""
    from tollkeeper.top.app import Dashboard

    os.environ.update(place.variables())  # Whatever it may start belongs to the demo.
    top = Dashboard(place.paths)
    if seconds is not None:
        over = threading.Timer(seconds, lambda: top.call_from_thread(top.exit))
        over.daemon = True
        over.start()
    top.run()


def _tell(ask: Ask, place: Place, tray: bool) -> None:
    if ask.as_json:
        print_json({"folder": str(place.folder), "environment": place.variables()})
        return
    from tollkeeper.cli.doctor_tray import is_installed

    print(f"A made-up fleet is at work in {place.folder}. Look at it from another terminal:\n")
    for line in where_to_look(place, is_installed() and not tray):
        print(line)
    print("\nCtrl-C ends it, and leaves nothing behind.", flush=True)


def where_to_look(place: Place, tray: bool) -> list[str]:
    """The commands that show the demo, in lines with what each shows; ``tray``: that of the icon, too."""
    commands = [
        (f"{place.toll} top", "the dashboard"),
        (f"{place.toll} status --live", "the same as a table; every other command works, too"),
    ]
    if tray:
        commands.append((str(place.tray), "the tray icon"))
    longest = max(len(command) for command, _ in commands)
    return [f"  {command:{longest}}   {shows}" for command, shows in commands]


def _wait(stage: Stage, seconds: float | None) -> None:
    """Until the time is over, or the stage ends by itself."""
    assert stage.stdout
    select.select([stage.stdout], [], [], seconds)


def _end(stage: Stage, place: Place) -> None:
    """Let the stage take everything down; where it was killed, do so from here."""
    assert stage.stdin and stage.stdout
    stage.stdin.close()
    try:
        stage.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        stage.kill()
        stage.wait()
    stage.stdout.close()
    if place.folder.exists():
        _take_down(place)


def _take_down(place: Place) -> None:
    """What the stage would have done: its agents end by themselves, once none of them is frozen."""
    from typing import Any

    from tollkeeper.control import Toll

    with suppress(TollError), Toll(place.paths) as toll:
        toll.call("resume", dict[str, Any], all=True)
        toll.call("shutdown", dict[str, Any])
    shutil.rmtree(place.folder, ignore_errors=True)


def _last_words(errors: IO[bytes]) -> str:
    errors.seek(0)
    return errors.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
