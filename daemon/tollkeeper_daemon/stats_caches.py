"""Keeps what the clients' own statistics say of each day, for when its logs are gone."""

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from tollkeeper_daemon.earlier import join
from tollkeeper_daemon.records import EarlierDay
from tollkeeper_daemon.sources.homes import Home
from tollkeeper_daemon.sources.stats_cache import FILE, read_stats_cache
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

log = logging.getLogger(__name__)


class StatsCaches:
    """The statistics of the followed homes; what was read stays when a file goes.

    ``bad`` names the files that can't be read.
    """

    def __init__(self, store: Store) -> None:
        self.bad: set[str] = set()
        self._store = store
        self._written: dict[Path, int] = {}

    def read(self, homes: Iterable[Home]) -> None:
        """Read each file that was written since the last look."""
        for home in homes:
            path = home.path / FILE
            try:
                written = os.stat(path).st_mtime_ns
            except OSError:
                continue
            if self._written.get(path) != written:
                self._keep(home.path)
                self._written[path] = written

    def _keep(self, home: Path) -> None:
        path = str(home / FILE)
        try:
            days = read_stats_cache(home)
        except ValueError as error:
            log.warning("can't read the client's statistics: %s", error)
            self.bad.add(path)
            return
        self.bad.discard(path)
        self._store.write(lambda transaction: _save(days, transaction))


def _save(days: list[EarlierDay], transaction: Transaction) -> None:
    known = {(day.home, day.date): day for day in transaction.earlier_days()}
    for day in days:
        before = known.get((day.home, day.date))
        if (joined := join(before, day)) != before:
            transaction.save_earlier_day(joined)
