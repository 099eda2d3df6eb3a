"""The settings that follow a file."""

from pathlib import Path

import pytest

from tollkeeper_daemon.config import Config
from tollkeeper_daemon.own.file import OwnFile
from tollkeeper_daemon.own.settings import Settings


class Followed:
    """Settings of a file, and what came of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.alerts: list[str] = []
        self.daily: list[float] = []
        self.settings = Settings(
            OwnFile(path), Config(), lambda kind, text: self.alerts.append(text)
        )
        self.settings.follow(lambda config: self.daily.append(config.limits.daily))

    def save(self, text: str) -> None:
        """Write the file in place."""
        self.path.write_text(text)

    def look(self, times: int = 2) -> list[float]:
        """The daily limits that came into force in so many looks."""
        before = len(self.daily)
        for _ in range(times):
            self.settings.look()
        return self.daily[before:]


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    return Followed(tmp_path / "config.toml")


def test_file_is_followed(followed: Followed) -> None:
    """A file that comes, changes and goes is in force once two looks found it alike."""
    assert [] == followed.look()
    followed.save("[limits]\ndaily = 7\n")
    assert [7] == followed.look(2)
    followed.save("[limits]\ndaily = 70\n")
    assert [70] == followed.look(2)
    assert [] == followed.look(9)
    followed.path.unlink()
    assert [Config().limits.daily] == followed.look(2)
    assert [] == followed.alerts


def test_file_that_is_still_written(followed: Followed) -> None:
    """A file that an editor empties, or removes, before it writes it never puts the defaults in force."""
    followed.save("[limits]\ndaily = 700\n")
    assert [700] == followed.look(2)
    followed.save("")
    assert [] == followed.look(1)
    followed.save("[limits]\ndaily = 7")
    assert [] == followed.look(1)
    followed.path.unlink()
    assert [] == followed.look(1)
    followed.save("[limits]\ndaily = 800\n")
    assert [800] == followed.look(2)
    assert [] == followed.alerts


def test_broken_file_is_told_once(followed: Followed) -> None:
    """What is wrong with the file is told once, and the settings before it stay in force."""
    followed.save("[limits]\ndaily = 7\n")
    assert [7] == followed.look()
    followed.save("[limits]\ndaily = '7'\n")
    assert [] == followed.look(5)
    [alert] = followed.alerts
    assert alert.startswith(f"{followed.path}: ")
    assert alert.endswith("; the settings before it stay in force")
    assert 7 == followed.settings.config.limits.daily
