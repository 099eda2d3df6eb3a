"""Leaves letters in the daemon's inbox, without waiting for it; plain, for what must start at once."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Mapping

from tollkeeper.places import (
    ALIVE_FILE,
    HOOK_PREFIX,
    INBOX_FOLDER,
    STATUS_FOLDER,
    is_file_name,
)

VERSION = 1
# What a hook hands over besides the event's name and the conversation; no text of anybody is in it.
KEPT = ("transcript_path", "agent_id", "agent_type")
# The kind of a notification, and of an error; at other events there may be text in such a field.
DETAILS = {"Notification": "notification_type", "StopFailure": "error"}
KIND = re.compile("[a-z_]{1,64}")
LONGEST = 4096


def is_alive(run: str) -> bool:
    """Whether a daemon lives, as far as a file can tell."""
    try:
        return os.stat(os.path.join(run, ALIVE_FILE)).st_mtime > time.time()
    except OSError:
        return False


def report_hook(run: str, event: Mapping[object, object], environment: Mapping[str, str]) -> None:
    """Report a hook's event to the daemon that lives; without one, nothing is left behind."""
    if not is_alive(run):
        return
    letter: dict[str, object] = {
        "version": VERSION,
        "time": time.time_ns() // 1_000_000,
        "hook_event_name": event.get("hook_event_name"),
        "session_id": event.get("session_id"),
    }
    letter |= {name: value for name in KEPT if _is_short(value := event.get(name))}
    kind = event.get(DETAILS.get(str(event.get("hook_event_name")), ""))
    letter["detail"] = kind if isinstance(kind, str) and KIND.fullmatch(kind) else ""
    if (pid := environment.get("CLAUDE_PID", "")).isdecimal():
        letter["pid"] = int(pid)
    name = f"{HOOK_PREFIX}{time.time_ns():020}-{os.getpid()}"
    _leave(os.path.join(run, INBOX_FOLDER), name, json.dumps(letter).encode())


def leave_status(run: str, conversation: str, content: bytes) -> None:
    """Leave what Claude Code handed to a status line; it replaces the one before it."""
    if is_file_name(conversation) and is_alive(run):
        _leave(os.path.join(run, INBOX_FOLDER, STATUS_FOLDER), conversation, content)


def _is_short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST


def _leave(folder: str, name: str, content: bytes) -> None:
    """Put the letter there at once, or not at all."""
    aside = os.path.join(folder, f".{name}")
    with contextlib.suppress(OSError):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(aside, flags, 0o600)
        try:
            os.write(file, content)
        finally:
            os.close(file)
        os.rename(aside, os.path.join(folder, name))
