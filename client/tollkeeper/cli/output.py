"""Where an export goes: standard output, or a file that is there whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import BinaryIO, Protocol

from tollkeeper.cli import words
from tollkeeper.errors import TollError


class Output(Protocol):
    """What rows are written to; each write is of whole rows."""

    def write(self, data: bytes, /) -> object: ...


class Terminal:
    """A file that people look at: what could move its cursor, or more, shows as a dot."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: bytes, /) -> object:
        lines = data.decode().replace("\r\n", "\n").split("\n")
        return self._file.write("\n".join(map(words.plain, lines)).encode())


def is_stdout(path: str | None) -> bool:
    """Whether what goes there goes to standard output: without a path, as ``-``, or as its file."""
    if path is None or path == "-":
        return True
    with suppress(OSError):
        return os.path.samestat(os.stat(path), os.fstat(sys.stdout.fileno()))
    return False


@contextmanager
def output_to(path: str | None) -> Generator[Output]:
    """Standard output, or the file, which takes its name when the block ends without error."""
    if path is None or is_stdout(path):
        yield _shown(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    try:
        with _special_file(path) if _is_special(path) else _whole_file(path) as file:
            yield file
    except OSError as error:
        raise TollError(f"can't write {path}: {error.strerror or error}") from None


def _shown(file: BinaryIO) -> Output:
    return Terminal(file) if file.isatty() else file


def _is_special(path: str) -> bool:
    """Whether something is there that no file may replace, such as a pipe or a device."""
    with suppress(FileNotFoundError):
        return not stat.S_ISREG(os.stat(path).st_mode)
    return False


@contextmanager
def _special_file(path: str) -> Generator[Output]:
    # By the path as it was given: resolved, that of a shell's pipe names nothing.
    with open(path, "wb") as file:
        yield _shown(file)


@contextmanager
def _whole_file(path: str) -> Generator[Output]:
    target = os.path.realpath(path)
    mode = _mode_of(target)
    part = os.path.join(os.path.dirname(target), f".toll-{os.urandom(4).hex()}.part")
    try:
        # Until it is whole, no one reads it who may not read what it replaces.
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(part, target)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(part)


def _mode_of(path: str) -> int:
    """The mode of the file, or of one that would be made there now."""
    with suppress(FileNotFoundError):
        return stat.S_IMODE(os.stat(path).st_mode)
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
