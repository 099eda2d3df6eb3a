"""Keeps the answers ready by which Claude Code's own hooks refuse the tools of a conversation."""

import contextlib
import json
import logging
import os
import stat
import tempfile
from collections.abc import Collection
from pathlib import Path

from tollkeeper.places import NEAR_SUFFIX, is_file_name

log = logging.getLogger(__name__)

LONGEST_REASON = 1000


class Denials:
    """The files in this folder (``run/deny/``): one for each conversation that is refused.

    It is named after the conversation, and holds the answer as the hook prints it, so that a shell
    needs no more than ``cat``. What is written stays until it is taken back, whether the daemon
    runs or not.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._near: set[str] = set()

    def deny(self, conversation: str, reason: str) -> bool:
        """Refuse this conversation every tool from now on, for this reason, and end its turns.

        A second time only the reason changes. False when it is not refused: its id can't name a
        file, or the file can't be written, of which the log tells.
        """
        if not is_file_name(conversation):
            return False
        try:
            self._make_private()
            self._write(conversation, answer(reason))
        except OSError as error:
            log.warning("can't refuse the tools of %s: %s", conversation, error)
            return False
        return True

    def allow(self, conversation: str) -> None:
        """Let it use tools again; OSError when its file can't be removed."""
        if is_file_name(conversation):
            (self._folder / conversation).unlink(missing_ok=True)

    def mark_near(self, conversations: set[str]) -> None:
        """These, and no others, are near a limit; who can't be marked is not.

        Before each tool call their hooks wait a moment for a refusal.
        """
        wanted = {name for name in conversations if is_file_name(name)}
        for name in self._near - wanted:
            with contextlib.suppress(OSError):
                (self._folder / f"{name}{NEAR_SUFFIX}").unlink(missing_ok=True)
        for name in wanted - self._near:
            with contextlib.suppress(OSError):
                self._make_private()
                (self._folder / f"{name}{NEAR_SUFFIX}").touch(mode=0o600)
        self._near = wanted

    def is_there(self) -> bool:
        """Whether there is the folder: it goes with the run directory, and every refusal with it."""
        return self._folder.is_dir()

    def allows(self, conversation: str) -> bool:
        """Whether this conversation may use tools."""
        return not (is_file_name(conversation) and os.path.lexists(self._folder / conversation))

    def denied(self) -> set[str]:
        """The conversations that are refused."""
        return {name for name in self._names() if is_file_name(name)}

    def keep_only(self, conversations: Collection[str]) -> None:
        """Remove what an earlier daemon left for others than these; the log tells what stays."""
        for name in self._names():
            if name not in conversations:
                try:
                    (self._folder / name).unlink(missing_ok=True)
                except OSError as error:
                    log.warning("can't remove %s: %s", self._folder / name, error.strerror)

    def _names(self) -> list[str]:
        try:
            return os.listdir(self._folder)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                log.warning("can't look into %s: %s", self._folder, error.strerror)
            return []

    def _make_private(self) -> None:
        """Make the folder, and close it to others; OSError when it is somebody else's, or a link."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        status = os.lstat(self._folder)
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            raise PermissionError(f"{self._folder} is not a folder of this user's own")
        if stat.S_IMODE(status.st_mode) != 0o700:
            self._folder.chmod(0o700)

    def _write(self, name: str, content: bytes) -> None:
        """Put this file in place at once: who reads it meets the old one or the new one."""
        descriptor, aside = tempfile.mkstemp(prefix=".", dir=self._folder)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
            os.replace(aside, self._folder / name)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(aside)
            raise


def answer(reason: str) -> bytes:
    """What a PreToolUse hook prints to refuse the tool and to end the turn: a line of ASCII.

    Both are needed: a refusal alone goes to the model, which answers it, and is paid for that; an
    end alone lets the tool run first.
    """
    told = _plain(reason)
    refusal = {
        "hookEventName": "PreToolUse",
        "permissionDecision": "deny",
        "permissionDecisionReason": told,
    }
    whole = {"continue": False, "stopReason": told, "hookSpecificOutput": refusal}
    return json.dumps(whole).encode() + b"\n"


def _plain(text: str) -> str:
    """The text on one line that moves no cursor, and not too much of it."""
    return "".join(c if c.isprintable() else " " for c in text[:LONGEST_REASON])
