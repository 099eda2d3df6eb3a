"""What an audit compares the ledger with: the client's own totals, and what a log has copied."""

import struct
from collections.abc import Iterator
from typing import Any

import lmdb
import msgspec

from tollkeeper_daemon.records import Statement
from tollkeeper_daemon.store.keys import key_of

COUNT = struct.Struct(">Q")

_encode = msgspec.msgpack.Encoder().encode
_decode_statement = msgspec.msgpack.Decoder(Statement).decode


class Evidence:
    """Two tables, of several entries for each conversation. A part of a transaction."""

    def __init__(self, raw: lmdb.Transaction, statements: Any, copies: Any) -> None:
        self._raw = raw
        self._statements = statements
        self._copies = copies

    def save_copy(self, conversation: str, key: str) -> None:
        """Lines of this group stand in the conversation's log, whoever owns them."""
        self._raw.put(_under(conversation, key_of(key)), b"", db=self._copies)

    def copies(self, conversation: str) -> list[str]:
        """The groups whose lines stand in the conversation's log, though others may own them."""
        return [key.decode() for key, _ in self._all_under(conversation, self._copies)]

    def save_statement(self, conversation: str, statement: Statement) -> None:
        """One of the client's totals of this conversation; the same ones are kept once."""
        tokens = sum(spent.input + spent.output + spent.cache_read for _, spent in statement.models)
        key = _under(conversation, COUNT.pack(tokens))
        self._raw.put(key, _encode(statement), db=self._statements)

    def statements(self, conversation: str) -> list[Statement]:
        """Every one of the client's totals of this conversation, the smallest first."""
        found = self._all_under(conversation, self._statements)
        return [_decode_statement(value) for _, value in found]

    def _all_under(self, name: str, db: Any) -> Iterator[tuple[bytes, bytes]]:
        prefix = _under(name, b"")
        with self._raw.cursor(db) as cursor:
            if cursor.set_range(prefix):
                for key, value in cursor.iternext():
                    if key[: len(prefix)] != prefix:
                        return
                    yield bytes(key[len(prefix) :]), bytes(value)


def _under(name: str, key: bytes) -> bytes:
    """The key of one of several entries of this name."""
    return key_of(name) + b"\0" + key
