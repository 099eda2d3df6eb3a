"""What the ledger and the logs hold of a day and model that may explain a difference; pure."""

from collections.abc import Iterable

from msgspec import Struct, field
from msgspec.structs import replace

from tollkeeper_daemon.ccusage.counting import Tokens
from tollkeeper_daemon.ccusage.shapes import Figures
from tollkeeper_daemon.ledger.charge import LONG_PROMPT_TOKENS, charge
from tollkeeper_daemon.ledger.prices import Price, PriceList, canonical
from tollkeeper_daemon.records import Reply

MARGIN_TOKENS = 200_000
MARGIN_MODELS = ("claude-sonnet-4", "claude-sonnet-4-5")
# A request is charged to a nano-dollar, so what is made up of several may be off by one for each.
NANO_EACH = 2


class Ours(Struct, frozen=True):
    """The ledger's figures, and what of them is told apart by no report of ccusage."""

    figures: Figures = Figures()
    requests: int = 0
    unpriced: int = 0
    writes_1h: int = 0

    @property
    def tokens(self) -> Tokens:
        """The tokens, those of cache writes told apart."""
        input, output, writes, read = self.figures.tokens
        return Tokens(input, output, writes - self.writes_1h, self.writes_1h, read)


class Extra(Struct):
    """How many requests something was true of, and what ccusage makes of it more or less (nano). It grows."""

    count: int = 0
    nano: int = 0

    def add(self, nano: int, count: int = 1) -> None:
        """It was true of one more."""
        self.count += count
        self.nano += nano


class Paid(Struct):
    """What the paid requests of a day and model hold, by cause. Mutable: it grows."""

    requests: int = 0
    extras: dict[str, Extra] = field(default_factory=dict[str, Extra])

    def add(self, cause: str, nano: int, count: int = 1) -> None:
        """One more request of which this cause is true."""
        self.extras.setdefault(cause, Extra()).add(nano, count)


def paid(replies: Iterable[Reply], prices: PriceList, folds_writes: bool) -> Paid:
    """What in these requests ccusage charges otherwise, by how much each."""
    found = Paid()
    for reply in replies:
        found.requests += 1
        _look_at(reply, prices, folds_writes, found)
    return found


def value_of(tokens: Tokens, price: Price) -> int:
    """What these tokens come to at this price (nano-dollars), without the factors of single requests."""
    pico = (
        tokens.input * price.input
        + tokens.output * price.output
        + tokens.write_5m * price.cache_write_5m
        + tokens.write_1h * price.cache_write_1h
        + tokens.read * price.cache_read
    )
    return round(pico / 1000)


def _look_at(reply: Reply, prices: PriceList, folds_writes: bool, found: Paid) -> None:
    price = prices.price(reply.model, reply.time)
    rest = reply

    def without(cause: str, **fields: object) -> None:
        """Take a field back, and note what it came to."""
        nonlocal rest
        plain = replace(rest, **fields)
        found.add(cause, _value(plain, prices) - _value(rest, prices))
        rest = plain

    if reply.web_searches:
        nano = -reply.web_searches * prices.web_search // 1000
        found.add("web-searches", nano, reply.web_searches)
        rest = replace(rest, web_searches=0)
    if reply.us:
        without("us", us=False)
    if reply.fast:
        # Where it has a factor for the model, it has the client's.
        found.add("fast", 0)
        rest = replace(rest, fast=False)
    if folds_writes and reply.cache_write_1h:
        folded = reply.cache_write_5m + reply.cache_write_1h
        without("hour-writes", cache_write_5m=folded, cache_write_1h=0)
    prompt = reply.input + reply.cache_read + reply.cache_write_5m + reply.cache_write_1h
    if price.above_100k != 1000 and prompt > LONG_PROMPT_TOKENS:
        found.add("long-prompts", 0)
    if price.own:
        found.add("own-prices", 0)
    if canonical(reply.model) in MARGIN_MODELS and (margin := _margin(reply, prices)):
        found.add("above-200k", margin)


def _value(reply: Reply, prices: PriceList) -> int:
    return charge(reply, prices)[0]


def _margin(reply: Reply, prices: PriceList) -> int:
    """What the price list of 2025 takes above 200,000 tokens of a kind: as much again, of output half."""
    price = prices.price(reply.model, reply.time)
    kinds = (
        (reply.input, price.input),
        (reply.output, price.output // 2),
        (reply.cache_read, price.cache_read),
        (reply.cache_write_5m + reply.cache_write_1h, price.cache_write_5m),
    )
    return sum(max(tokens - MARGIN_TOKENS, 0) * rate for tokens, rate in kinds) // 1000
