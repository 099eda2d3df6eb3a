"""What proxies told of single requests, in a transaction: each row once, found by what it may be joined by."""

from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import Struct

from tollkeeper_daemon.store.keys import key_of
from tollkeeper_daemon.store.tables import Access

Index = Literal["proxied_requests", "proxied_tokens"]
Kind = tuple[int, ...]
"""An hour since 1970, and input, output, cache reads and cache writes: what is matched at once, so that it stays few."""

HOUR_MS = 3_600_000


def kind_of(time: int, tokens: tuple[int, ...]) -> Kind:
    """The kind of what has these tokens at this time (ms)."""
    return time // HOUR_MS, *tokens


class ProxyRow(Struct, frozen=True, array_like=True, gc=False):
    """One request as a proxy has it; times in ms, tokens as counts.

    ``proxy`` is its host and port, ``id`` what it calls the row, ``source`` and ``account`` who pays as books
    have it. ``request`` is the API's own id of the request and ``conversation`` whose it is, both empty
    where they are not known. ``seen`` is when it was first heard of, and ``history`` says that
    it was there before anybody watched. ``joined`` is the key of the group that is the same request,
    and ``booked`` says that a request stands in the ledger that only the proxy saw.
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
        tokens = self.input, self.output, self.cache_read, self.cache_write
        return kind_of(self.time, tokens)


class ProxyShelf(Access):
    """The tables ``proxied``, ``proxied_requests``, ``proxied_tokens`` and ``proxied_waiting``.

    The second finds rows by the request's id, the third those without one by hour and tokens, and
    the last holds the keys of those that are neither joined nor booked.
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

    def of_kind(self, kind: Kind) -> list[ProxyRow]:
        """The rows of this kind without a request's id."""
        return self._listed("proxied_tokens", _named(kind))

    def waiting(self) -> list[str]:
        """The keys of the rows that are neither joined nor booked."""
        return [value.decode() for _, value in self._all("proxied_waiting")]

    def save(self, row: ProxyRow) -> None:
        """Keep the row as it is now, in the place of what was known of it."""
        known = self.row(row.key)
        if known and _place(known) != _place(row):
            self._unlist(known)
        if known is None or _place(known) != _place(row):
            index, name = _place(row)
            self._put(index, key_of(name), sorted({*self._keys(index, name), row.key}))
        self._put("proxied", key_of(row.key), row)
        if row.joined or row.booked:
            self._delete("proxied_waiting", key_of(row.key))
        else:
            table = self._tables.by_name["proxied_waiting"]
            self._raw.put(key_of(row.key), row.key.encode(), db=table)

    def drop(self, row: ProxyRow) -> None:
        """Forget the row."""
        self._unlist(row)
        self._delete("proxied", key_of(row.key))
        self._delete("proxied_waiting", key_of(row.key))

    def _listed(self, index: Index, name: str) -> list[ProxyRow]:
        rows = map(self.row, self._keys(index, name))
        return [row for row in rows if row]

    def _unlist(self, row: ProxyRow) -> None:
        index, name = _place(row)
        if left := [key for key in self._keys(index, name) if key != row.key]:
            self._put(index, key_of(name), left)
        else:
            self._delete(index, key_of(name))

    def _keys(self, index: Index, name: str) -> list[str]:
        return self._get(index, key_of(name), _decode_keys) or []


def _place(row: ProxyRow) -> tuple[Index, str]:
    """By what the row is found."""
    if row.request:
        return "proxied_requests", row.request
    return "proxied_tokens", _named(row.kind)


def _named(kind: Kind) -> str:
    return ":".join(map(str, kind))


_decode_row = msgspec.msgpack.Decoder(ProxyRow).decode
_decode_keys = msgspec.msgpack.Decoder(list[str]).decode
