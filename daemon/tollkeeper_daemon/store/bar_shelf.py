"""What the bar remembers in a transaction: limits set by hand, memories, holds, journal, gauges."""

import struct
from collections.abc import Iterator

import msgspec

from tollkeeper_daemon.store.keys import key_of as _key
from tollkeeper_daemon.store.schema import (
    ExcusedRecord,
    GaugeRecord,
    HoldRecord,
    JournalRecord,
    LimitRecord,
    MemoryRecord,
)
from tollkeeper_daemon.store.tables import Access

NUMBER = struct.Struct(">Q")
# What a busy month of limits comes to; the oldest entries go first.
MOST_JOURNAL = 20_000


class BarShelf(Access):
    """The tables of the bar."""

    def limits(self) -> list[LimitRecord]:
        return [_decode_limit(value) for _, value in self._all("limits")]

    def save_limit(self, limit: LimitRecord) -> None:
        self._put("limits", _key(f"{limit.kind}:{limit.unit}:{limit.name}"), limit)

    def drop_limit(self, kind: str, name: str, unit: str) -> None:
        self._delete("limits", _key(f"{kind}:{unit}:{name}"))

    def memories(self) -> list[MemoryRecord]:
        return [_decode_memory(value) for _, value in self._all("memories")]

    def save_memory(self, memory: MemoryRecord) -> None:
        self._put("memories", _key(f"{memory.kind}:{memory.unit}:{memory.name}"), memory)

    def drop_memory(self, kind: str, name: str, unit: str) -> None:
        self._delete("memories", _key(f"{kind}:{unit}:{name}"))

    def excused(self) -> list[ExcusedRecord]:
        return [_decode_excused(value) for _, value in self._all("excused")]

    def save_excused(self, excused: ExcusedRecord) -> None:
        self._put("excused", _key(f"{excused.kind}:{excused.name}"), excused)

    def drop_excused(self, kind: str, name: str) -> None:
        self._delete("excused", _key(f"{kind}:{name}"))

    def holds(self) -> list[HoldRecord]:
        return [_decode_hold(value) for _, value in self._all("holds")]

    def save_hold(self, hold: HoldRecord) -> None:
        self._put("holds", _key(hold.agent), hold)

    def drop_hold(self, agent: str) -> None:
        self._delete("holds", _key(agent))

    def gauges(self) -> list[GaugeRecord]:
        return [_decode_gauge(value) for _, value in self._all("gauges")]

    def save_gauge(self, gauge: GaugeRecord) -> None:
        self._put("gauges", _gauge_key(gauge.kind, gauge.account), gauge)

    def drop_gauge(self, kind: str, account: str = "") -> None:
        self._delete("gauges", _gauge_key(kind, account))

    def last_journal_number(self) -> int:
        """The number of the latest entry, 0 without any."""
        with self._raw.cursor(self._tables.by_name["journal"]) as cursor:
            return NUMBER.unpack(cursor.key())[0] if cursor.last() else 0

    def append_journal(self, entry: JournalRecord) -> None:
        """Keep this entry, and forget the oldest when there are too many."""
        self._put("journal", NUMBER.pack(entry.number), entry)
        if self.count("journal") > MOST_JOURNAL:
            with self._raw.cursor(self._tables.by_name["journal"]) as cursor:
                _ = cursor.first() and cursor.delete()

    def journal(self, after: int = 0) -> Iterator[JournalRecord]:
        """The entries with a higher number than this, oldest first."""
        with self._raw.cursor(self._tables.by_name["journal"]) as cursor:
            if cursor.set_range(NUMBER.pack(after + 1)):
                for _, value in cursor.iternext():
                    yield _decode_journal(value)

    def latest_journal(self) -> Iterator[JournalRecord]:
        """The entries, the latest first."""
        with self._raw.cursor(self._tables.by_name["journal"]) as cursor:
            if cursor.last():
                for _, value in cursor.iterprev():
                    yield _decode_journal(value)


def _gauge_key(kind: str, account: str) -> bytes:
    """Of no known account: as it was before there were several."""
    return _key(f"{kind}:{account}" if account else kind)


_decode_limit = msgspec.msgpack.Decoder(LimitRecord).decode
_decode_memory = msgspec.msgpack.Decoder(MemoryRecord).decode
_decode_excused = msgspec.msgpack.Decoder(ExcusedRecord).decode
_decode_hold = msgspec.msgpack.Decoder(HoldRecord).decode
_decode_gauge = msgspec.msgpack.Decoder(GaugeRecord).decode
_decode_journal = msgspec.msgpack.Decoder(JournalRecord).decode
