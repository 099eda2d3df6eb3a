"""The LMDB environment: opens it, checks its version, grows its map, and runs transactions."""

import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Self, TypeVar

import lmdb

from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.store.memory import give_back_freed
from tollkeeper_daemon.store.schema import VERSION
from tollkeeper_daemon.store.tables import Tables
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.store.upgrade import upgrade

FIRST_MAP_SIZE = 64 << 20
# The versions that can be brought up to date.
OLDER = (1, 2, 3)
# More than there are threads that read at one time.
MOST_READERS = 64

T = TypeVar("T")


class StoreError(Exception):
    """The ledger can't be opened; the text is for people, ``hint`` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def is_out_of_room(error: Exception) -> bool:
    """Whether the disk or the memory is at fault, and not what was to be saved."""
    if isinstance(error, lmdb.BadValsizeError):
        return False
    return isinstance(error, lmdb.Error | OSError | MemoryError)


class Store:
    """The ledger's file. One process at a time may open it, one transaction at a time runs.

    ``last_saved`` is when anything was saved before it was opened (seconds since 1970).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._books: dict[Book, int] = {}
        self._reads = 0
        self._read_ended = threading.Condition()
        self._mapping = False
        # None where it could not be opened anew; whoever needs it next tries again.
        self._env: lmdb.Environment | None = None
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.last_saved = _last_saved(path)
            self._size = max(FIRST_MAP_SIZE, _size_on_disk(path) * 2)
            self._opened()
        except (lmdb.Error, OSError) as error:
            raise StoreError(
                f"can't open the ledger in {path}: {error}",
                "move that directory away; it is built anew from the logs that are still there",
            ) from None
        self._check_version(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write everything through and close the file, once no thread reads in it any more."""
        with self._read_ended:
            self._read_ended.wait_for(lambda: not self._reads)
            if self._env:
                self._env.sync(True)
                self._env.close()

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Do the work in one transaction: all of it is saved, or nothing.

        The work may be called again from the start when the map had to grow.
        """
        while True:
            env = self._opened()
            try:
                with env.begin(write=True) as raw:
                    transaction = Transaction(raw, self._tables, self._books)
                    result = work(transaction)
            except lmdb.MapFullError:
                self._map_anew(env.info()["map_size"] * 2)
            else:
                transaction.after_commit()
                return result

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Look things up in one consistent state, in any thread; the work must not write, nor read."""
        with self._read_ended:
            self._read_ended.wait_for(lambda: not self._mapping)
            self._reads += 1
        try:
            with self._opened().begin() as raw:
                return work(Transaction(raw, self._tables, self._books))
        finally:
            with self._read_ended:
                self._reads -= 1
                self._read_ended.notify_all()

    def let_go(self) -> None:
        """Give back the memory that a large import took: cached books, and the pages it read and wrote.

        LMDB keeps those that it wrote for the next transaction, for as long as the file is open. Whoever
        comes next opens it again; where that fails, the one after does.
        """
        self._books.clear()
        with self._nobody_reading():
            if self._env:
                self._size = self._env.info()["map_size"]
                self._env.close()
                self._env = None
        give_back_freed()

    def _opened(self) -> lmdb.Environment:
        with self._read_ended:
            if self._env is None:
                env = _open(self._path, self._size)
                try:
                    self._tables = Tables(env)
                except BaseException:
                    env.close()
                    raise
                self._env = env
            return self._env

    def _map_anew(self, size: int) -> None:
        """Map the file at another place in memory."""
        with self._nobody_reading():
            self._opened().set_mapsize(size)

    @contextmanager
    def _nobody_reading(self) -> Generator[None]:
        """When nobody reads any more; whoever comes meanwhile waits, or those who read would never end."""
        with self._read_ended:
            self._mapping = True
            try:
                self._read_ended.wait_for(lambda: not self._reads)
                yield
            finally:
                self._mapping = False
                self._read_ended.notify_all()

    def _check_version(self, path: Path) -> None:
        found = self.read(lambda transaction: transaction.meta("schema"))
        if found is None:
            self.write(lambda transaction: transaction.set_meta("schema", VERSION))
        elif found in OLDER:
            self.write(lambda transaction: upgrade(transaction, found))
        elif found != VERSION:
            self.close()
            raise StoreError(
                f"the ledger in {path} has version {found}, this Tollkeeper reads {VERSION}",
                "install the newer Tollkeeper again",
            )


def _open(path: Path, size: int) -> lmdb.Environment:
    # metasync=False: a commit survives any crash of ours, and a crash of the machine can
    # cost the last transaction but never the file's integrity. The logs are the truth: an
    # offset lost is a line read again, and posting it again changes nothing.
    return lmdb.open(
        str(path),
        map_size=size,
        max_dbs=len(Tables.NAMES) + 4,
        metasync=False,
        max_readers=MOST_READERS,
        mode=0o600,
    )


def _last_saved(path: Path) -> float:
    try:
        return os.stat(path / "data.mdb").st_mtime
    except FileNotFoundError:
        return 0.0


def _size_on_disk(path: Path) -> int:
    try:
        return os.stat(path / "data.mdb").st_size
    except FileNotFoundError:
        return 0
