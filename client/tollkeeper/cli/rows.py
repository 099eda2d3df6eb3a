"""What an export shows: single requests, or their sums by what was asked for. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from functools import lru_cache

from msgspec.structs import astuple

from tollkeeper.cli.period import DIMENSIONS as REPORT_DIMENSIONS
from tollkeeper.exports import Request

MONEY = frozenset({"value_usd", "cost_usd"})
COLUMNS = Request.__struct_fields__
SUMMED = COLUMNS[COLUMNS.index("input_tokens") : COLUMNS.index("web_searches") + 1]
SUM_COLUMNS = ("requests", *SUMMED, "value_usd", "cost_usd", "unpriced_requests")
DIMENSIONS = (*REPORT_DIMENSIONS, "conversation", "day", "hour")
NANO = 10**9


class Dollars(str):
    """An exact amount with nine places, as every format writes it: a number, not a text."""


Cell = Dollars | str | int | None
Row = Sequence[Cell]


def amount(nano: int) -> Dollars:
    """These nano-dollars as dollars."""
    whole, places = divmod(abs(nano), NANO)
    return Dollars(f"{'-' if nano < 0 else ''}{whole}.{places:09d}")


def nano_of(dollars: float) -> int:
    """The nano-dollars that the wire told as dollars, rounded to nine places."""
    return round(dollars * NANO)


def row_of(request: Request) -> Row:
    """The request under ``COLUMNS``."""
    return [
        amount(nano_of(value)) if name in MONEY else value
        for name, value in zip(COLUMNS, astuple(request), strict=True)
    ]


class Sums:
    """Sums of requests, a row for each combination of what they are asked by."""

    def __init__(self, by: Sequence[str], zone: tzinfo | None) -> None:
        self.columns = (*by, *SUM_COLUMNS)
        self._values = [_value_in(dimension, zone) for dimension in by]
        self._sums: dict[tuple[str | None, ...], list[int]] = {}

    def __len__(self) -> int:
        return len(self._sums)

    def add(self, requests: Iterable[Request]) -> None:
        """Count these."""
        for request in requests:
            name = tuple([value(request) for value in self._values])
            figures = _figures(request)
            known = self._sums.get(name)
            self._sums[name] = figures if known is None else list(map(int.__add__, known, figures))

    def rows(self) -> Iterator[Row]:
        """The rows under ``columns``, in the order in which each was first met."""
        for name, (*counts, value, cost, unpriced) in self._sums.items():
            yield [*name, *counts, amount(value), amount(cost), unpriced]


def _figures(request: Request) -> list[int]:
    return [
        1,
        *(getattr(request, name) for name in SUMMED),
        nano_of(request.value_usd),
        nano_of(request.cost_usd),
        int(request.unpriced),
    ]


def _value_in(dimension: str, zone: tzinfo | None) -> Callable[[Request], str | None]:
    """How a request is called in this dimension, as in the reports; days are the zone's."""
    match dimension:
        case "agent":
            return lambda request: request.agent or request.agent_id
        case "subagent":
            return lambda request: request.subagent_type or request.subagent
        case "project":
            return lambda request: request.cwd or request.project
        case "day" | "hour":
            return lambda request: _hour(request.time[:16], zone)[
                : 10 if dimension == "day" else 99
            ]
        case _:
            return lambda request: getattr(request, dimension)


@lru_cache(maxsize=10_000)
def _hour(minute: str, zone: tzinfo | None) -> str:
    """The hour of this minute of UTC; its offset tells two of the same name apart."""
    local = datetime.fromisoformat(f"{minute}+00:00").astimezone(zone)
    return local.replace(minute=0).isoformat(timespec="minutes")
