"""Keeps the segments ready (``run/segments/``): one of everything, one per conversation and agent."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from tollkeeper import wire
from tollkeeper.feed import apply
from tollkeeper.model import Agent, Status
from tollkeeper.places import SEGMENT_OF_ALL, is_file_name
from tollkeeper.segment import render
from tollkeeper_daemon.config import SegmentSettings

log = logging.getLogger(__name__)

# How long an agent's change waits at most; and its context, which may move with each refresh of its
# status line, as well as what its segment tells of all, such as the plan.
GATHER_SECONDS = 0.05
ALL_SECONDS = 1.0
FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


class Link(NamedTuple):
    """Of an agent there is one file, by the name of its conversation; its pid leads there."""

    to: str


class Segments:
    """Files that shells and status lines read without asking the daemon.

    It hears every update, and keeps a status by them as any client does. Rendered is what changed,
    written what then reads otherwise; ages and days go by with the heartbeat.
    """

    def __init__(self, folder: Path, settings: SegmentSettings) -> None:
        self._folder = folder
        self._settings = settings
        self._status: Status | None = None
        self._changed = asyncio.Event()
        # The ids of the agents that an update named since they were last rendered.
        self._named: set[str] = set()
        self._all_due = 0.0
        # Whether an agent's segment may tell what is no longer so of its context, or of all agents.
        self._behind = False
        self._written: dict[str, str | Link] = {}
        # Whose segment a file was rendered for, by id.
        self._owners: dict[str, str] = {}
        self._troubled = False

    def begin(self, status: Status) -> None:
        """Take up from this status; updates go on top."""
        self._status = status
        self._changed.set()

    def follow(self, settings: SegmentSettings) -> None:
        """The formats are these now."""
        if settings != self._settings:
            self._settings = settings
            self._all_due = 0.0
            self._changed.set()

    def hear(self, topic: wire.Topic, update: wire.Update) -> None:
        """An update was published."""
        if self._status is None:
            return
        before = self._status
        self._status = apply(before, topic, update)
        match update:
            case wire.AgentUpdate() if _is_context_alone(before, update.agent):
                pass
            case wire.AgentUpdate():
                self._named.add(update.agent.id)
            case wire.UsageUpdate():
                self._named.update(agent.id for agent in update.agents)
            case _:
                pass
        self._changed.set()

    async def keep_up(self, attempt: Callable[..., bool]) -> None:
        """Write what changed, soon after it did, for as long as the daemon lives."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ALL_SECONDS if self._behind else None):
                    await self._changed.wait()
            self._changed.clear()
            attempt(self.write, time.monotonic())
            await asyncio.sleep(GATHER_SECONDS)

    def write(self, clock: float, now: datetime | None = None) -> None:
        """Bring the files up to date; ``clock`` is in seconds, and ``now`` the local time."""
        status = self._status
        if status is None:
            return
        now = now or datetime.now().astimezone()
        files: dict[str, str | Link] = {}
        files[SEGMENT_OF_ALL] = render(status, self._settings.format, "plain", now)
        everyone = clock >= self._all_due
        if everyone:
            self._all_due = clock + ALL_SECONDS
        self._behind = not everyone
        owners: dict[str, str] = {}
        for name, whose in files_of(status.agents).items():
            if isinstance(whose, Link):
                files[name] = whose
                continue
            owners[name] = whose.id
            if everyone or self._is_stale(name, whose):
                files[name] = render(status, self._settings.statusline, "ansi", now, whose)
            else:
                files[name] = self._written[name]
        self._named.clear()
        self._owners = owners
        self._put(files)

    def clear(self) -> None:
        """Remove every segment, those that an earlier daemon left as well."""
        self._status = None
        self._written.clear()
        with contextlib.suppress(OSError):
            for name in os.listdir(self._folder):
                self._remove(name)

    def _is_stale(self, name: str, whose: Agent) -> bool:
        """Whether the file may tell what is no longer so of its agent."""
        is_same = self._owners.get(name) == whose.id and name in self._written
        return whose.id in self._named or not is_same

    def _put(self, files: dict[str, str | Link]) -> None:
        """Let there be these files and no others, each whole at any moment."""
        for name in self._written.keys() - files.keys():
            self._remove(name)
            del self._written[name]
        try:
            for name, content in files.items():
                if self._written.get(name) != content:
                    self._write(name, content)
                    self._written[name] = content
        except OSError as error:
            if not self._troubled:
                log.warning("can't write %s: %s", self._folder, error.strerror)
            self._troubled = True
        else:
            self._troubled = False

    def _write(self, name: str, content: str | Link) -> None:
        aside = f"{self._folder}/.{name}"
        if isinstance(content, Link):
            os.symlink(content.to, aside)
        else:
            file = os.open(aside, FLAGS, 0o600)
            try:
                os.write(file, f"{content}\n".encode() if content else b"")
            finally:
                os.close(file)
        os.replace(aside, f"{self._folder}/{name}")

    def _remove(self, name: str) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self._folder / name)


def _is_context_alone(before: Status, agent: Agent) -> bool:
    """Whether nothing else of the agent changed than how full its context is."""
    known = next((each for each in before.agents if each.id == agent.id), None)
    percent = agent.context_used_percent
    return known is not None and replace(known, context_used_percent=percent) == agent


def files_of(agents: tuple[Agent, ...]) -> dict[str, Agent | Link]:
    """Whose segment each file holds: a conversation's is that of the agent that started last."""
    living = [agent for agent in agents if agent.state != "exited"]
    living.sort(key=lambda agent: agent.started_at)
    files: dict[str, Agent | Link] = {}
    for agent in living:
        name = agent.conversation
        if name and is_file_name(name) and name != SEGMENT_OF_ALL and not name.isdecimal():
            files[name] = agent
    for agent in living:
        name = agent.conversation
        is_own = name is not None and files.get(name) is agent
        files[str(agent.pid)] = Link(name) if name and is_own else agent
    return files
