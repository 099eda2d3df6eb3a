"""History: what is kept of requests, what is dropped, and how all of it comes out again."""

import csv
import io
import subprocess
from datetime import datetime, timedelta
from typing import Any

import pytest

from tollkeeper_daemon.intake.history import AT_ONCE_BYTES
from tollkeeper_daemon.store.store import Store
from waiting import wait_until

from . import lines
from .claude_home import ClaudeHome, Log, replace_file
from .keeper import TOLL, Keeper
from .lines import HAIKU, USUAL, USUAL_USD

KEEP_A_DAY = "[sources]\nprocesses = false\n[history]\nkeep_requests_days = 1\n"


def exported(keeper: Keeper, *arguments: str) -> list[dict[str, Any]]:
    """What ``toll export`` writes."""
    return keeper.json("export", *arguments)


def reports(keeper: Keeper) -> tuple[dict[str, Any], ...]:
    """Every report over all of the history."""
    return tuple(keeper.report(verb) for verb in ("daily", "session"))


def old_log(home: ClaudeHome, count: int = 3, days: float = 2) -> Log:
    """A log with so many prompts and requests of some days ago."""
    log = home.log()
    for _ in range(count):
        when = lines.ago(days=days)
        log.append(lines.prompt(log.writer, when=when) + lines.reply(log.writer, when=when))
    return log


def wait_for_drop(keeper: Keeper, left: int = 0) -> None:
    """Return when no more requests than these are kept one by one."""
    wait_until(lambda: len(exported(keeper)) == left)


# What is dropped.


@pytest.fixture
def old(keeper: Keeper, home: ClaudeHome) -> Log:
    """A log whose requests were dropped, while a new one is kept."""
    keeper.configure(KEEP_A_DAY)
    log = old_log(home)
    log.reply()
    keeper.start()
    keeper.wait_for_requests(4)
    wait_for_drop(keeper, 1)
    return log


def test_sums_outlive_the_requests(keeper: Keeper, old: Log) -> None:
    """What is older than it is kept is dropped, and no report is other than before."""
    before = reports(keeper)
    assert (4, 3) == (
        before[0]["totals"]["requests"],
        before[0]["totals"]["messages"],
    )
    assert pytest.approx(4 * USUAL_USD) == before[0]["totals"]["totalCost"]
    assert before == reports(keeper.restart())
    assert 1 == len(exported(keeper))


def test_replaced_log_of_dropped_requests(keeper: Keeper, old: Log) -> None:
    """A log that is read again from its start brings no dropped request back, but what is new."""
    replace_file(old.path, lambda known: known + lines.reply(old.writer, when=lines.ago(days=1.5)))
    keeper.wait_for_requests(5)
    assert 3 == keeper.report("daily")["totals"]["messages"]
    keeper.restart()
    wait_for_drop(keeper, 1)
    replace_file(old.path, lambda known: known + lines.reply(old.writer))
    keeper.wait_for_requests(6)
    assert 3 == keeper.report("daily")["totals"]["messages"]


def test_copies_of_dropped_requests(keeper: Keeper, home: ClaudeHome, old: Log) -> None:
    """A fork and a restored backup of a log whose requests were dropped count nothing again."""
    fork, backup = home.log(), home.log("backup")
    fork.append(lines.forked(old.path.read_bytes(), fork.conversation) + lines.reply(fork.writer))
    backup.append(old.path.read_bytes())
    keeper.wait_for_requests(5)
    assert 3 == keeper.report("daily")["totals"]["messages"]
    old.path.unlink()
    keeper.restart()
    old.append(backup.path.read_bytes() + lines.reply(old.writer))
    keeper.wait_for_requests(6)
    assert 3 == keeper.report("daily")["totals"]["messages"]


def test_everything_is_kept_for_ever(keeper: Keeper, home: ClaudeHome) -> None:
    """With 0 days nothing is dropped, however old."""
    keeper.configure(KEEP_A_DAY.replace("= 1", "= 0"))
    old_log(home, days=9_000)
    keeper.start().wait_for_requests(3)
    keeper.restart()
    assert 3 == len(exported(keeper))


def test_old_history_is_dropped_after_its_import(keeper: Keeper, home: ClaudeHome) -> None:
    """An import counts what is old, and then drops it."""
    keeper.configure(KEEP_A_DAY)
    log = home.log()
    replies = (lines.reply(log.writer, when=lines.ago(days=3), blocks=4) for _ in range(1_500))
    log.append(b"".join(replies))
    assert log.path.stat().st_size > AT_ONCE_BYTES
    keeper.start().wait_for_requests(1_500)
    wait_for_drop(keeper)
    assert 1_500 == keeper.requests()


def test_what_the_store_keeps(keeper: Keeper, old: Log) -> None:
    """Of dropped requests and prompts nothing is left but digests."""
    keeper.stop()
    with Store(keeper.paths.ledger) as store:
        counts = store.read(
            lambda transaction: [
                transaction.count(table) for table in ("groups", "prompts", "timeline", "gone")
            ]
        )
    assert [1, 0, 1, 9] == counts


# What survives.


