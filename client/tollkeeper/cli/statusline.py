"""``toll statusline``: show Claude Code's user the segment, and hand what it says to the daemon.

What ``toll setup`` installs does the same in the shell, in a tenth of the time. It loads little, starts
no daemon and asks none, but for a format of one's own, and whatever is wrong with what it reads, it ends well.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask
from tollkeeper.letters import is_alive, leave_status
from tollkeeper.places import SEGMENT_OF_ALL, SEGMENTS_FOLDER, find_places, is_file_name
from tollkeeper.status_script import NOT_RUNNING

HELP = "Print the line for Claude Code's status line; it hands its JSON to stdin."
PURPOSE = (
    "toll statusline is for Claude Code, which writes JSON to its stdin: toll setup puts it there."
)
LONGEST_INPUT = 256 << 10
# Claude Code's user waits no longer for a line of a format of one's own.
ANSWER_SECONDS = 0.3
LONGEST_SEGMENT = 16 << 10


def options(parser: ArgumentParser) -> None:
    parser.add_argument("--format", metavar="F", help="a preset, or text with fields in braces")


def run(ask: Ask, options: Namespace) -> None:
    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison]: closed by the shell
        return
    if sys.stdin.isatty():
        print(PURPOSE, file=sys.stderr)
        return
    if options.format is not None:
        from tollkeeper.cli.segment import check_format

        check_format(options.format)
    given = b""
    with contextlib.suppress(OSError):
        given = sys.stdin.buffer.read(LONGEST_INPUT)
    place = find_places()[2]
    if not is_alive(place):
        print(NOT_RUNNING)
        return
    conversation = _conversation(given)
    # As bytes: what lies ready is UTF-8, whatever the locale says.
    line = options.format is not None and _rendered(ask, options.format, conversation)
    sys.stdout.buffer.write((line or segment(place, conversation)) + b"\n")
    sys.stdout.buffer.flush()
    leave_status(place, conversation, given)


def _rendered(ask: Ask, format: str, conversation: str) -> bytes:
    """The line by this format, which the daemon is asked for; nothing when it takes a moment."""
    from datetime import datetime

    import msgspec

    from tollkeeper.errors import NoAnswerError, NoDaemonError
    from tollkeeper.model import Status
    from tollkeeper.segment import render

    ask.may_start = False
    try:
        status = msgspec.json.decode(ask.raw("snapshot", timeout=ANSWER_SECONDS), type=Status)
    except (NoDaemonError, NoAnswerError, msgspec.DecodeError):
        return b""
    whose = (each for each in status.agents if each.conversation == conversation)
    line = render(status, format, "ansi", datetime.now().astimezone(), next(whose, None))
    return line.encode("utf-8", "replace")


def segment(place: str, conversation: str) -> bytes:
    """The line that lies ready for the conversation, else that of everything, else nothing."""
    for name in (conversation, SEGMENT_OF_ALL):
        path = os.path.join(place, SEGMENTS_FOLDER, name)
        with contextlib.suppress(OSError), open(path, "rb") as file:
            if line := file.readline(LONGEST_SEGMENT).removesuffix(b"\n"):
                return line
    return b""


def _conversation(given: bytes) -> str:
    """Which conversation it is; that of no name where that is not said."""
    named: object = None
    with contextlib.suppress(ValueError, RecursionError):
        said = json.loads(given)
        named = said.get("session_id") if isinstance(said, dict) else None  # pyright: ignore
    if not isinstance(named, str):
        named = os.environ.get("CLAUDE_CODE_SESSION_ID", "")
    return named if is_file_name(named) else SEGMENT_OF_ALL
