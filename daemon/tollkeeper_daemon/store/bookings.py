"""What the ledger keeps in a transaction: groups and prompts, their sums, books and times."""

import hashlib
import struct
from collections.abc import Iterable, Iterator
from itertools import islice

import lmdb
import msgspec

from tollkeeper_daemon.clock import FAR
from tollkeeper_daemon.ledger.books import Book, Group, Noted
from tollkeeper_daemon.ledger.ledger import Moment, Posting, Row
from tollkeeper_daemon.ledger.requests import resolve, stray_key
from tollkeeper_daemon.ledger.tombstones import tombstone_of_prompt, tombstones_of
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.records import Prompt
from tollkeeper_daemon.store.evidence import Evidence
from tollkeeper_daemon.store.keys import LONGEST_KEY
from tollkeeper_daemon.store.keys import key_of as _key
from tollkeeper_daemon.store.tables import Access, Tables

ROW = struct.Struct(">II")
NUMBER = struct.Struct(">I")
TIME = struct.Struct(">Q")

MOST_BOOKS_CACHED = 50_000

_encode = msgspec.msgpack.Encoder().encode


class Bookings(Access):
    """Reads what the ledger asks for (see its ``Shelf``), and saves what it decides."""

    def __init__(self, raw: lmdb.Transaction, tables: Tables, books: dict[Book, int]) -> None:
        super().__init__(raw, tables)
        self._books = books
        self._opened: dict[Book, int] = {}
        self._has_strays: bool | None = None
        self._has_gone: bool | None = None
        kept = (tables.by_name[name] for name in ("statements", "copies", "copied"))
        self.evidence = Evidence(raw, *kept)

    def group(self, key: str) -> Group | None:
        return self._get("groups", _key(key), _decode_group)

    def noted(self, key: str) -> Noted | None:
        return self._get("prompts", _key(key), _decode_noted)

    def messages_of(self, request: str) -> list[str]:
        with self._raw.cursor(self._tables.request_ids) as cursor:
            if not cursor.set_key(_key(request)):
                return []
            return [bytes(value).decode() for value in cursor.iternext_dup()]

    def number_of(self, book: Book) -> int:
        number = self._books.get(book) or self._opened.get(book)
        if number is None:
            number = self._opened[book] = self._find_or_open(book)
        return number

    @property
    def has_strays(self) -> bool:
        if self._has_strays is None:
            self._has_strays = self._look_for_strays()
        return self._has_strays

    def _look_for_strays(self) -> bool:
        with self._raw.cursor(self._tables.by_name["groups"]) as cursor:
            return cursor.set_range(b"r:") and bytes(cursor.key()).startswith(b"r:")

    @property
    def has_gone(self) -> bool:
        if self._has_gone is None:
            self._has_gone = self.count("gone") > 0
        return self._has_gone

    def is_gone(self, *tombstones: str) -> bool:
        db = self._tables.by_name["gone"]
        return any(self._raw.get(_digest(each), db=db) is not None for each in tombstones)

    def _find_or_open(self, book: Book) -> int:
        encoded = _encode(book)
        digest = hashlib.blake2b(encoded, digest_size=16).digest()
        if found := self._raw.get(digest, db=self._tables.by_name["book_numbers"]):
            return NUMBER.unpack(found)[0]
        number = self._raw.stat(self._tables.by_name["books"])["entries"] + 1
        self._raw.put(NUMBER.pack(number), encoded, db=self._tables.by_name["books"])
        self._raw.put(digest, NUMBER.pack(number), db=self._tables.by_name["book_numbers"])
        return number

    def after_commit(self) -> None:
        """Remember the books opened here, now that they are saved."""
        if len(self._books) > MOST_BOOKS_CACHED:
            self._books.clear()
        self._books.update(self._opened)

    def save(self, posting: Posting) -> None:
        """Save everything that the posting changes."""
        self._put_many("groups", {_key(key): each for key, each in posting.groups.items()})
        self._put_many("prompts", {_key(key): each for key, each in posting.prompts.items()})
        links = [
            (_key(request), key.encode()[:LONGEST_KEY])
            for request, keys in posting.request_ids.items()
            for key in keys
        ]
        with self._raw.cursor(self._tables.request_ids) as cursor:
            cursor.putmulti(sorted(links), dupdata=True)
        for conversation, key in posting.copies:
            self.evidence.save_copy(conversation, key)
        for row, change in posting.sums.items():
            self._add_to_row(row, change)
        self.add_to_timeline(moment for moment, is_paid in posting.timeline.items() if is_paid)
        for moment, is_paid in posting.timeline.items():
            if not is_paid:
                self._raw.delete(_moment(moment), db=self._tables.by_name["timeline"])

    def _add_to_row(self, row: Row, change: Totals) -> None:
        if not change:
            return
        db, key = self._tables.by_name["sums"], ROW.pack(*row)
        if known := self._raw.get(key, db=db):
            totals = _decode_totals(known)
            totals.add(change)
            change = totals
        change.bound()
        if change:
            self._raw.put(key, _encode(change), db=db)
        else:
            self._raw.delete(key, db=db)

    def rows(self, since: int = 0, until: int = 2**32 - 1) -> Iterator[tuple[Row, Totals]]:
        """The rows of the sums in quarters from ``since`` to before ``until``, oldest first."""
        with self._raw.cursor(self._tables.by_name["sums"]) as cursor:
            if not cursor.set_range(ROW.pack(max(since, 0), 0)):
                return
            for key, value in cursor.iternext():
                row: Row = ROW.unpack(key)
                if row[0] >= until:
                    return
                yield row, _decode_totals(value)

    def figures(self, since: int = 0) -> list[tuple[int, int, list[int]]]:
        """The rows of the sums from this quarter on: quarter, book's number, and the bare counts.

        What a report walks over: counts without their names are summed up several times faster.
        """
        found: list[tuple[int, int, list[int]]] = []
        with self._raw.cursor(self._tables.by_name["sums"]) as cursor:
            if cursor.set_range(ROW.pack(since, 0)):
                for key, value in cursor.iternext():
                    found.append((*ROW.unpack(key), _decode_figures(value)))
        return found

    def add_to_timeline(self, moments: Iterable[Moment]) -> None:
        """Mark these times of requests; a second mark at the same place changes nothing."""
        with self._raw.cursor(self._tables.by_name["timeline"]) as cursor:
            cursor.putmulti([(key, b"") for key in sorted(map(_moment, moments))])

    def request_times(self, since: int, until: int) -> tuple[int, int] | None:
        """The first and the last time (ms) of the requests from ``since`` to before ``until``."""
        with self._raw.cursor(self._tables.by_name["timeline"]) as cursor:
            if not cursor.set_range(TIME.pack(since)):
                return None
            (first,) = TIME.unpack_from(cursor.key())
            if first >= until:
                return None
            # The entry before the first that is too late; where none is, the last of all.
            _ = cursor.prev() if cursor.set_range(TIME.pack(until)) else cursor.last()
            (last,) = TIME.unpack_from(cursor.key())
            return first, last

    def timeline(
        self, since: int = 0, until: int = FAR, after: bytes = b""
    ) -> Iterator[tuple[bytes, int, str]]:
        """The requests from ``since`` to before ``until`` (ms), oldest first.

        Each with its own key, behind which a later look goes on when it is given as ``after``, its
        time, and the key of its group; one for each time at which the group has a request.
        """
        with self._raw.cursor(self._tables.by_name["timeline"]) as cursor:
            if not cursor.set_range(max(TIME.pack(since), after)):
                return
            for key in cursor.iternext(keys=True, values=False):
                (time,) = TIME.unpack_from(key)
                if time >= until:
                    return
                if key != after:
                    yield bytes(key), time, bytes(key[TIME.size :]).decode()

    def count_requests(self, since: int = 0, until: int = FAR) -> int:
        """About how many requests there are from ``since`` to before ``until`` (ms)."""
        if since == 0 and until == FAR:
            return self.count("timeline")
        return sum(1 for _ in self.timeline(since, until))

    def prompts(self, after: str = "") -> Iterator[Noted]:
        """Every prompt, in the order of their keys, from behind that of the line id ``after``."""
        with self._raw.cursor(self._tables.by_name["prompts"]) as cursor:
            behind = _key(after) if after else b""
            if cursor.set_range(behind):
                for key, value in cursor.iternext():
                    if key != behind:
                        yield _decode_noted(value)

    def drop_group(self, key: str) -> None:
        """Forget this group, and remember that it was counted; the sums over it stay."""
        group = self.group(key) or Group()
        self.evidence.outlive(key, group)
        self.bury(tombstones_of(key, group.entries))
        for reply in resolve(group.entries):
            self._raw.delete(_moment((reply.time, key)), db=self._tables.by_name["timeline"])
        for request in {entry.request for entry in group.entries if key.startswith("m:")}:
            link = key.encode()[:LONGEST_KEY]
            self._raw.delete(_key(request), link, db=self._tables.request_ids)
            # A stray that joined this group left an empty one behind.
            if self.group(stray_key(request)) == Group():
                self._delete_group(stray_key(request))
        self._delete_group(key)

    def drop_prompt(self, prompt: Prompt) -> None:
        """Forget this prompt, and remember that it was counted."""
        self.bury({tombstone_of_prompt(prompt.line)})
        self._raw.delete(_key(prompt.line), db=self._tables.by_name["prompts"])

    def bury(self, tombstones: set[str]) -> None:
        """Remember that what leaves these was counted, and is dropped."""
        for each in tombstones:
            self._raw.put(_digest(each), b"", db=self._tables.by_name["gone"])
        self._has_gone = True

    def _delete_group(self, key: str) -> None:
        self._raw.delete(_key(key), db=self._tables.by_name["groups"])

    def book(self, number: int) -> Book:
        """The book with this number."""
        found = self._raw.get(NUMBER.pack(number), db=self._tables.by_name["books"])
        return _decode_book(found or b"")

    def all_groups(self) -> Iterator[tuple[str, Group]]:
        """Every group with its key; a long key comes as its digest."""
        for key, value in self._all("groups"):
            yield key.decode(), _decode_group(value)

    def groups_after(self, key: str, most: int) -> list[tuple[str, Group]]:
        """So many groups as come after this key in the order of keys; the first for an empty one."""
        start = key.encode("utf-8", "surrogatepass")
        with self._raw.cursor(self._tables.by_name["groups"]) as cursor:
            if not cursor.set_range(start):
                return []
            if start and bytes(cursor.key()) == start and not cursor.next():
                return []
            return [
                (bytes(name).decode("utf-8", "surrogatepass"), _decode_group(value))
                for name, value in islice(cursor.iternext(), most)
            ]


def _digest(tombstone: str) -> bytes:
    return hashlib.blake2b(tombstone.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _moment(moment: Moment) -> bytes:
    time, group = moment
    return TIME.pack(time) + _key(group)


_decode_group = msgspec.msgpack.Decoder(Group).decode
_decode_noted = msgspec.msgpack.Decoder(Noted).decode
_decode_figures = msgspec.msgpack.Decoder(list[int]).decode
_decode_totals = msgspec.msgpack.Decoder(Totals).decode
_decode_book = msgspec.msgpack.Decoder(Book).decode
