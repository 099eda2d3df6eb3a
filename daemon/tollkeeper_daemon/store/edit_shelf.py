"""What is kept of edits in a transaction: a row for each conversation, and for each of its subagents."""

from collections.abc import Iterator

import msgspec

from tollkeeper_daemon.records import Edits
from tollkeeper_daemon.store.keys import key_of
from tollkeeper_daemon.store.tables import Access

# Far more than a conversation or a subagent asks for.
MOST_KEPT = 2_000


class EditShelf(Access):
    """The table ``edits``."""

    def all(self) -> Iterator[Edits]:
        """The edits of every conversation and every subagent."""
        return (_decode(value) for _, value in self._all("edits"))

    def add(self, new: Edits) -> None:
        """Keep these as well. What is known already is not kept twice, whatever is read again.

        Of more than there can be, the earliest: so no order of reading matters.
        """
        key = key_of(f"{new.conversation}\n{new.subagent}")
        known: Edits | None = self._get("edits", key, _decode)
        edits = {*new.edits, *(known.edits if known else ())}
        if known is None or len(edits) > len(known.edits):
            kept = tuple(sorted(edits)[:MOST_KEPT])
            kind = max(new.subagent_type, known.subagent_type if known else "")
            self._put("edits", key, Edits(new.conversation, new.subagent, kind, kept))


_decode = msgspec.msgpack.Decoder(Edits).decode
