"""Hears of changes in the Claude homes: native file events, or looking around when those run out."""

import errno
import logging
import os
from collections.abc import Callable
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver
from watchdog.observers.polling import PollingObserver

from tollkeeper_daemon.sources.homes import Home
from tollkeeper_daemon.sources.sessions import is_session_file

log = logging.getLogger(__name__)

POLLING_SECONDS = 1.0
HOW_TO_RAISE = "raise it with: sudo sysctl fs.inotify.max_user_watches=524288"

Report = Callable[[str], None]


class Watcher:
    """Calls ``on_log`` and ``on_session`` with a path, in a thread of its own, for every change.

    ``on_trouble`` is called once, with a line for people, when native events are exhausted.
    """

    def __init__(self, on_log: Report, on_session: Report, on_trouble: Report) -> None:
        self._handler = _Handler(on_log, on_session)
        self._on_trouble = on_trouble
        self._observer: BaseObserver = Observer()
        self._polling = False
        self._watched: dict[Path, bool] = {}

    @property
    def kind(self) -> str:
        """Which way of hearing is in use, e.g. ``inotify``."""
        return "polling" if self._polling else type(self._observer).__name__.lower()

    def start(self) -> None:
        """Begin to listen; folders are added by ``follow``."""
        self._observer.start()

    def stop(self) -> None:
        """Stop listening and wait for the thread to end."""
        self._observer.stop()
        self._observer.join(timeout=5)

    def follow(self, home: Home) -> bool:
        """Watch whatever of the home exists by now; whether something new came under watch."""
        found = [(home.projects, True), (home.sessions, False), (home.path, False)]
        new = [(path, deep) for path, deep in found if path not in self._watched and path.is_dir()]
        for path, deep in new:
            self._watch(path, deep)
        return bool(new)

    def _watch(self, path: Path, deep: bool) -> None:
        self._watched[path] = deep
        try:
            self._observer.schedule(self._handler, str(path), recursive=deep)
        except OSError as error:
            if self._polling or error.errno not in (errno.ENOSPC, errno.EMFILE):
                log.warning("can't watch %s: %s", path, error)
                return
            self._fall_back(error)

    def _fall_back(self, error: OSError) -> None:
        """Look around once a second instead: slower to hear, but nothing is missed."""
        self._on_trouble(f"file watches ran out ({os.strerror(error.errno or 0)}); {HOW_TO_RAISE}")
        self._observer.stop()
        self._polling = True
        self._observer = PollingObserver(timeout=POLLING_SECONDS)
        self._observer.start()
        for path, deep in self._watched.items():
            self._observer.schedule(self._handler, str(path), recursive=deep)


class _Handler(FileSystemEventHandler):
    """Sorts paths by what they name; a new folder is walked, since files may be in it already."""

    def __init__(self, on_log: Report, on_session: Report) -> None:
        self._on_log = on_log
        self._on_session = on_session

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in ("opened", "closed_no_write"):
            return
        for path in {os.fsdecode(event.src_path), os.fsdecode(event.dest_path)}:
            if event.is_directory and event.event_type in ("created", "moved"):
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
