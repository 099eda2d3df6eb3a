"""Keeps what the clients' own statistics say of each day, for when its logs are gone."""

import logging
import os
from collections.abc import Iterable
from datetime import date
from functools import partial
from pathlib import Path

from tollkeeper_daemon.records import EarlierDay
from tollkeeper_daemon.sources.homes import Home
from tollkeeper_daemon.sources.stats_cache import FILE, read_stats_cache
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.transcript.earlier import join

log = logging.getLogger(__name__)

SAVED_AT_ONCE = 500


class StatsCaches:
    """The statistics of the followed homes; what was read stays when a file goes.

    ``bad`` names the files that can't be read.
    """

    def __init__(self, store: Store) -> None:
        self.bad: set[str] = set()
        self._store = store
        self._written: dict[Path, int] = {}

    def read(self, homes: Iterable[Home], now: int) -> None:
        """Read each file that was written since the last look; ``now`` in ms."""
        for home in homes:
            path = home.path / FILE
            try:
                written = os.stat(path).st_mtime_ns
            except OSError:
                continue
            if self._written.get(path) != written:
                self._keep(home.path, date.fromtimestamp(now / 1000))
                self._written[path] = written

    def _keep(self, home: Path, today: date) -> None:
        path = str(home / FILE)
        try:
            days = read_stats_cache(home, today)
        except ValueError as error:
            log.warning("can't read the client's statistics: %s", error)
            self.bad.add(path)
            return
        self.bad.discard(path)
        known = {
            day.date: day
            for day in self._store.read(lambda transaction: transaction.earlier_days())
            if days and day.home == days[0].home
        }
        joined = [join(known.get(day.date), day) for day in days]
        news = [day for day in joined if day != known.get(day.date)]
        for start in range(0, len(news), SAVED_AT_ONCE):
            self._store.write(partial(_save, news[start : start + SAVED_AT_ONCE]))


def _save(days: Iterable[EarlierDay], transaction: Transaction) -> None:
    for day in days:
        transaction.save_earlier_day(day)
