"""Files that others read: whole, in their place, and never beyond a link."""

import os
from pathlib import Path

import pytest

from tollkeeper_daemon.outlets.whole_files import write_whole


def modes(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_folders_are_made(tmp_path: Path) -> None:
    """Folders that may be made are, for whoever may read the file; nothing else is left behind."""
    write_whole(str(tmp_path), ("a", "b"), "f.json", b"1", mode=0o644)
    file = tmp_path / "a" / "b" / "f.json"
    assert (file.read_bytes(), modes(file), modes(file.parent)) == (b"1", 0o644, 0o755)
    write_whole(str(tmp_path), ("own",), "f.json", b"2")
    own = tmp_path / "own" / "f.json"
    assert (modes(own), modes(own.parent)) == (0o600, 0o700)
    assert [each.name for each in file.parent.iterdir()] == ["f.json"]


def test_folders_that_must_be_there(tmp_path: Path) -> None:
    """Those that must be there are not made."""
    with pytest.raises(FileNotFoundError):
        write_whole(str(tmp_path), ("a", "b"), "f.json", b"1", exists=1)
    assert list(tmp_path.iterdir()) == []


def test_unchanged(tmp_path: Path) -> None:
    """What reads so already is left alone; anything else gets another file in its place."""
    file = tmp_path / "f.json"
    write_whole(str(tmp_path), (), file.name, b"1")
    before = file.stat()
    write_whole(str(tmp_path), (), file.name, b"1")
    assert file.stat() == before
    write_whole(str(tmp_path), (), file.name, b"2")
    assert (file.read_bytes(), file.stat().st_ino != before.st_ino) == (b"2", True)


@pytest.mark.parametrize("depth", [0, 1])
def test_links_in_the_way(tmp_path: Path, depth: int) -> None:
    """No folder on the way may be a link."""
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    (root / "a").mkdir(parents=True)
    folders = ("a", "b")
    link = root.joinpath(*folders[: depth + 1])
    if depth == 0:
        link.rmdir()
    link.symlink_to(outside)
    with pytest.raises(OSError):
        write_whole(str(root), folders, "f.json", b"1")
    assert list(outside.iterdir()) == []


def test_a_link_in_its_place(tmp_path: Path) -> None:
    """A link in the file's own place is replaced, and what it leads to is not touched; so is a pipe."""
    outside = tmp_path / "outside"
    outside.write_bytes(b"theirs")
    file = tmp_path / "f.json"
    for is_link in (True, False):
        file.unlink(missing_ok=True)
        if is_link:
            file.symlink_to(outside)
        else:
            os.mkfifo(file)
        write_whole(str(tmp_path), (), file.name, b"ours")
        assert (file.is_symlink(), file.read_bytes(), outside.read_bytes()) == (
            False,
            b"ours",
            b"theirs",
        )


def test_a_trap_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written through what somebody has put where the file is made before it is moved."""
    monkeypatch.setattr(os, "urandom", bytes)
    outside = tmp_path / "outside"
    outside.write_bytes(b"theirs")
    trap = tmp_path / ".f.json.00000000"
    for lay in (lambda: trap.hardlink_to(outside), lambda: os.mkfifo(trap)):
        lay()
        with pytest.raises(FileExistsError):
            write_whole(str(tmp_path), (), "f.json", b"ours")
        trap.unlink()
    assert outside.read_bytes() == b"theirs"


def test_what_fails(tmp_path: Path) -> None:
    """When it can't be put in its place the folder is as it was."""
    (tmp_path / "f.json").mkdir()
    with pytest.raises(OSError):
        write_whole(str(tmp_path), (), "f.json", b"1")
    assert [each.name for each in tmp_path.iterdir()] == ["f.json"]
