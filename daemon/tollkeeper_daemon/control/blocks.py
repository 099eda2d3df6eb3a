"""``blocks``: the report by five-hour block."""

from typing import Any

from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.refusal import Refused
from tollkeeper_daemon.control.sheets import choice_of, read_sheet_in
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.ledger.books import QUARTER_MS
from tollkeeper_daemon.reports import blocks
from tollkeeper_daemon.store.transaction import Transaction

# A block is part of a chain of blocks, so that none can be counted from its own day on.
LONGEST_HOURS = 24


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """The blocks of the span, and the gaps between them."""
    choice = choice_of(blocks.BlockChoice, params)
    if not 1 <= choice.session_length <= LONGEST_HOURS:
        raise Refused("bad-params", f"session_length must be from 1 to {LONGEST_HOURS} hours")
    now = now_ms()

    def work(transaction: Transaction) -> dict[str, Any]:
        def times(quarter: int) -> tuple[int, int]:
            start = quarter * QUARTER_MS
            found = transaction.request_times(start, start + QUARTER_MS)
            # The single requests may have been dropped: their quarter of an hour is known still.
            return found or (start, start + QUARTER_MS - 1)

        sheet = read_sheet_in(transaction, choice, since=0)
        resets = {window.resets_at for window in transaction.windows("five_hour")}
        return blocks.blocks(sheet, choice, times, resets, now)

    return daemon.store.read(work)
