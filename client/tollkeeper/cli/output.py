"""Where an export goes: standard output, or a file that is there whole or not at all."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from tollkeeper.errors import TollError


@contextmanager
def output_to(path: str | None) -> Generator[BinaryIO]:
    """Standard output without a path; a file takes its name when the block ends without error."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with _whole_file(path) as file:
            yield file
    except OSError as error:
        raise TollError(f"can't write {path}: {error.strerror or error}") from None


@contextmanager
def _whole_file(path: str) -> Generator[BinaryIO]:
    target = os.path.realpath(path)
    if _is_special(target):
        with open(target, "wb") as file:
            yield file
        return
    folder, name = os.path.split(target)
    part = os.path.join(folder, f".{name}.{os.getpid()}.part")
    try:
        with open(part, "xb") as file:
            yield file
        with suppress(FileNotFoundError):
            shutil.copymode(target, part)
        os.replace(part, target)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(part)


def _is_special(path: str) -> bool:
    """Whether something is there that no file may replace, such as a pipe or a device."""
    with suppress(FileNotFoundError):
        return not stat.S_ISREG(os.stat(path).st_mode)
    return False
