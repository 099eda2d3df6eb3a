"""Whether money is paid for what an agent asks by a proxy, as the proxy told of its latest requests. Pure."""

from msgspec import Struct, field

from tollkeeper_daemon.ledger.books import QUARTER_MS, Book, is_billed, is_told_by_proxy, quarter

# So many quarters of an hour without a word of the proxy's, while requests are made, and it holds no more.
SILENT_AFTER = 2

Requests = dict[int, int]
"""How many, by quarter of an hour since 1970; none where there are none."""


class Proxied(Struct):
    """The requests of an agent that a proxy told of, billed or not, and those booked without its word.

    Only sums of what is booked, so it is the same after a restart. What is asked of it is told of the
    quarters after the one in which the agent last changed hands, ``since`` (ms, 0 for never), and not of those
    that are still to come ``now`` (ms): a clock that was off would have the last word for good. Mutable: it runs.
    """

    billed: Requests = field(default_factory=dict[int, int])
    unbilled: Requests = field(default_factory=dict[int, int])
    untold: Requests = field(default_factory=dict[int, int])

    def add(self, at: int, book: Book, requests: int) -> None:
        """So many requests were booked in the quarter ``at``, or taken back."""
        told = self.billed if is_billed(book) else self.unbilled
        counts = told if is_told_by_proxy(book) else self.untold
        counts[at] = counts.get(at, 0) + requests
        if not counts[at]:
            del counts[at]

    def is_billed(self, now: int, since: int = 0) -> bool | None:
        """Whether any of the latest quarter's that a proxy told of is billed; None where none tells any more."""
        latest = self._latest(now, since)
        if not latest or self.is_silent(now, since):
            return None
        return self.billed.get(latest, 0) > 0

    def is_silent(self, now: int, since: int = 0) -> bool:
        """Whether requests go on without a word of any proxy's, since its last one, or from the first on."""
        untold = _between(since, now, self.untold)
        if not untold:
            return False
        return max(untold) - (self._latest(now, since) or min(untold)) >= SILENT_AFTER

    def _latest(self, now: int, since: int) -> int:
        """The latest quarter that a proxy told of; 0 for none."""
        told = _between(since, now, self.billed) + _between(since, now, self.unbilled)
        return max(told, default=0)


def _between(since: int, now: int, counts: Requests) -> list[int]:
    """The quarters with requests, after the one of ``since`` (ms) and up to the next one from now."""
    first, last = quarter(since), quarter(now + QUARTER_MS)
    return [at for at, requests in counts.items() if requests > 0 and first < at <= last]
