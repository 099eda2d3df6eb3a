"""Reads what the logs hold beyond their marks: at once when it is little, else in the background."""

import asyncio
import logging
from collections.abc import Callable

from tollkeeper_daemon.backlog import Progress, plan, read_backlog
from tollkeeper_daemon.followed import Followed
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.marks import Marks
from tollkeeper_daemon.reading import Scan
from tollkeeper_daemon.salvage import salvage
from tollkeeper_daemon.sources.homes import Home
from tollkeeper_daemon.worker import Job

log = logging.getLogger(__name__)

IMPORT_BEAT_SECONDS = 0.25
# Posted in a tenth of a second, in which the daemon does not answer; holds some 30 MB meanwhile.
IMPORT_BATCH_REPLIES = 5_000
# So much may be read before the first answer: less than a blink, more than an hour of agents.
AT_ONCE_BYTES = 4 << 20


class History:
    """The logs behind the present.

    ``read`` reads these logs now, ``read_past`` does so with what is behind their marks and tells
    which of them failed, ``post`` books scans of the past. ``complete`` is called with the homes when
    all that they hold was read; ``ended`` when an import is over, and also when it failed: the next
    sweep goes on with it, and until then its logs are left alone.
    """

    def __init__(
        self,
        marks: Marks,
        followed: Followed,
        herald: Herald,
        read: Callable[[list[str]], object],
        read_past: Callable[[list[str]], list[str]],
        post: Callable[[list[Scan]], None],
        begun: Callable[[], None],
        complete: Callable[[list[Home]], None],
        ended: Callable[[], None],
    ) -> None:
        self._marks = marks
        self._followed = followed
        self._herald = herald
        self._read = read
        self._read_past = read_past
        self._post = post
        self._begun = begun
        self._complete = complete
        self._ended = ended
        self._pending: set[str] = set()
        self._deferred: dict[str, None] = {}
        self._import: asyncio.Task[None] | None = None

    def catch_up(self) -> list[Job]:
        """Read what is new, or begin to import it; what there was to read."""
        homes, is_importing = list(self._followed.homes), self._herald.importing is not None
        if not is_importing:
            self._pending.clear()
        backlog = self._marks.backlog(self._followed.logs())
        if sum(job.bytes for job in backlog) <= AT_ONCE_BYTES:
            failed = self._read_past([job.path for job in backlog])
            if not is_importing:
                self._pending = set(failed)
                if not failed:
                    self._complete(homes)
        elif not is_importing:
            self._pending = {job.path for job in backlog}
            progress = Progress(total=sum(job.bytes for job in backlog))
            self._herald.importing = progress
            self._begun()
            self._import = asyncio.create_task(self._import_logs(backlog, progress, homes))
        return backlog

    def has(self, path: str) -> bool:
        """Whether the log is still in the import, or failed in it; it is read on when that is over."""
        if path not in self._pending:
            return False
        self._deferred[path] = None
        return True

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
            self._pending.clear()
        except Exception as error:
            log.exception("the import failed; the next sweep goes on with it")
            self._herald.alert_once("failed", f"the import failed ({error}); it is tried again")
        finally:
            beat.cancel()
            self._herald.importing = None
        deferred, self._deferred = list(self._deferred), {}
        if not self._pending:
            log.info("imported %d logs", len(backlog))
            self._read(deferred)
            self._complete(homes)
        self._ended()

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
            salvage(scans, self._post, self._herald.lost)
            self._pending -= {scan.path for scan in scans if not scan.more}
