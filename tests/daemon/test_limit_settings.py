"""``[limits]`` and ``[plan]`` in config.toml: every word, and what is refused."""

from pathlib import Path

import pytest

from tollkeeper_daemon.config import ConfigError, PlanSettings, load_config
from tollkeeper_daemon.rules.settings import Limits

ALL = """
[limits]
per_agent = 2.5
per_run = 0
daily = 12
action = "stop"
warn_at = [0.5, 0.9]
counts = "value"
grace_seconds = 3
[plan]
name = "max"
warn_at = [50, 99.5, 100]
"""


def test_every_word(tmp_path: Path) -> None:
    """All settings are taken as they are written; whole numbers are dollars too."""
    file = tmp_path / "config.toml"
    file.write_text(ALL)
    found = load_config(file)
    assert Limits(2.5, 0, 12, "stop", (0.5, 0.9), "value", 3) == found.limits
    assert PlanSettings("max", (50, 99.5, 100)) == found.plan


def test_defaults(tmp_path: Path) -> None:
    """Without a file $5, $20 and $50 are the limits, warned of at 80 % and paused at."""
    found = load_config(tmp_path / "config.toml")
    assert Limits(5, 20, 50, "pause", (0.8,), "cost", 10) == found.limits
    assert PlanSettings("", (80,)) == found.plan


@pytest.mark.parametrize("action", ["warn", "block", "pause", "stop"])
def test_actions(tmp_path: Path, action: str) -> None:
    """Each action can be asked for, and no warning at all."""
    file = tmp_path / "config.toml"
    file.write_text(f'[limits]\naction = "{action}"\nwarn_at = []')
    assert (action, ()) == (load_config(file).limits.action, load_config(file).limits.warn_at)


@pytest.mark.parametrize("name", ["per_agent", "per_run", "daily", "grace_seconds"])
@pytest.mark.parametrize("value", ["nan", "+inf", "-inf", "1e400", "-1", "-1e-9", '"5"', "true"])
def test_amounts_that_are_none(tmp_path: Path, name: str, value: str) -> None:
    """What is no amount from 0 on is refused in one line that names the file and the setting."""
    refused(tmp_path, f"[limits]\n{name} = {value}", f"limits.{name}")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("[limits]\nwarn_at = [0]", "limits.warn_at"),
        ("[limits]\nwarn_at = [1]", "limits.warn_at"),
        ("[limits]\nwarn_at = [0.5, 1.5]", "limits.warn_at"),
        ("[limits]\nwarn_at = [nan]", "limits.warn_at"),
        ("[limits]\nwarn_at = [-0.5]", "limits.warn_at"),
        ("[limits]\nwarn_at = 0.8", "limits.warn_at"),
        ("[limits]\nwarn_at = ['0.8']", "limits.warn_at"),
        ("[limits]\naction = 'kill'", "limits.action"),
        ("[limits]\naction = ''", "limits.action"),
        ("[limits]\ncounts = 'tokens'", "limits.counts"),
        ("[limits]\nper_agnet = 5", "per_agnet"),
        ("limits = 5", "limits"),
        ("[plan]\nwarn_at = [0]", "plan.warn_at"),
        ("[plan]\nwarn_at = [100.1]", "plan.warn_at"),
        ("[plan]\nwarn_at = [nan]", "plan.warn_at"),
        ("[plan]\nwarn_at = [inf]", "plan.warn_at"),
        ("[plan]\nname = 5", "plan.name"),
    ],
)
def test_what_else_is_refused(tmp_path: Path, content: str, named: str) -> None:
    """Fractions lie between 0 and 1, percentages up to 100, and words are those there are."""
    refused(tmp_path, content, named)


def refused(folder: Path, content: str, named: str) -> None:
    """These settings are refused in one line that names the file and this setting."""
    file = folder / "config.toml"
    file.write_text(content)
    with pytest.raises(ConfigError) as raised:
        load_config(file)
    told = str(raised.value)
    assert told.startswith(f"{file}: ")
    assert named in told
    assert "\n" not in told
