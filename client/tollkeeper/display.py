"""What a person wants to see: ``[display]`` of config.toml, which those that show things read by themselves."""

import os
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from tollkeeper.segment import BRIEF, WITHOUT_USAGE


class Display(Struct, frozen=True, forbid_unknown_fields=True):
    """``[display]``: where usage is shown."""

    agent_cards: Annotated[
        bool, Meta(description="Show usage in the dashboard's cards: messages, tokens, dollars")
    ] = True
    status_bar: Annotated[
        bool, Meta(description="Show usage in the line about everything, where that is brief")
    ] = True

    @property
    def line(self) -> str:
        """The format of the line about everything, where no other one is asked for."""
        return BRIEF if self.status_bar else WITHOUT_USAGE


class DisplayFile:
    """Follows the settings' file. What can't be read changes nothing: the daemon says what is wrong."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._display = Display()

    def look(self) -> Display:
        """What is wanted now; a file that is the same is not read again."""
        try:
            found = os.stat(self._path)
        except OSError:
            self._seen, self._display = None, Display()
            return self._display
        seen = (found.st_mtime_ns, found.st_ino, found.st_size)
        if seen != self._seen:
            self._seen, self._display = seen, read(self._path) or self._display
        return self._display


def read(path: Path) -> Display | None:
    """What this file says; None when it is broken, or can't be read."""
    try:
        settings = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
        return msgspec.convert(settings.get("display", {}), Display)
    except (OSError, ValueError, RecursionError):
        return None
