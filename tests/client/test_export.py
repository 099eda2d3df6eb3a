"""The command ``toll export``: its rows, its files, and what it leaves when something goes wrong."""

import csv
import io
import json
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper import wire
from tollkeeper.cli import export
from tollkeeper.cli.formats import FORMATS, defused
from tollkeeper.cli.rows import COLUMNS, DIMENSIONS, Dollars, Row, Sums, amount, nano_of, row_of
from tollkeeper.exports import Page, Request
from tollkeeper.paths import Paths

from .conftest import Run
from .fake_daemon import FakeDaemon, reply
from .pages import TWO_PAGES, paged, request


@pytest.fixture
def run(run: Run) -> Run:
    """Runs toll export with these arguments."""
    return lambda *arguments: run("export", "--no-start", *arguments)


# Rows.


@given(st.integers(-(10**15), 10**15))
def test_amounts_are_exact(nano: int) -> None:
    """What the wire tells in dollars is written with nine places, and nothing is lost."""
    written = amount(nano_of(round(nano / 1e9, 9)))
    assert nano == int(written.replace(".", ""))
    assert re.fullmatch(r"-?\d+\.\d{9}", written)


def test_row_of_a_request() -> None:
    """A row has a cell for each column, money as an exact amount."""
    row = dict(zip(COLUMNS, row_of(request()), strict=True))
    assert ("c", 1, True, None, "0.000000007") == (
        row["conversation"],
        row["input_tokens"],
        row["us"],
        row["agent"],
        row["value_usd"],
    )
    assert isinstance(row["cost_usd"], Dollars)


def summed(by: list[str], *requests: Request, zone: str = "UTC") -> list[Row]:
    """The rows that these requests come to."""
    sums = Sums(by, ZoneInfo(zone))
    sums.add(requests)
    rows = list(sums.rows())
    assert {len(sums.columns)} >= {len(row) for row in rows}
    assert len(rows) == len(sums)
    return rows


def test_sums() -> None:
    """A row of sums adds up counts and money of all its requests."""
    paid = request(2, cost_usd=0.0, value_usd=1.5, unpriced=True)
    assert [["api", 2, 2, 4, 6, 8, 10, 12, "1.500000007", "0.000000007", 1]] == summed(
        ["source"], request(1), paid
    )


@pytest.mark.parametrize(
    ("dimension", "more", "expected"),
    [
        ("agent", {"agent": "Ada", "agent_id": "1-2"}, "Ada"),
        ("agent", {"agent_id": "1-2"}, "1-2"),
        ("agent", {}, None),
        ("subagent", {"subagent": "h1", "subagent_type": "analyst"}, "analyst"),
        ("subagent", {"subagent": "h1"}, "h1"),
        ("project", {}, "/src/shop"),
        ("project", {"cwd": None}, "shop"),
        ("source", {}, "api"),
        ("account", {"account": "a"}, "a"),
        ("workflow", {"workflow": "w"}, "w"),
        ("task", {"task": "t"}, "t"),
        ("stage", {"stage": "s"}, "s"),
        ("model", {}, "claude-opus-5-5"),
        ("conversation", {}, "c"),
        ("day", {}, "2026-11-22"),
        ("hour", {}, "2026-11-22T09:00+00:00"),
    ],
)
def test_dimensions(dimension: str, more: dict[str, Any], expected: str | None) -> None:
    """Each dimension has its value."""
    assert dimension in DIMENSIONS
    assert [expected] == [row[0] for row in summed([dimension], request(**more))]


def test_combinations_in_order() -> None:
    """There is a row for each combination that is there, in the order of its first request."""
    told = [
        request(1, agent="b"),
        request(2, agent="a", model="m"),
        request(3, agent="b", model="m"),
        request(4, agent="b"),
    ]
    rows = summed(["agent", "model"], *told)
    assert [("b", "claude-opus-5-5", 2), ("a", "m", 1), ("b", "m", 1)] == [
        tuple(row[:3]) for row in rows
    ]


