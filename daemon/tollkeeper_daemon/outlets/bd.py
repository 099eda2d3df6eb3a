"""Calls ``bd``, the command of Beads: one call at a time, none of which outlives us or its time."""

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
from collections.abc import Sequence

from msgspec import Struct

from tollkeeper.cli.words import plain

# It may wait for the lock of its database for ever.
TIMEOUT_SECONDS = 30.0
MOST_OUTPUT = 16 << 20
# What was said before the end is there by then; what it left running may hold the pipes for longer.
LAST_WORDS_SECONDS = 0.5
# Who is killed is gone by then.
FAREWELL_SECONDS = 1.0
LONGEST_WORDS = 200
# The first argument of the shell is the command. As long as we live our end of its stdin is open; then
# its process group ends, and nothing that an earlier daemon asked for is done behind the back of the next.
SHELL = """exec 3<&0
{ cat <&3; kill -KILL 0; } >/dev/null 2>&1 &
watch=$!
"$@" </dev/null 3<&-
status=$?
kill -KILL $watch
exit $status"""


class BdError(Exception):
    """It could not be asked, gave no answer in time, or none that helps; the text says why."""


class Answer(Struct, frozen=True):
    """What it answered, and with which exit status."""

    status: int
    out: bytes
    error: bytes

    @property
    def checked(self) -> bytes:
        """What it answered; BdError when it failed."""
        if self.status:
            lines = self.error.decode("utf-8", "replace").strip().splitlines() or [""]
            words = plain(lines[-1])[:LONGEST_WORDS]
            raise BdError(f"bd ended with status {self.status}{': ' if words else ''}{words}")
        return self.out


class Bd:
    """The command ``bd``, as it is called in the settings."""

    def __init__(self, timeout: float = TIMEOUT_SECONDS) -> None:
        self._timeout = timeout
        self._one_at_a_time = asyncio.Lock()

    async def call(self, command: str, arguments: Sequence[str], folder: str) -> Answer:
        """Run it with these arguments in this folder; BdError when that fails."""
        program = program_of(command)
        if not os.path.isdir(folder):
            raise BdError(f"{folder} is gone")
        async with self._one_at_a_time:
            try:
                return await self._run([*program, *arguments], folder)
            except OSError as error:
                raise BdError(f"{program[0]} can't be run: {error.strerror}") from None

    async def _run(self, words: Sequence[str], folder: str) -> Answer:
        held, ours = os.pipe()
        try:
            transport, process = await asyncio.get_running_loop().subprocess_exec(
                _Process,
                *("/bin/sh", "-c", SHELL, "sh", *words),
                stdin=held,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=folder,
                start_new_session=True,
            )
            os.close(held)
            held = -1
            try:
                await self._wait(process, words[0])
                await _at_most(LAST_WORDS_SECONDS, process.silent)
                return Answer(transport.get_returncode() or 0, process.said[1], process.said[2])
            finally:
                await _end(transport, process)
        finally:
            if held >= 0:
                os.close(held)
            os.close(ours)

    async def _wait(self, process: "_Process", name: str) -> None:
        if not await _at_most(self._timeout, process.over):
            raise BdError(f"{name} gave no answer within {self._timeout:g} s")
        if process.is_endless:
            raise BdError(f"{name} said more than {MOST_OUTPUT >> 20} MB")


def program_of(command: str) -> list[str]:
    """The command's words, the first of them the path of a program that is there; BdError else.

    It is looked for here: not where it is called, which is somebody's project.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise BdError(f"beads.command can't be read: {error}") from None
    program = shutil.which(words[0]) if words else None
    if program is None:
        raise BdError(f"{plain(command) or 'beads.command'} is not there")
    return [os.path.abspath(program), *words[1:]]


async def _end(transport: asyncio.SubprocessTransport, process: "_Process") -> None:
    """Kill the process group, unless the shell has ended: as long as it has not, the group is its own."""
    if not process.exited.is_set():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(transport.get_pid(), signal.SIGKILL)
        await _at_most(FAREWELL_SECONDS, process.exited)
    transport.close()


class _Process(asyncio.SubprocessProtocol):
    """Keeps what it says. ``over`` is set when the shell has ended, or says too much."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.silent = asyncio.Event()
        self.exited = asyncio.Event()
        self.is_endless = False
        self.said = {1: b"", 2: b""}
        self._pipes = {1, 2}

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if len(self.said[fd]) + len(data) > MOST_OUTPUT:
            self.is_endless = True
            self.over.set()
        else:
            self.said[fd] += data

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._pipes.discard(fd)
        if not self._pipes:
            self.silent.set()

    def process_exited(self) -> None:
        self.exited.set()
        self.over.set()


async def _at_most(seconds: float, event: asyncio.Event) -> bool:
    """Wait for the event, but no longer than this; whether it came."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
