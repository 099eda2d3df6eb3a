"""What one request costs, in whole nano-dollars, by the rules of the client itself.

Rules: see docs/accounting.md, measured with Claude Code 2.1.330.
"""

from tollkeeper_daemon.ledger.prices import PriceList
from tollkeeper_daemon.records import Reply

LONG_PROMPT_TOKENS = 100_000


def charge(reply: Reply, prices: PriceList) -> tuple[int, bool]:
    """The value of the request (advice apart), and whether its price is a guess."""
    price = prices.price(reply.model, reply.time)
    pico = (
        reply.input * price.input
        + reply.output * price.output
        + reply.cache_read * price.cache_read
        + reply.cache_write_5m * price.cache_write_5m
        + reply.cache_write_1h * price.cache_write_1h
    )
    if price.above_100k != 1000 and _prompt_tokens(reply) > LONG_PROMPT_TOKENS:
        pico = pico * price.above_100k // 1000
    if reply.fast:
        pico = pico * price.fast // 1000
    if reply.us:
        pico = pico * prices.us_inference // 1000
    pico += reply.web_searches * prices.web_search
    return (pico + 500) // 1000, price.guessed


def _prompt_tokens(reply: Reply) -> int:
    return reply.input + reply.cache_read + reply.cache_write_5m + reply.cache_write_1h
