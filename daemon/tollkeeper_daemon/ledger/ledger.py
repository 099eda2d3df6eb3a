"""Posts records: merges each into its request, charges what is new, and says what that changes."""

from collections.abc import Callable, Iterable
from typing import Protocol

from msgspec.structs import replace

from tollkeeper_daemon.ledger.books import Book, Charge, Group, Noted, quarter, totals_of
from tollkeeper_daemon.ledger.charge import MOST_VALUE, charge
from tollkeeper_daemon.ledger.prices import PriceList
from tollkeeper_daemon.ledger.requests import (
    file_under,
    identity,
    owner_of,
    resolve,
    stray_key,
)
from tollkeeper_daemon.ledger.tombstones import tombstone_of_prompt, tombstones_of_request
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.records import Prompt, Reply

Row = tuple[int, int]
"""A row of the sums: the quarter of an hour, and the number of the book."""

Moment = tuple[int, str]
"""A place on the time line: the time (ms) of a paid request, and the key of its group."""


class Shelf(Protocol):
    """What the ledger reads of what was posted before."""

    def group(self, key: str) -> Group | None:
        """The group filed under this key."""
        ...

    def noted(self, key: str) -> Noted | None:
        """The prompt with this line id."""
        ...

    def messages_of(self, request: str) -> list[str]:
        """The keys of the groups in which this request id stands, sorted."""
        ...

    def number_of(self, book: Book) -> int:
        """The number of the book, a new one when it is opened now."""
        ...

    def book(self, number: int) -> Book:
        """The book with this number."""
        ...

    @property
    def has_strays(self) -> bool:
        """Whether any group is filed under a request id, for want of a message id."""
        ...

    @property
    def has_gone(self) -> bool:
        """Whether anything was ever dropped, because it was old."""
        ...

    def is_gone(self, *tombstones: str) -> bool:
        """Whether something was dropped that left one of these."""
        ...


class Posting:
    """What a batch of records changes, to be saved whole or not at all.

    ``copies`` are the conversations, and the keys of groups, whose lines stand in the
    conversation's log although another one has a better claim to them.
    ``timeline`` says of every moment that was looked at whether there is a paid request now.
    ``absurd`` counts the requests whose value was cut to the most that there can be.
    """

    def __init__(self) -> None:
        self.groups: dict[str, Group] = {}
        self.prompts: dict[str, Noted] = {}
        self.request_ids: dict[str, set[str]] = {}
        self.sums: dict[Row, Totals] = {}
        self.timeline: dict[Moment, bool] = {}
        self.unpriced_models: set[str] = set()
        self.copies: set[tuple[str, str]] = set()
        self.has_strays = False
        self.absurd = 0

    def add(self, row: Row, totals: Totals, times: int = 1) -> None:
        """Change one row of the sums."""
        known = self.sums.get(row)
        if known is None:
            known = self.sums[row] = Totals()
        known.add(totals, times)


