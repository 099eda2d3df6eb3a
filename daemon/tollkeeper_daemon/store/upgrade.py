"""Brings the ledger of an earlier version up to date, in one transaction."""

from itertools import islice

from tollkeeper_daemon.ledger.ledger import Moment
from tollkeeper_daemon.ledger.requests import resolve
from tollkeeper_daemon.store.schema import VERSION
from tollkeeper_daemon.store.transaction import Transaction

GROUPS_AT_ONCE = 10_000


def upgrade(transaction: Transaction, version: int) -> None:
    """From this version to the one of now."""
    if version < 2:
        _fill_timeline(transaction)
    if version < 3:
        _sum_up_work(transaction)
    transaction.proxied.list_anew()
    transaction.set_meta("schema", VERSION)


def _fill_timeline(transaction: Transaction) -> None:
    """Put the times of all requests on the time line."""
    groups = transaction.all_groups()
    while lot := list(islice(groups, GROUPS_AT_ONCE)):
        moments: list[Moment] = [
            (reply.time, key) for key, group in lot for reply in resolve(group.entries)
        ]
        transaction.add_to_timeline(moments)


def _sum_up_work(transaction: Transaction) -> None:
    """Sum up by workflow what was booked under labels."""
    transaction.work.add_to_sums(
        [(at, transaction.book(number), totals) for (at, number), totals in transaction.rows()]
    )
