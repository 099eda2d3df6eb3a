"""What proxies told of single requests, in a transaction: each row once, found by what it may be joined by."""

import hashlib
from collections.abc import Iterator
from typing import Literal, get_args

import msgspec
from msgspec import Struct

from tollkeeper_daemon.store.keys import key_of
from tollkeeper_daemon.store.tables import Access

Index = Literal["proxied_requests", "proxied_tokens"]
INDEXES: tuple[Index, ...] = get_args(Index)
Kind = tuple[int, ...]
"""An hour since 1970, and input, cache reads and cache writes: what is matched at once, so that it stays few.

Without the output, of which a log knows less when the reply breaks off."""

HOUR_MS = 3_600_000
DIGEST_SIZE = 16


def kind_of(time: int, tokens: tuple[int, ...]) -> Kind:
    """The kind of what has these tokens at this time (ms)."""
    return time // HOUR_MS, *tokens


class ProxyRow(Struct, frozen=True, array_like=True, gc=False):
    """One request as a proxy has it; times in ms, tokens as counts.

    ``proxy`` is its host and port, ``id`` what it calls the row, ``source`` and ``account`` who pays as books
    have it. ``request`` is the API's own id of the request and ``conversation`` whose it is, both empty
    where they are not known. ``seen`` is when it was first heard of, and ``history`` says that
    it was there before anybody watched. ``joined`` is its place: the key of the group that is the same request,
    or what else stands for it (``joins/match.py``). ``booked`` says that a request stands in the ledger that only
    proxies saw, by this row.
    """

    proxy: str
    id: str
    source: str
    account: str
    time: int
    seen: int
    model: str
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    request: str = ""
    conversation: str = ""
    history: bool = False
    joined: str = ""
    booked: bool = False

    @property
    def key(self) -> str:
        """Under which it is kept: what a proxy calls its rows, another one may as well."""
        return f"{self.proxy} {self.id}"

    @property
    def kind(self) -> Kind:
        """What it has in common with others that might be the same request."""
        return kind_of(self.time, (self.input, self.cache_read, self.cache_write))


class ProxyShelf(Access):
    """The tables ``proxied``, ``proxied_requests``, ``proxied_tokens`` and ``proxied_waiting``.

    The second finds rows by the request's id, the third by hour and tokens: a key of theirs is the digest of that and
    that of the row, so that a row is one entry, however many there are. The last holds the keys of those that are
    neither joined nor booked.
    """

    def row(self, key: str) -> ProxyRow | None:
        """The row of this key."""
        return self._get("proxied", key_of(key), _decode_row)

    def rows(self) -> Iterator[ProxyRow]:
        """Every row."""
        return (_decode_row(value) for _, value in self._all("proxied"))

    def of_request(self, request: str) -> list[ProxyRow]:
        """The rows about the request of this id; several proxies may pass it on to each other."""
        return self._listed("proxied_requests", request)

    def of_kind(self, kind: Kind, has_request: bool) -> list[ProxyRow]:
        """The rows of this kind, of which the request's id is known or not."""
        return self._listed("proxied_tokens", _named(kind, has_request))

    def waiting(self) -> list[str]:
        """The keys of the rows that are neither joined nor booked."""
        return [value.decode() for _, value in self._all("proxied_waiting")]

    def save(self, row: ProxyRow) -> None:
        """Keep the row as it is now, in the place of what was known of it."""
        known = self.row(row.key)
        before = _places(known) if known else set[tuple[Index, str]]()
        for index, name in before - _places(row):
            self._delete(index, _entry(name, row))
        for index, name in _places(row) - before:
            self._list(index, name, row)
        self._put("proxied", key_of(row.key), row)
        if row.joined or row.booked:
            self._delete("proxied_waiting", key_of(row.key))
        else:
            table = self._tables.by_name["proxied_waiting"]
            self._raw.put(key_of(row.key), row.key.encode(), db=table)

    def drop(self, row: ProxyRow) -> None:
        """Forget the row."""
        for index, name in _places(row):
            self._delete(index, _entry(name, row))
        self._delete("proxied", key_of(row.key))
        self._delete("proxied_waiting", key_of(row.key))

    def list_anew(self) -> None:
        """Find all rows by what they are found by now: another version listed them otherwise."""
        for index in INDEXES:
            self._raw.drop(self._tables.by_name[index], delete=False)
        for row in self.rows():
            for index, name in _places(row):
                self._list(index, name, row)

    def _list(self, index: Index, name: str, row: ProxyRow) -> None:
        self._raw.put(_entry(name, row), key_of(row.key), db=self._tables.by_name[index])

    def _listed(self, index: Index, name: str) -> list[ProxyRow]:
        rows = (self._get("proxied", key, _decode_row) for key in self._keys(index, name))
        return [row for row in rows if row]

    def _keys(self, index: Index, name: str) -> Iterator[bytes]:
        start = _digest(name)
        with self._raw.cursor(self._tables.by_name[index]) as cursor:
            found = cursor.set_range(start)
            while found and bytes(cursor.key()).startswith(start):
                yield bytes(cursor.value())
                found = cursor.next()


def _places(row: ProxyRow) -> set[tuple[Index, str]]:
    """By what the row is found."""
    tokens = _named(row.kind, has_request=bool(row.request))
    places: set[tuple[Index, str]] = {("proxied_tokens", tokens)}
    if row.request:
        places.add(("proxied_requests", row.request))
    return places


def _named(kind: Kind, has_request: bool) -> str:
    return ":".join(map(str, (*kind, int(has_request))))


def _entry(name: str, row: ProxyRow) -> bytes:
    """The key of the row's entry in an index."""
    return _digest(name) + _digest(row.key)


def _digest(name: str) -> bytes:
    return hashlib.blake2b(key_of(name), digest_size=DIGEST_SIZE).digest()


_decode_row = msgspec.msgpack.Decoder(ProxyRow).decode
