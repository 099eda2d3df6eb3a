"""Where a project is: the folders of a working directory, up to its repository's root."""

from pathlib import Path

import pytest

from tollkeeper_daemon.sources.projects import KEPT_MS, Around, folders_of, project_of


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    """A folder in a folder in a folder."""
    folder = tmp_path.resolve() / "repo" / "src" / "shop"
    folder.mkdir(parents=True)
    return folder


def test_repository(deep: Path) -> None:
    """From the working directory up to the root, which a ``.git`` marks: a folder, or a worktree's file."""
    (deep.parent.parent / ".git").write_text("gitdir: elsewhere")
    src, repo = deep.parent, deep.parent.parent
    assert [str(each) for each in (deep, src, repo)] == folders_of(str(deep))
    assert str(repo) == project_of(str(deep))
    (src / ".claude").mkdir()
    assert str(src) == project_of(str(deep))


def test_no_repository(deep: Path) -> None:
    """Without one it is the directory alone."""
    assert [str(deep)] == folders_of(str(deep))
    assert str(deep) == project_of(str(deep))


def test_links(deep: Path, tmp_path: Path) -> None:
    """A folder has one path, whichever links lead to it."""
    (tmp_path / "link").symlink_to(deep)
    assert [str(deep)] == folders_of(str(tmp_path / "link"))


@pytest.mark.parametrize("cwd", ["", "shop", "/no\0path", "/no\udcfftext"])
def test_no_folder(cwd: str) -> None:
    """What is no path leads nowhere."""
    assert ([], "") == (folders_of(cwd), project_of(cwd))


def test_around_is_looked_up_now_and_then() -> None:
    """What is around a directory is looked up again after a while, or when the clock was set back."""
    looked: list[str] = []
    around = Around(lambda cwd: looked.append(cwd) or len(looked))
    assert [1, 1, 2] == [around.of("/a", 5), around.of("/a", 4 + KEPT_MS), around.of("/b", 5)]
    assert [3, 4] == [around.of("/a", 5 + KEPT_MS), around.of("/a", 4)]
