"""A snapshot: what ccusage told on a day, beside the ledger, with the causes of each difference; pure."""

from collections.abc import Iterable, Mapping
from itertools import groupby

from msgspec import Struct

from tollkeeper_daemon.ccusage.causes import KINDS
from tollkeeper_daemon.ccusage.differences import UNEXPLAINED, Cause, Difference
from tollkeeper_daemon.ccusage.evidence import Ours
from tollkeeper_daemon.ccusage.program import Program
from tollkeeper_daemon.ccusage.shapes import Figures, Place, Reading
from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.tally import dollars

VERSION = 1


class Side(Struct, frozen=True):
    """One side's figures, under ccusage's keys."""

    inputTokens: int
    outputTokens: int
    cacheCreationTokens: int
    cacheReadTokens: int
    totalTokens: int
    totalCost: float


class Told(Struct, frozen=True):
    """A cause: of how many replies or lines it is true, and what ccusage has more or less for it.

    None where that is not known, or not what it is about.
    """

    cause: str
    text: str
    count: int = 0
    differenceTokens: int | None = None
    differenceUSD: float | None = None


class Model(Struct, frozen=True):
    """A model on a day, on both sides; ``causes`` are empty where they agree."""

    modelName: str
    ccusage: Side
    tollkeeper: Side
    agrees: bool
    causes: tuple[Told, ...] = ()


class Day(Struct, frozen=True):
    """A day, on both sides."""

    date: str
    ccusage: Side
    tollkeeper: Side
    models: tuple[Model, ...]


class Totals(Struct, frozen=True):
    """All days together, and how many pairs of day and model agree, differ, and are not explained to the end."""

    ccusage: Side
    tollkeeper: Side
    agree: int
    differ: int
    unexplained: int


class Asked(Struct, frozen=True):
    """The ccusage that was asked; ``offline``: with the prices that it brought along."""

    version: str
    command: str
    offline: bool


class Snapshot(Struct, frozen=True):
    """The file ``ccusage-snapshots/<day>.json``, which is also what the verb answers.

    ``unsaved`` is why an answer could not be kept as a file.
    """

    version: int
    takenAt: str
    ccusage: Asked
    timezone: str
    daily: tuple[Day, ...]
    totals: Totals
    unsaved: str | None = None


def snapshot(
    program: Program,
    now: int,
    zone: str,
    theirs: Reading,
    ours: Mapping[Place, Ours],
    differences: Iterable[Difference],
) -> Snapshot:
    """Both sides by day and model, oldest first; ``now`` is in ms."""
    found = {each.place: each for each in differences}
    places = sorted({*theirs.figures, *ours})
    days = tuple(
        _day(date, list(own), theirs, ours, found)
        for date, own in groupby(places, lambda place: place[0])
    )
    unexplained = sum(any(c.name == UNEXPLAINED for c in each.causes) for each in found.values())
    return Snapshot(
        VERSION,
        iso(now),
        Asked(program.version, " ".join(program.words), program.offline),
        zone,
        days,
        Totals(
            _side(theirs.figures.values()),
            _side(each.figures for each in ours.values()),
            len(places) - len(found),
            len(found),
            unexplained,
        ),
    )


def _day(
    date: str,
    places: list[Place],
    theirs: Reading,
    ours: Mapping[Place, Ours],
    differences: Mapping[Place, Difference],
) -> Day:
    nothing, none = Figures(), Ours()
    models = tuple(
        Model(
            place[1],
            _side([theirs.figures.get(place, nothing)]),
            _side([ours.get(place, none).figures]),
            place not in differences,
            tuple(map(_told, differences[place].causes)) if place in differences else (),
        )
        for place in places
    )
    return Day(
        date,
        _side(theirs.figures.get(place, nothing) for place in places),
        _side(ours.get(place, none).figures for place in places),
        models,
    )


def _side(figures: Iterable[Figures]) -> Side:
    whole = Figures()
    for each in figures:
        whole = whole.plus(each)
    return Side(*whole.tokens, sum(whole.tokens), dollars(whole.nano))


def _told(cause: Cause) -> Told:
    nano = None if cause.nano is None else dollars(cause.nano)
    tokens = None if cause.tokens is None else sum(cause.tokens.kinds)
    return Told(cause.name, KINDS[cause.name].text, cause.count, tokens, nano)
