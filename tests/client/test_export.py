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
from msgspec.structs import replace

from tollkeeper import wire
from tollkeeper.cli import export
from tollkeeper.cli.formats import FORMATS, defused
from tollkeeper.cli.main import main
from tollkeeper.cli.rows import COLUMNS, DIMENSIONS, Dollars, Row, Sums, amount, nano_of, row_of
from tollkeeper.exports import Page, Request
from tollkeeper.paths import Paths

from .fake_daemon import FakeDaemon, reply

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs toll export with these arguments: its exit status, and what it printed."""
    kept = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGHUP)]

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["toll", "export", "--no-start", *arguments])
        exit_status: Any = 0
        try:
            main()
        except SystemExit as done:
            exit_status = done.code or 0
        finally:
            for number, handler in kept:
                signal.signal(number, handler)
        out, err = capfd.readouterr()
        return exit_status, out, err

    return call


def request(number: int = 1, **more: Any) -> Request:
    """A request of the conversation ``c``, at ``number`` minutes past nine."""
    made = Request(
        time=f"2026-11-22T09:{number:02}:00.000+00:00",
        conversation="c",
        project="shop",
        cwd="/src/shop",
        agent=None,
        agent_id=None,
        subagent=None,
        subagent_type=None,
        model="claude-opus-5-5",
        source="api",
        account=None,
        workflow=None,
        task=None,
        stage=None,
        request=f"r{number}",
        input_tokens=1,
        output_tokens=2,
        cache_read_tokens=3,
        cache_write_5m_tokens=4,
        cache_write_1h_tokens=5,
        web_searches=6,
        fast=False,
        us=True,
        value_usd=0.000000007,
        cost_usd=0.000000007,
        unpriced=False,
    )
    return replace(made, **more)


def paged(*pages: list[Request]) -> Callable[[wire.Request], list[wire.Reply]]:
    """A daemon that answers with these pages, one after the other."""

    def answer(call: wire.Request) -> list[wire.Reply]:
        number = int(call.params.get("after", "0"))
        following = str(number + 1) if number + 1 < len(pages) else None
        total = sum(map(len, pages)) if number == 0 else None
        return [reply(call, Page(pages[number], following, total))]

    return answer


TWO_PAGES = paged([request(1), request(2)], [request(3)])


# Rows.


@given(st.integers(0, 10**15))
def test_amounts_are_exact(nano: int) -> None:
    """What the wire tells in dollars is written with nine places, and nothing is lost."""
    written = amount(nano_of(round(nano / 1e9, 9)))
    assert nano == int(written.replace(".", ""))
    assert re.fullmatch(r"\d+\.\d{9}", written)


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


def test_output_file(home: Paths, run: Run, tmp_path: Path) -> None:
    """The rows go into the file, and a line on stdout says how many."""
    file = tmp_path / "x.csv"
    with FakeDaemon(home, TWO_PAGES):
        assert (0, f"Wrote 3 rows to {file}.\n", "") == run("-o", str(file))
        assert 4 == file.read_text().count("\n")
        _, out, _ = run("-o", str(file), "--json", "--by", "model")
    assert {"file": str(file), "rows": 1} == json.loads(out)
    assert 1 == len(json.loads(file.read_text()))
    assert [file] == list(tmp_path.iterdir())


def test_output_file_keeps_its_place(home: Paths, run: Run, tmp_path: Path) -> None:
    """A file that is written anew keeps its mode, and a link to it stays a link."""
    file, link = tmp_path / "x.csv", tmp_path / "link"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    with FakeDaemon(home, TWO_PAGES):
        run("-o", str(link))
    assert link.is_symlink()
    assert 0o640 == file.stat().st_mode & 0o777
    assert 4 == file.read_text().count("\n")


def test_output_to_a_pipe(home: Paths, run: Run, tmp_path: Path) -> None:
    """What is no file is written into, not replaced."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with FakeDaemon(home, TWO_PAGES):
        assert 0 == run("-o", str(pipe))[0]
    assert pipe.is_fifo()
    assert 4 == os.read(reading, 1 << 16).count(b"\n")
    os.close(reading)


@pytest.mark.parametrize("place", ["none/x.csv", ".", "file/x.csv"])
def test_output_that_cannot_be(home: Paths, run: Run, tmp_path: Path, place: str) -> None:
    """A file that can't be written is one line on stderr that names it, and status 1."""
    (tmp_path / "file").touch()
    with FakeDaemon(home, TWO_PAGES):
        exit_status, out, err = run("-o", str(tmp_path / place))
    assert (1, "", 1) == (exit_status, out, err.count("\n"))
    assert str(tmp_path / place) in err
    assert ["file"] == [each.name for each in tmp_path.iterdir()]


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