@pytest.mark.parametrize(
    ("zone", "times", "hours"),
    [
        (
            "Europe/Berlin",  # Two o'clock comes twice, an hour apart.
            ["2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30"],
            ["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00", "2026-10-25T03:00+01:00"],
        ),
        (
            "Europe/Berlin",  # There is no two o'clock.
            ["2026-03-29T00:59", "2026-03-29T01:00"],
            ["2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00"],
        ),
        (
            "Asia/Kathmandu",
            ["2026-05-05T18:14", "2026-05-05T18:15"],
            ["2026-05-05T23:00+05:45", "2026-05-06T00:00+05:45"],
        ),
    ],
)
def test_hours_of_a_zone(zone: str, times: list[str], hours: list[str]) -> None:
    """Hours and days are those of the zone's clocks; an hour that comes twice is two."""
    told = [request(time=f"{time}:00.000+00:00") for time in times]
    assert hours == [row[0] for row in summed(["hour"], *told, zone=zone)]
    days = list(dict.fromkeys(hour[:10] for hour in hours))
    assert days == [row[0] for row in summed(["day"], *told, zone=zone)]


# Formats.


def written(form: str, columns: list[str], *pages: list[Row]) -> str:
    """The file that these pages of rows make."""
    made = FORMATS[form](columns)
    return b"".join([made.head(), *map(made.rows, pages), made.tail()]).decode()


cells = st.none() | st.booleans() | st.integers() | st.text() | st.integers(0, 10**12).map(amount)
tables = st.lists(st.lists(st.lists(cells, min_size=2, max_size=2), max_size=3), max_size=3)


@given(tables)
def test_json_is_valid(pages: list[list[Row]]) -> None:
    """However the rows come, the array and the lines hold them all, money as a number."""
    rows = [row for page in pages for row in page]
    expected = [
        {
            name: float(cell) if isinstance(cell, Dollars) else cell
            for name, cell in zip("ab", row, strict=True)
        }
        for row in rows
    ]
    assert expected == json.loads(written("json", ["a", "b"], *pages))
    lines = written("ndjson", ["a", "b"], *pages).split("\n")
    assert "" == lines.pop()
    assert expected == [json.loads(line) for line in lines]


@given(tables)
def test_csv_reads_back(pages: list[list[Row]]) -> None:
    """Every cell comes back from the CSV file, whatever signs are in it."""

    def shown(cell: Any) -> str:
        if cell is None:
            return ""
        if isinstance(cell, bool):
            return str(cell).lower()
        return defused(cell) if type(cell) is str else str(cell)

    text = written("csv", ["a", "b"], *pages)
    found = list(csv.reader(io.StringIO(text, newline="")))
    rows = [row for page in pages for row in page]
    assert [["a", "b"], *[[shown(cell) for cell in row] for row in rows]] == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("=cmd|'/c calc'!A0", "'=cmd|'/c calc'!A0"),
        ("+1+1", "'+1+1"),
        ("-src-shop", "'-src-shop"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("-5", "-5"),
        ("+5.25", "+5.25"),
        ("-5\n", "'-5\n"),
        ("-", "'-"),
        ("a=1", "a=1"),
        ("", ""),
    ],
)
def test_formulas_are_defused(text: str, expected: str) -> None:
    """Text that a spreadsheet would compute gets a sign before it; numbers do not."""
    assert expected == defused(text)
    file = io.StringIO(written("csv", ["a", "b"], [[text, 1]]), newline="")
    assert [["a", "b"], [expected, "1"]] == list(csv.reader(file))


# The command.


def test_csv_to_stdout(home: Paths, run: Run) -> None:
    """Without options a table of all requests comes on stdout, page after page."""
    with FakeDaemon(home, TWO_PAGES) as daemon:
        exit_status, out, err = run()
    assert (0, "") == (exit_status, err)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert ["r1", "r2", "r3"] == [row["request"] for row in rows]
    assert list(COLUMNS) == list(rows[0])
    assert [{}, {"after": "1"}] == [call.params for call in daemon.calls]


def test_span_is_passed_on(home: Paths, run: Run) -> None:
    """Days and zone go with every page that is asked for."""
    with FakeDaemon(home, TWO_PAGES) as daemon:
        assert 0 == run("-s", "20261101", "-u", "2026-11-30", "-z", "Asia/Kathmandu")[0]
    span = {"since": "2026-11-01", "until": "2026-11-30", "timezone": "Asia/Kathmandu"}
    assert [span, {**span, "after": "1"}] == [call.params for call in daemon.calls]


