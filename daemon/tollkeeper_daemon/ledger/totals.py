"""The sum of a span of the ledger: tokens and requests as counts, value in nano-dollars."""

from msgspec import Struct

# The most that can be saved (nano-dollars): nine billion dollars in one row.
MOST_SAVED = 2**63 - 1


class Totals(Struct, array_like=True, gc=False):
    """One row of sums. Mutable, because sums are built by adding in place.

    ``value`` is the list price of everything; what of it is billed depends on who pays.
    ``unpriced`` counts requests that were charged at a guessed price.
    """

    requests: int = 0
    messages: int = 0
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    web_searches: int = 0
    value: int = 0
    unpriced: int = 0

    def add(self, other: "Totals", times: int = 1) -> None:
        """Add the other sums; ``times=-1`` takes them away."""
        self.requests += other.requests * times
        self.messages += other.messages * times
        self.input += other.input * times
        self.output += other.output * times
        self.cache_read += other.cache_read * times
        self.cache_write_5m += other.cache_write_5m * times
        self.cache_write_1h += other.cache_write_1h * times
        self.web_searches += other.web_searches * times
        self.value += other.value * times
        self.unpriced += other.unpriced * times

    def bound(self) -> None:
        """Let the value end where it could not be saved any more.

        That takes a thousand of the dearest requests there can be, in a quarter of an hour.
        """
        self.value = bounded(self.value)

    @property
    def tokens(self) -> int:
        """All tokens of all kinds."""
        return (
            self.input + self.output + self.cache_read + self.cache_write_5m + self.cache_write_1h
        )

    def __bool__(self) -> bool:
        return any(getattr(self, field) for field in self.__struct_fields__)


def bounded(value: int) -> int:
    """The value, as far as it can be saved."""
    return max(-MOST_SAVED, min(value, MOST_SAVED))
