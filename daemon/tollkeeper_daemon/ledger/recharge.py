"""Charges requests anew that were charged before, when the prices have become others."""

from collections.abc import Iterable, Iterator

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
            after = Charge(before.book, *charge(reply, prices))
        yield Recharged(reply, before, after)


def recharge_all(
    groups: Iterable[tuple[str, Group]], prices: PriceList, since: int
) -> tuple[Posting, list[Recharged]]:
    """What charging these groups anew changes, and every request in them."""
    posting = Posting()
    found: list[Recharged] = []
    for key, group in groups:
        requests = list(recharge(group, prices, since))
        found += requests
        changed = [each for each in requests if each.changed]
        if changed:
            charges = tuple(each.after for each in requests)
            posting.groups[key] = Group(group.entries, charges)
        for each in changed:
            posting.add((quarter(each.reply.time), each.before.book), _difference(each))
    return posting, found


def _difference(each: Recharged) -> Totals:
    return Totals(
        value=each.after.value - each.before.value,
        unpriced=int(each.after.unpriced) - int(each.before.unpriced),
    )
