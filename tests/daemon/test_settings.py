"""The settings that follow a file."""

import asyncio
from pathlib import Path

import pytest

from tollkeeper_daemon.config import Config, ConfigError
from tollkeeper_daemon.own.file import OwnFile
from tollkeeper_daemon.own.settings import Settings

BROKEN = "[limits]\ndaily = 'x'\n"


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
    """What is wrong with the file is told once, and the settings from before the mistake stay in force."""
    followed.save("[limits]\ndaily = 7\n")
    assert [7] == followed.look()
    followed.save("[limits]\ndaily = '7'\n")
    assert [] == followed.look(5)
    [alert] = followed.alerts
    assert alert.startswith(f"{followed.path}: ")
    assert alert.endswith("; the settings from before the mistake stay in force")
    assert 7 == followed.settings.config.limits.daily


def test_an_edit_is_in_force_at_once(followed: Followed) -> None:
    """What is set holds when the edit ends, once, and no look after it finds anything new."""
    asyncio.run(followed.settings.edit(lambda text: "[limits]\ndaily = 7\n"))
    assert [7] == followed.daily
    assert "[limits]\ndaily = 7\n" == followed.path.read_text()
    assert 0 == followed.path.stat().st_mode & 0o077
    assert [] == followed.look(4)


def test_an_edit_takes_what_was_saved_with_it(followed: Followed) -> None:
    """What somebody saved just before an edit is not lost, and what they save after it holds, too."""
    followed.save("[limits]\ndaily = 7\n")
    asyncio.run(followed.settings.edit(lambda text: f"{text}per_run = 8\n"))
    assert (7, 8) == (
        followed.settings.config.limits.daily,
        followed.settings.config.limits.per_run,
    )
    followed.save("[limits]\ndaily = 9\n")
    assert [9] == followed.look()


@pytest.mark.parametrize(
    ("before", "after"),
    [("[limits", ""), ("# mine\n", "[limits"), ("# mine\n", BROKEN), (BROKEN, "[limits")],
)
def test_a_file_is_not_broken(followed: Followed, before: str, after: str) -> None:
    """A file that is no TOML, or would be broken, stays as it is, and so do the settings in force."""
    followed.save(before)
    with pytest.raises(ConfigError, match=str(followed.path)):
        asyncio.run(followed.settings.edit(lambda _: after))
    assert before == followed.path.read_text()
    assert [] == followed.daily


def test_a_broken_file_is_mended(followed: Followed) -> None:
    """What can't be is mended by an edit; where more is wrong the edit stays, and the rest is told."""
    followed.save(BROKEN)
    asyncio.run(followed.settings.edit(lambda _: "[limits]\ndaily = 7\nper_run = 'x'\n"))
    assert "per_run" in (followed.settings.read()[1] or "")
    assert [] == followed.daily
    with pytest.raises(ConfigError, match="per_run"):
        asyncio.run(followed.settings.edit(lambda text: text or ""))
    asyncio.run(followed.settings.edit(lambda _: "[limits]\ndaily = 7\nper_run = 8\n"))
    assert (None, [7]) == (followed.settings.read()[1], followed.daily)


def test_what_the_file_sets(followed: Followed) -> None:
    """What the file sets is read as it is now, with what is wrong with it."""
    assert ({}, None) == followed.settings.read()
    followed.save("[limits]\ndaily = -7\n")
    found, broken = followed.settings.read()
    assert {"limits": {"daily": -7}} == found
    assert f"{followed.path}: limits.daily must be" in (broken or "")
    followed.path.unlink()
    followed.path.mkdir()
    assert str(followed.path) in (followed.settings.read()[1] or "")
