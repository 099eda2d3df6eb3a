"""Which repository's usage an agent's is, whatever its folder and its note say."""

import json
from pathlib import Path

import pytest

from tollkeeper_daemon.usage_files.repositories import holds, repository_of


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One in which Opus Orchestra is in use."""
    (tmp_path / "shop" / ".opus-orchestra").mkdir(parents=True)
    return tmp_path / "shop"


def note(folder: Path, content: object) -> None:
    (folder / ".opus-orchestra" / "agent.json").write_text(json.dumps(content))


def test_its_own_folder(repository: Path) -> None:
    """A folder that has Opus Orchestra's own is one; what lies in it is held by it, and no other."""
    inside, beside = repository / "src", repository.with_name("shop-2")
    assert repository_of(str(repository)) == str(repository)
    assert holds(str(repository), str(inside))
    assert not holds(str(repository), str(beside))


@pytest.mark.parametrize(
    "path", ["/tmp/\0x", "/tmp/\ud800", "/" + "a" * 5_000, "shop", "", "/nowhere", 7, None]
)
def test_notes_that_name_none(repository: Path, path: object) -> None:
    """A note that names what is no repository, or no path at all, is one for none."""
    note(repository, {"repoPath": path})
    assert repository_of(str(repository)) == ""


@pytest.mark.parametrize("cwd", ["/tmp/\0x", "/tmp/\ud800", "shop", ""])
def test_no_paths(repository: Path, cwd: str) -> None:
    """An agent's folder that can be no path lies nowhere."""
    assert repository_of(cwd) == ""
    assert not holds(str(repository), cwd)
