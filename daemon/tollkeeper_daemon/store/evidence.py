"""What an audit compares the ledger with: the client's own totals, and what a log has copied."""

import hashlib
from collections.abc import Iterator
from typing import Any

import lmdb
import msgspec
from msgspec import Struct

from tollkeeper_daemon.ledger.books import Group
from tollkeeper_daemon.ledger.requests import resolve
from tollkeeper_daemon.records import Spent, Statement
from tollkeeper_daemon.store.keys import key_of


class Made(Struct, frozen=True, array_like=True, gc=False):
    """A paid request as an audit sees it: who made it, with which model, and what it came to."""

    conversation: str
    model: str
    spent: Spent


_encode = msgspec.msgpack.Encoder().encode
_decode_statement = msgspec.msgpack.Decoder(Statement).decode
_decode_made = msgspec.msgpack.Decoder(tuple[Made, ...]).decode


class Evidence:
    """What is kept for audits, in tables of its own. A part of a transaction.

    ``copied`` has an entry for each group that was ever copied: empty while the group is kept, and
    what it came to when it was dropped.
    """

    def __init__(self, raw: lmdb.Transaction, statements: Any, copies: Any, copied: Any) -> None:
        self._raw = raw
        self._statements = statements
        self._copies = copies
        self._copied = copied

    def save_copy(self, conversation: str, key: str) -> None:
        """Lines of this group stand in the conversation's log, whoever owns them."""
        self._raw.put(_under(conversation, key_of(key)), b"", db=self._copies)
        self._raw.put(key_of(key), b"", db=self._copied, overwrite=False)

    def outlive(self, key: str, group: Group) -> None:
        """The group is about to be dropped: if it was copied, keep what it came to."""
        if self._raw.get(key_of(key), db=self._copied) is not None:
            self._raw.put(key_of(key), _encode(made_in(group)), db=self._copied)

    def outlived(self, key: str) -> tuple[Made, ...] | None:
        """What a copied group came to that was dropped; None where that is not known."""
        found = self._raw.get(key_of(key), db=self._copied)
        return _decode_made(found) if found else None

    def copies(self, conversation: str) -> list[str]:
        """The groups whose lines stand in the conversation's log, though others may own them."""
        return [key.decode() for key, _ in self._all_under(conversation, self._copies)]

    def save_statement(self, conversation: str, statement: Statement) -> None:
        """One of the client's totals of this conversation; the same ones are kept once.

        When they were counted is left out, or those of every idle turn would be kept.
        """
        encoded = _encode(Statement(statement.models, statement.value))
        digest = hashlib.blake2b(encoded, digest_size=16).digest()
        self._raw.put(_under(conversation, digest), encoded, db=self._statements)

    def statements(self, conversation: str) -> list[Statement]:
        """Every one of the client's totals of this conversation, in the order of their value."""
        found = {value for _, value in self._all_under(conversation, self._statements)}
        return sorted(map(_decode_statement, sorted(found)), key=lambda each: each.value)

    def _all_under(self, name: str, db: Any) -> Iterator[tuple[bytes, bytes]]:
        prefix = _under(name, b"")
        with self._raw.cursor(db) as cursor:
            if cursor.set_range(prefix):
                for key, value in cursor.iternext():
                    if key[: len(prefix)] != prefix:
                        return
                    yield bytes(key[len(prefix) :]), bytes(value)


def made_in(group: Group) -> tuple[Made, ...]:
    """The paid requests of the group."""
    return tuple(
        Made(
            reply.conversation,
            reply.model,
            Spent(
                reply.input,
                reply.output,
                reply.cache_read,
                reply.cache_write_5m,
                reply.cache_write_1h,
                reply.web_searches,
                charge.value,
            ),
        )
        for reply, charge in zip(resolve(group.entries), group.charges, strict=True)
    )


def _under(name: str, key: bytes) -> bytes:
    """The key of one of several entries of this name."""
    return key_of(name) + b"\0" + key
