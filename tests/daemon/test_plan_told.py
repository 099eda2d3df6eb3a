"""When plan figures are told, and which table they are held against."""

from pathlib import Path

from msgspec.structs import replace

from tollkeeper.model import Plan, Window
from tollkeeper_daemon.own.file import OwnFile
from tollkeeper_daemon.plan.table import PlanTable
from tollkeeper_daemon.plan.told import TOLD_EVERY_MS, PlanTold

TIME = "2026-11-22T09:30:00.000+00:00"
NOW = 1_795_000_000_000
WINDOW = Window(used_percent=42, resets_at=TIME, observed_at=TIME, estimated_percent=43.0)


def test_estimates_are_told_when_people_would_see_it() -> None:
    """Less than a cent or a percent is not told, more is, but not twice within seconds."""
    told = PlanTold()
    assert not told.is_due((), NOW)
    before = (Plan(five_hour=WINDOW),)
    assert told.is_due(before, NOW)
    told.note(before, NOW)
    later = NOW + TOLD_EVERY_MS
    assert not told.is_due(before, later)
    for change, due in (
        ({"value_since_usd": 0.004, "estimated_percent": 43.2, "observed_at": "x"}, False),
        ({"value_since_usd": 0.01}, True),
        ({"estimated_percent": 44.0}, True),
        ({"estimated_percent": None}, True),
    ):
        after = (Plan(five_hour=replace(WINDOW, **change)),)
        assert told.is_due(after, later) is due
        assert not told.is_due(after, later - 1)
    assert told.is_due((Plan(messages_today=1, five_hour=WINDOW),), later)


def test_the_table_follows_the_users_file(tmp_path: Path) -> None:
    """Own plans count as soon as they are written; a broken file is as if it were not there."""
    file = tmp_path / "plans.toml"
    table = PlanTable(OwnFile(file))

    def limit_of(name: str) -> int | None:
        found = table.terms(name)
        return found and found.opus_limit

    assert limit_of("max") == 200
    assert table.terms("mine") is None
    file.write_text("version = 1\n[plans.mine]\nmonthly_price = 1\nopus_limit = 7\n")
    assert limit_of("mine") == 7
    file.write_text("[plans")
    assert table.terms("mine") is None
    assert limit_of("max") == 200
    file.write_bytes(b"\xff" * 100)
    assert limit_of("max") == 200
