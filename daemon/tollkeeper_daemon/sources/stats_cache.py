"""The client's own daily statistics, ``<home>/stats-cache.json``: what ``/stats`` last counted.

Format: as written by Claude Code 2.1.330 (version 5) and earlier; see docs/accounting.md.
"""

from collections.abc import Callable
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from tollkeeper_daemon.names import name_of
from tollkeeper_daemon.records import EarlierDay
from tollkeeper_daemon.sources.files import printable, read_small

FILE = "stats-cache.json"
LARGEST_FILE = 8 << 20
# From this version of the daily tokens on, cache reads and writes are among them.
CACHE_COUNTED_SINCE = 5
# Before it there was no client; a day from before it, or still to come, is broken.
FIRST_DAY = date(2024, 1, 1)
MOST_DAYS = 4_000
# Far more than are used in a day.
MOST_MODELS = 100

# What is larger is no count, and would ruin the sums.
Count = Annotated[int, Meta(ge=0, le=10**15)]


class Activity(Struct):
    """How much a day's logs hold: lines, and conversations that began."""

    date: str
    messageCount: Count | None = None
    sessionCount: Count | None = None


class ModelTokens(Struct):
    """A day's tokens by model."""

    date: str
    tokensByModel: dict[str, Raw] | None = None


class StatsCache(Struct):
    """The file, as far as it tells of days."""

    dailyActivity: list[Raw] | None = None
    dailyModelTokens: list[Raw] | None = None
    dailyModelTokensVersion: int | None = None


_decode = msgspec.json.Decoder(StatsCache).decode
_decode_activity = msgspec.json.Decoder(Activity).decode
_decode_tokens = msgspec.json.Decoder(ModelTokens).decode
_decode_count = msgspec.json.Decoder(Count).decode


def read_stats_cache(home: Path, today: date) -> list[EarlierDay]:
    """The days in this home's file up to today, the oldest first; broken entries are passed over.

    None of them when there is no file; ValueError when it is no such file.
    """
    path = home / FILE
    try:
        cache = _decode(read_small(str(path), LARGEST_FILE))
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: {error}") from None
    activities = _by_day(cache.dailyActivity, _decode_activity, today)
    tokens = _by_day(cache.dailyModelTokens, _decode_tokens, today)
    return [
        EarlierDay(
            home=printable(str(home)),
            date=day,
            models=_counts(tokens[day].tokensByModel or {}) if day in tokens else {},
            lines=(activities[day].messageCount or 0) if day in activities else 0,
            sessions=(activities[day].sessionCount or 0) if day in activities else 0,
            cache_counted=(cache.dailyModelTokensVersion or 0) >= CACHE_COUNTED_SINCE,
        )
        for day in sorted(activities.keys() | tokens.keys())[-MOST_DAYS:]
    ]


T = TypeVar("T")
Entry = TypeVar("Entry", Activity, ModelTokens)


def _by_day(
    entries: list[Raw] | None, decode: Callable[[Raw], Entry], today: date
) -> dict[str, Entry]:
    """The whole entries among these, by their day."""
    found: dict[str, Entry] = {}
    for raw in entries or ():
        entry = _whole(raw, decode)
        if entry and _is_day(entry.date, today):
            found[entry.date] = entry
    return found


def _counts(tokens: dict[str, Raw]) -> dict[str, int]:
    """The models that something was used of."""
    counts = ((name_of(name), _whole(raw, _decode_count) or 0) for name, raw in tokens.items())
    return dict(islice(((name, count) for name, count in counts if count), MOST_MODELS))


def _whole(raw: Raw, decode: Callable[[Raw], T]) -> T | None:
    try:
        return decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _is_day(text: str, today: date) -> bool:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return False
    return day.isoformat() == text and FIRST_DAY <= day <= today
