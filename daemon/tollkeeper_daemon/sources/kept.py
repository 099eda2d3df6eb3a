"""Small files of one kind, kept as they were read until a stat says that they have changed."""

from collections.abc import Callable
from typing import Generic, TypeVar

from tollkeeper_daemon.sources.files import Seen, seen_at

NS_PER_MS = 1_000_000

T = TypeVar("T")


class Kept(Generic[T]):
    """``read`` gives what a file says, and how many of its lines are no good; ValueError for a bad one.

    ``bad`` are the files that are no good, or hold such lines.
    """

    def __init__(self, read: Callable[[str], tuple[T, int]]) -> None:
        self.bad: set[str] = set()
        self._read = read
        self._known: dict[str, tuple[Seen, T | None]] = {}

    def get(self, path: str) -> T | None:
        """What the file at this path says; None when there is none, or it is no good."""
        seen = seen_at(path)
        if seen is None:
            self._known.pop(path, None)
            self.bad.discard(path)
            return None
        known = self._known.get(path)
        if known is None or known[0] != seen:
            known = self._known[path] = (seen, self._take(path))
        return known[1]

    def modified(self, path: str) -> int:
        """When the file, of which there is something, was written last (ms)."""
        return self._known[path][0][3] // NS_PER_MS

    def _take(self, path: str) -> T | None:
        try:
            found, bad = self._read(path)
        except ValueError:
            self.bad.add(path)
            return None
        if bad:
            self.bad.add(path)
        else:
            self.bad.discard(path)
        return found
