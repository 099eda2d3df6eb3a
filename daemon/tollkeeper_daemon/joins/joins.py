"""Gives the requests of the ledger the accounts that proxies tell, and books what only a proxy saw.

A row that names the API's id of a request is that request; of the others `match.py` says which they are.
All of it is a function of the rows and the logs' lines: the order in which they come changes
nothing, nor does any of them that comes again.
"""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from tollkeeper_daemon.joins.match import APART_MS, Candidate, match, spans_of
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
        self._has_loose = transaction.count("proxied_tokens") > 0
        self._groups: set[str] = set()
        self._kinds: set[Kind] = set()
        # Those that were booked otherwise before.
        self._again: set[str] = set()

    def take(self, row: ProxyRow) -> None:
        """A row is told, perhaps again."""
        known = self._shelf.row(row.key)
        if known is not None:
            more = self._with(known, row)
            if more == known:
                return
            row = more
        self._shelf.save(row)
        if row.request:
            self._groups |= self._keys_of(row.request)
        else:
            self._has_loose = True
            self._kinds.add(row.kind)

    def _with(self, known: ProxyRow, row: ProxyRow) -> ProxyRow:
        """What is known of the row with this; where that is more, it is joined anew."""
        more = replace(
            known,
            request=known.request or row.request,
            conversation=known.conversation or row.conversation,
        )
        if more == known:
            return known
        if known.booked:
            self._ledger.withdraw(group_for(known.key), self._transaction, self._posting)
            self._again.add(known.key)
        if more.request and not known.request:
            # It was joined by its tokens, perhaps with what another row is now.
            self._kinds.add(known.kind)
            self._groups |= {known.joined} - {""}
            more = replace(more, joined="")
        return replace(more, booked=False)

    def book(self, key: str) -> None:
        """Nobody else told of the row's request in time."""
        row = self._shelf.row(key)
        if row is None or row.joined or row.booked:
            return
        if row.request and self._is_counted(row):
            self._shelf.save(replace(row, joined="-"))
            return
        was_history, self._ledger.history = self._ledger.history, row.history
        try:
            self._ledger.add([_reply(row)], self._transaction, self._posting)
        finally:
            self._ledger.history = was_history
        stand_in = group_for(row.key)
        self._assign(stand_in, lambda book, reply: _by(row, book))
        self._shelf.save(replace(row, booked=True))

    def _is_counted(self, row: ProxyRow) -> bool:
        """Whether the row's request was dropped as old, or another row stands for it."""
        tombstones = tombstones_of_request(stray_key(row.request), row.request)
        if self._transaction.has_gone and self._transaction.is_gone(*tombstones):
            return True
        return any(each.booked for each in self._shelf.of_request(row.request))

    def touch(self, key: str) -> None:
        """The group of this key changes."""
        self._groups.add(key)

    def finish(self) -> None:
        """Join all that is concerned."""
        for key in sorted(self._groups):
            self._join_by_request(key)
        if self._has_loose:
            for key in sorted(self._groups):
                self._note_kinds(key)
            self._join_by_tokens()
        for key in sorted(self._groups):
            self._pay(key)
        for key in sorted(self._again):
            self.book(key)

    def _join_by_request(self, key: str) -> None:
        for request in sorted(_requests(self._now(key))):
            for row in self._shelf.of_request(request):
                self._join(row, key)

    def _note_kinds(self, key: str) -> None:
        """Those kinds are matched anew that this group is of, and that it was of before."""
        for group in (self._transaction.group(key) or Group(), self._now(key)):
            self._kinds |= _kinds(group)

    def _join_by_tokens(self) -> None:
        rows = {kind: self._shelf.of_kind(kind) for kind in sorted(self._kinds)}
        candidates = self._candidates([row for same in rows.values() for row in same])
        for (_, *tokens), same in rows.items():
            found = match(same, candidates.get(tuple(tokens), ()))
            for row in same:
                group = found.get(row.key, "")
                if row.joined != group:
                    self._groups |= {row.joined, group} - {""}
                    self._join(row, group)

    def _join(self, row: ProxyRow, group: str) -> None:
        """The row is this group, and no request of its own; or it is none that is known any more."""
        if row.booked and group:
            self._ledger.withdraw(group_for(row.key), self._transaction, self._posting)
        if row.joined != group or (row.booked and group):
            self._shelf.save(replace(row, joined=group, booked=row.booked and not group))

    def _candidates(self, rows: list[ProxyRow]) -> dict[tuple[int, ...], set[Candidate]]:
        """The requests that any of the rows may be, by tokens: near in time, and of no row by their id."""
        found: dict[tuple[int, ...], set[Candidate]] = {}
        keys = {*self._posting.groups} if rows else set[str]()
        for since, until in spans_of(row.time for row in rows):
            keys |= {key for _, _, key in self._transaction.timeline(since, until)}
        for key in keys:
            group = self._now(key)
            if not is_stand_in(key) and not any(map(self._shelf.of_request, _requests(group))):
                for reply in resolve(group.entries):
                    candidate = Candidate(reply.time, key, reply.conversation)
                    found.setdefault(_tokens(reply), set()).add(candidate)
        return found

    def _pay(self, key: str) -> None:
        """Book the group under the account that its row tells, or under what it would have without."""
        group = self._now(key)
        by_request = {each: self._shelf.of_request(each) for each in sorted(_requests(group))}
        known = {request: min(rows, key=_rank) for request, rows in by_request.items() if rows}
        others = [*known.values()] or self._joined_by_tokens(group, key)

        def paid(book: Book, reply: Reply) -> Book:
            row = known.get(reply.request) or next(iter(others), None)
            if row is not None and row.source:
                return _by(row, book)
            return self._paid(book, reply.time) if is_told_by_proxy(book) else book

        self._assign(key, paid)

    def _joined_by_tokens(self, group: Group, key: str) -> list[ProxyRow]:
        if not self._has_loose:
            return []
        rows = (row for kind in _kinds(group) for row in self._shelf.of_kind(kind))
        return sorted((row for row in rows if row.joined == key), key=_rank)

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
    """As a proxy counts them: it does not tell one kind of cache writes from the other."""
    writes = reply.cache_write_5m + reply.cache_write_1h
    return reply.input, reply.output, reply.cache_read, writes


def _kinds(group: Group) -> set[Kind]:
    """The kinds of the rows that may be one of the group's requests: those of both ends of its time."""
    return {
        kind_of(max(reply.time + apart, 0), _tokens(reply))
        for reply in resolve(group.entries)
        for apart in (-APART_MS, APART_MS)
    }


def _rank(row: ProxyRow) -> tuple[int, str]:
    return row.time, row.key


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
