"""A file of the user's own in the config directory: read whole, seen to change, written at once."""

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tollkeeper_daemon.sources.files import read_small

# More than a thousand prices, which take a tenth of a second to read.
LARGEST = 256 << 10

T = TypeVar("T")

Stamp = tuple[int, int, int]
"""A file's inode, size and time: what changes when it does."""


class OwnFileError(Exception):
    """The file can't be read or written; the text is one line that names it."""


class OwnFile:
    """The file at this path, which may not be there. People edit it while the daemon runs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._editing = asyncio.Lock()

    def read(self) -> str | None:
        """What is in it; None when there is no such file, OwnFileError when it can't be read."""
        try:
            content = read_small(str(self.path), LARGEST + 1)
            if len(content) > LARGEST:
                raise OwnFileError(f"{self.path} is larger than {LARGEST >> 10} KiB")
            return content.decode("utf-8")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise OwnFileError(f"can't read {self.path}: {error.strerror}") from None
        except UnicodeDecodeError as error:
            raise OwnFileError(f"{self.path}: {error}") from None

    def stamp(self) -> Stamp | None:
        """The file's stamp as it is now; None when there is none."""
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    async def edit(self, change: Callable[[str | None], tuple[str | None, T]]) -> T:
        """Write the file as ``change`` makes it of what is in it, and hand on what that answers.

        One edit at a time, in a thread. None, and what ``change`` raises, leave the file as it was.
        """
        async with self._editing:
            return await asyncio.to_thread(self._edit, change)

    def _edit(self, change: Callable[[str | None], tuple[str | None, T]]) -> T:
        text = self.read()
        changed, answer = change(text)
        if changed is not None and changed != text:
            self.write(changed)
        return answer

    def write(self, text: str) -> None:
        """Put this text in the file's place, whole or not at all; its mode and links stay.

        OwnFileError when that fails, or the text is too long to be read again: the file is then as
        it was.
        """
        if len(text.encode()) > LARGEST:
            raise OwnFileError(f"{self.path} would become larger than {LARGEST >> 10} KiB")
        place = Path(os.path.realpath(self.path))
        try:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, aside = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
            try:
                with open(descriptor, "w", encoding="utf-8", newline="") as file:
                    if place.exists():
                        os.fchmod(descriptor, place.stat().st_mode & 0o7777)
                    file.write(text)
                    file.flush()
                    os.fsync(descriptor)
                os.replace(aside, place)
            except BaseException:
                os.unlink(aside)
                raise
        except OSError as error:
            raise OwnFileError(f"can't write {self.path}: {error.strerror}") from None


class Changes:
    """Tells when the file is another than the one that was last read."""

    def __init__(self, file: OwnFile) -> None:
        self._file = file
        # Nothing yet: the file may have changed since the daemon began to come up.
        self._read: tuple[Stamp | None] | None = None
        self._glimpsed: tuple[Stamp | None] | None = None

    def are_there(self) -> bool:
        """Whether the file is another now; the caller reads it."""
        return self._is_news((self._file.stamp(),))

    def are_at_rest(self) -> bool:
        """The same, once two looks have found it alike: many an editor empties a file, then writes it."""
        seen = (self._file.stamp(),)
        at_rest, self._glimpsed = seen == self._glimpsed, seen
        return at_rest and self._is_news(seen)

    def forget(self) -> None:
        """Let whatever stands there be news to the next looks."""
        self._read = None

    def _is_news(self, seen: tuple[Stamp | None]) -> bool:
        is_news, self._read = seen != self._read, seen
        return is_news
