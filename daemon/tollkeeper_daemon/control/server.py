"""The control socket: reads calls, hands each to its verb, and sends the answer back."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import zmq
import zmq.asyncio

from tollkeeper import wire
from tollkeeper.errors import ProtocolError
from tollkeeper_daemon.control import (
    admit,
    audit,
    blocks,
    burn,
    ccusage,
    config_get,
    config_set,
    daily,
    earlier,
    export,
    health,
    limit,
    limit_clear,
    limit_set,
    monthly,
    pause,
    ping,
    plan_observe,
    plans,
    plans_remove,
    plans_set,
    prices,
    prices_check,
    prices_import,
    prices_remove,
    prices_set,
    reprice,
    resume,
    session,
    shutdown,
    snapshot,
    stop,
    tag,
    weekly,
    workflow_compare,
    workflow_end,
    workflow_models,
    workflow_paths,
    workflow_pieces,
    workflow_show,
    workflow_stage,
    workflow_stages,
    workflow_start,
    workflow_top,
)
from tollkeeper_daemon.control import log as journal
from tollkeeper_daemon.control.importing import marked
from tollkeeper_daemon.control.refusal import Refused
from tollkeeper_daemon.daemon import Daemon

log = logging.getLogger(__name__)

LONGEST_CALL = 1 << 20
# The caller's address, what a REQ puts behind it, and the call. Each frame may be as long as a call.
MOST_FRAMES = 8
PASSED_AT_ONCE = 10_000
MOST_AT_ONCE = 64
# Of them what takes long, so that there is always a place for the others.
MOST_SLOW = 32
# And of what waits for agents.
MOST_WAITS = 16
# Threads take turns: each more of them makes the loop wait longer for its own.
REPORTS_AT_ONCE = 2
JOBS_AT_ONCE = 2
# A caller that leaves so many answers unread gets no more of them.
MOST_UNREAD = 2_000

Verb = Callable[[Daemon, dict[str, Any]], Any]
Job = Callable[[Daemon, dict[str, Any]], Coroutine[Any, Any, Any]]

VERBS: dict[str, Verb] = {
    "ping": ping.answer,
    "snapshot": snapshot.answer,
    "shutdown": shutdown.answer,
    "prices": prices.answer,
    "pause": pause.answer,
    "resume": resume.answer,
    "plan.observe": plan_observe.answer,
    "admit": admit.answer,
    "limit": limit.answer,
    "limit.set": limit_set.answer,
    "limit.clear": limit_clear.answer,
    "tag": tag.answer,
    "workflow.start": workflow_start.answer,
    "workflow.stage": workflow_stage.answer,
    "workflow.end": workflow_end.answer,
}

# These read much and change nothing: they run in a thread, with a view of the store of their own.
REPORTS: dict[str, Verb] = {
    "audit": marked(audit.answer),
    "daily": marked(daily.answer),
    "weekly": marked(weekly.answer),
    "monthly": marked(monthly.answer),
    "session": marked(session.answer),
    "export": export.answer,
    "earlier": earlier.answer,
    "blocks": marked(blocks.answer),
    "burn": burn.answer,
    "prices.check": prices_check.answer,
    "plans": plans.answer,
    "config.get": config_get.answer,
    "log": journal.answer,
    "workflow.show": marked(workflow_show.answer),
    "workflow.compare": marked(workflow_compare.answer),
    "workflow.top": marked(workflow_top.answer),
    "workflow.stages": marked(workflow_stages.answer),
    "workflow.models": marked(workflow_models.answer),
    "workflow.paths": marked(workflow_paths.answer),
    "workflow.pieces": workflow_pieces.answer,
}

# These take their time in the loop, and let others have their turn meanwhile.
JOBS: dict[str, Job] = {
    "health": health.answer,
    "prices.set": prices_set.answer,
    "prices.remove": prices_remove.answer,
    "prices.import": prices_import.answer,
    "reprice": reprice.answer,
    "plans.set": plans_set.answer,
    "plans.remove": plans_remove.answer,
    "config.set": config_set.answer,
}

# These wait for others, agents or programs, for an hour perhaps, and take no place from those that work.
WAITS: dict[str, Job] = {
    "stop": stop.answer,
    "ccusage": ccusage.answer,
}


class Server:
    """The ROUTER socket. An answer is sent after the effect, not after queueing it."""

    def __init__(self, context: zmq.asyncio.Context, path: Path, daemon: Daemon) -> None:
        self._daemon = daemon
        self._socket = context.socket(zmq.ROUTER)
        self._at_once: zmq.Socket[bytes] = zmq.Socket.shadow(self._socket.underlying)  # pyright: ignore[reportUnknownMemberType]
        self._socket.linger = 200
        self._socket.maxmsgsize = LONGEST_CALL
        self._socket.sndhwm = MOST_UNREAD
        self._path = path
        self._task: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._waits: set[asyncio.Task[Any]] = set()
        self._places = asyncio.Semaphore(MOST_AT_ONCE)
        self._slow = 0
        self._reports = asyncio.Semaphore(REPORTS_AT_ONCE)
        self._jobs = asyncio.Semaphore(JOBS_AT_ONCE)

    def start(self) -> None:
        """Begin to answer."""
        self._socket.bind(f"ipc://{self._path}")
        self._path.chmod(0o600)
        self._task = asyncio.create_task(self._serve())

    async def stop(self) -> None:
        """Answer no more."""
        if self._task is not None:
            self._task.cancel()
            for wait in self._waits:
                wait.cancel()
            await asyncio.gather(self._task, *self._under_way, return_exceptions=True)
        self._socket.close()

    async def _serve(self) -> None:
        while True:
            await self._places.acquire()
            frames = await self._receive()
            task = asyncio.create_task(self._handle(frames))
            self._under_way.add(task)
            task.add_done_callback(self._done)

    async def _receive(self) -> list[bytes]:
        """The next call; one of too many frames is dropped, and others get their turn meanwhile."""
        while True:
            frames: list[bytes] = [await self._socket.recv()]
            count = 1
            # All frames of a message come at once: there is nothing to wait for.
            while self._at_once.get(zmq.RCVMORE):
                frame = self._at_once.recv(zmq.NOBLOCK)
                count += 1
                if count <= MOST_FRAMES:
                    frames.append(frame)
                elif not count % PASSED_AT_ONCE:
                    await asyncio.sleep(0)
            if count <= MOST_FRAMES:
                return frames

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._places.release()

    async def _handle(self, frames: list[bytes]) -> None:
        # What comes before the call is the caller's address, and goes back as it came.
        *address, data = frames
        answer = await self._answer(data)
        await self._socket.send_multipart([*address, answer])  # pyright: ignore[reportUnknownMemberType]

    async def _answer(self, data: bytes) -> bytes:
        call_id = ""
        try:
            call = wire.decode(data, wire.Request)
            call_id = call.id
            result = await self._call(call)
            return wire.encode(wire.Reply(call_id, result=msgspec.Raw(wire.encode(result))))
        except ProtocolError as error:
            refusal = wire.ErrorBody("bad-call", error.message)
        except Refused as refused:
            refusal = wire.ErrorBody(refused.code, str(refused), refused.hint)
        except Exception:
            log.exception("a call failed")
            refusal = wire.ErrorBody(
                "failed", "the daemon failed to answer", "see its log: toll doctor"
            )
        return wire.encode(wire.Reply(call_id, error=refusal))

    async def _call(self, call: wire.Request) -> Any:
        if verb := VERBS.get(call.method):
            return verb(self._daemon, call.params)
        if wait := WAITS.get(call.method):
            return await self._wait(wait, call)
        if call.method not in REPORTS and call.method not in JOBS:
            raise Refused("unknown-method", f"no method {call.method!r}")
        if self._slow >= MOST_SLOW:
            raise Refused("busy", f"{MOST_SLOW} reports are under way already", "ask again later")
        self._slow += 1
        try:
            return await self._call_slowly(call)
        finally:
            self._slow -= 1

    async def _wait(self, wait: Job, call: wire.Request) -> Any:
        """Wait for others; when the daemon ends before them, that is the answer."""
        if len(self._waits) >= MOST_WAITS:
            raise Refused("busy", f"{MOST_WAITS} calls wait for agents already", "ask again later")
        task = asyncio.create_task(wait(self._daemon, call.params))
        self._waits.add(task)
        task.add_done_callback(self._waits.discard)
        try:
            return await task
        except asyncio.CancelledError:
            raise Refused("ending", "the daemon ends, and goes on with it when it starts") from None

    async def _call_slowly(self, call: wire.Request) -> Any:
        if report := REPORTS.get(call.method):
            async with self._reports:
                return await asyncio.to_thread(report, self._daemon, call.params)
        async with self._jobs:
            return await JOBS[call.method](self._daemon, call.params)
