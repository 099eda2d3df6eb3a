"""How far each log was read, and which of them hold more."""

import contextlib
import logging
import os
import time
from collections.abc import Iterable

from tollkeeper_daemon.labels.task_ids import TaskIds
from tollkeeper_daemon.reading.scan import Scan, scan_log
from tollkeeper_daemon.reading.worker import Job
from tollkeeper_daemon.store.store import Store

log = logging.getLogger(__name__)

# How far the times of files may lag behind the clock.
FILE_CLOCK_SECONDS = 1.0


class Marks:
    """The marks of all logs, by device and inode, as the store holds them.

    ``patterns`` are the user's own for task ids; logs are read with them.
    """

    def __init__(self, store: Store) -> None:
        self.follow(())
        self._store = store
        self._marks = store.read(lambda transaction: transaction.files())
        self._last_look = store.last_saved

    def follow(self, patterns: tuple[str, ...]) -> None:
        """Task ids are found with these patterns from now on."""
        self._patterns, self._ids = patterns, TaskIds(patterns)

    def __len__(self) -> int:
        return len(self._marks)

    def scan(self, path: str, now: int) -> Scan | None:
        """The next lines of this log; None when it is gone or can't be read."""
        try:
            status = os.stat(path)
            mark = self._marks.get((status.st_dev, status.st_ino))
            return scan_log(path, mark, now, self._ids)
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("can't read %r: %s", path, error.strerror)
            return None

    def advance(self, scans: Iterable[Scan]) -> None:
        """These scans are in the ledger now, and saved with their marks."""
        self._marks.update((scan.file, scan.mark) for scan in scans)

    def backlog(self, logs: Iterable["os.DirEntry[str]"]) -> list[Job]:
        """The logs that hold more than was read of them, or were written since the last look."""
        jobs: list[Job] = []
        since, self._last_look = self._last_look - FILE_CLOCK_SECONDS, time.time()
        for entry in logs:
            with contextlib.suppress(OSError):
                status = entry.stat()
                mark = self._marks.get((status.st_dev, status.st_ino))
                unread = status.st_size - (mark.offset if mark else 0)
                if unread or status.st_mtime > since:
                    bytes = abs(unread)
                    jobs.append(Job(entry.path, mark, bytes, status.st_mtime, self._patterns))
        return jobs

    def has_moved_on(self, job: Job) -> bool:
        """Whether there turned out to be more in this log than half a line."""
        with contextlib.suppress(OSError):
            status = os.stat(job.path)
            mark = self._marks.get((status.st_dev, status.st_ino))
            return mark is not None and mark.offset != (job.mark.offset if job.mark else 0)
        return False

    def forget_deleted(self) -> None:
        """Drop the marks of logs that are gone; what was read of them stays in the ledger."""
        gone = [file for file, mark in self._marks.items() if not os.path.exists(mark.path)]
        if gone:
            self._store.write(lambda transaction: transaction.forget_files(gone))
        for file in gone:
            del self._marks[file]
