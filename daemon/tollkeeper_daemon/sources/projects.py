"""Where the project of a working directory is: what lies in its own folders, up to the repository's root."""

import os
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

# Deeper than anybody nests folders.
MOST_FOLDERS = 40
# So long a repository or a settings folder may be there before it is noticed.
KEPT_MS = 10_000
MOST_KEPT = 1_000


class Around(Generic[T]):
    """What was found around working directories, looked up again only now and then.

    Agents work long in one place, and following links is dear where there are many of them.
    """

    def __init__(self, look: Callable[[str], T]) -> None:
        self._look = look
        self._found: dict[str, tuple[int, T]] = {}

    def of(self, cwd: str, now: int) -> T:
        """What is around this directory at this time (ms)."""
        known = self._found.get(cwd)
        if known is None or not 0 <= now - known[0] < KEPT_MS:
            if len(self._found) >= MOST_KEPT:
                self._found.clear()
            known = self._found[cwd] = (now, self._look(cwd))
        return known[1]


def folders_of(cwd: str) -> list[str]:
    """The working directory and those above it, up to the root of its repository; links followed.

    Without a repository it is the directory alone, and without a directory nothing.
    """
    folder = real_folder(cwd)
    if not folder:
        return []
    found = [folder]
    while not os.path.lexists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder or len(found) >= MOST_FOLDERS:
            return found[:1]
        folder = above
        found.append(folder)
    return found


def real_folder(path: str) -> str:
    """This absolute path with its links followed; empty for any other, and for what can be no path."""
    try:
        folder = os.path.realpath(path) if os.path.isabs(path) else ""
        folder.encode()
    except ValueError:  # No text, or no path.
        return ""
    return folder


def project_of(cwd: str) -> str:
    """The project of this directory, as ``project_in`` finds it among its folders."""
    return project_in(folders_of(cwd))


def project_in(folders: list[str]) -> str:
    """The nearest of these folders that has a ``.claude``, else the last; empty without any."""
    has_settings = (each for each in folders if os.path.isdir(os.path.join(each, ".claude")))
    return next(has_settings, folders[-1] if folders else "")
