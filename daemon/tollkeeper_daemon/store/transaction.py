"""One transaction of the store: what the ledger keeps, and all else that the daemon remembers."""

import struct
from collections.abc import Iterator
from typing import Any

import lmdb
import msgspec

from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.ledger.ledger import Posting
from tollkeeper_daemon.records import EarlierDay, FileId, FileMark
from tollkeeper_daemon.store.bar_shelf import BarShelf
from tollkeeper_daemon.store.bookings import Bookings
from tollkeeper_daemon.store.edit_shelf import EditShelf
from tollkeeper_daemon.store.errand_shelf import ErrandShelf
from tollkeeper_daemon.store.keys import key_of as _key
from tollkeeper_daemon.store.proxy_shelf import ProxyShelf
from tollkeeper_daemon.store.schema import AgentRecord, Conversation, PlanWindow, RunRecord
from tollkeeper_daemon.store.tables import Tables
from tollkeeper_daemon.store.work_shelf import WorkShelf

INODE = struct.Struct(">QQ")

_encode = msgspec.msgpack.Encoder().encode


class Transaction(Bookings):
    """Conversations, logs, agents, runs and the rest, beside what the ledger keeps.

    ``bar`` is what the bar remembers: limits, holds and the journal; ``work`` what is known of workflows,
    ``edits`` what was asked to be changed, ``errands`` what is still to be done about workflows, and
    ``proxied`` what proxies told of single requests.
    """

    def __init__(self, raw: lmdb.Transaction, tables: Tables, books: dict[Book, int]) -> None:
        super().__init__(raw, tables, books)
        self.bar = BarShelf(raw, tables)
        self.work = WorkShelf(raw, tables)
        self.errands = ErrandShelf(raw, tables)
        self.edits = EditShelf(raw, tables)
        self.proxied = ProxyShelf(raw, tables)

    def save(self, posting: Posting, is_history: bool = False) -> None:
        """Save everything that the posting changes; of what is history no line is written later."""
        super().save(posting)
        rows = posting.sums.items()
        booked = [(at, self.book(number), each) for (at, number), each in rows]
        self.work.add_to_sums(booked)
        if is_history:
            self.errands.excuse(booked)

    def conversation(self, name: str) -> Conversation | None:
        return self._get("conversations", _key(name), _decode_conversation)

    def conversations(self) -> Iterator[tuple[str, Conversation]]:
        """Every conversation that was ever seen, with its id."""
        for key, value in self._all("conversations"):
            yield key.decode(), _decode_conversation(value)

    def save_conversation(self, name: str, conversation: Conversation) -> None:
        self._put("conversations", _key(name), conversation)

    def files(self) -> dict[FileId, FileMark]:
        """Every log that was read, by device and inode."""
        return {INODE.unpack(key): _decode_file(value) for key, value in self._all("files")}

    def save_file(self, file: FileId, mark: FileMark) -> None:
        self._put("files", INODE.pack(*file), mark)

    def forget_files(self, files: list[FileId]) -> None:
        for file in files:
            self._raw.delete(INODE.pack(*file), db=self._tables.by_name["files"])

    def agents(self) -> list[AgentRecord]:
        """Every agent that was ever seen."""
        return [_decode_agent(value) for _, value in self._all("agents")]

    def agent(self, name: str) -> AgentRecord | None:
        """The agent with this id."""
        return self._get("agents", _key(name), _decode_agent)

    def save_agent(self, agent: AgentRecord) -> None:
        self._put("agents", _key(agent.id), agent)

    def runs(self) -> list[RunRecord]:
        """Every run, oldest first."""
        return [_decode_run(value) for _, value in self._all("runs")]

    def save_run(self, run: RunRecord) -> None:
        self._put("runs", _key(run.id), run)

    def earlier_days(self) -> list[EarlierDay]:
        """What the clients' own statistics say of days, counted here as well or not."""
        return [_decode_earlier(value) for _, value in self._all("earlier")]

    def save_earlier_day(self, day: EarlierDay) -> None:
        self._put("earlier", _key(f"{day.date} {day.home}"), day)

    def save_window(self, window: PlanWindow) -> None:
        """Keep this window of a plan; the first sight of it stays."""
        key = _key(f"{window.kind}:{window.account}:{window.resets_at}")
        self._raw.put(key, _encode(window), db=self._tables.by_name["windows"], overwrite=False)

    def windows(self, kind: str) -> list[PlanWindow]:
        """The windows of this kind that were ever seen."""
        found = [_decode_window(value) for _, value in self._all("windows")]
        return [window for window in found if window.kind == kind]

    def meta(self, name: str) -> Any:
        """A single value kept under this name, or None."""
        return self._get("meta", name.encode(), msgspec.msgpack.decode)

    def set_meta(self, name: str, value: Any) -> None:
        self._put("meta", name.encode(), value)


_decode_conversation = msgspec.msgpack.Decoder(Conversation).decode
_decode_file = msgspec.msgpack.Decoder(FileMark).decode
_decode_agent = msgspec.msgpack.Decoder(AgentRecord).decode
_decode_run = msgspec.msgpack.Decoder(RunRecord).decode
_decode_earlier = msgspec.msgpack.Decoder(EarlierDay).decode
_decode_window = msgspec.msgpack.Decoder(PlanWindow).decode
