"""What one request costs, in whole nano-dollars, by the rules of the client itself.

Rules: see docs/accounting.md, measured with Claude Code 2.1.330.
"""

from tollkeeper_daemon.ledger.prices import Price, PriceList
from tollkeeper_daemon.records import Reply, Step

LONG_PROMPT_TOKENS = 100_000
# Nine million dollars (in nano-dollars): what comes to more is broken.
MOST_VALUE = 2**53 - 1


def charge(reply: Reply, prices: PriceList) -> tuple[int, bool]:
    """The value of the request (advice apart), and whether its price is a guess.

    It is at most ``MOST_VALUE``, whatever the tokens and prices are.
    """
    price = prices.price(reply.model, reply.time)
    if price.above_100k == 1000:
        pico = _tokens(reply, price)
    else:
        pico = sum(_tokens(part, price) * _margin(part, price) for part in _parts(reply)) // 1000
    if reply.fast:
        pico = pico * price.fast // 1000
    if reply.us:
        pico = pico * prices.us_inference // 1000
    pico += reply.web_searches * prices.web_search
    return min((pico + 500) // 1000, MOST_VALUE), price.guessed


def _parts(reply: Reply) -> tuple[Reply | Step, ...]:
    """What is long or not by itself: the reply's steps where they account for it, else the reply."""
    return reply.steps if reply.steps and _sums(*reply.steps) == _sums(reply) else (reply,)


def _margin(part: Reply | Step, price: Price) -> int:
    """The factor for a long prompt, in thousandths."""
    prompt = part.input + part.cache_read + part.cache_write_5m + part.cache_write_1h
    return price.above_100k if prompt > LONG_PROMPT_TOKENS else 1000


def _sums(*parts: Reply | Step) -> tuple[int, int, int, int]:
    return (
        sum(part.input for part in parts),
        sum(part.output for part in parts),
        sum(part.cache_read for part in parts),
        sum(part.cache_write_5m + part.cache_write_1h for part in parts),
    )


def _tokens(part: Reply | Step, price: Price) -> int:
    """What the tokens cost, in pico-dollars, before the factors of the request."""
    return (
        part.input * price.input
        + part.output * price.output
        + part.cache_read * price.cache_read
        + part.cache_write_5m * price.cache_write_5m
        + part.cache_write_1h * price.cache_write_1h
    )
