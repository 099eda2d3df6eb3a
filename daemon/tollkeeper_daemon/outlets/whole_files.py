"""Writes files that others read: whole or not at all, and never through a link out of their folder."""

import contextlib
import os
import stat
from collections.abc import Sequence

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
FILE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


def write_whole(
    root: str, folders: Sequence[str], name: str, data: bytes, *, exists: int = 0, mode: int = 0o600
) -> None:
    """Put this data in the file's place in one step, unless it stands there; OSError when that fails.

    ``folders`` lead from the root to the file. None of them may be a link; the first ``exists`` of them
    must be there, the others are made.
    """
    folder = _open_folders(root, folders, exists, mode)
    try:
        if _holds(folder, name, data):
            return
        # Nobody can have put anything there, nor another thread.
        aside = f".{name}.{os.urandom(4).hex()}"
        descriptor = os.open(aside, FILE_FLAGS, mode, dir_fd=folder)
        try:
            with open(descriptor, "wb") as file:
                os.fchmod(descriptor, mode)
                file.write(data)
            os.replace(aside, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(aside, dir_fd=folder)
            raise
    finally:
        os.close(folder)


def _holds(folder: int, name: str, data: bytes) -> bool:
    """Whether a file of this name has just this content."""
    try:
        descriptor = os.open(name, READ_FLAGS, dir_fd=folder)
    except OSError:
        return False
    try:
        status = os.fstat(descriptor)
        is_as_long = stat.S_ISREG(status.st_mode) and status.st_size == len(data)
        return is_as_long and os.pread(descriptor, len(data), 0) == data
    finally:
        os.close(descriptor)


def _open_folders(root: str, folders: Sequence[str], exists: int, mode: int) -> int:
    """The last of the folders, opened."""
    here = os.open(root, FOLDER_FLAGS)
    for depth, name in enumerate(folders):
        try:
            inside = _open_in(here, name, depth >= exists, mode)
        finally:
            os.close(here)
        here = inside
    return here


def _open_in(folder: int, name: str, may_make: bool, mode: int) -> int:
    try:
        return os.open(name, FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=folder)
    except FileNotFoundError:
        if not may_make:
            raise
        # Who may read the files may look into their folders.
        os.mkdir(name, mode | (mode & 0o444) >> 2, dir_fd=folder)
        inside = os.open(name, FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=folder)
        os.fchmod(inside, mode | (mode & 0o444) >> 2)
        return inside