def test_deleted_logs(daemon: Keeper, home: ClaudeHome) -> None:
    """When Claude Code deletes its logs, every report and the export stay as they are."""
    logs = [old_log(home, days=40), old_log(home, days=3), home.log("notes")]
    logs[2].reply(model=HAIKU)
    logs[2].subagent("analyst", "look at it").reply()
    daemon.wait_for_requests(8)
    before = (*reports(daemon), exported(daemon))
    for log in home.projects.rglob("*.jsonl"):
        log.unlink()
    daemon.restart()
    assert before == (*reports(daemon), exported(daemon))
    home.log().reply()
    daemon.wait_for_requests(9)
    assert before[2] == exported(daemon)[:-1]


# What comes out.


@pytest.fixture
def history(daemon: Keeper, home: ClaudeHome) -> Keeper:
    """A daemon with requests of three days and two models, of an agent and its subagent."""
    agent = daemon.start_agent(labels={"TOLL_AGENT": "Ada", "TOLL_TASK": "t-1"})
    agent.says("busy")
    daemon.wait_for(lambda status: len(status.agents) == 1)
    agent.log.prompt()
    agent.log.reply()
    agent.log.subagent("analyst", "look at it").reply(model=HAIKU)
    for days in (1, 2):
        log = home.log("notes")
        when = lines.ago(days=days)
        log.append(lines.prompt(log.writer, when=when) + lines.reply(log.writer, when=when))
    daemon.wait_for_requests(4)
    return daemon


def test_export_equals_the_reports(history: Keeper) -> None:
    """The rows add up to what the report says, day by day and in all."""
    report = history.report("daily")
    rows = exported(history)
    assert report["totals"]["requests"] == len(rows)
    assert pytest.approx(report["totals"]["totalCost"]) == sum(row["value_usd"] for row in rows)
    assert report["totals"]["cacheReadTokens"] == sum(row["cache_read_tokens"] for row in rows)
    days = exported(history, "--by", "day")
    assert [(day["date"], day["requests"], day["totalCost"]) for day in report["daily"]] == [
        (row["day"], row["requests"], pytest.approx(row["value_usd"])) for row in days
    ]
    day = report["daily"][1]["date"]
    assert rows[1:2] == exported(history, "--since", day, "--until", day)


def test_rows_of_an_agent(history: Keeper) -> None:
    """A row names the agent, its labels, its subagent, and where it worked."""
    rows = exported(history)
    assert ["notes", "notes", "shop", "shop"] == [row["project"] for row in rows]
    own = [row for row in rows if row["agent"] == "Ada"]
    assert [(None, "t-1"), ("analyst", "t-1")] == [
        (row["subagent_type"], row["task"]) for row in own
    ]
    assert {history.toll.agents()[0].id} == {row["agent_id"] for row in own}
    assert USUAL.output == own[0]["output_tokens"]


def test_csv_equals_json(history: Keeper) -> None:
    """The table on stdout holds what the JSON holds."""
    table = list(csv.DictReader(io.StringIO(history.run("export").stdout, newline="")))
    as_text = [
        {name: _shown(name, value) for name, value in row.items()} for row in exported(history)
    ]
    assert as_text == table


def _shown(name: str, value: Any) -> str:
    if name.endswith("_usd"):
        return f"{value:.9f}"
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def test_export_in_another_zone(history: Keeper) -> None:
    """Days are those of the zone that is asked for."""
    zone = {"TZ": "UTC0"}
    rows = exported(history, "--by", "day", "-z", "Pacific/Kiritimati")
    ahead = datetime.fromisoformat(exported(history)[0]["time"]) + timedelta(hours=14)
    assert ahead.date().isoformat() == rows[0]["day"]
    refused = history.run("export", "-z", "Mars/Olympus", environment=zone)
    assert (2, "", 1) == (refused.returncode, refused.stdout, refused.stderr.count("\n"))


# When something goes wrong.


@pytest.fixture
def long_history(keeper: Keeper, home: ClaudeHome) -> Keeper:
    """A daemon with more requests than one page holds."""
    log = home.log()
    log.append(b"".join(lines.reply(log.writer) for _ in range(4_100)))
    keeper.start()
    keeper.wait_for_requests(4_100)
    return keeper


def test_pages_hold_everything(long_history: Keeper) -> None:
    """Over several pages each request comes once."""
    assert 4_100 == len({row["request"] for row in exported(long_history)})


def test_daemon_killed_during_an_export(long_history: Keeper) -> None:
    """A daemon that dies during an export is one line on stderr, and status 1."""
    process = subprocess.Popen(
        [TOLL, "export", "--no-start"],
        env=long_history.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,  # What stood in a buffer of ours would be lost to communicate().
    )
    assert process.stdout
    # It writes the first page, which is more than a pipe holds, until this is read.
    assert process.stdout.readline().startswith(b"time,")
    long_history.kill()
    out, err = process.communicate(timeout=20)
    assert (1, 2_000, 1) == (process.returncode, out.count(b"\n"), err.count(b"\n"))
    assert b"went away" in err


def test_export_starts_the_daemon(history: Keeper) -> None:
    """Without a daemon one is started, and answers."""
    history.stop()
    assert 4 == len(exported(history))
