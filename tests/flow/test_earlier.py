"""Days from before the logs, as a daemon finds, keeps and gives them up."""

import json
from datetime import datetime
from typing import Any

import pytest

from tollkeeper.errors import CallError
from tollkeeper_daemon.sources.stats_cache import FILE
from waiting import wait_until

from . import lines
from .claude_home import ClaudeHome
from .keeper import Keeper
from .lines import OPUS, ago


def write_statistics(home: ClaudeHome, *days: str) -> None:
    """The client counts these days."""
    statistics: dict[str, Any] = {
        "version": 5,
        "dailyModelTokensVersion": 5,
        "dailyActivity": [{"date": day, "messageCount": 9, "sessionCount": 2} for day in days],
        "dailyModelTokens": [{"date": day, "tokensByModel": {OPUS: 1_000}} for day in days],
    }
    home.path.mkdir(parents=True, exist_ok=True)
    (home.path / FILE).write_text(json.dumps(statistics))


def morning(days: int) -> datetime:
    """A time so many days ago, at which it is the same day in the daemon's zone and in UTC."""
    return ago(days=days).replace(hour=6)


def day(days: int) -> str:
    """Its date."""
    return morning(days).date().isoformat()


def dates(keeper: Keeper, **span: str) -> list[str]:
    """The dates of the earlier days."""
    return [each["date"] for each in keeper.report("earlier", **span)["earlier"]]


def test_days_of_deleted_logs(keeper: Keeper, home: ClaudeHome) -> None:
    """Days without logs come from the client's statistics, marked, and are in no sum."""
    write_statistics(home, day(60), day(50), day(10))
    log = home.log()
    log.append(lines.reply(log.writer, when=morning(10)))
    keeper.start().wait_for_requests(1)
    assert dates(keeper) == [day(60), day(50)]
    assert dates(keeper, since=day(55)) == [day(50)]
    assert dates(keeper, until=day(55)) == [day(60)]
    assert keeper.report("earlier")["earlier"][0] == {
        "date": day(60),
        "models": {OPUS: 1_000},
        "tokens": 1_000,
        "cacheCounted": True,
        "lines": 9,
        "sessions": 2,
        "home": str(home.path),
        "source": "stats-cache",
    }
    assert [each["date"] for each in keeper.report("daily")["daily"]] == [day(10)]


def test_day_that_becomes_counted(keeper: Keeper, home: ClaudeHome) -> None:
    """A day whose log turns up after all is counted, and earlier no more."""
    write_statistics(home, day(60), day(50))
    keeper.start()
    wait_until(lambda: dates(keeper) == [day(60), day(50)])
    log = home.log()
    log.append(lines.reply(log.writer, when=morning(50)))
    keeper.wait_for_requests(1)
    assert dates(keeper) == [day(60)]


def test_days_stay_when_the_statistics_go(keeper: Keeper, home: ClaudeHome) -> None:
    """What was read once is known to later daemons, and later statistics only add to it."""
    write_statistics(home, day(60))
    keeper.start()
    wait_until(lambda: dates(keeper) == [day(60)])
    keeper.stop()
    (home.path / FILE).unlink()
    keeper.start()
    assert dates(keeper) == [day(60)]
    keeper.stop()
    write_statistics(home, day(50))
    keeper.start()
    assert dates(keeper) == [day(60), day(50)]


def test_broken_statistics(keeper: Keeper, home: ClaudeHome) -> None:
    """Broken statistics are named by the daemon's health, and nothing else suffers."""
    home.path.mkdir(parents=True, exist_ok=True)
    (home.path / FILE).write_bytes(b'{"dailyActivity": ')
    log = home.log()
    log.reply()
    keeper.start().wait_for_requests(1)
    assert dates(keeper) == []
    assert keeper.report("health")["bad_stats_caches"] == [str(home.path / FILE)]


def test_statistics_are_read_after_an_import(keeper: Keeper, home: ClaudeHome) -> None:
    """After a history is read, days that it held are not among the earlier ones."""
    write_statistics(home, day(60), day(50))
    log = home.log()
    log.append(lines.reply(log.writer, when=morning(50)))
    result = lines.tool_result(log.writer, "x" * 500_000)
    for _ in range(12):
        log.append(result)
    keeper.start()
    wait_until(lambda: keeper.toll.status().daemon.importing is None)
    assert dates(keeper) == [day(60)]


@pytest.mark.parametrize(
    "params", [{"project": "shop"}, {"timezone": "Nowhere"}, {"since": "yesterday"}]
)
def test_unknown_parameter(daemon: Keeper, params: dict[str, str]) -> None:
    """What the client counted by day can't be asked for by project, or in a zone of no name."""
    with pytest.raises(CallError) as refused:
        daemon.report("earlier", **params)
    assert refused.value.code == "bad-params"


def test_reports_tell_of_earlier_days_apart(keeper: Keeper, home: ClaudeHome) -> None:
    """Reports by day, week and month name the earlier days, marked, beside what was counted."""
    write_statistics(home, day(60))
    log = home.log()
    log.append(lines.reply(log.writer, when=morning(10)))
    keeper.start().wait_for_requests(1)
    for verb in ("daily", "weekly", "monthly"):
        report = keeper.report(verb)
        assert [each["date"] for each in report["earlier"]] == [day(60)]
        assert report["totals"]["requests"] == 1
        assert "earlier" not in keeper.report(verb, project="shop")
        assert "earlier" not in keeper.report(verb, since=day(20))
    shown = keeper.run("daily").stdout
    [told] = [line for line in shown.splitlines() if line.startswith(day(60))]
    assert "1,000" in told
    assert "by the client's own statistics" in " ".join(shown.split())