def test_one_zone(home: Paths, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a zone, span and rows are those of the caller's, which the daemon is told."""
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    late = request(1, time="2026-11-22T18:15:00.000+00:00")
    with FakeDaemon(home, paged([late])) as daemon:
        for arguments in (["-s", "20261123"], ["-u", "20261123"], []):
            _, out, _ = run("--by", "day", "-f", "ndjson", *arguments)
            assert "2026-11-23" == json.loads(out)["day"]
    zone = {"timezone": "Asia/Kathmandu"}
    assert [{"since": "2026-11-23", **zone}, {"until": "2026-11-23", **zone}, {}] == [
        call.params for call in daemon.calls
    ]


def test_zone_that_only_the_daemon_knows(home: Paths, run: Run) -> None:
    """Days of a zone that is not known here are refused, and not counted by another."""
    with FakeDaemon(home, TWO_PAGES):
        found = run("--by", "day", "-z", "Nowhere/Else")
    assert (1, "", "toll: no time zone 'Nowhere/Else' is known here; install tzdata\n") == found


@pytest.mark.parametrize("arguments", [["--json"], ["--format", "json"], ["-jf", "json"]])
def test_json(home: Paths, run: Run, arguments: list[str]) -> None:
    """JSON is one array with the names of the columns."""
    with FakeDaemon(home, TWO_PAGES):
        _, out, _ = run(*arguments)
    found = json.loads(out)
    assert [list(COLUMNS)] * 3 == [list(each) for each in found]
    assert '"value_usd":0.000000007' in out


def test_sums_to_stdout(home: Paths, run: Run) -> None:
    """With --by there is a row per combination over all pages."""
    with FakeDaemon(home, TWO_PAGES):
        _, out, _ = run("--by", "day", "--by", "agent", "-z", "UTC", "--format", "ndjson")
    [row] = map(json.loads, out.splitlines())
    assert {"day": "2026-11-22", "agent": None, "requests": 3, "input_tokens": 3}.items() <= (
        row.items()
    )


@pytest.mark.parametrize("form", list(FORMATS))
@pytest.mark.parametrize("by", [[], ["--by", "agent"]])
def test_nothing_to_export(home: Paths, run: Run, form: str, by: list[str]) -> None:
    """An empty span is an empty table, an empty array, or nothing."""
    with FakeDaemon(home, paged([])):
        exit_status, out, err = run("--format", form, *by)
    assert (0, "") == (exit_status, err)
    match form:
        case "csv":
            assert 1 == out.count("\n")
        case "json":
            assert [] == json.loads(out)
        case _:
            assert "" == out


@pytest.mark.parametrize("following", [["1", "1"], ["2", "1"], [""], ["1", "2", "2"]])
def test_pages_in_a_circle(home: Paths, run: Run, following: list[str]) -> None:
    """Pages that lead back do not go on for ever."""
    left = iter(following)
    with FakeDaemon(home, lambda call: [reply(call, Page([], next(left)))]) as daemon:
        exit_status, _, err = run()
    assert (1, "toll: the daemon's pages go in a circle; see toll doctor\n") == (exit_status, err)
    assert len(following) == len(daemon.calls)


@pytest.mark.parametrize(
    ("more", "arguments"),
    [
        ({"time": "zz"}, ["--by", "day"]),
        ({"time": "9999-12-31T23:59"}, ["--by", "day", "-z", "Asia/Tokyo"]),
        ({"value_usd": 1e305}, []),
        ({"cost_usd": -1e305}, ["--by", "model"]),
    ],
)
def test_hostile_pages(
    home: Paths, run: Run, tmp_path: Path, more: dict[str, Any], arguments: list[str]
) -> None:
    """Values that can't be are one line, status 1, and no file."""
    with FakeDaemon(home, paged([request(1, **more)])):
        exit_status, out, err = run("-o", str(tmp_path / "x.csv"), *arguments)
    assert (1, "", 1) == (exit_status, out, err.count("\n"))
    assert err.startswith("toll: the daemon's answer is not of this protocol")
    assert [] == list(tmp_path.iterdir())


def failing(error: wire.ErrorBody) -> Callable[[wire.Request], list[wire.Reply]]:
    """A daemon that refuses the second page."""

    def answer(call: wire.Request) -> list[wire.Reply]:
        if "after" in call.params:
            return [wire.Reply(call.id, error=error)]
        return TWO_PAGES(call)

    return answer


def test_failure_in_the_middle(home: Paths, run: Run, tmp_path: Path) -> None:
    """An export that can't go on leaves the file as it was, and is one line with status 1."""
    file = tmp_path / "x.csv"
    file.write_text("old")
    with FakeDaemon(home, failing(wire.ErrorBody("failed", "the daemon failed"))):
        assert (1, "", "toll: the daemon failed\n") == run("-o", str(file))
    assert [("x.csv", "old")] == [(each.name, each.read_text()) for each in tmp_path.iterdir()]


def test_daemon_that_goes_away(home: Paths, run: Run, tmp_path: Path) -> None:
    """A daemon that is gone at the second page is one line with status 1, and no file."""

    def answer(call: wire.Request) -> list[wire.Reply]:
        home.control_socket.unlink()
        return TWO_PAGES(call)

    with FakeDaemon(home, answer):
        found = run("-o", str(tmp_path / "x.csv"))
    assert (1, "", "toll: the daemon went away in the middle of it; try again\n") == found
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("number", "exit_status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_interrupted(
    home: Paths, run: Run, tmp_path: Path, number: signal.Signals, exit_status: int
) -> None:
    """An export that somebody ends leaves no half file."""

    def answer(call: wire.Request) -> list[wire.Reply]:
        if "after" in call.params:
            os.kill(os.getpid(), number)
            return []
        return TWO_PAGES(call)

    with FakeDaemon(home, answer):
        found = run("-o", str(tmp_path / "x.csv"))
    assert (exit_status, "", "\n" if number == signal.SIGINT else "") == found
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_ignored_signals(home: Paths, run: Run, number: signal.Signals) -> None:
    """A signal that is ignored, as nohup has it, stays so."""

    def answer(call: wire.Request) -> list[wire.Reply]:
        os.kill(os.getpid(), number)
        return TWO_PAGES(call)

    signal.signal(number, signal.SIG_IGN)
    with FakeDaemon(home, answer):
        exit_status, out, err = run()
    assert (0, 4, "") == (exit_status, out.count("\n"), err)


def test_refused_before_anything_is_written(home: Paths, run: Run) -> None:
    """What the daemon refuses at once is wrong usage, and nothing comes on stdout."""
    body = wire.ErrorBody("bad-params", "no time zone 'X'", "name one like UTC")
    with FakeDaemon(home, lambda call: [wire.Reply(call.id, error=body)]):
        found = run("--json", "-z", "X")
    assert (2, "", "toll: no time zone 'X'; name one like UTC\n") == found


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    "arguments",
    [
        ["--by", "colour"],
        ["--format", "xml"],
        ["--json", "--format", "csv"],
        ["-s", "2026-11-22", "-u", "2026-11-21"],
    ],
)
def test_wrong_usage(run: Run, arguments: list[str]) -> None:
    """Wrong usage is one line on stderr, and status 2."""
    exit_status, out, err = run(*arguments)
    assert (2, "", 1) == (exit_status, out, err.count("\n"))


