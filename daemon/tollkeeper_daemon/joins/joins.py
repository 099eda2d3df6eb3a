"""Gives the requests of the ledger the accounts that proxies tell, and books what only a proxy saw.

A row that names the API's id of a request is that request; of the others `match.py` says which they are. Of rows
about one request that no log tells of, one speaks for it, and the others stand behind that.
All of it is a function of the rows and the logs' lines: the order in which they come changes
nothing, nor does any of them that comes again.
"""

from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from tollkeeper_daemon.joins.match import (
    APART_MS,
    BEHIND,
    GONE,
    Candidate,
    behind,
    match,
    rank,
    spans_of,
)
from tollkeeper_daemon.ledger.books import Book, Group, is_told_by_proxy
from tollkeeper_daemon.ledger.ledger import Ledger, Posting, group_now
from tollkeeper_daemon.ledger.moving import Moved, move_group
from tollkeeper_daemon.ledger.requests import resolve, stray_key
from tollkeeper_daemon.ledger.stand_ins import group_for, is_stand_in, line_for
from tollkeeper_daemon.ledger.tombstones import tombstones_of_request
from tollkeeper_daemon.records import Reply
from tollkeeper_daemon.store.proxy_shelf import Kind, ProxyRow, kind_of
from tollkeeper_daemon.store.transaction import Transaction


class Joins:
    """In a transaction of the pipeline's; ``paid`` says in which book something belongs without a proxy."""

    def __init__(self, ledger: Ledger, paid: Moved) -> None:
        self._ledger = ledger
        self._paid = paid

    def take(self, rows: Iterable[ProxyRow], transaction: Transaction, posting: Posting) -> None:
        """A proxy tells of these; of a row that is known only what was not known yet is news."""
        work = _Work(self._ledger, self._paid, transaction, posting)
        for row in rows:
            work.take(row)
        work.finish()

    def book(self, rows: Iterable[str], transaction: Transaction, posting: Posting) -> None:
        """Book the rows of these keys, as far as still no log tells of their requests."""
        work = _Work(self._ledger, self._paid, transaction, posting)
        for key in rows:
            work.book(key)

    def settle(self, transaction: Transaction, posting: Posting) -> None:
        """Join with what the posting changes, and take back what stood for it so far."""
        if transaction.count("proxied"):
            work = _Work(self._ledger, self._paid, transaction, posting)
            for key in [key for key in posting.groups if not is_stand_in(key)]:
                work.touch(key)
            work.finish()


