"""A shelf in memory, and the account that a shelf or a store comes to, for comparing two of them."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from tollkeeper_daemon.ledger.books import Book, Group, Noted
from tollkeeper_daemon.ledger.ledger import Ledger, Posting, Row
from tollkeeper_daemon.ledger.prices import load_prices
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.records import Prompt, Reply
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

PRICES = load_prices()

Entry = Reply | Prompt
Account = dict[str, Any]


def book_of_reply(reply: Reply) -> Book:
    """A book for each conversation, model and subagent."""
    return Book(reply.conversation, reply.model, "api", subagent=reply.subagent)


def book_of_prompt(prompt: Prompt) -> Book:
    """A book for each conversation and model."""
    return Book(prompt.conversation, prompt.model, "api")


def new_ledger() -> Ledger:
    """The rules, with the built-in prices."""
    return Ledger(PRICES, book_of_reply, book_of_prompt)


class DictShelf:
    """Keeps what was posted in dictionaries; the least that the ledger can stand on."""

    def __init__(self) -> None:
        self.groups: dict[str, Group] = {}
        self.prompts: dict[str, Noted] = {}
        self.requests: dict[str, set[str]] = {}
        self.books: list[Book] = []
        self.sums: dict[Row, Totals] = {}
        self.gone: set[str] = set()

    def group(self, key: str) -> Group | None:
        return self.groups.get(key)

    def noted(self, key: str) -> Noted | None:
        return self.prompts.get(key)

    def messages_of(self, request: str) -> list[str]:
        return sorted(self.requests.get(request, ()))

    def number_of(self, book: Book) -> int:
        if book not in self.books:
            self.books.append(book)
        return self.books.index(book) + 1

    @property
    def has_strays(self) -> bool:
        return any(key.startswith("r:") for key in self.groups)

    @property
    def has_gone(self) -> bool:
        return bool(self.gone)

    def is_gone(self, *tombstones: str) -> bool:
        return not self.gone.isdisjoint(tombstones)

    def book(self, number: int) -> Book:
        """The book with this number."""
        return self.books[number - 1]

    def save(self, posting: Posting) -> None:
        """Keep everything that the posting changes."""
        self.groups |= posting.groups
        self.prompts |= posting.prompts
        for request, keys in posting.request_ids.items():
            self.requests.setdefault(request, set()).update(keys)
        for row, change in posting.sums.items():
            self.sums.setdefault(row, Totals()).add(change)
        self.sums = {row: totals for row, totals in self.sums.items() if totals}

    def total(self) -> Totals:
        """All sums in one."""
        return added_up(self.sums.values())


def added_up(sums: Iterable[Totals]) -> Totals:
    """These sums in one."""
    total = Totals()
    for each in sums:
        total.add(each)
    return total


def post(*batches: Iterable[Entry]) -> DictShelf:
    """The shelf after these batches were posted, one after the other."""
    shelf, ledger = DictShelf(), new_ledger()
    for batch in batches:
        shelf.save(ledger.post(batch, shelf))
    return shelf


def post_to_store(store: Store, batches: Iterable[Iterable[Entry]]) -> None:
    """Post these batches to the store, each in a transaction of its own."""
    ledger = new_ledger()

    def work(batch: list[Entry], transaction: Transaction) -> None:
        transaction.save(ledger.post(batch, transaction))

    for batch in batches:
        store.write(partial(work, list(batch)))


def account_of_shelf(shelf: DictShelf) -> Account:
    """What the shelf holds, without the numbers that depend on the order of posting."""
    return _account(shelf.groups.items(), shelf.sums.items(), shelf.book)


def account_of_store(store: Store) -> Account:
    """What the store holds, in the same form."""

    def work(transaction: Transaction) -> Account:
        return _account(transaction.all_groups(), transaction.rows(), transaction.book)

    return store.read(work)


def _account(
    groups: Iterable[tuple[str, Group]],
    rows: Iterable[tuple[Row, Totals]],
    book: Callable[[int], Book],
) -> Account:
    return {
        "groups": {
            key: (
                group.entries,
                [(book(made.book), made.value, made.unpriced) for made in group.charges],
            )
            for key, group in groups
            if group.entries
        },
        "sums": {(quarter, book(number)): totals for (quarter, number), totals in rows},
    }
