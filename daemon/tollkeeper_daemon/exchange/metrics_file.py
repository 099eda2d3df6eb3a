"""Writes lines to .claude/workflow-metrics.jsonl, each once, whenever the daemon dies."""

import contextlib
import errno
import os

from tollkeeper_daemon.sources.files import regular

FOLDER = ".claude"
NAME = "workflow-metrics.jsonl"
# Far more than is appended between two looks, by whomever.
MOST_SEARCHED = 64 << 20
FLAGS = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def path_in(folder: str) -> str:
    """The file of the project in this folder: one, whichever of several projects share it by links."""
    return os.path.join(os.path.realpath(os.path.join(folder, FOLDER)), NAME)


def size_of(path: str) -> int:
    """How many bytes the file has; 0 when it can't be looked at."""
    try:
        return os.stat(path, follow_symlinks=False).st_size
    except OSError:
        return 0


def append(path: str, offset: int, data: bytes) -> None:
    """Append those of these lines that do not stand in the file behind this offset; OSError when it fails.

    A line of which a part was written before is gone on with.
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
    folder = _open_folder(os.path.dirname(path))
    try:
        with contextlib.suppress(FileNotFoundError):
            return regular(os.open(NAME, FLAGS, dir_fd=folder), path)
        descriptor = os.open(NAME, FLAGS | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
        os.fchmod(descriptor, 0o644)
        return descriptor
    finally:
        os.close(folder)


def _open_folder(path: str) -> int:
    """The ``.claude`` of a project, made anew if need be; OSError for any other folder.

    Who gives away a project must not have lines written elsewhere.
    """
    if os.path.basename(path) != FOLDER:
        raise OSError(errno.ELOOP, f"{FOLDER} is a link to a folder of another name", path)
    try:
        return os.open(path, FOLDER_FLAGS)
    except FileNotFoundError:
        os.mkdir(path)
        os.chmod(path, 0o755)
        return os.open(path, FOLDER_FLAGS)


def _left_of(descriptor: int, offset: int, data: bytes) -> bytes:
    """What of the lines is not in the file, and a newline before it where somebody's line has none."""
    size = os.fstat(descriptor).st_size
    # A file that is shorter by now is another one.
    start = offset if offset <= size else 0
    found = os.pread(descriptor, min(size - start, MOST_SEARCHED), start)
    left = [line for line in data.splitlines(keepends=True) if line not in found]
    if not left:
        return b""
    half = _half_line(descriptor, size, len(left[0]))
    lines = b"".join(left)
    if half and left[0].startswith(half):
        return lines[len(half) :]
    return b"\n" + lines if half else lines


def _half_line(descriptor: int, size: int, most: int) -> bytes:
    """What stands behind the last newline, or the last so many bytes of it and one more."""
    end = os.pread(descriptor, most + 1, max(size - most - 1, 0))
    return end[end.rfind(b"\n") + 1 :]
