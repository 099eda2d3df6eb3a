"""The caller's time zone, by the name that another process knows it by."""

from pathlib import Path

import pytest

from tollkeeper.cli.zone import local_zone


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (":Asia/Kathmandu", "Asia/Kathmandu"),
        ("", "UTC"),
        (":", "UTC"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", None),
        ("Nowhere/Else", None),
        ("../etc/passwd", None),
        ("Europe", None),
        ("/none/zoneinfo/Europe/Berlin", "Europe/Berlin"),
        (":/none/zoneinfo/Europe/Berlin", "Europe/Berlin"),
        ("/none/such", None),
    ],
)
def test_zone_of_the_environment(told: str, expected: str | None) -> None:
    """TZ is a name, a file of the database, or a rule, which has no name."""
    assert expected == local_zone({"TZ": told}, "/none")


@pytest.mark.parametrize(
    ("place", "expected"),
    [("zoneinfo/Europe/Berlin", "Europe/Berlin"), ("zoneinfo/Nowhere", None), ("own", None)],
)
def test_zone_of_the_system(tmp_path: Path, place: str, expected: str | None) -> None:
    """Without TZ it is what the system's local time links to, if that has a name."""
    file, link = tmp_path / place, tmp_path / "localtime"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    link.symlink_to(file)
    assert expected == local_zone({}, str(link))
    assert local_zone({}, str(tmp_path / "none")) is None
