"""What is shown where: ``[display]`` as those read it that show things."""

from pathlib import Path

import pytest

from tollkeeper.display import Display, DisplayFile, read
from tollkeeper.segment import BRIEF, WITHOUT_USAGE


def test_follows_the_file(tmp_path: Path) -> None:
    """What the file says holds from the next look on; without one, and without a section, all is shown."""
    path = tmp_path / "config.toml"
    file = DisplayFile(path)
    assert Display() == file.look()
    path.write_text("[display]\nagent_cards = false\n")
    assert Display(agent_cards=False) == file.look()
    path.write_text("# Mine.\n[limits]\ndaily = 1\n")
    assert Display() == file.look()
    path.write_text("[display]\nstatus_bar = false\n")
    file.look()
    path.unlink()
    assert Display() == file.look()


@pytest.mark.parametrize(
    "broken",
    [
        b"[display",
        b"display = 1",
        b"[display]\nagent_cards = 1",
        b"[display]\nmore = true",
        b"\xff",
    ],
)
def test_broken(tmp_path: Path, broken: bytes) -> None:
    """A file that is broken says nothing, and what it said before still holds."""
    path = tmp_path / "config.toml"
    path.write_text("[display]\nagent_cards = false\n")
    file = DisplayFile(path)
    before = file.look()
    path.write_bytes(broken)
    assert read(path) is None
    assert Display(agent_cards=False) == before == file.look()


def test_line() -> None:
    """Without usage the line about everything has only how many there are."""
    assert (BRIEF, WITHOUT_USAGE) == (Display().line, Display(status_bar=False).line)
