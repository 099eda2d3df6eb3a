"""Calls ``bd``, the command of Beads: one call at a time, none of which outlives us or its time."""

import asyncio
import os
from collections.abc import Sequence

from msgspec.structs import astuple

from tollkeeper_daemon.outlets import children
from tollkeeper_daemon.outlets.children import ChildError

# It may wait for the lock of its database for ever.
TIMEOUT_SECONDS = 30.0


class BdError(Exception):
    """It could not be asked, gave no answer in time, or none that helps; the text says why."""


class Answer(children.Answer, frozen=True):
    """What bd answered, and with which exit status."""

    @property
    def checked(self) -> bytes:
        """What it answered; BdError when it failed."""
        if self.status:
            words = self.last_words
            raise BdError(f"bd ended with status {self.status}{': ' if words else ''}{words}")
        return self.out


class Bd:
    """The command ``bd``, as it is called in the settings."""

    def __init__(self, timeout: float = TIMEOUT_SECONDS) -> None:
        self._timeout = timeout
        self._one_at_a_time = asyncio.Lock()

    async def call(self, command: str, arguments: Sequence[str], folder: str) -> Answer:
        """Run it with these arguments in this folder; BdError when that fails."""
        try:
            program = children.words_of(command, "beads.command")
            if not os.path.isdir(folder):
                raise BdError(f"{folder} is gone")
            async with self._one_at_a_time:
                answer = await children.run_child([*program, *arguments], folder, self._timeout)
                return Answer(*astuple(answer))
        except ChildError as error:
            raise BdError(str(error)) from None
