"""Charges requests anew that were charged before, when the prices have become others."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec import Struct

from tollkeeper_daemon.ledger.books import Charge, Group, quarter
from tollkeeper_daemon.ledger.charge import charge
from tollkeeper_daemon.ledger.ledger import Posting
from tollkeeper_daemon.ledger.prices import PriceList
from tollkeeper_daemon.ledger.requests import resolve
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.records import Reply


class Recharged(Struct, frozen=True, gc=False):
    """A request, what it was charged, and what it comes to by the prices in force."""

    reply: Reply
    before: Charge
    after: Charge

    @property
    def changed(self) -> bool:
        """Whether it is charged otherwise than before, be it only no longer by a guess."""
        return self.before != self.after


def recharge(group: Group, prices: PriceList, since: int) -> Iterator[Recharged]:
    """Every request of the group; those from before ``since`` (ms) stay as they are."""
    for reply, before in zip(resolve(group.entries), group.charges, strict=True):
        after = before
        if reply.time >= since:
            after = Charge(before.book, *charge(reply, prices), before.history)
        yield Recharged(reply, before, after)


class Postings(NamedTuple):
    """What charging anew changes of the history, and then of what limits count: in this order."""

    history: Posting
    counted: Posting


def recharge_all(
    groups: Iterable[tuple[str, Group]], prices: PriceList, since: int
) -> tuple[Postings, list[Recharged]]:
    """What charging these groups anew changes, and every request in them."""
    postings = Postings(Posting(), Posting())
    found: list[Recharged] = []
    for key, group in groups:
        requests = list(recharge(group, prices, since))
        found += requests
        charges = list(group.charges)
        for posting, is_history in zip(postings, (True, False), strict=True):
            for place, each in enumerate(requests):
                if each.changed and each.before.history == is_history:
                    charges[place] = each.after
                    posting.groups[key] = Group(group.entries, tuple(charges))
                    posting.add((quarter(each.reply.time), each.before.book), _difference(each))
    return postings, found


def _difference(each: Recharged) -> Totals:
    return Totals(
        value=each.after.value - each.before.value,
        unpriced=int(each.after.unpriced) - int(each.before.unpriced),
    )
