"""Which model a person means, and whether any request was ever of it."""

from collections.abc import Iterable
from difflib import get_close_matches

from msgspec import Struct

from tollkeeper_daemon.ledger.prices import PriceList, canonical
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

# Reports leave it out.
PREFIX = "claude-"
MOST_CLOSE = 3


class Meant(Struct, frozen=True):
    """The ``model`` that is meant.

    When neither a price nor a request names it, it is ``unseen``, and ``closest`` are those known
    that are called much like it.
    """

    model: str
    unseen: bool = False
    closest: list[str] = []


def model_meant(name: str, prices: PriceList, store: Store) -> Meant:
    """The model of this name, with or without its first word; reads the ledger for unknown ones."""
    if prices.knows(name):
        return Meant(name)
    if prices.knows(PREFIX + name):
        return Meant(prices.price(PREFIX + name, 0).model)
    used = store.read(_models_used)
    if canonical(name) in map(canonical, used):
        return Meant(name)
    for model in used:
        if canonical(model) == canonical(PREFIX + name):
            return Meant(model)
    known = {price.model for price in prices} | used
    return Meant(name, unseen=True, closest=_closest(name, known))


def _models_used(transaction: Transaction) -> set[str]:
    numbers = {number for _, number, _ in transaction.figures()}
    return {transaction.book(number).model for number in numbers}


def _closest(name: str, known: Iterable[str]) -> list[str]:
    full = {canonical(model).removeprefix(PREFIX): model for model in sorted(known)}
    wanted = canonical(name).removeprefix(PREFIX)
    return [full[each] for each in get_close_matches(wanted, full, MOST_CLOSE)]
