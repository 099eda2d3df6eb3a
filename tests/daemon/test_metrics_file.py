"""Lines are appended to workflow-metrics.jsonl once, whatever else happens to the file."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper_daemon.exchange import metrics_file
from tollkeeper_daemon.exchange.metrics_file import append, path_in, size_of

DATA = b'{"line":1}\n{"line":22}\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the file of a project is, which has none yet."""
    return Path(path_in(str(tmp_path / "shop")))


@pytest.fixture(autouse=True)
def project(tmp_path: Path) -> Path:
    """The project."""
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


def test_new_file(file: Path) -> None:
    """Folder and file are made, for everybody to read, whatever the daemon's own files are."""
    before = os.umask(0o077)
    try:
        append(str(file), 0, DATA)
    finally:
        os.umask(before)
    assert DATA == file.read_bytes()
    assert (0o644, 0o755) == tuple(
        stat.S_IMODE(each.stat().st_mode) for each in (file, file.parent)
    )


def test_file_of_others(file: Path) -> None:
    """It is appended to, and stays as it is; half a line of somebody else's is ended first."""
    file.parent.mkdir()
    file.write_bytes(b"theirs\nhalf")
    file.chmod(0o600)
    append(str(file), size_of(str(file)), DATA)
    assert b"theirs\nhalf\n" + DATA == file.read_bytes()
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


def test_appended_again(file: Path) -> None:
    """Lines that stand there are not written again, even when others have written since."""
    append(str(file), 0, DATA)
    with file.open("ab") as other:
        other.write(b"theirs\n")
    append(str(file), 0, DATA)
    assert DATA + b"theirs\n" == file.read_bytes()


def test_same_lines_before(file: Path) -> None:
    """The same lines from before these were made are others."""
    append(str(file), 0, DATA)
    append(str(file), len(DATA), DATA)
    assert DATA * 2 == file.read_bytes()


def test_file_that_shrank(file: Path) -> None:
    """A file that is shorter than it was is another one, and searched as a whole."""
    file.parent.mkdir()
    file.write_bytes(DATA)
    append(str(file), 1_000, DATA)
    assert DATA == file.read_bytes()


@given(cut=st.integers(0, len(DATA)), before=st.sampled_from([b"", b"theirs\n", b"half"]))
def test_torn_write(tmp_path_factory: pytest.TempPathFactory, cut: int, before: bytes) -> None:
    """What was written of the lines when the disk was full, or the daemon killed, is gone on with."""
    folder = tmp_path_factory.mktemp("shop")
    file = Path(path_in(str(folder)))
    file.parent.mkdir()
    whole = before + b"\n" * (before == b"half")
    file.write_bytes((before if not cut else whole) + DATA[:cut])
    append(str(file), len(before), DATA)
    assert whole + DATA == file.read_bytes()


def test_full_disk(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that is cut short fails, and the next one ends it."""
    write = os.write

    def write_five(where: int, data: bytes) -> int:
        return write(where, data[:5])

    with monkeypatch.context() as full:
        full.setattr(os, "write", write_five)
        with pytest.raises(OSError, match="No space left"):
            append(str(file), 0, DATA)
    append(str(file), 0, DATA)
    assert DATA == file.read_bytes()


def test_no_game_with_links(file: Path, tmp_path: Path) -> None:
    """A link is not followed: who gives away a project must not have lines written elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    file.parent.mkdir()
    for target in (elsewhere, tmp_path / "absent"):
        elsewhere.write_bytes(b"theirs")
        file.symlink_to(target)
        with pytest.raises(OSError, match="symbolic links"):
            append(str(file), 0, DATA)
        assert b"theirs" == elsewhere.read_bytes()
        file.unlink()


def test_no_game_with_pipes(file: Path) -> None:
    """A pipe holds nobody up, whether somebody reads it or not."""
    file.parent.mkdir()
    os.mkfifo(file)
    with pytest.raises(OSError, match=r"not a regular file"):
        append(str(file), 0, DATA)
    with pytest.raises(OSError, match=r"."):
        append(str(file.parent), 0, DATA)


def test_project_that_is_gone(file: Path, project: Path) -> None:
    """It is not made anew."""
    project.rmdir()
    with pytest.raises(FileNotFoundError):
        append(str(file), 0, DATA)
    assert 0 == size_of(str(file))


def test_torn_between_lines(file: Path) -> None:
    """Where somebody wrote behind a half line, those before it are there, and the others come anew."""
    file.parent.mkdir()
    file.write_bytes(b'{"line":1}\n{"lin' + b"theirs\n")
    append(str(file), 0, DATA)
    assert b'{"line":1}\n{"lintheirs\n{"line":22}\n' == file.read_bytes()


def test_half_line_like_ours(file: Path) -> None:
    """Half a line of somebody else's that ends as ours begin stays theirs."""
    file.parent.mkdir()
    file.write_bytes(b"theirs{")
    append(str(file), 0, DATA)
    assert b"theirs{\n" + DATA == file.read_bytes()


def test_large_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file that grew without measure the beginning is searched, and its end is not taken for ours."""
    monkeypatch.setattr(metrics_file, "MOST_SEARCHED", 8)
    file.parent.mkdir()
    file.write_bytes(b"theirs {" + b"x" * 90)
    append(str(file), 0, DATA)
    assert b"theirs {" + b"x" * 90 + b"\n" + DATA == file.read_bytes()


def test_folder_that_is_a_link(file: Path, project: Path, tmp_path: Path) -> None:
    """Projects may share one ``.claude``; a link to anything else is not followed."""
    shared = tmp_path / "main" / ".claude"
    shared.mkdir(parents=True)
    file.parent.symlink_to(shared)
    path = path_in(str(project))
    append(path, 0, DATA)
    assert DATA == (shared / file.name).read_bytes()
    shared.rename(tmp_path / "secrets")
    shared.symlink_to(tmp_path / "secrets")
    for each in (path, path_in(str(project))):
        with pytest.raises(OSError, match="link|[Nn]ot a dir|symbolic"):
            append(each, len(DATA), b"more\n")
    assert DATA == (tmp_path / "secrets" / file.name).read_bytes()
