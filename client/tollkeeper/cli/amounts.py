"""Dollars and tokens as people type them."""

from __future__ import annotations

import math
from argparse import ArgumentTypeError


def dollars(value: str) -> float:
    """A number of dollars that is not negative."""
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise ArgumentTypeError(f"{value!r} is not a number of zero or more")
    return number


def more_dollars(value: str) -> float:
    """A number of dollars above zero."""
    number = dollars(value)
    if not number:
        raise ArgumentTypeError(f"{value!r} is not a number above zero")
    return number


def tokens(value: str) -> int:
    """A whole number of tokens that is not negative."""
    if not (value.isascii() and value.isdecimal()):
        raise ArgumentTypeError(f"{value!r} is not a whole number of zero or more")
    return int(value)


def more_tokens(value: str) -> int:
    """A whole number of tokens above zero."""
    number = tokens(value)
    if not number:
        raise ArgumentTypeError(f"{value!r} is not a whole number above zero")
    return number
