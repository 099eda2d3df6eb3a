"""``toll hook``: what Claude Code's hooks call; it answers with what the daemon keeps ready, and reports.

The client waits for it before every tool call. So it loads little, asks no daemon and starts none,
waits a moment itself only while the agent is near a limit, and whatever is wrong with what it reads, it says nothing and ends well: the tool call goes on.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
import time
from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask
from tollkeeper.letters import report_hook
from tollkeeper.places import DENY_FOLDER, NEAR_SUFFIX, find_places, is_file_name

HELP = "Answer Claude Code's hooks: refuse the tool calls of an agent whose budget is spent."
PURPOSE = (
    "toll hook is for Claude Code's hooks, which write JSON to its stdin; there is nothing to type."
)
# A tool call bears what is written to a file. What is longer than this is not read: it goes on.
LONGEST_EVENT = 64 << 20
LONGEST_ANSWER = 64 << 10
WAIT_SECONDS = 0.2
STEP_SECONDS = 0.01


def options(parser: ArgumentParser) -> None:
    """None of its own."""


def run(ask: Ask, options: Namespace) -> None:
    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison]: closed by the shell
        return
    if sys.stdin.isatty():
        print(PURPOSE, file=sys.stderr)
        return
    try:
        event = json.loads(sys.stdin.buffer.read(LONGEST_EVENT))
    except (OSError, ValueError, RecursionError):
        return
    if isinstance(event, dict):
        fields: dict[object, object] = event  # pyright: ignore[reportUnknownVariableType]: any JSON
        place = find_places()[2]
        _answer(fields, place)
        report_hook(place, fields, os.environ)


def _answer(event: dict[object, object], place: str) -> None:
    with contextlib.suppress(OSError, ValueError, RecursionError):
        sys.stdout.buffer.write(answer_to(event, place))
        sys.stdout.buffer.flush()


def answer_to(event: dict[object, object], place: str) -> bytes:
    """What the hook of this event prints; nothing, or OSError, lets it go on."""
    name, conversation = event.get("hook_event_name"), event.get("session_id")
    if not isinstance(conversation, str) or not is_file_name(conversation):
        return b""
    folder = os.path.join(place, DENY_FOLDER)
    if name == "PreToolUse":
        return _read_or_wait(folder, conversation)
    if name == "PostToolUse":
        return _end_alone(_read_own(folder, conversation))
    return b""


def _read_or_wait(folder: str, conversation: str) -> bytes:
    """The refusal; near a limit one may be on its way, for the reply that asks for this very tool.

    The client writes it to its log up to a tenth of a second after it called this hook.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        with contextlib.suppress(FileNotFoundError):
            return _read_own(folder, conversation)
        is_near = os.path.exists(os.path.join(folder, conversation + NEAR_SUFFIX))
        if not is_near or time.monotonic() > deadline:
            return b""
        time.sleep(STEP_SECONDS)


def _end_alone(answer: bytes) -> bytes:
    """Of the answer that refuses a tool and ends the turn, what ends it once a tool has run."""
    whole: object = json.loads(answer)
    if not isinstance(whole, dict):
        return b""
    fields: dict[object, object] = whole  # pyright: ignore[reportUnknownVariableType]: any JSON
    fields.pop("hookSpecificOutput", None)
    return json.dumps(fields).encode() + b"\n"


def _read_own(folder: str, name: str) -> bytes:
    """The file of this name, if this user's own hand put it there; nothing, or OSError, else."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    inside = os.open(folder, flags | os.O_DIRECTORY)
    try:
        file = os.open(name, flags, dir_fd=inside)
    finally:
        os.close(inside)
    try:
        status = os.fstat(file)
        is_own = stat.S_ISREG(status.st_mode) and status.st_uid == os.getuid()
        return os.read(file, LONGEST_ANSWER) if is_own else b""
    finally:
        os.close(file)
