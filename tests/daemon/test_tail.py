"""Reading on: whatever is appended comes once, in whole lines; what changed behind comes anew."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tollkeeper_daemon.records import FileMark
from tollkeeper_daemon.sources import tail
from tollkeeper_daemon.sources.tail import Reading, find_logs, read_on

SMALL = 16
LONGEST = 64
ANYWHERE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 16 bytes, and no line above 64, so that every boundary is met."""
    monkeypatch.setattr(tail, "BLOCK", SMALL)
    monkeypatch.setattr(tail, "LONGEST_LINE", LONGEST)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl"


class Reader:
    """Follows one log, and keeps what it read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mark: FileMark | None = None
        self.lines: list[bytes] = []
        self.too_long = 0
        self.restarts = 0
        self.bytes = 0

    def read(self) -> list[bytes]:
        """What came since the last reading, to the end."""
        before = len(self.lines)
        while True:
            reading = self.read_once()
            if not reading.more:
                return self.lines[before:]

    def read_once(self) -> Reading:
        """What one reading gives."""
        reading = read_on(str(self.path), self.mark)
        assert reading is not None
        self.mark = reading.mark
        self.lines += reading.block.split(b"\n")[:-1]
        self.too_long += reading.too_long
        self.restarts += reading.restarted
        self.bytes += reading.bytes
        return reading


def append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


@ANYWHERE
@given(st.lists(st.binary(max_size=LONGEST - 2), max_size=12), st.data())
def test_any_chunks_give_the_same_lines(log: Path, lines: list[bytes], data: st.DataObject) -> None:
    """However the appends are cut, and whenever they are read, each line comes once and whole."""
    log.unlink(missing_ok=True)
    told = [line.replace(b"\n", b" ") for line in lines]
    content = b"".join(line + b"\n" for line in told)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=6)))
    reader = Reader(log)
    for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True):
        append(log, content[start:end])
        if data.draw(st.booleans()):
            reader.read()
    reader.read()
    assert told == reader.lines
    assert (0, 0, len(content)) == (reader.too_long, reader.restarts, reader.bytes)


@ANYWHERE
@given(st.lists(st.integers(0, 3 * LONGEST), max_size=8), st.data())
def test_long_lines_cost_only_themselves(
    log: Path, lengths: list[int], data: st.DataObject
) -> None:
    """Lines that are too long are dropped and counted, however they come; the others are read."""
    log.unlink(missing_ok=True)
    told = [bytes([ord("a") + index]) * length for index, length in enumerate(lengths)]
    content = b"".join(line + b"\n" for line in told)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=4)))
    reader = Reader(log)
    for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True):
        append(log, content[start:end])
        reader.read()
    short = [line for line in told if len(line) < LONGEST]
    assert short == [line for line in reader.lines if len(line) < LONGEST]
    assert set(reader.lines) <= set(told)
    assert len(told) == len(reader.lines) + reader.too_long
    assert len(content) == reader.bytes


@pytest.mark.parametrize("length", range(2 * SMALL + 2))
def test_block_boundaries(log: Path, length: int) -> None:
    """A line that ends anywhere about a block's end is read like any other."""
    lines = [b"x" * length, b"y", b"z" * length]
    append(log, b"\n".join(lines) + b"\n")
    assert lines == Reader(log).read()


def test_half_written_line_waits(log: Path) -> None:
    """A line without its end is left for the next time, whole."""
    reader = Reader(log)
    append(log, b"one\ntw")
    assert [b"one"] == reader.read()
    assert [] == reader.read()
    append(log, b"o\n")
    assert [b"two"] == reader.read()


def test_nothing_new(log: Path) -> None:
    """A log without news gives no lines, from the same mark."""
    reader = Reader(log)
    append(log, b"one\n")
    reader.read()
    before = reader.mark
    assert [] == reader.read()
    assert before == reader.mark


