"""What reaches the loop from outside, and why: threads hand these in, the loop takes them out."""

import asyncio
import threading


class Inlet:
    """The paths that changed since they were last taken: logs and session files.

    Watcher threads call ``log_changed``, ``session_changed`` and ``folder_came``; a path that changes
    many times before the loop gets to it is read once. ``arrived`` is set in the loop when there is
    anything, and ``folders`` when a home has folders that it did not have before.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.arrived = asyncio.Event()
        self.folders = asyncio.Event()
        self._loop = loop
        self._lock = threading.Lock()
        self._logs: dict[str, None] = {}
        self._sessions: dict[str, None] = {}

    def log_changed(self, path: str) -> None:
        """A log was written, replaced or deleted."""
        self._put(self._logs, path)

    def session_changed(self, path: str) -> None:
        """A session file was written or deleted: an agent started, changed its state, or left."""
        self._put(self._sessions, path)

    def folder_came(self) -> None:
        """A home has more folders to follow."""
        self._set(self.folders)

    def take(self) -> tuple[list[str], list[str]]:
        """The session files and the logs that changed, in the order in which they did."""
        with self._lock:
            sessions, logs = list(self._sessions), list(self._logs)
            self._sessions.clear()
            self._logs.clear()
            self.arrived.clear()
        return sessions, logs

    def _put(self, paths: dict[str, None], path: str) -> None:
        with self._lock:
            first = not (self._logs or self._sessions)
            paths[path] = None
        if first:
            self._set(self.arrived)

    def _set(self, event: asyncio.Event) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(event.set)


class Bell:
    """A thread rings it; the loop hears that once, however often it rang meanwhile."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._heard = asyncio.Event()
        self._loop = loop
        self._rings = False

    def ring(self) -> None:
        """There is something to see to."""
        if not self._rings and not self._loop.is_closed():
            self._rings = True
            self._loop.call_soon_threadsafe(self._heard.set)

    async def heard(self) -> None:
        """Return when it has rung since the last time."""
        await self._heard.wait()
        self._heard.clear()
        self._rings = False
