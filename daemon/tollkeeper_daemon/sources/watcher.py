"""Hears of changes in the Claude homes: native file events, or looking around when those run out."""

import errno
import logging
import os
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

from msgspec import Struct
from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch
from watchdog.observers.polling import PollingObserver

from tollkeeper_daemon.sources.homes import Home
from tollkeeper_daemon.sources.sessions import is_session_file

log = logging.getLogger(__name__)

POLLING_SECONDS = 1.0
HOW_TO_RAISE = "raise the limit with: sudo sysctl fs.inotify.max_user_watches=524288"

# No others are asked for: every log that is read, by whomever, would be told of twice.
EVENTS: list[type[FileSystemEvent]] = [
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
]
# A letter is written under another name and renamed.
LETTERS: list[type[FileSystemEvent]] = [FileMovedEvent]

Report = Callable[[str], None]


class Folder(Struct):
    """A folder under watch. Mutable: ``watch`` is None as long as it can't be had."""

    deep: bool
    handler: FileSystemEventHandler
    events: list[type[FileSystemEvent]]
    watch: ObservedWatch | None = None


@cache
def _folders_of(home: Home) -> tuple[tuple[Path, bool], ...]:
    """What is watched of a home, and whether deep; kept, since it is looked for all the time."""
    return (home.projects, True), (home.sessions, False), (home.path, False)


class Watcher:
    """Calls ``on_log`` and ``on_session`` with a path, in a thread of its own, for every change.

    ``on_folder`` is called there when a home has more to follow. ``on_trouble`` is called once, with
    a line for people, when native events are exhausted.
    """

    def __init__(
        self, on_log: Report, on_session: Report, on_folder: Callable[[], None], on_trouble: Report
    ) -> None:
        self._gone: set[str] = set()
        self._wanted: set[str] = set()
        self._handler = _Handler(on_log, on_session, self._note_come, self._note_gone)
        self._on_folder = on_folder
        self._on_trouble = on_trouble
        self._observer: BaseObserver = Observer()
        self._polling = False
        self._watched: dict[Path, Folder] = {}

    @property
    def kind(self) -> str:
        """Which way of hearing is in use, e.g. ``inotify``."""
        return (
            "polling"
            if self._polling
            else type(self._observer).__name__.lower().removesuffix("observer")
        )

    def start(self) -> None:
        """Begin to listen; folders are added by ``follow``."""
        # watchdog 7 says so when a folder is made while its parent's watch is being set up.
        warnings.filterwarnings("ignore", "Callback with id .* already exists", RuntimeWarning)
        self._observer.start()

    def stop(self) -> None:
        """Stop listening and wait for the thread to end, if it ever began."""
        self._observer.stop()
        if self._observer.is_alive():
            self._observer.join(timeout=5)

    def follow(self, home: Home) -> bool:
        """Watch whatever of the home exists by now; whether something new came under watch."""
        found = _folders_of(home)
        for path, _ in found:
            self._wanted.add(str(path))
            self._unwatch_if_gone(path)
        new = [(path, deep) for path, deep in found if path not in self._watched and path.is_dir()]
        for path, deep in new:
            self._watch(path, Folder(deep, self._handler, EVENTS))
        return bool(new)

    def watch_inbox(self, folder: Path, on_letter: Callable[[], None]) -> None:
        """Call this whenever a file comes into the folder, written elsewhere and renamed."""
        self._watch(folder, Folder(False, _Doorbell(on_letter), LETTERS))

    def _note_come(self, path: str) -> None:
        if path in self._wanted:
            self._on_folder()

    def _note_gone(self, path: str) -> None:
        if Path(path) in self._watched:
            self._gone.add(path)

    def _unwatch_if_gone(self, path: Path) -> None:
        """Let go of a folder that was deleted, as another one may stand in its place by now."""
        if str(path) in self._gone:
            self._gone.discard(str(path))
            known = self._watched.pop(path, None)
            if known and known.watch:
                self._observer.unschedule(known.watch)

    def _watch(self, path: Path, folder: Folder) -> None:
        self._watched[path] = folder
        try:
            self._schedule(path, folder)
        except OSError as error:
            if self._polling or error.errno not in (errno.ENOSPC, errno.EMFILE):
                log.warning("can't watch %s: %s", path, error)
                return
            self.fall_back(f"file watches ran out ({HOW_TO_RAISE})")

    def fall_back(self, why: str) -> None:
        """Look around once a second instead: slower to hear, but nothing is missed."""
        if self._polling:
            return
        self._on_trouble(f"{why}: logs are looked at once a second")
        self._observer.stop()
        self._polling = True
        self._observer = PollingObserver(timeout=POLLING_SECONDS)
        self._observer.start()
        for path, folder in self._watched.items():
            try:
                self._schedule(path, folder)
            except OSError as error:
                log.warning("can't watch %s: %s", path, error)

    def _schedule(self, path: Path, folder: Folder) -> None:
        folder.watch = self._observer.schedule(
            folder.handler, str(path), recursive=folder.deep, event_filter=folder.events
        )


class _Handler(FileSystemEventHandler):
    """Sorts paths by what they name; a new folder is walked, since files may be in it already."""

    def __init__(
        self, on_log: Report, on_session: Report, on_come: Report, on_gone: Report
    ) -> None:
        self._on_log = on_log
        self._on_session = on_session
        self._on_come = on_come
        self._on_gone = on_gone

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.is_directory and event.event_type in ("deleted", "moved"):
            self._on_gone(os.fsdecode(event.src_path))
        for path in {os.fsdecode(event.src_path), os.fsdecode(event.dest_path)}:
            if event.is_directory and event.event_type in ("created", "moved"):
                self._on_come(path)
                self._walk(path)
            else:
                self._sort(path)

    def _walk(self, folder: str) -> None:
        for parent, _, names in os.walk(folder):
            for name in names:
                self._sort(os.path.join(parent, name))

    def _sort(self, path: str) -> None:
        if path.endswith(".jsonl"):
            self._on_log(path)
        elif path.endswith(".meta.json"):
            self._on_log(path.removesuffix(".meta.json") + ".jsonl")
        elif is_session_file(path):
            self._on_session(path)


class _Doorbell(FileSystemEventHandler):
    """Tells that something came, not what."""

    def __init__(self, on_letter: Callable[[], None]) -> None:
        self._on_letter = on_letter

    def on_moved(self, event: DirMovedEvent | FileMovedEvent) -> None:
        self._on_letter()
