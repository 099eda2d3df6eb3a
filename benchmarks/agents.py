"""Agents that only seem to work: sleeping processes with session files and logs that grow."""

import json
import os
import subprocess
import threading
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from types import TracebackType
from typing import Final, Self

VERSION: Final = "2.1.330"
BLOCKS: Final = (
    {"type": "text", "text": "A toll is a fee for the use of a road. " * 30},
    {"type": "tool_use", "name": "Bash", "input": None},
)


class Agent:
    """One sleeping process and the conversation that its log tells of."""

    def __init__(self, home: Path, number: int) -> None:
        self.conversation = str(uuid.uuid4())
        self.cwd = f"/home/dev/src/project-{number % 5}"
        slug = self.cwd.replace("/", "-")
        self.log = home / "projects" / slug / f"{self.conversation}.jsonl"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._home = home
        self._process = subprocess.Popen(["sleep", "3600"], stdin=subprocess.DEVNULL)
        self._replies = 0
        self.say("busy")

    @property
    def pid(self) -> int:
        return self._process.pid

    def reply(self, output_tokens: int) -> bytes:
        """The lines of the agent's next reply: two blocks with the same usage."""
        self._replies += 1
        name = f"{self.conversation[:13]}{self._replies:06}"
        return b"".join(self._block(name, block, output_tokens) for block in BLOCKS)

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def say(self, status: str, **more: str) -> None:
        """Write the session file anew, as the client does when its state changes."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_bytes()
        note = {
            "pid": self._process.pid,
            "sessionId": self.conversation,
            "cwd": self.cwd,
            "startedAt": int(time.time() * 1000),
            # Field 22 of proc(5)'s stat: when it started, in clock ticks.
            "procStart": stat.rpartition(b") ")[2].split()[19].decode(),
            "version": VERSION,
            "kind": "interactive",
            "entrypoint": "cli",
            "status": status,
            **more,
        }
        folder = self._home / "sessions"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self._process.pid}.json").write_text(json.dumps(note))

    def _block(self, name: str, block: object, output_tokens: int) -> bytes:
        usage = {
            "input_tokens": 4,
            "cache_creation_input_tokens": 700,
            "cache_read_input_tokens": 48_000,
            "output_tokens": output_tokens,
            "cache_creation": {
                "ephemeral_5m_input_tokens": 0,
                "ephemeral_1h_input_tokens": 700,
            },
            "service_tier": "standard",
        }
        line = {
            "parentUuid": str(uuid.uuid4()),
            "isSidechain": False,
            "message": {
                "id": f"msg_{name}",
                "type": "message",
                "role": "assistant",
                "model": "claude-opus-5-5",
                "content": [block],
                "usage": usage,
            },
            "requestId": f"req_{name}",
            "type": "assistant",
            "uuid": str(uuid.uuid4()),
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "cwd": self.cwd,
            "sessionId": self.conversation,
            "version": VERSION,
            "gitBranch": "main",
        }
        return json.dumps(line, separators=(",", ":")).encode() + b"\n"


class Agents:
    """So many agents in one Claude home, ended with the block."""

    def __init__(self, home: Path, count: int) -> None:
        self.home = home
        self.all = [Agent(home, number) for number in range(count)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for agent in self.all:
            agent.end()

    @contextmanager
    def replying(self, a_second: float) -> Generator[None]:
        """So many replies a second are logged, by one agent after the other."""
        done = threading.Event()

        def write() -> None:
            due = time.monotonic()
            for agent in cycle(self.all):
                append(agent.log, agent.reply(200))
                due += 1 / a_second
                if done.wait(max(due - time.monotonic(), 0)):
                    return

        thread = threading.Thread(target=write)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def append(log: Path, data: bytes) -> int:
    """Append as the client does, which keeps no log open; when the write returned (ns)."""
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, data)
        return time.monotonic_ns()
    finally:
        os.close(descriptor)
