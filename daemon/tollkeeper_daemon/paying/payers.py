"""Who pays for a conversation, and since when. Pure.

What is known is only ever added to, each with its time: so it does not matter in which order it is
learned, and what was asked before a change stays with whoever paid then.
"""

from bisect import bisect_right
from collections.abc import Iterable

from msgspec.structs import replace

from tollkeeper_daemon.ledger.books import API, Book, is_told_by_proxy
from tollkeeper_daemon.sources.paying import account_at
from tollkeeper_daemon.store.schema import Conversation, Payer

# Far more than any conversation changes hands.
MOST_KEPT = 200


def with_payers(known: Conversation, new: Iterable[Payer]) -> Conversation:
    """The conversation with these known to pay as well."""
    found = sorted({*known.payers, *new})
    if len(found) > MOST_KEPT:
        found = _thinned(found)
    return known if len(found) == len(known.payers) else replace(known, payers=tuple(found))


def payer_at(known: Conversation, time: int) -> Payer:
    """Who pays for what is asked in the conversation at this time (ms)."""
    at = bisect_right(known.payers, time, key=lambda payer: payer.since)
    found = known.payers[at - 1] if at else Payer(0, known.source, known.account)
    return found if found.source else replace(found, source=API)


def noted_since(known: Conversation, since: int, within: int) -> int | None:
    """The first time (ms) from this on, at most so much later, from which it is known who pays."""
    times = (payer.since for payer in known.payers)
    return next((time for time in times if since <= time <= since + within), None)


def paid_by(book: Book, payer: Payer) -> Book:
    """The book for the same work, paid by this one; what a proxy told of a request itself goes before."""
    if is_told_by_proxy(book) or (book.source, book.account) == (payer.source, payer.account):
        return book
    return replace(book, source=payer.source, account=payer.account)


def account_behind(server: str, name: str) -> str:
    """What the account is called that a proxy at this host and port calls so."""
    return f"{account_at(server)}/{name}"


def differs_since(known: Conversation, learned: Conversation) -> int | None:
    """From when on (ms) somebody else pays by what was learned; None for never."""
    times = {payer.since for payer in (*known.payers, *learned.payers)}
    changed = [
        time for time in times if _named(payer_at(known, time)) != _named(payer_at(learned, time))
    ]
    return min(changed, default=None)


def _named(payer: Payer) -> tuple[str, str]:
    return payer.source, payer.account


def _thinned(payers: list[Payer]) -> list[Payer]:
    """Without those that only repeat the one before, and then the latest of them."""
    kept = [
        payer
        for before, payer in zip([None, *payers], payers, strict=False)
        if before is None or _named(before) != _named(payer)
    ]
    return kept[-MOST_KEPT:]
