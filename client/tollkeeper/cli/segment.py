"""``toll segment``: a line for a prompt or a status bar, or how to put one there.

It is called again and again. So what the daemon keeps ready is read without asking it, no daemon is
started, and without one nothing is printed.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace

from tollkeeper.cli import terminal
from tollkeeper.cli.context import Ask, UsageError
from tollkeeper.letters import is_alive
from tollkeeper.places import SEGMENT_OF_ALL, SEGMENTS_FOLDER, find_places, is_file_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tollkeeper.model import Agent, Status
    from tollkeeper.segment import Style

HELP = "Print one line for a prompt or a status bar; nothing when no daemon runs."
STYLES = ("plain", "ansi", "tmux", "zsh", "bash", "starship", "waybar", "polybar")
PROGRAMS = ("tmux", "zsh", "bash", "fish", "starship", "waybar", "polybar")
LONGEST = 64 << 10
# A prompt waits no longer.
ANSWER_SECONDS = 2.0
SETTINGS = "config.toml"


def options(parser: ArgumentParser) -> None:
    parser.add_argument("--format", metavar="F", help="a preset, or text with fields in braces")
    parser.add_argument("--style", choices=STYLES, help="whose markup the colours are in")
    parser.add_argument("--agent", metavar="A", help="of this agent: name, pid or conversation")
    parser.add_argument("--snippet", choices=PROGRAMS, help="print what to put into its settings")


def run(ask: Ask, options: Namespace) -> None:
    if options.snippet:
        from tollkeeper.cli.segment_snippets import snippet

        print(snippet(options.snippet, find_places()[2]))
        return
    if options.format is not None:
        check_format(options.format)
    run_folder = find_places()[2]
    if not is_alive(run_folder):
        return
    style: Style = options.style or ("ansi" if terminal.shows_colours() else "plain")
    line = None if ask.as_json else _ready(run_folder, style, options)
    if line is None:
        line = _asked(ask, style, options)
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def check_format(format: str) -> None:
    """UsageError for a format that can't be shown."""
    from tollkeeper.segment import FormatError, check

    try:
        check(format)
    except FormatError as error:
        raise UsageError(str(error)) from None


def _ready(run: str, style: Style, options: Namespace) -> bytes | None:
    """What the daemon keeps ready, if that is what is asked for."""
    if options.format is not None:
        return None
    if options.agent is None:
        name = SEGMENT_OF_ALL if style == "plain" else ""
    else:
        name = options.agent if style == "ansi" and options.agent != SEGMENT_OF_ALL else ""
    if not is_file_name(name):
        return None
    try:
        with open(os.path.join(run, SEGMENTS_FOLDER, name), "rb") as file:
            return file.read(LONGEST)
    except OSError:
        return None


def _asked(ask: Ask, style: Style, options: Namespace) -> bytes:
    """What the daemon's state says by this format; nothing when it, or the agent, is gone."""
    import msgspec

    from tollkeeper.errors import NoAnswerError, NoDaemonError
    from tollkeeper.model import Status
    from tollkeeper.segment import render

    ask.may_start = False
    try:
        answer = ask.raw("snapshot", timeout=ANSWER_SECONDS)
    except (NoDaemonError, NoAnswerError):
        return b""
    status = msgspec.json.decode(answer, type=Status)
    agent = _agent(status, options.agent) if options.agent is not None else None
    if options.agent is not None and agent is None:
        return b""
    from datetime import datetime

    format = options.format or _own_format("format" if agent is None else "statusline")
    if ask.as_json:
        style = "waybar"
    line = render(status, format, style, datetime.now().astimezone(), agent)
    return f"{line}\n".encode("utf-8", "replace") if line else b""


def _agent(status: Status, asked: str) -> Agent | None:
    """The agent that runs and is called so."""
    living = [agent for agent in status.agents if agent.state != "exited"]
    called = (each for each in living if asked in (each.id, str(each.pid), each.conversation))
    named = (each for each in living if each.name == asked)
    return next(called, None) or next(named, None)


def _own_format(key: str) -> str:
    """The format in the settings, as the daemon has it; its default where they say nothing."""
    import tomllib
    from pathlib import Path

    from tollkeeper.display import Display, read
    from tollkeeper.segment import BRIEF, FormatError, check

    path = Path(find_places()[0], SETTINGS)
    default = {"format": BRIEF, "statusline": "statusline"}[key]
    try:
        settings = tomllib.loads(path.read_text("utf-8-sig"))
        format: object = settings.get("segments", {}).get(key, default)
        if not isinstance(format, str):
            return default
        check(format)
    except (OSError, ValueError, AttributeError, RecursionError, FormatError):
        return default
    return (read(path) or Display()).line if format == BRIEF else format
