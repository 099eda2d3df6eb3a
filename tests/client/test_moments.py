"""Times as people type them."""

from argparse import ArgumentTypeError
from datetime import datetime, timedelta

import pytest

from tollkeeper.cli.moments import moment

NOW = datetime(2026, 12, 1, 0, 10).astimezone()


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("0:05", timedelta(minutes=5)),
        ("2026-11-30T23:50", timedelta(minutes=20)),
        ("0s", timedelta()),
    ],
)
def test_times(text: str, ago: timedelta) -> None:
    """Each way to say a time says the same one."""
    assert NOW - ago == moment(text, NOW)


@pytest.mark.parametrize("text", ["23:50", "2026-12-02", "2026-12-01T00:10:01"])
def test_time_to_come(text: str) -> None:
    """Past midnight nobody means tonight by 23:50: what is yet to come is refused, not taken for now."""
    with pytest.raises(ArgumentTypeError, match="yet to come"):
        moment(text, NOW)


@pytest.mark.parametrize("text", ["soon", "25:99", "999999d"])
def test_no_time(text: str) -> None:
    """What is no time, or too long ago, is refused."""
    with pytest.raises(ArgumentTypeError, match="is no time"):
        moment(text, NOW)
