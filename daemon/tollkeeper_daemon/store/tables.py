"""The tables of the store, and how single entries of them are read and written."""

from collections.abc import Iterator
from typing import Any, ClassVar

import lmdb
import msgspec

_encode = msgspec.msgpack.Encoder().encode


class Tables:
    """The handles of the environment's tables."""

    NAMES: ClassVar = (
        "meta",
        "files",
        "groups",
        "prompts",
        "sums",
        "timeline",
        "gone",
        "books",
        "book_numbers",
        "conversations",
        "statements",
        "copies",
        "copied",
        "agents",
        "runs",
        "earlier",
        "windows",
        "limits",
        "memories",
        "excused",
        "holds",
        "journal",
        "gauges",
        "workflows",
        "spans",
        "work",
        "ended",
        "reckoned",
        "lines",
        "comments",
        "event_files",
        "in_brief",
        "edits",
        "proxied",
        "proxied_requests",
        "proxied_tokens",
        "proxied_waiting",
    )

    def __init__(self, env: lmdb.Environment) -> None:
        self.by_name = {name: env.open_db(name.encode()) for name in self.NAMES}
        self.request_ids = env.open_db(b"request_ids", dupsort=True)


class Access:
    """Entries of any table, in one transaction; what they hold is MessagePack."""

    def __init__(self, raw: lmdb.Transaction, tables: Tables) -> None:
        self._raw = raw
        self._tables = tables

    def count(self, table: str) -> int:
        """How many entries the table has."""
        return self._raw.stat(self._tables.by_name[table])["entries"]

    def _get(self, table: str, key: bytes, decode: Any) -> Any:
        found = self._raw.get(key, db=self._tables.by_name[table])
        return None if found is None else decode(found)

    def _put(self, table: str, key: bytes, value: Any) -> None:
        self._raw.put(key, _encode(value), db=self._tables.by_name[table])

    def _delete(self, table: str, key: bytes) -> None:
        self._raw.delete(key, db=self._tables.by_name[table])

    def _put_many(self, table: str, values: dict[bytes, Any]) -> None:
        items = [(key, _encode(values[key])) for key in sorted(values)]
        with self._raw.cursor(self._tables.by_name[table]) as cursor:
            cursor.putmulti(items)

    def _all(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        with self._raw.cursor(self._tables.by_name[table]) as cursor:
            for key, value in cursor.iternext():
                yield bytes(key), bytes(value)
