"""The Claude home of the made-up agents, written as Claude Code does: session files, logs, an account."""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tollkeeper.demo import lines
from tollkeeper.demo.lines import Tokens, Writer
from tollkeeper.demo.place import Place
from tollkeeper.kernel import read_stat

ACCOUNT = "0d3e0000-0000-4000-8000-000000000001"


def subscribe(place: Place) -> None:
    """Let the home's settings name the account of a subscription."""
    account = {"accountUuid": ACCOUNT, "emailAddress": "somebody@example.com"}
    (place.claude(by_key=False) / ".claude.json").write_text(json.dumps({"oauthAccount": account}))


class Conversation:
    """One conversation: its log, and those of its subagents."""

    def __init__(self, place: Place, project: str, by_key: bool) -> None:
        self.home = place.claude(by_key)
        self.writer = Writer(str(uuid.uuid4()), str(place.cwd(project)))
        self.log = log_path(self.home, self.writer)
        self._subagents: dict[str, Writer] = {}

    @property
    def id(self) -> str:
        return self.writer.conversation

    def prompt(self, when: datetime) -> None:
        """A person types something."""
        append(self.log, lines.prompt(self.writer, when))

    def owned(self) -> None:
        """It runs on the subscription."""
        append(self.log, lines.session_owner(self.writer, ACCOUNT))

    def reply(self, model: str, tokens: Tokens, when: datetime, subagent: str = "") -> None:
        """The API answers; a subagent that has not begun is answered in its agent's place."""
        writer = self._subagents.get(subagent, self.writer)
        append(self._log_of(writer), lines.reply(writer, model, tokens, when))

    def subagent(self, kind: str, description: str, finished: bool) -> None:
        """A subagent of this type begins, or has finished; of a type there is one at a time."""
        if not finished or kind not in self._subagents:
            writer = Writer(self.id, self.writer.cwd, uuid.uuid4().hex[:17], kind)
            self._subagents[kind] = writer
        note = {"agentType": kind, "description": description, "finished": finished}
        path = self._log_of(self._subagents[kind]).with_suffix(".meta.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(note))

    def _log_of(self, writer: Writer) -> Path:
        if not writer.subagent:
            return self.log
        return self.log.with_suffix("") / "subagents" / f"agent-{writer.subagent}.jsonl"


class SessionFile:
    """``sessions/<pid>.json``: what a running client says of itself."""

    def __init__(self, pid: int, conversation: Conversation, name: str) -> None:
        self._path = conversation.home / "sessions" / f"{pid}.json"
        self._pid = pid
        self._conversation = conversation
        self._name = name
        self._started = now()
        self._state = "", ""

    def write(self, status: str, waiting_for: str = "") -> None:
        """Write it whole, as the client does when its state changes; said again, it is no change."""
        if (status, waiting_for) == self._state:
            return
        self._state = status, waiting_for
        note: dict[str, Any] = {
            "pid": self._pid,
            "sessionId": self._conversation.id,
            "cwd": self._conversation.writer.cwd,
            "startedAt": milliseconds(self._started),
            "version": lines.VERSION,
            "kind": "interactive",
            "entrypoint": "cli",
            "name": self._name,
            "nameSource": "user",
            "status": status,
            "statusUpdatedAt": milliseconds(now()),
        }
        if ticks := _start_ticks(self._pid):
            note["procStart"] = ticks
        if waiting_for:
            note["waitingFor"] = waiting_for
        self._path.parent.mkdir(parents=True, exist_ok=True)
        whole = self._path.with_suffix(".new")
        whole.write_text(json.dumps(note))
        whole.rename(self._path)

    def remove(self) -> None:
        """The client has ended."""
        self._path.unlink(missing_ok=True)


def status_line(
    conversation: Conversation,
    model: str,
    context: float,
    changes: tuple[int, int],
    api_seconds: float,
    windows: dict[str, tuple[float, datetime]],
) -> bytes:
    """What the client hands to its status line; ``windows`` of the plan, on a subscription."""
    said: dict[str, Any] = {
        "session_id": conversation.id,
        "transcript_path": str(conversation.log),
        "cwd": conversation.writer.cwd,
        "model": {"id": model},
        "version": lines.VERSION,
        "cost": {
            "total_api_duration_ms": int(api_seconds * 1000),
            "total_lines_added": changes[0],
            "total_lines_removed": changes[1],
        },
        "context_window": {"used_percentage": round(context, 1)},
    }
    if windows:
        said["rate_limits"] = {
            name: {"used_percentage": percent, "resets_at": int(resets.timestamp())}
            for name, (percent, resets) in windows.items()
        }
    return json.dumps(said).encode()


def log_path(home: Path, writer: Writer) -> Path:
    """The log of a conversation."""
    slug = "".join(letter if letter.isalnum() else "-" for letter in writer.cwd)
    return home / "projects" / slug / f"{writer.conversation}.jsonl"


def append(log: Path, data: bytes) -> None:
    """Append to the log, which is not kept open between writes."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as file:
        file.write(data)


def now() -> datetime:
    """The time that lines bear."""
    return datetime.now(UTC)


def milliseconds(when: datetime) -> int:
    """Milliseconds since 1970."""
    return int(when.timestamp() * 1000)


def _start_ticks(pid: int) -> str:
    """When the process started, as the client notes it; nothing where there is no /proc."""
    try:
        return str(read_stat(pid).start)
    except (OSError, ValueError):
        return ""
