"""Moves what was booked to other books: charges, times and tokens stay as they are."""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from tollkeeper_daemon.ledger.books import Book, Charge, Group, Noted, quarter, totals_of
from tollkeeper_daemon.ledger.ledger import Posting, Shelf
from tollkeeper_daemon.ledger.requests import resolve
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.records import Reply

Moved = Callable[[Book, int], Book]
"""The book to which something belongs that was asked at this time (ms), by the one that it is in."""


def move(
    groups: Iterable[tuple[str, Group]],
    prompts: Iterable[tuple[str, Noted]],
    moved: Moved,
    shelf: Shelf,
    posting: Posting,
) -> None:
    """Add to the posting what moves of these; what the posting itself changed stands as it has it."""
    for key, saved in groups:
        group = posting.groups.get(key, saved)
        move_group(key, group, lambda book, reply: moved(book, reply.time), shelf, posting)
    for key, saved in prompts:
        _move_prompt(key, posting.prompts.get(key, saved), moved, shelf, posting)


def move_group(
    key: str,
    group: Group,
    moved: Callable[[Book, Reply], Book],
    shelf: Shelf,
    posting: Posting,
) -> None:
    """Add to the posting what moves of the requests of this group."""
    if not group.charges:
        return
    charges: list[Charge] = []
    for reply, made in zip(resolve(group.entries), group.charges, strict=True):
        book = shelf.book(made.book)
        found = moved(book, reply)
        number = made.book if found is book else shelf.number_of(found)
        if number != made.book:
            totals, at = totals_of(reply, made), quarter(reply.time)
            posting.add((at, made.book), totals, -1)
            posting.add((at, number), totals)
        charges.append(replace(made, book=number))
    if tuple(charges) != group.charges:
        posting.groups[key] = Group(group.entries, tuple(charges))


def _move_prompt(key: str, noted: Noted, moved: Moved, shelf: Shelf, posting: Posting) -> None:
    book = shelf.book(noted.book)
    found = moved(book, noted.prompt.time)
    number = noted.book if found is book else shelf.number_of(found)
    if number != noted.book:
        at = quarter(noted.prompt.time)
        posting.add((at, noted.book), Totals(messages=1), -1)
        posting.add((at, number), Totals(messages=1))
        posting.prompts[key] = Noted(noted.prompt, number)
