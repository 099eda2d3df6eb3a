"""Reads history: many logs at once, in worker processes, the newest conversations first."""

import asyncio
import logging
import multiprocessing
import os
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor

import msgspec
from msgspec import Struct

from tollkeeper_daemon.reading.scan import Scan
from tollkeeper_daemon.reading.worker import (
    TASK_BYTES,
    Job,
    begin_worker,
    read_encoded_lot,
    read_lot,
)
from tollkeeper_daemon.sources.files import printable

log = logging.getLogger(__name__)

# Enough work ahead that no worker waits while a batch is posted.
LOTS_PER_WORKER = 8
# Below this, starting workers takes longer than reading.
WORTH_WORKERS = 24 << 20
MOST_WORKERS = 4


class Progress(Struct):
    """How much of the backlog is done. Mutable: it runs."""

    total: int
    done: int = 0


def plan(jobs: list[Job]) -> deque[Job]:
    """The order of work: conversations of today first."""
    return deque(sorted(jobs, key=lambda job: job.modified, reverse=True))


async def read_backlog(jobs: deque[Job], progress: Progress) -> AsyncIterator[list[Scan]]:
    """The scans of all jobs, in lots, as they come; big logs come in several lots."""
    read = _read_in_workers if progress.total >= WORTH_WORKERS else _read_here
    odd = deque(job for job in jobs if job.path != printable(job.path))
    named = deque(job for job in jobs if job.path == printable(job.path))
    async for scans in read(named, progress):
        yield scans
    async for scans in _read_here(odd, progress):
        yield scans


async def _read_here(jobs: deque[Job], progress: Progress) -> AsyncIterator[list[Scan]]:
    while jobs:
        job = jobs.popleft()
        yield _advance(jobs, progress, read_lot([job]), [job])
        await asyncio.sleep(0)


async def _read_in_workers(jobs: deque[Job], progress: Progress) -> AsyncIterator[list[Scan]]:
    workers = min(os.cpu_count() or 1, MOST_WORKERS)
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=spawn, initializer=begin_worker)
    waiting: dict[asyncio.Future[bytes], list[Job]] = {}
    loop = asyncio.get_running_loop()
    try:
        while jobs or waiting:
            while jobs and len(waiting) < workers * LOTS_PER_WORKER:
                lot = _next_lot(jobs)
                encoded = msgspec.msgpack.encode(lot)
                waiting[loop.run_in_executor(pool, read_encoded_lot, encoded)] = lot
            finished, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for each in finished:
                lot = waiting.pop(each)
                yield _advance(jobs, progress, _scans(each, lot), lot)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _scans(read: asyncio.Future[bytes], lot: list[Job]) -> list[Scan]:
    """What a worker read; what it can't hand over is read here."""
    try:
        return msgspec.msgpack.decode(read.result(), type=list[Scan])
    except BrokenExecutor:
        raise
    except Exception:
        log.exception("a worker failed")
        return read_lot(lot)


def _next_lot(jobs: deque[Job]) -> list[Job]:
    lot = [jobs.popleft()]
    size = lot[0].bytes
    while jobs and size + jobs[0].bytes <= TASK_BYTES:
        size += jobs[0].bytes
        lot.append(jobs.popleft())
    return lot


def _advance(jobs: deque[Job], progress: Progress, scans: list[Scan], lot: list[Job]) -> list[Scan]:
    """Count what was read of this lot, and put the rest of a big log back to the front."""
    progress.done += sum(scan.bytes for scan in scans)
    if scans and scans[-1].more:
        path = lot[0].path if len(lot) == 1 else scans[-1].path
        jobs.appendleft(Job(path, scans[-1].mark, TASK_BYTES, patterns=lot[0].patterns))
    return scans
