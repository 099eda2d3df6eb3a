"""Which homes were read up to the present once: what comes in the others is history."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from tollkeeper_daemon.agents.followed import Followed
from tollkeeper_daemon.sources.homes import Home
from tollkeeper_daemon.store.store import Store

T = TypeVar("T")

HOMES_WATCHED = "homes_watched"


class WatchedHomes:
    """The homes whose history is read, as the store remembers them."""

    def __init__(self, store: Store, followed: Followed) -> None:
        self._store = store
        self._followed = followed
        known: list[str] = store.read(lambda transaction: transaction.meta(HOMES_WATCHED)) or []
        self._homes = {Home(Path(path)) for path in known}

    def parted(self, things: Iterable[T], path_of: Callable[[T], str]) -> tuple[list[T], list[T]]:
        """Those whose log is in a home that is still new, and the others."""
        new: list[T] = []
        known: list[T] = []
        for thing in things:
            home = self._followed.home_of_log(path_of(thing))
            (known if home in self._homes else new).append(thing)
        return new, known

    def add(self, homes: Iterable[Home]) -> None:
        """All that these held is read."""
        if more := set(homes) - self._homes:
            paths = sorted(str(home.path) for home in self._homes | more)
            self._store.write(lambda transaction: transaction.set_meta(HOMES_WATCHED, paths))
            self._homes |= more
