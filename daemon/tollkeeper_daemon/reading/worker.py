"""What a worker process does: reads lots of logs, and ends with the daemon.

It stands apart from what starts it, so that a worker imports little.
"""

import logging
import multiprocessing
import os
import signal
import threading
import time

import msgspec
from msgspec import Struct

from tollkeeper_daemon.labels.task_ids import TaskIds
from tollkeeper_daemon.reading.scan import Scan, scan_log
from tollkeeper_daemon.records import FileMark

# What one worker reads before it hands over: large enough to be cheap, small enough that the
# daemon's answers and memory do not suffer.
TASK_BYTES = 8 << 20

log = logging.getLogger(__name__)


class Job(Struct, frozen=True, array_like=True):
    """A log to be read on from its mark; ``bytes`` is what was left of it when this was planned.

    ``patterns`` are the user's own for task ids.
    """

    path: str
    mark: FileMark | None
    bytes: int
    modified: float = 0.0
    patterns: tuple[str, ...] = ()


def read_encoded_lot(encoded: bytes) -> bytes:
    """The scans of a lot of jobs; both travel between processes as MessagePack."""
    return msgspec.msgpack.encode(read_lot(msgspec.msgpack.decode(encoded, type=list[Job])))


def read_lot(lot: list[Job]) -> list[Scan]:
    """The scans of these jobs, together about as much as one task should read.

    A log that can't be read costs none of the others.
    """
    now = int(time.time() * 1000)
    scans: list[Scan] = []
    for job in lot:
        mark, read, more, ids = job.mark, 0, True, TaskIds(job.patterns)
        try:
            while more and read < TASK_BYTES and (scan := scan_log(job.path, mark, now, ids)):
                scans.append(scan)
                mark, read, more = scan.mark, read + scan.bytes, scan.more
        except OSError as error:
            log.warning("can't read %r: %s", job.path, error.strerror)
        except Exception:
            log.exception("can't read %r", job.path)
    return scans


def begin_worker() -> None:
    """Leave Ctrl-C to the daemon, and end with it: one that is killed can't end its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