class _Work:
    """One change: what it touches is joined anew in the end, once."""

    def __init__(
        self, ledger: Ledger, paid: Moved, transaction: Transaction, posting: Posting
    ) -> None:
        self._ledger = ledger
        self._paid = paid
        self._transaction = transaction
        self._shelf = transaction.proxied
        self._posting = posting
        self._groups: set[str] = set()
        self._requests: set[str] = set()
        self._kinds: set[Kind] = set()
        self._settled: dict[Kind, dict[str, list[ProxyRow]]] = {}
        # Those that were booked otherwise before.
        self._again: set[str] = set()

    def take(self, row: ProxyRow) -> None:
        """A row is told, perhaps again."""
        known = self._shelf.row(row.key)
        if known is not None:
            known = self._buried(known)
            more = self._with(known, row)
            if more == known:
                return
            row = more
        self._shelf.save(row)
        self._kinds.add(row.kind)
        if row.request:
            self._requests.add(row.request)

    def _with(self, known: ProxyRow, row: ProxyRow) -> ProxyRow:
        """What is known of the row with this; where that is more, it is joined anew."""
        more = replace(
            known,
            request=known.request or row.request,
            conversation=known.conversation or row.conversation,
        )
        if more == known:
            return known
        self._touch_place(known.joined)
        if known.booked:
            self._withdraw(known)
        return replace(more, booked=False)

    def book(self, key: str) -> None:
        """Nobody else told of the row's request in time."""
        row = self._shelf.row(key)
        if row is None or row.joined or row.booked:
            return
        if row.request and self._is_dropped(row.request):
            self._shelf.save(replace(row, joined=GONE))
            return
        was_history, self._ledger.history = self._ledger.history, row.history
        try:
            self._ledger.add([_reply(row)], self._transaction, self._posting)
        finally:
            self._ledger.history = was_history
        stand_in = group_for(row.key)
        self._assign(stand_in, lambda book, reply: _by(row, book))
        self._shelf.save(replace(row, booked=True))

    def _is_dropped(self, request: str) -> bool:
        """Whether this request was counted, and dropped as old."""
        tombstones = tombstones_of_request(stray_key(request), request)
        return self._transaction.has_gone and self._transaction.is_gone(*tombstones)

    def touch(self, key: str) -> None:
        """The group of this key changes."""
        self._groups.add(key)

    def finish(self) -> None:
        """Join all that is concerned."""
        for key in self._groups:
            self._requests |= {each for group in self._both(key) for each in _requests(group)}
        for request in sorted(self._requests):
            self._join_by_request(request)
        for key in self._groups:
            self._kinds |= {kind for group in self._both(key) for kind in _kinds(group)}
        self._join_by_tokens()
        for key in sorted(self._groups):
            self._pay(key)
        for key in sorted(self._again):
            self._book_again(key)

    def _both(self, key: str) -> tuple[Group, Group]:
        """The group as it was before, and as it is now."""
        return self._transaction.group(key) or Group(), self._now(key)

    def _join_by_request(self, request: str) -> None:
        """All rows with this id are the group that has it, else the first of them speaks for it."""
        rows = sorted(self._shelf.of_request(request), key=rank)
        if not rows:
            return
        held = [key for key in self._keys_of(request) if request in _requests(self._now(key))]
        for each in held:
            self.touch(each)
        first, *others = rows
        self._place(first, min(held, default=GONE if first.joined == GONE else ""))
        for row in others:
            self._place(row, min(held, default=behind(first.key)))

    def _join_by_tokens(self) -> None:
        found = {kind: self._shelf.of_kind(kind, has_request=False) for kind in sorted(self._kinds)}
        kinds = {kind: [*map(self._buried, rows)] for kind, rows in found.items() if rows}
        candidates = self._candidates(kinds)
        for kind, rows in kinds.items():
            named = self._shelf.of_kind(kind, has_request=True)
            places = match([*rows, *named], candidates.get(kind[1:], ()))
            for row in rows:
                self._place(row, places.get(row.key, row.joined))

    def _buried(self, row: ProxyRow) -> ProxyRow:
        """The row as it is kept from now on: what was counted and dropped as old is no request again."""
        was = group_for(row.key) if row.booked else row.joined
        if was in ("", GONE) or not (self._transaction.has_gone and self._transaction.is_gone(was)):
            return row
        row = replace(row, joined=GONE, booked=False)
        self._shelf.save(row)
        return row

    def _place(self, row: ProxyRow, place: str) -> None:
        """The row is this group, or another row speaks for it, or it is a request of its own."""
        if row.joined == place:
            return
        self._touch_place(row.joined)
        self._touch_place(place)
        self._kinds.add(row.kind)
        if row.booked and place:
            self._withdraw(row)
        self._shelf.save(replace(row, joined=place, booked=row.booked and not place))

    def _touch_place(self, place: str) -> None:
        if place and place != GONE and not place.startswith(BEHIND):
            self.touch(place)

    def _withdraw(self, row: ProxyRow) -> None:
        """Take back what is booked for the row; what is to be booked in its place has waited long enough."""
        self._ledger.withdraw(group_for(row.key), self._transaction, self._posting)
        self._again.add(row.key)

    def _book_again(self, key: str) -> None:
        """Book the row, or the one that speaks for it now."""
        row = self._shelf.row(key)
        if row is not None:
            self.book(row.joined.removeprefix(BEHIND) if row.joined.startswith(BEHIND) else key)

    def _candidates(
        self, kinds: Mapping[Kind, list[ProxyRow]]
    ) -> dict[tuple[int, ...], set[Candidate]]:
        """The requests that any of these rows may be, by tokens: near in time."""
        found: dict[tuple[int, ...], set[Candidate]] = {kind[1:]: set() for kind in kinds}
        keys = {*self._posting.groups} if kinds else set[str]()
        for since, until in spans_of(row.time for rows in kinds.values() for row in rows):
            keys |= {key for _, _, key in self._transaction.timeline(since, until)}
        for key in keys:
            group = self._now(key)
            replies = [] if is_stand_in(key) else resolve(group.entries)
            if replies := [reply for reply in replies if _tokens(reply) in found]:
                named_by = tuple(sorted({row.proxy for row in self._named_in(group)}))
                for reply in replies:
                    candidate = Candidate(
                        reply.time, key, reply.conversation, reply.output, named_by
                    )
                    found[_tokens(reply)].add(candidate)
        return found

    def _named_in(self, group: Group) -> list[ProxyRow]:
        """The rows that bear the id of any of the group's requests."""
        return [row for each in sorted(_requests(group)) for row in self._shelf.of_request(each)]

    def _pay(self, key: str) -> None:
        """Book the group under the account that its row tells, or under what it would have without."""
        group = self._now(key)
        named = sorted(self._named_in(group), key=rank)
        others = named or sorted(self._joined_by_tokens(group, key), key=rank)

        def paid(book: Book, reply: Reply) -> Book:
            by_id = (row for row in named if row.request == reply.request)
            row = next(by_id, None) or next(iter(others), None)
            if row is not None and row.source:
                return _by(row, book)
            return self._paid(book, reply.time) if is_told_by_proxy(book) else book

        self._assign(key, paid)

    def _joined_by_tokens(self, group: Group, key: str) -> list[ProxyRow]:
        return [row for kind in _kinds(group) for row in self._loose_at(kind).get(key, ())]

    def _loose_at(self, kind: Kind) -> dict[str, list[ProxyRow]]:
        """The rows of this kind without an id by their places, which are settled by now."""
        if kind not in self._settled:
            self._settled[kind] = {}
            for row in self._shelf.of_kind(kind, has_request=False):
                self._settled[kind].setdefault(row.joined, []).append(row)
        return self._settled[kind]

    def _assign(self, key: str, paid: Callable[[Book, Reply], Book]) -> None:
        move_group(key, self._now(key), paid, self._transaction, self._posting)

    def _keys_of(self, request: str) -> set[str]:
        """The groups in which the request of this id stands."""
        known = {*self._transaction.messages_of(request)}
        stray = stray_key(request)
        return {*known, *self._posting.request_ids.get(request, ()), stray}

    def _now(self, key: str) -> Group:
        return group_now(key, self._transaction, self._posting)


