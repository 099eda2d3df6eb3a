"""A Claude home that tests write into as the client does: logs, session files, settings."""

import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import lines
from .lines import OPUS, USUAL, Tokens, Writer


class Log:
    """One log file, appended to line by line; the file is not kept open between writes."""

    def __init__(self, path: Path, writer: Writer) -> None:
        self.path = path
        self.writer = writer

    @property
    def conversation(self) -> str:
        return self.writer.conversation

    def append(self, data: bytes) -> None:
        """Append these bytes, and make the folders above the log first if need be."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "ab") as file:
            file.write(data)

    def reply(self, tokens: Tokens = USUAL, model: str = OPUS, blocks: int = 1) -> None:
        """Append one reply."""
        self.append(lines.reply(self.writer, tokens, model, blocks))

    def edit(self, path: str, old: str = "one", new: str = "two") -> None:
        """Append a reply that asks to change this file."""
        self.append(lines.edit(self.writer, path, old, new))

    def prompt(self, text: str = "Count the tolls.") -> None:
        """Append what a person typed."""
        self.append(lines.prompt(self.writer, text))

    def subagent(self, kind: str, description: str, finished: bool = False) -> "Log":
        """A helper's log below this one, with the note beside it that says what it is."""
        name = uuid.uuid4().hex[:17]
        folder = self.path.with_suffix("") / "subagents"
        folder.mkdir(parents=True, exist_ok=True)
        note = {"agentType": kind, "description": description, "finished": finished}
        (folder / f"agent-{name}.meta.json").write_text(json.dumps(note))
        writer = Writer(self.writer.conversation, self.writer.cwd, name, kind)
        return Log(folder / f"agent-{name}.jsonl", writer)


class ClaudeHome:
    """The directory that CLAUDE_CONFIG_DIR names."""

    def __init__(self, path: Path, work: Path) -> None:
        self.path = path
        self._work = work

    @property
    def projects(self) -> Path:
        return self.path / "projects"

    @property
    def sessions(self) -> Path:
        return self.path / "sessions"

    def cwd(self, project: str = "shop") -> Path:
        """A directory to work in, outside of the home."""
        folder = self._work / project
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def log(self, project: str = "shop", conversation: str | None = None) -> Log:
        """The log of a conversation, a new one unless it is named."""
        writer = Writer(conversation or str(uuid.uuid4()), str(self.cwd(project)))
        folder = self.projects / slug(writer.cwd)
        return Log(folder / f"{writer.conversation}.jsonl", writer)

    def write_session(self, pid: int, note: dict[str, Any]) -> Path:
        """Write ``sessions/<pid>.json`` whole, as the client does on every change."""
        self.sessions.mkdir(parents=True, exist_ok=True)
        path = self.sessions / f"{pid}.json"
        path.write_text(json.dumps(note))
        return path

    def subscribe(self) -> None:
        """Let the client's settings name the account of a subscription."""
        account = {"accountUuid": str(uuid.uuid4()), "emailAddress": "somebody@example.com"}
        (self.path / ".claude.json").write_text(json.dumps({"oauthAccount": account}))


def slug(cwd: str) -> str:
    """The name of a project's folder."""
    return "".join(letter if letter.isalnum() else "-" for letter in cwd)


def replace_file(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Put a changed copy in the file's place, under a new inode, as editors do."""
    copy = path.with_name(path.name + ".new")
    copy.write_bytes(change(path.read_bytes()))
    os.replace(copy, path)
