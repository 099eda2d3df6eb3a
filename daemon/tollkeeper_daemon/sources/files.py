"""Opens files that others write, without being held up or led astray by what else may lie there."""

import errno
import os
import stat

Seen = tuple[int, int, int, int]
"""A file's device, inode, size and time (ns), by which it is told that it has changed."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def open_regular(path: str) -> int:
    """A descriptor of the regular file at this path; OSError for anything else, pipes included."""
    return regular(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), path)


def regular(descriptor: int, path: str) -> int:
    """The descriptor, if a regular file is open under it; else it is closed, and that is an OSError."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", path)
    return descriptor


def read_small(path: str, most: int) -> bytes:
    """The first bytes, at most so many, of the regular file at this path; OSError else."""
    descriptor = open_regular(path)
    try:
        return os.read(descriptor, most)
    finally:
        os.close(descriptor)


def read_settings(path: str, most: int) -> bytes:
    """The same, less a byte order mark, which the client passes over in its settings as well."""
    return read_small(path, most).removeprefix(BYTE_ORDER_MARK)


def seen_at(path: str) -> Seen | None:
    """The file at this path as it is now; None when it can't be looked at."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def printable(path: str) -> str:
    """The path in characters that can be stored and sent, whatever bytes its name is made of."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
