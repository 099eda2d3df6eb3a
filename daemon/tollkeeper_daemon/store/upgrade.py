"""Brings the ledger of an earlier version up to date, in one transaction."""

from itertools import islice

from tollkeeper_daemon.ledger.ledger import Moment
from tollkeeper_daemon.ledger.requests import resolve
from tollkeeper_daemon.store.schema import VERSION
from tollkeeper_daemon.store.transaction import Transaction

GROUPS_AT_ONCE = 10_000


def upgrade(transaction: Transaction) -> None:
    """From version 1: put the times of all requests on the time line."""
    groups = transaction.all_groups()
    while lot := list(islice(groups, GROUPS_AT_ONCE)):
        moments: list[Moment] = [
            (reply.time, key) for key, group in lot for reply in resolve(group.entries)
        ]
        transaction.add_to_timeline(moments)
    transaction.set_meta("schema", VERSION)