@pytest.mark.usefixtures("home")
def test_no_daemon(run: Run) -> None:
    """Without a daemon, and told not to start one, it ends with 3."""
    assert (3, "", "toll: no daemon is running; start it with: toll up\n") == run()


def test_progress_line() -> None:
    """The line says how far it is, of how many, and how fast."""
    assert "2,000 of 57,847 requests, 4,000/s" == export.progress_line(2_000, 57_847, 0.5)
    assert "3 of 3 requests, 3/s" == export.progress_line(3, 2, 1.0)


class Terminal(io.StringIO):
    """What is written on a terminal."""

    def isatty(self) -> bool:
        return True

    def seen(self) -> str:
        """What stands in the line."""
        line = ""
        for part in self.getvalue().split("\r"):
            line = part + line[len(part) :]
        return line.rstrip()


def test_progress_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line grows now and then, and is gone in the end."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    with export.Progress(3_000, into_file=True) as progress:
        progress.add(10)
        assert "" == terminal.seen()
        now = 1.0
        progress.add(1_990)
        assert "2,000 of 3,000 requests, 2,000/s" == terminal.seen()
        now = 100.0
        progress.add(1_000)
        assert "3,000 of 3,000 requests, 30/s" == terminal.seen()
    assert "" == terminal.seen()


@pytest.mark.parametrize(
    ("error", "output", "into_file"),
    [(Terminal(), Terminal(), False), (io.StringIO(), io.StringIO(), True)],
)
def test_no_progress(
    monkeypatch: pytest.MonkeyPatch, error: io.StringIO, output: io.StringIO, into_file: bool
) -> None:
    """Where the rows come on the same terminal, and where errors go elsewhere, there is no line."""
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    monkeypatch.setattr(sys, "stderr", error)
    monkeypatch.setattr(sys, "stdout", output)
    with export.Progress(3, into_file) as progress:
        now = 1.0
        progress.add(2)
    assert "" == error.getvalue()
