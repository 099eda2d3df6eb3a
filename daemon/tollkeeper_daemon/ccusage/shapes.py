"""What ccusage answers, by the shapes that are known: its JSON in, figures by day and model out; pure.

Shapes: seen by running ccusage 15.10.0, 17.2.1, 18.0.11 (``ccusage daily --json``) and 20.0.24
(``ccusage claude daily --json``).
"""

import re
from datetime import date
from functools import reduce
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from tollkeeper.cli.words import plain

# What ccusage puts behind the name of a model whose replies were fast.
FAST = "-fast"
VERSION = re.compile(r"\b(\d{1,6})\.\d{1,6}\.\d{1,6}(?:-[\w.]{1,40})?\b")
UNKNOWN_KEY = re.compile(r"unknown field `(?P<key>.*?)`(?: - at `\$\.?(?P<place>.*?)`)?$")
MISSING_KEY = re.compile(r"missing required field `(?P<key>.*?)`(?: - at `\$\.?(?P<place>.*?)`)?$")
LONGEST_COMPLAINT = 120
# Days of which there can be logs; and sums of all days that the numbers of JSON hold.
YEARS = range(2000, 2100)

Tokens = Annotated[int, Meta(ge=0, le=2**40)]
Dollars = Annotated[float, Meta(ge=0, le=1e9)]


class UnknownShape(Exception):
    """ccusage answered something that is not known; the text names its version and what is strange."""


class Figures(Struct, frozen=True):
    """What was used of a model in a day: tokens, and what they come to in nano-dollars."""

    input: int = 0
    output: int = 0
    cache_write: int = 0
    cache_read: int = 0
    nano: int = 0

    @property
    def tokens(self) -> tuple[int, int, int, int]:
        """The tokens by kind."""
        return self.input, self.output, self.cache_write, self.cache_read

    def plus(self, other: "Figures") -> "Figures":
        """Both together."""
        return Figures(
            self.input + other.input,
            self.output + other.output,
            self.cache_write + other.cache_write,
            self.cache_read + other.cache_read,
            self.nano + other.nano,
        )


Place = tuple[str, str]
"""A day, as 2026-11-22, and a model as the log names it."""


class Reading(Struct, frozen=True):
    """A report of ccusage: its figures, and the models that it says it has no price for."""

    figures: dict[Place, Figures]
    unpriced: frozenset[str] = frozenset()


class _Breakdown(Struct, frozen=True, forbid_unknown_fields=True):
    modelName: str
    inputTokens: Tokens
    outputTokens: Tokens
    cacheCreationTokens: Tokens
    cacheReadTokens: Tokens
    cost: Dollars


class _Day(Struct, frozen=True, forbid_unknown_fields=True):
    date: date
    inputTokens: Tokens
    outputTokens: Tokens
    cacheCreationTokens: Tokens
    cacheReadTokens: Tokens
    totalTokens: Tokens
    totalCost: Dollars
    modelsUsed: list[str]
    modelBreakdowns: tuple[_Breakdown, ...]


class _Totals(Struct, frozen=True, forbid_unknown_fields=True):
    inputTokens: Tokens
    outputTokens: Tokens
    cacheCreationTokens: Tokens
    cacheReadTokens: Tokens
    totalTokens: Tokens
    totalCost: Dollars


class _Report(Struct, frozen=True, forbid_unknown_fields=True):
    daily: list[_Day]
    totals: _Totals


class _Breakdown20(_Breakdown, frozen=True, forbid_unknown_fields=True):
    missingPricing: bool = False


class _Day20(_Day, frozen=True, forbid_unknown_fields=True):
    modelBreakdowns: tuple[_Breakdown20, ...]


class _Totals20(_Totals, frozen=True, forbid_unknown_fields=True):
    unpricedModels: list[str] = []


class _Report20(Struct, frozen=True, forbid_unknown_fields=True):
    daily: list[_Day20]
    totals: _Totals20 | None


class Shape(Struct, frozen=True):
    """How a range of versions is asked, and what it answers.

    ``folds_writes``: it charges writes for an hour like those for five minutes, and counts a reply by
    its first line.
    """

    name: str
    majors: range
    words: tuple[str, ...]
    kind: "type[_Report | _Report20]"
    folds_writes: bool = False


SHAPES = (
    Shape("15 to 18", range(15, 19), ("daily",), _Report, folds_writes=True),
    Shape("20", range(20, 21), ("claude", "daily"), _Report20),
)
# Before there was any log line, older ones leave the report out altogether.
NOTHING = b"[]"


def version_in(answer: bytes) -> str:
    """The version that ``ccusage --version`` told; UnknownShape when it told none."""
    found = VERSION.search(answer.decode("utf-8", "replace"))
    if not found:
        raise UnknownShape("it does not say which version of ccusage it is")
    return found[0]


def shape_of(version: str) -> Shape:
    """The shape that this version has, or is likeliest to have."""
    major = int(version.partition(".")[0])
    return next((each for each in SHAPES if major < each.majors.stop), SHAPES[-1])


def read(answer: bytes, version: str, shape: Shape) -> Reading:
    """What this version answered; UnknownShape, by name, when it is not as the shape says."""
    if shape is SHAPES[0] and answer.strip() == NOTHING:
        return Reading({})
    try:
        report = msgspec.json.decode(answer, type=shape.kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unknown(version, str(error)) from None
    figures: dict[Place, Figures] = {}
    unpriced: set[str] = set(getattr(report.totals, "unpricedModels", ()))
    for day in report.daily:
        if day.date.year not in YEARS:
            raise _unknown(version, f"{day.date} is no day of which there can be logs")
        rows = [_figures(each) for each in day.modelBreakdowns]
        told = (day.inputTokens, day.outputTokens, day.cacheCreationTokens, day.cacheReadTokens)
        if told != _together(rows).tokens:
            raise _unknown(version, f"the models of {day.date} do not add up to the day")
        for each, row in zip(day.modelBreakdowns, rows, strict=True):
            name = each.modelName.removesuffix(FAST)
            place = (day.date.isoformat(), name)
            figures[place] = figures.get(place, Figures()).plus(row)
    return Reading(figures, frozenset(name.removesuffix(FAST) for name in unpriced))


def _together(rows: list[Figures]) -> Figures:
    return reduce(Figures.plus, rows, Figures())


def _figures(row: _Breakdown) -> Figures:
    return Figures(
        row.inputTokens,
        row.outputTokens,
        row.cacheCreationTokens,
        row.cacheReadTokens,
        round(row.cost * 1e9),
    )


def _unknown(version: str, complaint: str) -> UnknownShape:
    for pattern, what in ((UNKNOWN_KEY, ""), (MISSING_KEY, " is missing")):
        if found := pattern.search(complaint):
            place = f" in {found['place']}" if found["place"] else ""
            complaint = f"key {found['key']}{place}{what}"
    return UnknownShape(
        f"ccusage {version} answers in a shape that is not known: {plain(complaint[:LONGEST_COMPLAINT])}"
    )