class Ledger:
    """The rules of booking, on top of a shelf that holds what was booked before.

    ``attribute`` says which book a request belongs to, ``attribute_prompt`` the same of a prompt.
    Requests that are posted first while ``history`` is set are marked so.
    ``paid`` gives the book for the same work that is paid by who pays at a time (ms).
    """

    def __init__(
        self,
        prices: PriceList,
        attribute: Callable[[Reply], Book],
        attribute_prompt: Callable[[Prompt], Book],
        paid: Callable[[Book, int], Book] = lambda book, time: book,
    ) -> None:
        self.prices = prices
        self.history = False
        self._attribute = attribute
        self._attribute_prompt = attribute_prompt
        self._paid = paid

    def post(self, records: Iterable[Reply | Prompt], shelf: Shelf) -> Posting:
        """Post these records; whatever was posted before, in any order, counts once."""
        posting = Posting()
        self.add(records, shelf, posting)
        return posting

    def add(self, records: Iterable[Reply | Prompt], shelf: Shelf, posting: Posting) -> None:
        """Post these records as well."""
        for record in records:
            if isinstance(record, Reply):
                self._post_reply(record, shelf, posting)
            else:
                self._post_prompt(record, shelf, posting)

    def withdraw(self, key: str, shelf: Shelf, posting: Posting) -> None:
        """Take back the requests of this group, and leave it empty."""
        before = group_now(key, shelf, posting)
        if before.entries:
            self._unsettle(key, before, posting)
            posting.groups[key] = Group()

    def rebook(self, groups: Iterable[str], prompts: Iterable[str], shelf: Shelf) -> Posting:
        """Book these again, because whom they belong to is known better now; charges stay."""
        posting = Posting()
        for key in groups:
            if group := shelf.group(key):
                self._settle(key, group, group, shelf, posting, rebook=True)
        for key in prompts:
            if noted := shelf.noted(key):
                self._note(key, noted.prompt, noted, shelf, posting, rebook=True)
        return posting

    def _post_reply(self, reply: Reply, shelf: Shelf, posting: Posting) -> None:
        key, request = identity(reply)
        before = group_now(key, shelf, posting)
        for entry in before.entries:
            if entry.conversation != reply.conversation:
                copy = reply if owner_of(entry, reply) is entry else entry
                posting.copies.add((copy.conversation, key))
        entries = file_under(before.entries, request, reply)
        if entries is before.entries:
            return
        if len(entries) > len(before.entries):
            if shelf.has_gone and shelf.is_gone(*tombstones_of_request(key, request)):
                return
            if request and key.startswith("m:"):
                posting.request_ids.setdefault(request, set()).add(key)
        group = Group(entries, before.charges)
        if twin := self._twin(key, request, shelf, posting):
            self._merge_twins(key, group, twin, shelf, posting)
        else:
            self._settle(key, group, before, shelf, posting)

    def _twin(self, key: str, request: str, shelf: Shelf, posting: Posting) -> str | None:
        """Where the same request is filed under another key, because one line lacked an id."""
        if not request:
            return None
        if key.startswith("r:"):
            posting.has_strays = True
            known = {*shelf.messages_of(request), *posting.request_ids.get(request, ())}
            return min(known, default=None)
        if not (posting.has_strays or shelf.has_strays):
            return None
        stray = stray_key(request)
        return stray if group_now(stray, shelf, posting).entries else None

    def _merge_twins(
        self, key: str, group: Group, twin: str, shelf: Shelf, posting: Posting
    ) -> None:
        """Join the lines without a message id to the group that has one, and empty the other."""
        stray, whole = (key, twin) if key.startswith("r:") else (twin, key)
        held = {key: group, twin: group_now(twin, shelf, posting)}
        entries = held[whole].entries
        for entry in held[stray].entries:
            entries = file_under(entries, entry.request, entry)
        before = group_now(whole, shelf, posting)
        self._settle(whole, Group(entries, before.charges), before, shelf, posting)
        self._unsettle(stray, group_now(stray, shelf, posting), posting)
        posting.groups[stray] = Group()

    def _settle(
        self,
        key: str,
        group: Group,
        before: Group,
        shelf: Shelf,
        posting: Posting,
        rebook: bool = False,
    ) -> None:
        """Take back what the group was charged, and charge what its entries now come to.

        What did not change keeps its price, and what still belongs to the same keeps its book:
        the agents and labels of that time may not be known any more. ``rebook`` looks anew whose
        each request is.
        """
        kept = _Kept(before, rebook) if before.charges else None
        self._unsettle(key, before, posting)
        charges: list[Charge] = []
        for reply in resolve(group.entries):
            made = self._charge(reply, kept, shelf)
            if made.unpriced:
                posting.unpriced_models.add(reply.model)
            posting.absurd += made.value >= MOST_VALUE
            posting.add((quarter(reply.time), made.book), totals_of(reply, made))
            posting.timeline[reply.time, key] = True
            charges.append(made)
        posting.groups[key] = Group(group.entries, tuple(charges))

    def _charge(self, reply: Reply, kept: "_Kept | None", shelf: Shelf) -> Charge:
        book = None
        if kept and (held := kept.books.get(_belonging(reply))):
            book = self._at(held, reply.time, shelf)
        known = kept.prices.get(_priced(reply)) if kept else None
        if book is None:
            book = shelf.number_of(self._attribute(reply))
        if known is None:
            history = kept.history if kept else self.history
            return Charge(book, *charge(reply, self.prices), history)
        return replace(known, book=book)

    def _at(self, held: tuple[int, int], time: int, shelf: Shelf) -> int:
        """The book that holds what is of another time by now: somebody else may have paid then."""
        number, before = held
        if time == before:
            return number
        book = shelf.book(number)
        paid = self._paid(book, time)
        return number if paid is book else shelf.number_of(paid)

    def _unsettle(self, key: str, group: Group, posting: Posting) -> None:
        if not group.charges:
            return
        for reply, made in zip(resolve(group.entries), group.charges, strict=True):
            posting.add((quarter(reply.time), made.book), totals_of(reply, made), -1)
            posting.timeline[reply.time, key] = False

    def _post_prompt(self, prompt: Prompt, shelf: Shelf, posting: Posting) -> None:
        key = prompt.line
        known = posting.prompts.get(key) or shelf.noted(key)
        if known is None:
            if not (shelf.has_gone and shelf.is_gone(tombstone_of_prompt(key))):
                self._note(key, prompt, None, shelf, posting)
        elif (merged := _join_prompts(known.prompt, prompt)) != known.prompt:
            self._note(key, merged, known, shelf, posting)

    def _note(
        self,
        key: str,
        prompt: Prompt,
        before: Noted | None,
        shelf: Shelf,
        posting: Posting,
        rebook: bool = False,
    ) -> None:
        if before is not None:
            posting.add((quarter(before.prompt.time), before.book), Totals(messages=1), -1)
        if before is None or rebook or before.prompt.conversation != prompt.conversation:
            book = shelf.number_of(self._attribute_prompt(prompt))
        elif before.prompt.model != prompt.model:
            # Who sent it, for what work, may not be known any more: only the model is news.
            whole = replace(shelf.book(before.book), model=prompt.model)
            book = shelf.number_of(
                whole if before.prompt.time == prompt.time else self._paid(whole, prompt.time)
            )
        else:
            book = self._at((before.book, before.prompt.time), prompt.time, shelf)
        posting.add((quarter(prompt.time), book), Totals(messages=1))
        posting.prompts[key] = Noted(prompt, book)


