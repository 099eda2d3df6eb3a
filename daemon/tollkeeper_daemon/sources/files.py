"""Opens files that others write, without being held up or led astray by what else may lie there."""

import errno
import os
import stat


def open_regular(path: str) -> int:
    """A descriptor of the regular file at this path; OSError for anything else, pipes included."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
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


def printable(path: str) -> str:
    """The path in characters that can be stored and sent, whatever bytes its name is made of."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
