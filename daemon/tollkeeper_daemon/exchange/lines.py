"""The queue of lines for workflow-metrics.jsonl: each is written once, however often that fails."""

import logging
import os
from collections.abc import Callable

from msgspec import Struct

from tollkeeper_daemon.exchange.metrics_file import append
from tollkeeper_daemon.store.errands import PendingLines
from tollkeeper_daemon.store.store import Store

log = logging.getLogger(__name__)

FIRST_RETRY_MS = 2_000
LAST_RETRY_MS = 10 * 60_000
GIVEN_UP_AFTER_MS = 7 * 24 * 3600 * 1000


class Trouble(Struct, frozen=True):
    """Why a file can't be written, how often it was tried, and when it is tried again (ms)."""

    error: str
    tries: int
    due: int


class Lines:
    """Writes with each pulse what waits. ``troubles`` says which files can't be written.

    ``tell`` is told what a person should know, once.
    """

    def __init__(self, store: Store, tell: Callable[[str], None]) -> None:
        self.troubles: dict[str, Trouble] = {}
        self._store = store
        self._tell = tell

    def look(self, now: int) -> None:
        """Write what waits."""
        found = self._store.read(lambda transaction: transaction.errands.lines())
        waiting = {lines.path for lines in found}
        self.troubles = {path: each for path, each in self.troubles.items() if path in waiting}
        for lines in found:
            trouble = self.troubles.get(lines.path)
            if trouble is None or not now < trouble.due <= now + LAST_RETRY_MS:
                self._write(lines, now)

    def _write(self, lines: PendingLines, now: int) -> None:
        try:
            append(lines.path, lines.offset, lines.data)
        except OSError as error:
            if self._is_kept(lines, now):
                self._fail(lines.path, error.strerror or str(error), now)
                return
            log.warning("%s got no line about a stage: %s", lines.path, error)
        else:
            self.troubles.pop(lines.path, None)
        self._store.write(lambda transaction: transaction.errands.drop_lines(lines))

    def _is_kept(self, lines: PendingLines, now: int) -> bool:
        """Whether it is tried again: not for ever, nor in a project that is gone."""
        project = os.path.dirname(os.path.dirname(lines.path))
        return os.path.isdir(project) and now - lines.since < GIVEN_UP_AFTER_MS

    def _fail(self, path: str, error: str, now: int) -> None:
        known = self.troubles.get(path)
        tries = known.tries if known else 0
        wait = min(FIRST_RETRY_MS << min(tries, 20), LAST_RETRY_MS)
        self.troubles[path] = Trouble(error, tries + 1, now + wait)
        self._tell(f"{path} can't be written ({error}): it is tried again")
