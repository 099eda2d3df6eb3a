"""Looks through the logs for what makes ccusage count otherwise; a program of its own, for that takes time.

Run as ``python -m tollkeeper_daemon.ccusage.look`` with a question as JSON; it answers with JSON.
"""

import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import reduce
from pathlib import Path
from typing import Any, cast

import msgspec
from msgspec import Struct, field

from tollkeeper_daemon.ccusage.counting import (
    NONE,
    Feature,
    Features,
    Line,
    Tokens,
    amounts,
    causes_of_repeats,
    paid,
)
from tollkeeper_daemon.clock import ms_of, start_of
from tollkeeper_daemon.names import name_of
from tollkeeper_daemon.reports.choice import day_at, zone_named
from tollkeeper_daemon.sources.tail import find_logs, read_on
from tollkeeper_daemon.transcript.lines import MOST_TOKENS, UNKNOWN_MODEL

NICENESS = 10
NULLABLE_OF_LINE = ("requestId", "sessionId", "cwd", "version", "costUSD", "isApiErrorMessage")
NULLABLE_OF_MESSAGE = ("id", "model")
NULLABLE_OF_USAGE = (
    "speed",
    "input_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)
# As the client writes it: what is written otherwise, ccusage does not read.
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z")
SPELLED = b'"usage":{'
SYNTHETIC = "<synthetic>"
# Lines of which this is true are not read by ccusage.
DROPPED = ("null", "empty-id", "spelling", "time")


class Question(Struct, frozen=True):
    """Which days (of this zone) to look at, in the logs of which homes."""

    homes: tuple[str, ...]
    days: tuple[date, ...]
    timezone: str | None = None


class Answered(Struct, frozen=True):
    """What was found of one day and model."""

    day: str
    model: str
    features: Features


class _Reply(Struct):
    """The lines of one reply. Mutable: it grows."""

    first: int = 2**63
    began: str = ""
    model: str = ""
    has_id: bool = True
    lines: list[Line] = field(default_factory=list[Line])


class _Stray(Struct, frozen=True):
    """A line that is no reply for us and one for ccusage."""

    day: str
    model: str
    tokens: Tokens


class Look:
    """Takes in lines, and tells what they came to."""

    def __init__(self, question: Question) -> None:
        self._zone = zone_named(question.timezone)
        self._days = {day.isoformat() for day in question.days}
        near = {day + timedelta(days=by) for day in question.days for by in (-1, 0, 1)}
        self._dates = re.compile(b"|".join(day.isoformat().encode() for day in sorted(near)))
        self._features: dict[tuple[str, str], Features] = defaultdict(lambda: defaultdict(Feature))
        self._replies: dict[str, _Reply] = {}
        # By cause and identity, as the same line may stand in several logs.
        self._strays: dict[tuple[str, str], _Stray] = {}

    def take(self, line: bytes) -> None:
        """A line of a log."""
        if b'"usage"' not in line or not self._dates.search(line):
            return
        try:
            fields = _dict(msgspec.json.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        if fields.get("type") == "progress":
            inner = _dict(_dict(fields.get("data")).get("message"))
            self._note_stray("progress", inner)
        elif fields.get("type") == "assistant":
            self._take_reply(line, fields)

    def found(self) -> Iterator[Answered]:
        """What was found, of the days that were asked for."""
        for reply in self._replies.values():
            self._sum_up(reply)
        for (name, identity), stray in self._strays.items():
            if identity not in self._replies:
                self._features[stray.day, stray.model][name].add(stray.tokens)
        for (day, model), features in self._features.items():
            if day in self._days:
                yield Answered(day, model, dict(features))

    def _sum_up(self, reply: _Reply) -> None:
        for day in {line.day for line in reply.lines}:
            for name in _features_of(reply):
                self._features[day, reply.model][name].count += 1
        for day, name, tokens in amounts(reply.lines, reply.has_id):
            if tokens != NONE:
                self._features[day, reply.model][name].add(tokens)
        requests = self._features[reply.began, reply.model]["requests"]
        for tokens in paid(reply.lines):
            requests.count += 1
            requests.add(tokens)

    def _take_reply(self, line: bytes, fields: dict[str, Any]) -> None:
        message = _dict(fields.get("message"))
        usage = _dict(message.get("usage"))
        if fields.get("isApiErrorMessage") is True or message.get("model") == SYNTHETIC:
            self._note_stray("error", fields)
            return
        names = list(_features_of_line(line, fields, message, usage))
        for name in names:
            self._note(name, fields, message)
        when = self._when(fields)
        if when is None:
            return
        time, day = when
        reply = self._replies.setdefault(_identity(fields, message), _Reply())
        if time < reply.first:
            reply.first, reply.began, reply.model = time, day, _model(message)
        reply.has_id = reply.has_id and bool(message.get("id"))
        reply.lines.append(
            Line(
                time,
                day,
                str(fields.get("requestId") or ""),
                str(fields.get("sessionId") or ""),
                fields.get("isSidechain") is True,
                _ours(usage),
                _theirs(usage),
                next((name for name in names if name in DROPPED), ""),
            )
        )

    def _note_stray(self, name: str, fields: dict[str, Any]) -> None:
        message = _dict(fields.get("message"))
        self._note(name, fields, message)
        when, tokens = self._when(fields), _theirs(_dict(message.get("usage")))
        # By day it passes over what the client made up itself.
        if when and message.get("model") != SYNTHETIC:
            known = self._strays.get(key := (name, _identity(fields, message)))
            if known is None or known.tokens.output < tokens.output:
                self._strays[key] = _Stray(when[1], _model(message), tokens)

    def _note(self, name: str, fields: dict[str, Any], message: dict[str, Any]) -> None:
        when = self._when(fields)
        if when and any(map(_count, _dict(message.get("usage")).values())):
            self._features[when[1], _model(message)][name].count += 1

    def _when(self, fields: dict[str, Any]) -> tuple[int, str] | None:
        """The time of the line (ms), and its day; None for one that no calendar has."""
        try:
            time = ms_of(str(fields.get("timestamp")))
            return time, day_at(time, self._zone).isoformat()
        except (ValueError, OverflowError, OSError):
            return None


def look(question: Question) -> list[Answered]:
    """What the logs of these homes hold; logs that ended before the first of the days are passed."""
    if not question.days:
        return []
    found = Look(question)
    since = start_of(min(question.days), zone_named(question.timezone)) / 1000
    for home in question.homes:
        for entry in find_logs(Path(home) / "projects"):
            try:
                if entry.stat().st_mtime >= since:
                    for line in _lines(entry.path):
                        found.take(line)
            except OSError:
                continue
    return list(found.found())


def _lines(path: str) -> Iterator[bytes]:
    mark = None
    while reading := read_on(path, mark):
        yield from reading.block[: reading.block.rfind(b"\n") + 1].splitlines()
        mark = reading.mark
        if not reading.more:
            return


def _features_of_line(
    line: bytes, fields: dict[str, Any], message: dict[str, Any], usage: dict[str, Any]
) -> Iterator[str]:
    if any(
        (
            _has_null(fields, NULLABLE_OF_LINE),
            _has_null(message, NULLABLE_OF_MESSAGE),
            _has_null(usage, NULLABLE_OF_USAGE),
        )
    ):
        yield "null"
    if message.get("id") == "":
        yield "empty-id"
    if SPELLED not in line:
        yield "spelling"
    if not TIME.fullmatch(str(fields.get("timestamp"))):
        yield "time"
    if fields.get("costUSD") is not None:
        yield "own-cost"
    split = usage.get("cache_creation")
    if isinstance(split, dict):
        told = sum(map(_count, cast("dict[str, Any]", split).values()))
        if told != _count(usage.get("cache_creation_input_tokens")):
            yield "split"


def _features_of(reply: _Reply) -> Iterator[str]:
    counts = [line.ours for line in reply.lines]
    if len({line.day for line in reply.lines}) > 1:
        yield "midnight"
    yield from causes_of_repeats(reply.lines, reply.has_id)
    most = reduce(Tokens.most, counts)
    if max(counts, key=lambda each: each.output) != most:
        yield "uneven"
    if counts[0] != most:
        yield "first-lines"


def _identity(fields: dict[str, Any], message: dict[str, Any]) -> str:
    return str(message.get("id") or fields.get("requestId") or fields.get("uuid"))


def _ours(usage: dict[str, Any]) -> Tokens:
    """As the ledger counts it: of all cache writes, what is not for an hour is for five minutes."""
    split = _dict(usage.get("cache_creation"))
    write_5m, write_1h = _split(split)
    whole = _count(usage.get("cache_creation_input_tokens")) or write_5m + write_1h
    write_1h = min(write_1h, whole)
    return _tokens(usage, whole - write_1h, write_1h)


def _theirs(usage: dict[str, Any]) -> Tokens:
    """As ccusage counts it: where cache writes are split, the split alone."""
    split = usage.get("cache_creation")
    if isinstance(split, dict):
        return _tokens(usage, *_split(cast("dict[str, Any]", split)))
    return _tokens(usage, _count(usage.get("cache_creation_input_tokens")), 0)


def _split(split: dict[str, Any]) -> tuple[int, int]:
    names = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
    write_5m, write_1h = (_count(split.get(name)) for name in names)
    return write_5m, write_1h


def _tokens(usage: dict[str, Any], write_5m: int, write_1h: int) -> Tokens:
    return Tokens(
        _count(usage.get("input_tokens")),
        _count(usage.get("output_tokens")),
        write_5m,
        write_1h,
        _count(usage.get("cache_read_input_tokens")),
    )


def _model(message: dict[str, Any]) -> str:
    model = message.get("model")
    return name_of(model if isinstance(model, str) else None) or UNKNOWN_MODEL


def _has_null(fields: dict[str, Any], names: Iterable[str]) -> bool:
    return any(name in fields and fields[name] is None for name in names)


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 < value <= MOST_TOKENS else 0


def _dict(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def main() -> None:
    """Answer the question in the first argument."""
    os.nice(NICENESS)
    question = msgspec.json.decode(sys.argv[1], type=Question)
    sys.stdout.buffer.write(msgspec.json.encode(look(question)))


if __name__ == "__main__":
    main()
