"""Running sums that live beside the ledger, and how they are told to the world."""

from msgspec import Struct, field

from tollkeeper.model import Usage
from tollkeeper_daemon.ledger.books import Paid, is_billed
from tollkeeper_daemon.ledger.totals import Totals


class Tally(Struct):
    """A sum that knows what of its value is billed (nano-dollars). Mutable: it runs."""

    totals: Totals = field(default_factory=Totals)
    cost: int = 0

    def add(self, what: Paid, totals: Totals) -> None:
        """Add what was booked; a subscription's requests have a value but no cost."""
        self.totals.add(totals)
        if is_billed(what):
            self.cost += totals.value

    def merge(self, other: "Tally") -> None:
        """Add another sum."""
        self.totals.add(other.totals)
        self.cost += other.cost

    def usage(self) -> Usage:
        """The sum in the words of the wire."""
        totals = self.totals
        return Usage(
            requests=totals.requests,
            messages=totals.messages,
            input_tokens=totals.input,
            output_tokens=totals.output,
            cache_read_tokens=totals.cache_read,
            cache_write_5m_tokens=totals.cache_write_5m,
            cache_write_1h_tokens=totals.cache_write_1h,
            web_searches=totals.web_searches,
            total_tokens=totals.tokens,
            cost_usd=dollars(self.cost),
            value_usd=dollars(totals.value),
            unpriced_requests=totals.unpriced,
        )


def dollars(nano: int) -> float:
    """Nano-dollars as dollars, rounded to nine places."""
    return round(nano / 1e9, 9)
