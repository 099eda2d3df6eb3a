"""Runs a program to its end: in bounded time, with bounded output, and none that outlives us."""

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tollkeeper.cli.words import plain

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


class ChildError(Exception):
    """The program could not be run, or gave no answer in time, or too long a one; the text says which."""


class Answer(Struct, frozen=True):
    """What it answered, and with which exit status."""

    status: int
    out: bytes
    error: bytes

    @property
    def last_words(self) -> str:
        """The last line that it complained with, plain and not too long; empty for none."""
        lines = self.error.decode("utf-8", "replace").strip().splitlines() or [""]
        return plain(lines[-1])[:LONGEST_WORDS]


def words_of(command: str, setting: str) -> list[str]:
    """The command's words, the first of them the path of a program that is there; ChildError else.

    It is looked for here: not where it is called, which may be somebody's project. ``setting`` is
    where the command is written.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ChildError(f"{setting} can't be read: {error}") from None
    program = shutil.which(words[0]) if words else None
    if program is None:
        raise ChildError(f"{plain(command) or setting} is not there")
    return [os.path.abspath(program), *words[1:]]


async def run_child(
    words: Sequence[str],
    folder: str,
    timeout: float,
    environment: Mapping[str, str] | None = None,
) -> Answer:
    """Run these words in this folder, with nothing to read; ChildError when that fails.

    After ``timeout`` seconds, or when the caller is cancelled, it is killed with all that it started.
    """
    try:
        return await _run(words, folder, timeout, environment)
    except OSError as error:
        raise ChildError(f"{words[0]} can't be run: {error.strerror}") from None


async def _run(
    words: Sequence[str], folder: str, timeout: float, environment: Mapping[str, str] | None
) -> Answer:
    held, ours = os.pipe()
    try:
        transport, process = await asyncio.get_running_loop().subprocess_exec(
            _Process,
            *("/bin/sh", "-c", SHELL, "sh", *words),
            stdin=held,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
        os.close(held)
        held = -1
        try:
            await _wait(process, words[0], timeout)
            await _at_most(LAST_WORDS_SECONDS, process.silent)
            return Answer(
                transport.get_returncode() or 0, bytes(process.said[1]), bytes(process.said[2])
            )
        finally:
            await _end(transport, process)
    finally:
        if held >= 0:
            os.close(held)
        os.close(ours)


async def _wait(process: "_Process", name: str, timeout: float) -> None:
    if not await _at_most(timeout, process.over):
        raise ChildError(f"{name} gave no answer within {timeout:g} s")
    if process.is_endless:
        raise ChildError(f"{name} said more than {MOST_OUTPUT >> 20} MB")


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
        self.said = {1: bytearray(), 2: bytearray()}
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