class _Kept:
    """What of a group's charges holds on when the group changes."""

    def __init__(self, before: Group, rebook: bool) -> None:
        old = list(zip(resolve(before.entries), before.charges, strict=True))
        self.prices = {_priced(reply): made for reply, made in old}
        self.history = any(made.history for _, made in old)
        self.books = (
            {} if rebook else {_belonging(reply): (made.book, reply.time) for reply, made in old}
        )


def _belonging(reply: Reply) -> tuple[str, ...]:
    """What decides in whose book a request stands."""
    return reply.conversation, reply.model, reply.subagent, reply.subagent_type


def _priced(reply: Reply) -> tuple[object, ...]:
    """What decides a request's price; prices are dated."""
    return (
        reply.time,
        reply.model,
        reply.input,
        reply.output,
        reply.cache_read,
        reply.cache_write_5m,
        reply.cache_write_1h,
        reply.web_searches,
        reply.fast,
        reply.us,
        reply.steps,
    )


def group_now(key: str, shelf: Shelf, posting: Posting) -> Group:
    """The group as it stands after what this batch did to it."""
    return posting.groups.get(key) or shelf.group(key) or Group()


def _join_prompts(one: Prompt, other: Prompt) -> Prompt:
    """The same prompt as two lines tell of it, whichever is read first.

    Copies belong to one conversation, and the earliest reply is the answer.
    """
    first = min(
        one,
        other,
        key=lambda each: (
            not each.owned,
            not each.conversation,
            each.conversation,
            not each.cwd,
            each.cwd,
        ),
    )
    answer = min(one, other, key=lambda each: (not each.answered, each.answered, each.model))
    return replace(
        first,
        time=min(one.time, other.time),
        answered=answer.answered,
        model=answer.model,
    )
