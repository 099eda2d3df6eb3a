"""Audits conversations: gathers what the ledger holds and what the client said, and has it judged."""

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import astuple, replace

from tollkeeper_daemon.ledger.audit import Case, Finding, Sums, add_up, judge
from tollkeeper_daemon.ledger.books import Book, Group, quarter
from tollkeeper_daemon.ledger.stand_ins import group_for
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.records import Spent
from tollkeeper_daemon.store.evidence import made_in
from tollkeeper_daemon.store.schema import Conversation
from tollkeeper_daemon.store.transaction import Transaction

MOST_BOOKS_KNOWN = 5_000


class Audited(Struct, frozen=True):
    """A conversation, and how its sums compare with the client's; no finding without those."""

    name: str
    conversation: Conversation
    finding: Finding | None


class Booked(Struct):
    """What is booked to one conversation, by model. Mutable: it grows row by row."""

    models: dict[str, Totals]
    helpers_output: int = 0
    unpriced: bool = False

    def add(self, book: Book, totals: Totals) -> None:
        """Add a row of the sums."""
        if not book.model:
            return
        self.models.setdefault(book.model, Totals()).add(totals)
        self.unpriced = self.unpriced or totals.unpriced > 0
        if book.subagent:
            self.helpers_output += totals.output

    def sums(self) -> Sums:
        """The tokens and the value of each model."""
        return {model: _spent(totals) for model, totals in self.models.items()}


class Audits:
    """Audits within read transactions, of any thread; one at a time.

    It remembers whose the books are, so that an audit of one conversation only walks over the rows
    of the time in which it was active.
    """

    def __init__(self) -> None:
        self._books: dict[int, Book] = {}

    def audit(self, transaction: Transaction, names: Iterable[str]) -> Iterator[Audited]:
        """Audit these conversations; those that are not known are passed over."""
        for name in names:
            conversation = transaction.conversation(name)
            if conversation is not None:
                booked = Booked({})
                if conversation.told.statement is not None:
                    booked = self._booked(transaction, name, conversation)
                yield _audited(transaction, name, conversation, booked)

    def audit_all(self, transaction: Transaction) -> Iterator[Audited]:
        """Audit every conversation, in a single walk over the sums."""
        booked: dict[str, Booked] = {}
        for (_, number), totals in transaction.rows():
            book = self._book(transaction, number)
            booked.setdefault(book.conversation, Booked({})).add(book, totals)
        for name, conversation in transaction.conversations():
            found = booked.get(name) or Booked({})
            yield _audited(transaction, name, conversation, found)

    def _booked(self, transaction: Transaction, name: str, conversation: Conversation) -> Booked:
        booked = Booked({})
        first, last = quarter(conversation.first_time), quarter(conversation.last_time)
        for (_, number), totals in transaction.rows(first, last + 1):
            book = self._book(transaction, number)
            if book.conversation == name:
                booked.add(book, totals)
        return booked

    def _book(self, transaction: Transaction, number: int) -> Book:
        book = self._books.get(number)
        if book is None:
            if len(self._books) >= MOST_BOOKS_KNOWN:
                self._books.clear()
            book = self._books[number] = transaction.book(number)
        return book


def _audited(
    transaction: Transaction, name: str, conversation: Conversation, booked: Booked
) -> Audited:
    told = conversation.told
    if told.statement is None:
        return Audited(name, conversation, None)
    parents = [
        dict(each.models) for of in told.parents for each in transaction.evidence.statements(of)
    ]
    case = Case(
        statement=told.statement,
        booked=booked.sums(),
        bases=tuple(parents),
        unpriced=booked.unpriced,
        open=bool(told.open_message),
        lost_output=told.lost_output,
        helpers_output=booked.helpers_output,
        first_time=conversation.first_time,
        unreadable=told.unreadable,
    )
    finding = judge(case)
    if not finding.agrees:
        copied, complete = _copied(transaction, name)
        if copied or not complete:
            older = not complete and not parents
            finding = judge(replace(case, bases=(*case.bases, copied), older=older))
    if not finding.explained and (seen := _seen_by_proxies(transaction, name)):
        logged = judge(replace(case, booked=_less(case.booked, seen)))
        finding = replace(finding, cause=logged.cause)
    return Audited(name, conversation, finding)


def _seen_by_proxies(transaction: Transaction, name: str) -> Sums:
    """What of the conversation no log tells of: a proxy does not tell all that a price depends on."""
    sums: dict[str, Spent] = {}
    for row in transaction.proxied.rows():
        if row.booked and row.conversation == name:
            for made in made_in(transaction.group(group_for(row.key)) or Group()):
                sums[made.model] = add_up([sums.get(made.model, Spent()), made.spent])
    return sums


def _less(booked: Sums, seen: Sums) -> Sums:
    left: dict[str, Spent] = {}
    for model, spent in booked.items():
        less = astuple(seen.get(model, Spent()))
        left[model] = Spent(*(one - other for one, other in zip(astuple(spent), less, strict=True)))
    return left


def _copied(transaction: Transaction, name: str) -> tuple[Sums, bool]:
    """The requests of others whose lines stand in the conversation's log, and if these are all.

    By model. Its totals include them unless it began anew with them, and its parent's totals are
    not known when the parent's log is gone, or the parent was killed before it wrote any.
    """
    sums: dict[str, Spent] = {}
    complete = True
    for key in transaction.evidence.copies(name):
        group = transaction.group(key)
        found = made_in(group) if group else transaction.evidence.outlived(key)
        complete = complete and found is not None
        for made in found or ():
            if made.conversation != name:
                sums[made.model] = add_up([sums.get(made.model, Spent()), made.spent])
    return sums, complete


def _spent(totals: Totals) -> Spent:
    return Spent(
        totals.input,
        totals.output,
        totals.cache_read,
        totals.cache_write_5m,
        totals.cache_write_1h,
        totals.web_searches,
        totals.value,
    )
