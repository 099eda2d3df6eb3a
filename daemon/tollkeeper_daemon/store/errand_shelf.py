"""What is still to be done about work that has ended, in a transaction: ends, lines, comments, events."""

import struct
from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.store.errands import (
    Ended,
    EventsFile,
    PendingComment,
    PendingLines,
    part_of,
)
from tollkeeper_daemon.store.keys import key_of
from tollkeeper_daemon.store.schema import WorkSum
from tollkeeper_daemon.store.tables import Access

NUMBER = struct.Struct(">Q")

Booked = tuple[int, Book, Totals]


class ErrandShelf(Access):
    """The tables ``ended``, ``reckoned``, ``lines``, ``comments`` and ``event_files``."""

    def ended(self) -> list[Ended]:
        """What has ended and was not reckoned."""
        return [_decode_ended(value) for _, value in self._all("ended")]

    def add_ended(self, ended: Ended) -> None:
        self._put("ended", _key(ended.workflow, ended.span), ended)

    def drop_ended(self, ended: Ended) -> None:
        self._delete("ended", _key(ended.workflow, ended.span))

    def reckoned_of(self, workflow: str) -> tuple[WorkSum, ...]:
        """What the parts of this workflow had come to when they were reckoned last."""
        return self._get("reckoned", _key_of(workflow), _decode_sums) or ()

    def save_reckoned(self, workflow: str, sums: Iterable[WorkSum]) -> None:
        self._put("reckoned", _key_of(workflow), tuple(sums))

    def excuse(self, booked: Iterable[Booked]) -> None:
        """What was booked is history: it counts as reckoned."""
        by_workflow: dict[str, list[Booked]] = {}
        for each in booked:
            book = each[1]
            if book.workflow or book.task or book.stage:
                by_workflow.setdefault(book.workflow, []).append(each)
        for workflow, lot in by_workflow.items():
            parts = {part_of(each): each for each in self.reckoned_of(workflow)}
            for quarter, book, totals in lot:
                new = _sum_of(quarter, book)
                known = parts.setdefault(part_of(new), new)
                known.totals.add(totals)
                known.totals.bound()
            self.save_reckoned(workflow, parts.values())

    def lines(self) -> list[PendingLines]:
        """The lines that are to be written, the oldest first."""
        return [_decode_lines(value) for _, value in self._all("lines")]

    def add_lines(self, path: str, offset: int, data: bytes, since: int) -> None:
        with self._raw.cursor(self._tables.by_name["lines"]) as cursor:
            number = NUMBER.unpack(cursor.key())[0] + 1 if cursor.last() else 1
        self._put("lines", NUMBER.pack(number), PendingLines(number, path, offset, data, since))

    def drop_lines(self, lines: PendingLines) -> None:
        self._delete("lines", NUMBER.pack(lines.number))

    def comments(self) -> list[PendingComment]:
        """The comments that are to be written."""
        return [_decode_comment(value) for _, value in self._all("comments")]

    def comment(self, workflow: str, span: str) -> PendingComment | None:
        """The comment about this span that is to be written."""
        return self._get("comments", _key(workflow, span), _decode_comment)

    def save_comment(self, comment: PendingComment) -> None:
        self._put("comments", _key(comment.workflow, comment.span), comment)

    def drop_comment(self, comment: PendingComment) -> None:
        self._delete("comments", _key(comment.workflow, comment.span))

    def events_file(self, path: str) -> EventsFile | None:
        """How far the events of the file at this path were read."""
        return self._get("event_files", key_of(path), _decode_file)

    def events_files(self) -> list[EventsFile]:
        """The same of every file of events."""
        return [_decode_file(value) for _, value in self._all("event_files")]

    def save_events_file(self, path: str, file: EventsFile) -> None:
        self._put("event_files", key_of(path), file)


def _key_of(workflow: str) -> bytes:
    """So that no workflow, which is one too, has a key of its own."""
    return key_of(f"w:{workflow}")


def _key(workflow: str, span: str) -> bytes:
    return _digest(workflow) + _digest(span)


def _digest(name: str) -> bytes:
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _sum_of(quarter: int, book: Book) -> WorkSum:
    return WorkSum(
        task=book.task,
        stage=book.stage,
        agent=book.agent,
        subagent_type=book.subagent_type,
        model=book.model,
        source=book.source,
        first=quarter,
        last=quarter,
        totals=Totals(),
    )


_decode_ended = msgspec.msgpack.Decoder(Ended).decode
_decode_sums = msgspec.msgpack.Decoder(tuple[WorkSum, ...]).decode
_decode_lines = msgspec.msgpack.Decoder(PendingLines).decode
_decode_comment = msgspec.msgpack.Decoder(PendingComment).decode
_decode_file = msgspec.msgpack.Decoder(EventsFile).decode
