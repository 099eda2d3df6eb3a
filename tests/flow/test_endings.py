"""What has ended is handed over once: a day, a week, a run, by this daemon or the next one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from tollkeeper_daemon.endings import TOLD
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

from . import lines
from .keeper import Keeper
from .told import Told

EVENTS = ("day_ended", "week_ended", "run_ended")
HOUR = 3_600_000


@pytest.fixture
def told(keeper: Keeper) -> Iterator[Told]:
    """Where the keeper's commands put what they are told."""
    told = Told(keeper.root / "told")
    commands = (f"{event} = {told.command(event)}" for event in EVENTS)
    keeper.configure("\n".join(("[sources]\nprocesses = false\n[on]", *commands)))
    yield told


def noted(keeper: Keeper, change: dict[str, str] | None = None) -> dict[str, str]:
    """What the daemon has noted as told, after this change; no daemon may run."""

    def work(transaction: Transaction) -> dict[str, str]:
        now: dict[str, str] = {**(transaction.meta(TOLD) or {}), **(change or {})}
        transaction.set_meta(TOLD, now)
        return now

    with Store(keeper.paths.ledger) as store:
        return store.write(work)


def counts(told: Told) -> list[int]:
    """How often each event was told."""
    return [len(told.all(event)) for event in EVENTS]


def test_ended_while_no_daemon_ran(keeper: Keeper, told: Told) -> None:
    """The next daemon hands over the latest day and week, as ``toll`` shows them, and only once.

    The past that a new ledger finds is told by none.
    """
    log = keeper.home.log()
    log.append(lines.reply(log.writer, when=lines.ago(days=1)))
    log.append(lines.reply(log.writer, when=lines.ago(days=7)))
    keeper.start()
    keeper.wait_for_requests(2)
    keeper.stop()
    ended = noted(keeper)
    assert set(EVENTS) == ended.keys()
    noted(keeper, {"day_ended": "2026-01-01", "week_ended": "2025-12-28"})
    assert [0, 0, 0] == counts(told)

    keeper.start()
    day, week = told.first("day_ended"), told.first("week_ended")
    assert {"topic", "day", "report", "markdown"} == day.keys()
    assert ("day_ended", ended["day_ended"]) == (day["topic"], day["day"])
    span = f"--since={day['day']}", f"--until={day['day']}"
    assert keeper.json("daily", *span) == day["report"]
    assert 1 == day["report"]["totals"]["requests"]
    assert "| opus-5-5 |" in day["markdown"]
    assert "| Total    |        1 | 17,316 | $0.0236 |    $0.0236 |" in day["markdown"]
    assert {"topic", "week", "report", "markdown"} == week.keys()
    [row] = week["report"]["weekly"]
    assert ("week_ended", ended["week_ended"], row["week"]) == (
        week["topic"],
        week["week"],
        week["week"],
    )
    keeper.restart()
    keeper.stop()
    assert [1, 1, 0] == counts(told)
    assert ended == noted(keeper)


def test_midnight(keeper: Keeper, told: Told) -> None:
    """A day that ends while the daemon runs is told shortly after midnight, by agent as well."""
    keeper.environment["TZ"] = zone_before_midnight(8)
    keeper.start()
    agent = keeper.start_agent(labels={"TOLL_AGENT": "shop|<!channel>"})
    agent.says("busy")
    agent.log.reply()
    keeper.wait_for_requests(1)
    day = told.first("day_ended", timeout=45)
    assert 1 == day["report"]["totals"]["requests"]
    assert "| shop\\|&lt;!channel&gt; |        1 |" in day["markdown"]


def zone_before_midnight(seconds: int) -> str:
    """A time zone in which midnight is so many seconds away (POSIX: what is added for UTC)."""
    now = datetime.now(UTC)
    since = timedelta(hours=now.hour, minutes=now.minute, seconds=now.second)
    offset = since - (timedelta(hours=24) - timedelta(seconds=seconds))
    total = int(offset.total_seconds())
    if total < -12 * 3600:
        total += 24 * 3600
    sign = "-" if total < 0 else ""
    return f"SOON{sign}{abs(total) // 3600}:{abs(total) // 60 % 60:02}:{abs(total) % 60:02}"


def test_run_that_ended_while_no_daemon_ran(keeper: Keeper, told: Told) -> None:
    """A run is handed over when it has ended, with what its agents used, and only once."""
    keeper.start()
    agent = keeper.start_agent(labels={"TOLL_AGENT": "shop-9"})
    agent.says("busy")
    agent.log.reply()
    other = keeper.home.log("elsewhere")
    other.reply()
    keeper.wait_for_requests(2)
    keeper.stop()
    agent.exit()

    def age(transaction: Transaction) -> str:
        [run] = transaction.runs()
        transaction.save_run(replace(run, last_lived=run.last_lived - 2 * HOUR))
        return run.id

    with Store(keeper.paths.ledger) as store:
        name = store.write(age)
    keeper.start()
    run = told.first("run_ended")
    assert {"topic", "run", "report", "markdown"} == run.keys()
    assert ({"id", "started_at", "ended_at"}, name) == (run["run"].keys(), run["run"]["id"])
    [part] = run["report"]["breakdown"]
    assert ({"agent": "shop-9"}, 1) == (part["by"], part["requests"])
    assert 1 == run["report"]["requests"]
    assert "| shop-9 |" in run["markdown"]
    keeper.restart()
    keeper.stop()
    assert [0, 0, 1] == counts(told)
