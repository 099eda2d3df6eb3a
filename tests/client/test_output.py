"""Where toll export writes: files that are whole or not there, pipes, and terminals."""

import csv
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tollkeeper import wire
from tollkeeper.cli.formats import FORMATS
from tollkeeper.paths import Paths

from .conftest import Run
from .fake_daemon import FakeDaemon
from .pages import TWO_PAGES, paged, request


@pytest.fixture
def run(run: Run) -> Run:
    """Runs toll export with these arguments."""
    return lambda *arguments: run("export", "--no-start", *arguments)


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


@pytest.mark.parametrize("arguments", [["-o", "-"], ["-o", "/dev/stdout"]])
def test_output_to_stdout(home: Paths, run: Run, arguments: list[str]) -> None:
    """Standard output by its names gets the rows, and nothing else."""
    with FakeDaemon(home, TWO_PAGES):
        exit_status, out, err = run(*arguments)
    assert (0, 4, "") == (exit_status, out.count("\n"), err)


def test_output_to_a_nameless_pipe(home: Paths, run: Run) -> None:
    """A pipe that only a descriptor leads to, as a shell's ``>(…)``, is written into."""
    reading, writing = os.pipe()
    with FakeDaemon(home, TWO_PAGES):
        exit_status, out, err = run("-o", f"/dev/fd/{writing}")
    os.close(writing)
    with open(reading, "rb") as pipe:
        assert 4 == pipe.read().count(b"\n")
    assert (0, f"Wrote 3 rows to /dev/fd/{writing}.\n", "") == (exit_status, out, err)


def test_output_with_a_long_name(home: Paths, run: Run, tmp_path: Path) -> None:
    """A name may be as long as the file system lets it be."""
    file = tmp_path / ("x" * 255)
    with FakeDaemon(home, TWO_PAGES):
        assert 0 == run("-o", str(file))[0]
    assert [file] == list(tmp_path.iterdir())


def test_output_whose_name_is_no_text(home: Paths, run: Run, tmp_path: Path) -> None:
    """A file whose name is not UTF-8 is written, and told as well as it goes."""
    file = tmp_path / "x\udcff"
    with FakeDaemon(home, TWO_PAGES):
        assert (0, f"Wrote 3 rows to {tmp_path}/x?.\n", "") == run("-o", str(file))
        exit_status, out, _ = run("-o", str(file), "--json")
    assert (0, {"file": f"{tmp_path}/x?", "rows": 3}) == (exit_status, json.loads(out))
    assert [file] == list(tmp_path.iterdir())


def test_modes_while_it_is_written(home: Paths, run: Run, tmp_path: Path) -> None:
    """No one reads what is not whole yet; a new file has the mode that any has, an old one its own."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.touch()
    old.chmod(0o604)
    modes: list[int] = []

    def answer(call: wire.Request) -> list[wire.Reply]:
        modes.extend(part.stat().st_mode & 0o777 for part in tmp_path.glob(".*"))
        return TWO_PAGES(call)

    kept = os.umask(0o022)
    with FakeDaemon(home, answer):
        run("-o", str(old))
        run("-o", str(new))
    os.umask(kept)
    assert [0o600, 0o600] == modes
    assert [0o604, 0o644] == [file.stat().st_mode & 0o777 for file in (old, new)]


def test_safe_on_the_disk(
    home: Paths, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The file is on the disk before it takes its name, so that a lost machine leaves no empty one."""
    steps: list[str] = []
    sync, replace = os.fsync, os.replace

    def note(name: str, call: Callable[..., None]) -> Callable[..., None]:
        return lambda *args: (steps.append(name), call(*args))[1]

    monkeypatch.setattr(os, "fsync", note("sync", sync))
    monkeypatch.setattr(os, "replace", note("replace", replace))
    with FakeDaemon(home, TWO_PAGES):
        run("-o", str(tmp_path / "x.csv"))
    assert ["sync", "replace"] == steps


CONTROLS = "a\x1b[31m\x07\x9b\u202e=ü"


@pytest.mark.parametrize("form", list(FORMATS))
def test_terminals_are_safe(
    home: Paths, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, form: str
) -> None:
    """On a terminal no name moves the cursor; files and pipes get it as it is."""
    main_end, terminal = os.openpty()
    with FakeDaemon(home, paged([request(1, model=CONTROLS)])):
        _, out, _ = run("-f", form)
        run("-f", form, "-o", os.ttyname(terminal))
        shown = os.read(main_end, 1 << 16).decode()
        with open(terminal, "w", encoding="utf-8") as stdout, monkeypatch.context() as there:
            there.setattr(sys, "stdout", stdout)
            run("-f", form)
        assert shown == os.read(main_end, 1 << 16).decode()
    os.close(main_end)
    plain = shown.replace("\r\n", "\n")
    assert "=ü" in plain
    assert plain.replace("\n", "").isprintable()
    told = csv.DictReader(io.StringIO(out)) if form == "csv" else None
    model = next(told)["model"] if told else json.loads(out.strip("[]\n"))["model"]
    assert CONTROLS == model