def test_absent_log(log: Path) -> None:
    """A log that does not exist, or no longer does, is no reading."""
    assert read_on(str(log), None) is None
    append(log, b"one\n")
    reader = Reader(log)
    reader.read()
    log.unlink()
    assert read_on(str(log), reader.mark) is None


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file(log: Path, make: Callable[[Path], None]) -> None:
    """A folder or a pipe where a log should be is told as an OSError, and holds nobody up."""
    make(log)
    with pytest.raises(OSError, match="not a regular file"):
        read_on(str(log), None)


def test_truncated_log(log: Path) -> None:
    """A log that became shorter is read from its beginning."""
    reader = Reader(log)
    append(log, b"one\ntwo\n")
    reader.read()
    os.truncate(log, 0)
    append(log, b"new\n")
    assert [b"new"] == reader.read()
    assert 1 == reader.restarts


def test_log_rewritten_in_place(log: Path) -> None:
    """A log with other content under the same inode is read from its beginning, longer or not."""
    for content in (b"eins\nzwei\n", b"ein\nzwe\n", b"eins\nzwei\ndrei\n"):
        reader = Reader(log)
        log.write_bytes(b"one\ntwo2\n")
        reader.read()
        inode = log.stat().st_ino
        log.write_bytes(content)
        assert inode == log.stat().st_ino
        assert content.split() == reader.read()
        assert 1 == reader.restarts


def test_replaced_log_is_another_file(log: Path, tmp_path: Path) -> None:
    """A log that was replaced by another file has another identity, and no mark yet."""
    append(log, b"one\n")
    first = Reader(log).read_once()
    fresh = tmp_path / "fresh"
    fresh.write_bytes(b"one\ntwo\n")
    fresh.replace(log)
    second = Reader(log).read_once()
    assert first.file != second.file
    assert b"one\ntwo\n" == second.block


def test_moved_log_goes_on(log: Path, tmp_path: Path) -> None:
    """A log that was renamed goes on from its mark, under its new name."""
    reader = Reader(log)
    append(log, b"one\n")
    reader.read()
    reader.path = log.rename(tmp_path / "moved.jsonl")
    append(reader.path, b"two\n")
    assert [b"two"] == reader.read()
    assert reader.mark
    assert str(reader.path) == reader.mark.path


def test_mark_on_an_empty_log(log: Path) -> None:
    """A log that was empty when it was first read goes on without a restart."""
    reader = Reader(log)
    append(log, b"")
    assert [] == reader.read()
    append(log, b"one\n")
    assert [b"one"] == reader.read()
    assert 0 == reader.restarts


def test_long_line_that_never_ends(log: Path) -> None:
    """While a line that is too long still grows, each reading goes on behind the last."""
    reader = Reader(log)
    for _ in range(4):
        append(log, b"x" * LONGEST)
        assert [] == reader.read()
    append(log, b"\nshort\n")
    assert [b"short"] == reader.read()
    assert 1 == reader.too_long


def test_reading_says_when_there_is_more(log: Path) -> None:
    """A reading takes about a block, and says when lines are left behind it."""
    append(log, b"12345\n" * 5)
    reader = Reader(log)
    assert [True, True, False] == [reader.read_once().more for _ in range(3)]


def test_logs_in_the_tree(tmp_path: Path) -> None:
    """Every log in the tree is found, however deep, and nothing else; links to folders are not."""
    for name in ("p/a.jsonl", "p/a/subagents/agent-1.jsonl", "p/a/subagents/workflows/r/x.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "p/notes.json").touch()
    (tmp_path / "p/dir.jsonl").mkdir()
    (tmp_path / "p/loop").symlink_to(tmp_path, target_is_directory=True)
    found = sorted(Path(entry.path).name for entry in find_logs(tmp_path))
    assert ["a.jsonl", "agent-1.jsonl", "x.jsonl"] == found
    assert [] == find_logs(tmp_path / "none")
