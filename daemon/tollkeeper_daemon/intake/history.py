"""Reads what the logs hold beyond their marks: at once when it is little, else in the background."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Protocol

from tollkeeper_daemon.agents.followed import Followed
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.reading.backlog import Progress, plan, read_backlog
from tollkeeper_daemon.reading.marks import Marks
from tollkeeper_daemon.reading.salvage import salvage
from tollkeeper_daemon.reading.scan import Scan
from tollkeeper_daemon.reading.worker import Job
from tollkeeper_daemon.sources.homes import Home

log = logging.getLogger(__name__)

IMPORT_BEAT_SECONDS = 0.25
# Posted in a tenth of a second, in which the daemon does not answer; holds some 30 MB meanwhile.
IMPORT_BATCH_REPLIES = 5_000
# So much may be read before the first answer: less than a blink, more than an hour of agents.
AT_ONCE_BYTES = 4 << 20


class Pending:
    """The logs of an import, and those that failed: left alone until the import is through with them.

    Who heard of one meanwhile is ``deferred``.
    """

    def __init__(self) -> None:
        self._paths: set[str] = set()
        self._deferred: dict[str, None] = {}

    def __bool__(self) -> bool:
        return bool(self._paths)

    def has(self, path: str) -> bool:
        """Whether the log is still in the import, or failed in it; it is read on when that is over."""
        if path not in self._paths:
            return False
        self._deferred[path] = None
        return True

    def hold(self, paths: Iterable[str]) -> None:
        """These, and no others."""
        self._paths = set(paths)

    def free(self, paths: Iterable[str]) -> None:
        """The import is through with these."""
        self._paths.difference_update(paths)

    def take_deferred(self) -> list[str]:
        """The logs that somebody heard of, each once."""
        deferred, self._deferred = list(self._deferred), {}
        return deferred


class Reader(Protocol):
    """Who takes what is found."""

    def read(self, logs: list[str]) -> object:
        """Read these logs on now; they grew while the import had them."""
        ...

    def read_past(self, logs: list[str]) -> list[str]:
        """Read what is behind the marks of these logs; those that failed."""
        ...

    def post(self, scans: list[Scan]) -> None:
        """Book what was read in the background."""
        ...

    def begins(self) -> None:
        """An import begins."""
        ...

    def is_read(self, homes: list[Home]) -> None:
        """All that these homes hold was read."""
        ...

    def ends(self) -> None:
        """An import is over; also one that failed, which the next sweep goes on with."""
        ...


class History:
    """The logs behind the present."""

    def __init__(
        self, marks: Marks, pending: Pending, followed: Followed, herald: Herald, reader: Reader
    ) -> None:
        self._marks = marks
        self._pending = pending
        self._followed = followed
        self._herald = herald
        self._reader = reader
        self._import: asyncio.Task[None] | None = None

    def catch_up(self) -> list[Job]:
        """Read what is new, or begin to import it; what there was to read."""
        homes, is_importing = list(self._followed.homes), self._herald.importing is not None
        if not is_importing:
            self._pending.hold(())
        backlog = self._marks.backlog(self._followed.logs())
        if sum(job.bytes for job in backlog) <= AT_ONCE_BYTES:
            failed = self._reader.read_past([job.path for job in backlog])
            if not is_importing:
                self._pending.hold(failed)
                if not failed:
                    self._reader.is_read(homes)
        elif not is_importing:
            self._pending.hold(job.path for job in backlog)
            progress = Progress(total=sum(job.bytes for job in backlog))
            self._herald.importing = progress
            self._reader.begins()
            self._import = asyncio.create_task(self._import_logs(backlog, progress, homes))
        return backlog

    async def stop(self) -> None:
        """Give an import up; the next daemon goes on with it."""
        if self._import is not None:
            self._import.cancel()
            await asyncio.gather(self._import, return_exceptions=True)

    async def _import_logs(self, backlog: list[Job], progress: Progress, homes: list[Home]) -> None:
        """Read the history; the daemon answers meanwhile, and nothing of it counts as news."""
        beat = asyncio.create_task(self._beat())
        try:
            await self._import_all(backlog, progress)
            self._pending.hold(())
        except Exception as error:
            log.exception("the import failed; the next sweep goes on with it")
            self._herald.alert_once("failed", f"the import failed ({error}); it is tried again")
        finally:
            beat.cancel()
            self._herald.importing = None
        deferred = self._pending.take_deferred()
        if not self._pending:
            log.info("imported %d logs", len(backlog))
            self._reader.read(deferred)
            self._reader.is_read(homes)
        self._reader.ends()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(IMPORT_BEAT_SECONDS)
            self._herald.beat()

    async def _import_all(self, backlog: list[Job], progress: Progress) -> None:
        """Post what is read in large batches, since each costs a write to the disk."""
        held: list[Scan] = []
        async for scans in read_backlog(plan(backlog), progress):
            held += scans
            if sum(len(scan.replies) for scan in held) > IMPORT_BATCH_REPLIES:
                self._post_all(held)
                held = []
        self._post_all(held)

    def _post_all(self, scans: list[Scan]) -> None:
        if scans:
            salvage(scans, self._reader.post, self._herald.lost)
            self._pending.free(scan.path for scan in scans if not scan.more)
