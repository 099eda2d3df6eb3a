"""Moves what was booked to who paid for it, and to the work it was for, when that is learned only later."""

from collections.abc import Mapping

from tollkeeper_daemon.labels import labels
from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.ledger.ledger import Posting
from tollkeeper_daemon.ledger.moving import Moved, move
from tollkeeper_daemon.paying import payers
from tollkeeper_daemon.store.schema import Conversation
from tollkeeper_daemon.store.transaction import Transaction


def resettle(
    before: Mapping[str, Conversation],
    after: Mapping[str, Conversation],
    as_of: Moved,
    transaction: Transaction,
    posting: Posting,
) -> None:
    """Add to the posting what moves, of conversations as they were known before and are after it.

    ``as_of`` says in which book something belongs, by what is known now.
    """
    since = {name: _since(before[name], known) for name, known in after.items()}
    moving = {name: time for name, time in since.items() if time is not None}
    if not moving:
        return
    until = max(before[name].last_time for name in moving) + 1
    keys = {key for _, _, key in transaction.timeline(min(moving.values()), until)}
    groups = [
        (key, group)
        for key in keys
        if (group := transaction.group(key))
        and any(entry.conversation in moving for entry in group.entries)
    ]
    # Prompts are in no order of time: all are gone through, where any can be concerned.
    prompted = any(time <= before[name].last_prompt for name, time in moving.items())
    prompts = [
        (noted.prompt.line, noted)
        for noted in (transaction.prompts() if prompted else ())
        if noted.prompt.conversation in moving
    ]

    def moved(book: Book, time: int) -> Book:
        if book.conversation not in moving or time < moving[book.conversation]:
            return book
        return as_of(book, time)

    move(groups, prompts, moved, transaction, posting)


def _since(before: Conversation, after: Conversation) -> int | None:
    """From when on something that was booked may belong elsewhere; None when nothing does."""
    times = (
        payers.differs_since(before, after),
        labels.differs_since(before.labels, after.labels),
    )
    time = min((each for each in times if each is not None), default=None)
    last = max(before.last_time, before.last_prompt)
    return None if time is None or time > last else time
