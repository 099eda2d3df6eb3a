"""How a verb says no, and how it reads its parameters."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec

from tollkeeper_daemon.config import ConfigError
from tollkeeper_daemon.ledger.prices import PriceError
from tollkeeper_daemon.own.file import OwnFileError
from tollkeeper_daemon.own.plans import PlanError
from tollkeeper_daemon.toml_text import EditError

T = TypeVar("T")

# How msgspec says that a text is too short or too long.
LENGTH = re.compile(
    r"Expected `str` of length (?P<bound>[<>]=) (?P<count>\d+) - at `\$\.(?P<name>\w+)`"
)
# That there are too few or too many of something.
COUNT = re.compile(
    r"Expected `array` of length (?P<bound>[<>]=) (?P<count>\d+) - at `\$\.(?P<name>\w+)`"
)
# And that a number is too small or too large.
BOUND = re.compile(
    r"Expected `(?:int|float)` (?P<bound>[<>]=?) (?P<number>[-\d.]+) - at `\$\.(?P<name>\w+)`"
)
BOUNDS = {">=": "at least", ">": "above", "<=": "at the most", "<": "below"}


class Refused(Exception):
    """The call can't be done; the text is for people, ``code`` for programs."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


def params_as(kind: type[T], params: dict[str, Any]) -> T:
    """The parameters as this Struct; Refused when they are not."""
    try:
        return msgspec.convert(params, kind)
    except msgspec.ValidationError as error:
        raise Refused("bad-params", _in_words(str(error))) from None


def _in_words(complaint: str) -> str:
    """What is wrong with names or a number that people type; the complaint itself of anything else."""
    if found := BOUND.fullmatch(complaint):
        number = float(found["number"])
        return f"{found['name']} must be {BOUNDS[found['bound']]} {number:,.15g}"
    if found := COUNT.fullmatch(complaint):
        few, least = ("few", "at least") if found["bound"] == ">=" else ("many", "at the most")
        return f"too {few} {found['name']}: name {found['count']} {least}"
    found = LENGTH.fullmatch(complaint)
    if not found:
        return complaint
    if found["bound"] == ">=":
        return f"{found['name']} is empty: name one"
    return f"{found['name']} is too long: {found['count']} characters at the most"


@contextmanager
def editing(path: object) -> Generator[None]:
    """Refuse what can't be done because of the user's own file at this path."""
    try:
        yield
    except (ConfigError, PriceError, PlanError, OwnFileError) as error:
        raise Refused("broken-file", str(error), "mend it, or move it away") from None
    except EditError as error:
        raise Refused("broken-file", f"{path}: {error}", "edit it by hand") from None
