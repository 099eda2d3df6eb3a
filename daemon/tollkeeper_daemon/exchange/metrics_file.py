"""Writes lines to .claude/workflow-metrics.jsonl, each once, whenever the daemon dies."""

import contextlib
import errno
import os

from tollkeeper_daemon.sources.files import regular

NAME = os.path.join(".claude", "workflow-metrics.jsonl")
# Far more than is appended between two looks, by whomever.
MOST_SEARCHED = 64 << 20
FLAGS = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def path_in(folder: str) -> str:
    """The file of the project in this folder."""
    return os.path.join(folder, NAME)


def size_of(path: str) -> int:
    """How many bytes the file has; 0 when it can't be looked at."""
    try:
        return os.stat(path, follow_symlinks=False).st_size
    except OSError:
        return 0


def append(path: str, offset: int, data: bytes) -> None:
    """Append these lines, unless they stand in the file behind this offset; OSError when it fails.

    What was written of them before is gone on with.
    """
    descriptor = _open(path)
    try:
        left = _left_of(descriptor, offset, data)
        if left and os.write(descriptor, left) < len(left):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
    finally:
        os.close(descriptor)


def _open(path: str) -> int:
    """The file, made anew for everybody to read if need be."""
    with contextlib.suppress(FileNotFoundError):
        return regular(os.open(path, FLAGS), path)
    folder = os.path.dirname(path)
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder)
        os.chmod(folder, 0o755)
    descriptor = os.open(path, FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
    os.fchmod(descriptor, 0o644)
    return descriptor


def _left_of(descriptor: int, offset: int, data: bytes) -> bytes:
    """What of the data is not in the file, and a newline before it where somebody's line has none."""
    size = os.fstat(descriptor).st_size
    # A file that is shorter by now is another one.
    start = offset if offset <= size else 0
    found = os.pread(descriptor, min(size - start, MOST_SEARCHED), start)
    if data in found:
        return b""
    for length in range(min(len(data), len(found)), 0, -1):
        if found.endswith(data[:length]):
            return data[length:]
    ends_in_line = size and os.pread(descriptor, 1, size - 1) != b"\n"
    return b"\n" + data if ends_in_line else data
