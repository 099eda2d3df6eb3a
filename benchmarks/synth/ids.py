"""Identifiers and time stamps in the client's spelling."""

from datetime import UTC, datetime
from functools import lru_cache
from random import Random
from typing import Final

DIGITS: Final = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
DAY_MS: Final = 86_400_000


def uuid(rng: Random) -> bytes:
    """Make a random (version 4) UUID."""
    bits = rng.getrandbits(122)
    return b"%08x-%04x-4%03x-%04x-%012x" % (
        bits & 0xFFFFFFFF,
        bits >> 32 & 0xFFFF,
        bits >> 48 & 0xFFF,
        0x8000 | bits >> 60 & 0x3FFF,
        bits >> 74,
    )


def token(rng: Random, size: int) -> bytes:
    """Make the random part of an API id."""
    return bytes(rng.choices(DIGITS, k=size))


def agent_id(rng: Random) -> bytes:
    """Make a subagent's id."""
    return b"a%016x" % rng.getrandbits(64)


def stamp(milliseconds: int) -> bytes:
    """Write a time as the logs do."""
    days, rest = divmod(milliseconds, DAY_MS)
    seconds, thousandths = divmod(rest, 1000)
    minutes, second = divmod(seconds, 60)
    return b"%bT%02d:%02d:%02d.%03dZ" % (
        _date(days),
        minutes // 60,
        minutes % 60,
        second,
        thousandths,
    )


@lru_cache(maxsize=1024)
def _date(days: int) -> bytes:
    return datetime.fromtimestamp(days * 86_400, UTC).strftime("%Y-%m-%d").encode()
