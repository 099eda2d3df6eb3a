"""Makes the daemon's directories private, and sees to it that one daemon runs per home."""

import fcntl
import os
import stat
from pathlib import Path

from tollkeeper.paths import Paths


class GuardError(Exception):
    """The daemon must not run here; ``hint`` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def prepare(paths: Paths) -> None:
    """Create the directories, owned by this user and closed to others; GuardError if they are not."""
    own = (paths.run, paths.data, paths.inbox, paths.status_inbox, paths.segments)
    for path in (paths.config, *own):
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise GuardError(f"can't create {path}: {error.strerror}", "mend its parent") from None
    for path in own:
        _make_private(path)


def _make_private(path: Path) -> None:
    status = os.lstat(path)
    if stat.S_ISLNK(status.st_mode):
        status = os.stat(path)
    if status.st_uid != os.getuid():
        raise GuardError(
            f"{path} belongs to another user", "remove it, or set TOLL_HOME to a place of your own"
        )
    if stat.S_IMODE(status.st_mode) & 0o077:
        path.chmod(0o700)


class Lock:
    """The lock of a home: held as long as the daemon lives, however it ends."""

    def __init__(self, path: Path) -> None:
        """Take the lock; GuardError, with the holder's pid, when another daemon has it."""
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._descriptor, 20, 0).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise GuardError(
                f"a daemon already runs here, with pid {holder or 'unknown'}",
                "stop it with: toll down",
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the next daemon in."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)
