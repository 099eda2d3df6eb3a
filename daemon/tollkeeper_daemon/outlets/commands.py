"""Runs users' own commands beside everything else: nothing waits for one, and none lives for long."""

import asyncio
import contextlib
import logging
import os
import signal
import tempfile
from collections import deque
from collections.abc import Callable

from msgspec import Struct

from tollkeeper.cli.words import plain
from tollkeeper_daemon.clock import now_ms

log = logging.getLogger(__name__)

MOST_AT_ONCE = 4
MOST_WAITING = 200
# What a command says at last; the rest of it is thrown away.
OUTPUT_BYTES = 4096
OUTPUT_LINES = 10
LONGEST_WORDS = 200
# What was said before the end is there by then.
LAST_WORDS_SECONDS = 0.2
# So long those that run may go on when the daemon stops.
FAREWELL_SECONDS = 1.0


class Call(Struct, frozen=True):
    """A command line to run. ``name`` is the setting it stands in: it may hold secrets itself."""

    name: str
    command: str
    data: bytes


class Trouble(Struct, frozen=True):
    """That the command of a setting fails: how often since it last did well, when last (ms), and how."""

    name: str
    failures: int
    time: int
    error: str


class Commands:
    """Runs a few at once and lets some wait; what is more is dropped.

    ``on_trouble`` is told, once for each command line, that it failed; ``troubles`` has the settings
    whose command failed when it last ran, by their names.
    """

    def __init__(self, timeout: float) -> None:
        self.on_trouble: Callable[[str], None] | None = None
        self.troubles: dict[str, Trouble] = {}
        self.dropped = 0
        self.timeout_seconds = timeout
        self._waiting: deque[Call] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._closed = False
        self._hurry = asyncio.Event()
        self._told: set[str] = set()

    def run(self, name: str, command: str, data: bytes) -> None:
        """Run this command line by the shell, with the data on its stdin, some time soon."""
        if self._closed:
            return
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(Call(name, command, data))
            self._go_on()
        else:
            self.dropped += 1
            self._tell("", f"commands take too long: {MOST_WAITING} wait, and some were left out")

    @property
    def busy(self) -> bool:
        """Whether any runs, or waits."""
        return bool(self._running or self._waiting)

    async def stop(self) -> None:
        """Run no more; what runs may go on for a moment, and is killed then."""
        self._closed = True
        self._waiting.clear()
        if self._running:
            await asyncio.wait(self._running, timeout=FAREWELL_SECONDS)
        self._hurry.set()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _go_on(self) -> None:
        while self._waiting and len(self._running) < MOST_AT_ONCE:
            task = asyncio.get_running_loop().create_task(self._attend(self._waiting.popleft()))
            self._running.add(task)
            task.add_done_callback(self._ended)
        if self.dropped and not self._waiting:
            log.warning("%d commands were left out", self.dropped)
            self.dropped = 0

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        self._go_on()

    async def _attend(self, call: Call) -> None:
        """Run this one, and say so when it fails."""
        try:
            failure, output = await self._run(call)
        except (OSError, ValueError) as error:
            failure, output = f"can't be run: {error}", ""
        if failure:
            for line in output.splitlines()[-OUTPUT_LINES:]:
                log.warning("%s says: %s", call.name, line)
            log.warning("the command in %s %s", call.name, failure)
            self._count(call.name, failure, output)
            self._tell(call.command, f"the command in {call.name} {failure}: see tolld.log")
        else:
            self.troubles.pop(call.name, None)
            if output:
                log.info("%s says: %s", call.name, " | ".join(output.splitlines()[-OUTPUT_LINES:]))

    def _count(self, name: str, failure: str, output: str) -> None:
        known = self.troubles.get(name)
        words = "".join(output.splitlines()[-1:])
        error = f"{failure}: {words[:LONGEST_WORDS]}" if words else failure
        self.troubles[name] = Trouble(name, (known.failures if known else 0) + 1, now_ms(), error)

    async def _run(self, call: Call) -> tuple[str, str]:
        """Why it failed, empty if it did not, and what it said."""
        loop = asyncio.get_running_loop()
        # A file, since nobody has to wait until it is read, and /dev/stdin can be opened anew.
        with tempfile.TemporaryFile() as stdin:
            stdin.write(call.data)
            stdin.seek(0)
            transport, process = await loop.subprocess_exec(
                _Process,
                *("/bin/sh", "-c", call.command),
                stdin=stdin,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            failure = await self._wait(process, transport)
            await _at_most(LAST_WORDS_SECONDS, process.silent)
        finally:
            transport.close()
        return failure, process.output

    async def _wait(self, process: "_Process", transport: asyncio.SubprocessTransport) -> str:
        """Wait for the end of the shell, or end it with all that it started; why it failed."""
        hurry = asyncio.create_task(self._hurry.wait())
        exited = asyncio.create_task(process.exited.wait())
        try:
            await asyncio.wait(
                {hurry, exited}, timeout=self.timeout_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if process.exited.is_set():
                status = transport.get_returncode()
                return f"ended with status {status}" if status else ""
            # The group is the shell's own as long as nobody has heard of its end.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(transport.get_pid(), signal.SIGKILL)
            await asyncio.wait({exited}, timeout=FAREWELL_SECONDS)
            return "" if self._hurry.is_set() else f"was killed after {self.timeout_seconds:g} s"
        finally:
            hurry.cancel()
            exited.cancel()

    def _tell(self, command: str, text: str) -> None:
        if command not in self._told and self.on_trouble:
            self._told.add(command)
            self.on_trouble(text)


class _Process(asyncio.SubprocessProtocol):
    """Keeps the last words of a command, and knows when the shell itself has ended."""

    def __init__(self) -> None:
        self.exited = asyncio.Event()
        self.silent = asyncio.Event()
        self._tail = b""

    @property
    def output(self) -> str:
        """What it said at last, in lines that are plain text."""
        text = self._tail.decode("utf-8", "replace")
        return "\n".join(plain(line) for line in text.splitlines() if line.strip())

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._tail = (self._tail + data[-OUTPUT_BYTES:])[-OUTPUT_BYTES:]

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self.silent.set()

    def process_exited(self) -> None:
        self.exited.set()


async def _at_most(seconds: float, event: asyncio.Event) -> None:
    """Wait for the event, but no longer than this."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
