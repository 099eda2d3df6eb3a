"""At which stage a task of Beads is, as a label of it says: asked once for each task that needs it."""

from collections.abc import Callable

from tollkeeper_daemon.config import BeadsSettings
from tollkeeper_daemon.exchange.beads import is_task, stage_in
from tollkeeper_daemon.exchange.issues import Issues
from tollkeeper_daemon.outlets.bd import BdError

# Tasks are few; who asks for more asks again.
MOST_KNOWN = 1_000
AGAIN_AFTER_MS = 10 * 60_000

Task = tuple[str, str]
"""The task's id, and the folder of the project."""


class BeadStages:
    """What was answered. Nobody waits for an answer: it is there at a later look."""

    def __init__(self, issues: Issues, settings: Callable[[], BeadsSettings]) -> None:
        self._issues = issues
        self._settings = settings
        self._known: dict[Task, str] = {}
        # Which are to be asked, as of the looks since they were asked last.
        self._wanted: set[Task] = set()
        # Which could not be, and until when they are not asked again (ms).
        self._failed: dict[Task, int] = {}

    def stage_of(self, task: str, folder: str) -> str:
        """The stage; empty while it is not known, or when there is none."""
        if not self._settings().comment or not is_task(task) or not folder:
            return ""
        if (task, folder) not in self._known:
            self._wanted.add((task, folder))
        return self._known.get((task, folder), "")

    async def ask(self, now: int) -> None:
        """Ask for those that are wanted; where that fails, again later, if they still are."""
        wanted, self._wanted = self._wanted, set()
        self._failed = {
            each: until
            for each, until in self._failed.items()
            if now < until <= now + AGAIN_AFTER_MS
        }
        for task, folder in sorted(wanted - self._failed.keys()):
            if not self._settings().comment:
                return
            try:
                issue = await self._issues.find(task, folder)
            except BdError:
                self._failed[task, folder] = now + AGAIN_AFTER_MS
                continue
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[task, folder] = stage_in(issue) if issue else ""
