"""``blocks``: the report by five-hour block."""

from typing import Any

from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.refusal import Refused
from tollkeeper_daemon.control.sheets import choice_of, read_sheet_in
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.ledger.books import QUARTER_MS, SUBSCRIPTION
from tollkeeper_daemon.reports import blocks
from tollkeeper_daemon.reports.choice import is_paid_by
from tollkeeper_daemon.store.transaction import Transaction

# A block is part of a chain of blocks, so that none can be counted from its own day on.
LONGEST_HOURS = 24
MOST_TOKENS = 10**15


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """The blocks of the span, and the gaps between them."""
    choice = choice_of(blocks.BlockChoice, params)
    if isinstance(choice.token_limit, int) and not 1 <= choice.token_limit <= MOST_TOKENS:
        raise Refused("bad-params", f"token_limit must be from 1 to {MOST_TOKENS}")
    if not 1 <= choice.session_length <= LONGEST_HOURS:
        raise Refused("bad-params", f"session_length must be from 1 to {LONGEST_HOURS} hours")
    now = now_ms()

    def work(transaction: Transaction) -> dict[str, Any]:
        sheet = read_sheet_in(transaction, choice, since=0)
        wanted = {number for number, book in sheet.books.items() if choice.wants(book, sheet)}

        def times(quarter: int) -> tuple[int, int]:
            start = quarter * QUARTER_MS
            found = _times(transaction, start, wanted if choice.narrows else None)
            # The single requests may have been dropped: their quarter of an hour is known still.
            return found or (start, start + QUARTER_MS - 1)

        resets = {
            window.resets_at
            for window in transaction.windows("five_hour")
            if is_paid_by(SUBSCRIPTION, window.account, choice.source, choice.account)
        }
        return blocks.blocks(sheet, choice, times, resets, now)

    return daemon.store.read(work)


def _times(transaction: Transaction, start: int, books: set[int] | None) -> tuple[int, int] | None:
    """The first and the last time in the quarter that begins at ``start``; in these books, if named."""
    end = start + QUARTER_MS
    if books is None:
        return transaction.request_times(start, end)
    times = [
        time
        for _, time, key in transaction.timeline(start, end)
        if (group := transaction.group(key))
        and any(charge.book in books for charge in group.charges)
    ]
    return (times[0], times[-1]) if times else None
