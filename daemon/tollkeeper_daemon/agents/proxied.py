"""Whether money is paid for what an agent asks by a proxy, as the proxy told of its latest requests. Pure."""

from msgspec import Struct

from tollkeeper_daemon.ledger.books import Book, is_billed, is_told_by_proxy

# So many quarters of an hour without a word of the proxy's, while requests are made, and it holds no more.
SILENT_AFTER = 2


class Proxied(Struct):
    """The requests of an agent in the latest quarter of an hour that a proxy told of.

    The books alone decide, so it is the same after a restart. ``untold`` is the latest quarter with
    requests that were booked without a proxy's word. Mutable: it runs.
    """

    quarter: int = 0
    billed: int = 0
    unbilled: int = 0
    untold: int = 0

    def add(self, quarter: int, book: Book, requests: int) -> None:
        """So many requests were booked in this quarter, or taken back."""
        if not is_told_by_proxy(book):
            if requests > 0:
                self.untold = max(self.untold, quarter)
            return
        if quarter > self.quarter and requests > 0:
            self.quarter, self.billed, self.unbilled = quarter, 0, 0
        if quarter == self.quarter and is_billed(book):
            self.billed += requests
        elif quarter == self.quarter:
            self.unbilled += requests

    def is_billed(self) -> bool | None:
        """Whether any of them is billed; None where no proxy tells, or none does any more."""
        is_silent = self.untold - self.quarter >= SILENT_AFTER
        if is_silent or not (self.billed or self.unbilled):
            return None
        return self.billed > 0
