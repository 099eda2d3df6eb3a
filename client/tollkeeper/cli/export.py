"""``toll export``: single requests, or their sums, for spreadsheets and other programs."""

from __future__ import annotations

import signal
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from itertools import chain
from typing import Any, Self
from zoneinfo import ZoneInfo

from tollkeeper import wire
from tollkeeper.cli.context import Ask, UsageError, print_json
from tollkeeper.cli.formats import FORMATS
from tollkeeper.cli.output import is_stdout, output_to
from tollkeeper.cli.period import (
    one_or_more_of,
    payer_options,
    payer_params,
    span_options,
    span_params,
)
from tollkeeper.cli.rows import COLUMNS, DIMENSIONS, Sums, row_of
from tollkeeper.cli.zone import local_zone, zone_named
from tollkeeper.errors import NoDaemonError, ProtocolError, TollError
from tollkeeper.exports import Page

HELP = (
    "Write a row for each request, oldest first, or with --by a row of sums for each combination "
    "of what is named. Times of requests are in UTC; days and hours are those of the time zone."
)
BEAT_SECONDS = 0.1


def options(parser: ArgumentParser) -> None:
    span_options(parser)
    payer_options(parser)
    parser.add_argument(
        "-f",
        "--format",
        choices=list(FORMATS),
        help="csv, which is usual; json, the same as --json; ndjson, an object on each line",
    )
    parser.add_argument(
        "--by",
        action="extend",
        type=one_or_more_of(DIMENSIONS),
        metavar="WHAT",
        help=f"sums by this, or by several: {', '.join(DIMENSIONS)}",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write a file, which is there whole or not at all; - is standard output",
    )


def run(ask: Ask, options: Namespace) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # As nohup has it.
            signal.signal(number, _leave)
    form = _format_of(ask, options)
    # The days of both sides are of one zone, whatever the daemon's own is.
    zone = options.timezone or local_zone()
    params = span_params(options)
    if zone and ("since" in params or "until" in params):
        params["timezone"] = zone
    params |= payer_params(options)
    pages = _pages(ask, params)
    first = next(pages)  # What can't be answered is refused before anything is written.
    sums = Sums(options.by, _zone(zone)) if options.by else None
    into_file = not is_stdout(options.output)
    writer = FORMATS[form](sums.columns if sums is not None else COLUMNS)
    with (
        Progress(first.total or 0, into_file) as progress,
        output_to(options.output) as file,
    ):
        file.write(writer.head())
        for page in chain([first], pages):
            if sums is None:
                file.write(writer.rows(map(row_of, page.requests)))
            else:
                sums.add(page.requests)
            progress.add(len(page.requests))
        if sums is not None:
            file.write(writer.rows(sums.rows()))
        file.write(writer.tail())
    if into_file:
        _tell(ask, options.output, progress.done if sums is None else len(sums))


def _format_of(ask: Ask, options: Namespace) -> str:
    if ask.as_json and options.format not in (None, "json"):
        raise UsageError(f"--json and --format {options.format} exclude each other")
    return "json" if ask.as_json else options.format or "csv"


def _pages(ask: Ask, params: dict[str, Any]) -> Iterator[Page]:
    """Every page, each asked for when it is wanted; a daemon that goes away ends it.

    ProtocolError when a page leads back to where an earlier one did, as it would go on for ever.
    """
    page = wire.decode(ask.raw("export", params), Page)
    yield page
    running = Ask(may_start=False)
    after = ""
    while page.next is not None:
        if page.next <= after:
            raise ProtocolError("the daemon's pages go in a circle", "see toll doctor")
        after = page.next
        try:
            page = wire.decode(running.raw("export", {**params, "after": after}), Page)
        except NoDaemonError:
            raise TollError("the daemon went away in the middle of it", "try again") from None
        yield page


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    if zone := zone_named(name):
        return zone
    raise TollError(f"no time zone {name!r} is known here", "install tzdata")


def _tell(ask: Ask, path: str, rows: int) -> None:
    if ask.as_json:
        print_json({"file": path.encode(errors="replace").decode(), "rows": rows})
    else:
        print(f"Wrote {rows:,} row{'' if rows == 1 else 's'} to {path}.")


def _leave(number: int, frame: object) -> None:
    """End as by Ctrl-C, so that no half file is left."""
    sys.exit(128 + number)


class Progress:
    """A line on the terminal that says how far it is, for as long as the block lasts.

    There is none when errors go elsewhere, nor when the rows come on the same terminal.
    """

    def __init__(self, total: int, into_file: bool) -> None:
        self.done = 0
        self._total = total
        self._shown = sys.stderr.isatty() and (into_file or not sys.stdout.isatty())
        self._started = self._told = time.monotonic()
        self._length = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._show("")

    def add(self, count: int) -> None:
        """So many more are done."""
        self.done += count
        now = time.monotonic()
        if now - self._told >= BEAT_SECONDS:
            self._told = now
            self._show(progress_line(self.done, self._total, now - self._started))

    def _show(self, line: str) -> None:
        if self._shown and (line or self._length):
            sys.stderr.write(f"\r{line.ljust(self._length)}\r{line}")
            sys.stderr.flush()
            self._length = len(line)


def progress_line(done: int, total: int, seconds: float) -> str:
    """How far an export is, and how fast: requests so far, in all, and per second."""
    return f"{done:,} of {max(done, total):,} requests, {done / seconds:,.0f}/s"