def _requests(group: Group) -> set[str]:
    return {entry.request for entry in group.entries if entry.request}


def _tokens(reply: Reply) -> tuple[int, ...]:
    """Those of a kind, as a proxy counts them: it does not tell one kind of cache writes from the other."""
    return reply.input, reply.cache_read, reply.cache_write_5m + reply.cache_write_1h


def _kinds(group: Group) -> set[Kind]:
    """The kinds of the rows that may be one of the group's requests: those of both ends of its time."""
    return {
        kind_of(max(reply.time + apart, 0), _tokens(reply))
        for reply in resolve(group.entries)
        for apart in (-APART_MS, APART_MS)
    }


def _by(row: ProxyRow, book: Book) -> Book:
    """The book for the same work, paid by the row's account, as far as it is known who pays by that."""
    if not row.source or (book.source, book.account) == (row.source, row.account):
        return book
    return replace(book, source=row.source, account=row.account)


def _reply(row: ProxyRow) -> Reply:
    """The row as a request of its own; its cache writes are taken for those of the usual kind."""
    return Reply(
        message="",
        request="",
        line=line_for(row.key),
        conversation=row.conversation or f"proxy {row.proxy}",
        owned=True,
        time=row.time,
        model=row.model,
        subagent="",
        subagent_type="",
        input=row.input,
        output=row.output,
        cache_read=row.cache_read,
        cache_write_5m=row.cache_write,
        cache_write_1h=0,
        web_searches=0,
        fast=False,
        us=False,
    )
