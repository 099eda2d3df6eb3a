"""Plans in a daemon: several homes and accounts, what status lines tell, what is spent since."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tollkeeper import wire
from tollkeeper.letters import leave_status, report_hook
from tollkeeper.model import Plan, Status
from waiting import wait_until

from . import lines
from .agent_process import AgentProcess
from .bounded import BILLED
from .claude_home import ClaudeHome, Log
from .keeper import Keeper

FIRST, SECOND = "0b77fe09-0000-4000-8000-000000000001", "6fd2a111-0000-4000-8000-000000000002"
RESET = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0)


@pytest.fixture
def second(keeper: Keeper) -> ClaudeHome:
    """Another Claude home that the daemon follows."""
    home = ClaudeHome(keeper.root / "second", keeper.root / "work")
    for folder in (home.projects, home.sessions):
        folder.mkdir(parents=True)
    keeper.environment["CLAUDE_CONFIG_DIR"] = f"{keeper.home.path},{home.path}"
    return home


def subscribe(home: ClaudeHome, account: str) -> None:
    """Let the home's settings name this account."""
    settings = {"oauthAccount": {"accountUuid": account, "emailAddress": "a@example.com"}}
    (home.path / ".claude.json").write_text(json.dumps(settings))


def show(
    keeper: Keeper, log: Log, percent: float, reset: datetime = RESET, api_ms: int = 1
) -> None:
    """A client shows its status line, which was told so much of the five-hour window."""
    window = {"used_percentage": percent, "resets_at": int(reset.timestamp())}
    said: dict[str, Any] = {
        "session_id": log.conversation,
        "transcript_path": str(log.path),
        "cost": {"total_api_duration_ms": api_ms},
        "rate_limits": {"five_hour": window},
    }
    leave_status(str(keeper.paths.run), log.conversation, json.dumps(said).encode())


def figures(status: Status) -> dict[str | None, float | None]:
    return {each.account: each.five_hour and each.five_hour.used_percent for each in status.plans}


def plan_of(status: Status, account: str) -> Plan:
    [found] = [each for each in status.plans if each.account == account]
    return found


def test_two_homes_two_accounts(keeper: Keeper, second: ClaudeHome) -> None:
    """Each home's clients tell of their own account; figures, sums and refusals are kept apart."""
    subscribe(keeper.home, FIRST)
    subscribe(second, SECOND)
    keeper.configure('[sources]\nprocesses = false\n\n[plan]\nname = "max"\n')
    logs = keeper.home.log(), second.log()
    for log, account in zip(logs, (FIRST, SECOND), strict=True):
        log.append(lines.session_owner(log.writer, account))
        log.prompt()
        log.reply()
    keeper.start()
    keeper.wait_for_requests(2)
    show(keeper, logs[0], 42)
    show(keeper, logs[1], 7)
    status = keeper.wait_for(lambda status: figures(status) == {FIRST: 42, SECOND: 7})
    assert {str(keeper.home.path), str(second.path)} == {each.home for each in status.plans}
    assert [(1, 1), (1, 1)] == [(e.messages_today, e.opus_messages) for e in status.plans]
    assert {("Claude Max", 200)} == {(each.title, each.opus_limit) for each in status.plans}
    logs[1].reply()
    status = keeper.wait_for(lambda status: _since(status, SECOND) > 0)
    assert (0, lines.USUAL_USD) == (_since(status, FIRST), _since(status, SECOND))
    logs[1].append(lines.refusal(logs[1].writer, RESET))
    status = keeper.wait_for(lambda status: bool(plan_of(status, SECOND).limited_until))
    assert plan_of(status, FIRST).limited_until is None
    assert figures(status) == {FIRST: 42, SECOND: 100}
    assert status.plan == plan_of(status, SECOND)
    [alert] = status.alerts
    assert alert.text.endswith(f" (account {SECOND[:8]} in {second.path})")
    before = [_without_time(plan) for plan in status.plans]
    after = keeper.restart().toll.status()
    assert [_without_time(plan) for plan in after.plans] == before


def _since(status: Status, account: str) -> float:
    window = plan_of(status, account).five_hour
    return window.value_since_usd if window else 0


def _without_time(plan: Plan) -> dict[str, Any]:
    """The plan, but for what time alone moves."""
    told: dict[str, Any] = json.loads(wire.encode(plan))
    for kind in ("five_hour", "seven_day"):
        if told[kind]:
            told[kind] |= {"percent_per_hour": None, "runs_out_at": None}
    return told


def test_two_clients_on_one_account(daemon: Keeper, home: ClaudeHome) -> None:
    """A client that is idle and shows an old figure does not set the account's figure back."""
    subscribe(home, FIRST)
    idle, busy = home.log(), home.log()
    for log in (idle, busy):
        log.reply()
    daemon.wait_for_requests(2)
    show(daemon, idle, 42)
    daemon.wait_for(lambda status: figures(status) == {FIRST: 42})
    show(daemon, busy, 50)
    daemon.wait_for(lambda status: figures(status) == {FIRST: 50})
    for api_ms in range(1, 4):
        show(daemon, idle, 42, api_ms=api_ms)
        show(daemon, busy, 50 + api_ms)
        told = {FIRST: 50.0 + api_ms}
        assert daemon.wait_for(lambda status, told=told: figures(status) == told)


def test_a_repeated_status_line_is_no_sighting(daemon: Keeper, home: ClaudeHome) -> None:
    """Only who asked the API again was told anew: a status line drawn again says nothing new."""
    subscribe(home, FIRST)
    log, other = home.log(), home.log()
    log.reply()
    other.reply()
    daemon.wait_for_requests(2)
    show(daemon, log, 42)
    seen = daemon.wait_for(lambda status: figures(status) == {FIRST: 42}).plan.five_hour
    assert seen is not None
    show(daemon, log, 42)
    show(daemon, other, 42)  # Nobody knows when it was told so.
    assert daemon.toll.status().plan.five_hour == seen
    show(daemon, log, 42, api_ms=2)
    after = daemon.wait_for(
        lambda status: (now := status.plan.five_hour) is not None and now != seen
    ).plan.five_hour
    assert after is not None
    assert after.observed_at > seen.observed_at


def report_refusal(keeper: Keeper, agent: AgentProcess) -> None:
    """The agent's hook tells of a rate limit."""
    event = {"hook_event_name": "StopFailure", "error": "rate_limit"}
    report_hook(str(keeper.paths.run), {**event, "session_id": agent.conversation}, {})


def test_a_hook_reports_a_refusal(daemon: Keeper, home: ClaudeHome) -> None:
    """A refusal that a hook alone tells of holds until the log has its line; it is told once."""
    subscribe(home, FIRST)
    agent = daemon.start_agent()
    agent.says("busy")
    agent.log.reply()
    daemon.wait_for_requests(1)
    show(daemon, agent.log, 42)
    daemon.wait_for(lambda status: figures(status) == {FIRST: 42})
    report_refusal(daemon, agent)
    daemon.wait_for(lambda status: _limited_until(status) == RESET)
    assert figures(daemon.toll.status()) == {FIRST: 100}
    sooner = RESET - timedelta(hours=1)
    agent.log.append(lines.refusal(agent.log.writer, sooner))
    status = daemon.wait_for(lambda status: _limited_until(status) == sooner)
    assert [alert.kind for alert in status.alerts] == ["limited"]


def test_refusals_of_no_plan(keeper: Keeper, second: ClaudeHome) -> None:
    """Rate limits of an agent on a key, and passing ones by the log, are none of any plan's."""
    subscribe(keeper.home, FIRST)
    subscribe(second, SECOND)
    keeper.start()
    billed, subscribed = keeper.start_agent("one", BILLED), keeper.start_agent("two")
    other = AgentProcess(second, "three")
    try:
        for agent in (billed, subscribed, other):
            agent.says("busy")
            agent.log.reply()
        keeper.wait_for_requests(3)
        show(keeper, subscribed.log, 42)
        keeper.wait_for(lambda status: figures(status) == {FIRST: 42})
        subscribed.log.append(lines.passing_refusal(subscribed.log.writer))
        for agent in (billed, subscribed, other):
            report_refusal(keeper, agent)
        status = keeper.wait_for(lambda status: bool(status.alerts))
    finally:
        other.exit()
    assert [f"the plan refuses requests (account {SECOND[:8]} in {second.path})"] == [
        alert.text for alert in status.alerts
    ]
    assert (figures(status), _limited_until(status)) == ({FIRST: 42}, None)


def _limited_until(status: Status) -> datetime | None:
    until = plan_of(status, FIRST).limited_until
    return datetime.fromisoformat(until) if until else None


def test_what_is_spent_is_told(daemon: Keeper, home: ClaudeHome) -> None:
    """Who listens hears of what was spent since the sighting, and keeps the same plans as a snapshot."""
    subscribe(home, FIRST)
    log = home.log()
    log.append(lines.session_owner(log.writer, FIRST))
    log.reply()
    daemon.wait_for_requests(1)
    show(daemon, log, 42)
    daemon.wait_for(lambda status: figures(status) == {FIRST: 42})
    with daemon.feed() as feed:
        log.reply()
        wait_until(lambda: _since(feed.latest(0.2), FIRST) == lines.USUAL_USD, 15)
        assert feed.latest(0.2).plans == daemon.toll.status().plans


def test_the_screen_shows_the_plan(daemon: Keeper, home: ClaudeHome) -> None:
    """``toll status`` has a block for the plan, with its figure and the messages of today."""
    subscribe(home, FIRST)
    log = home.log()
    log.prompt()
    log.reply()
    daemon.wait_for_requests(1)
    show(daemon, log, 67)
    daemon.wait_for(lambda status: figures(status) == {FIRST: 67})
    screen = daemon.run("status").stdout
    assert "SUBSCRIPTION" in screen
    assert " 67 %  seen " in screen
    assert "messages today 1" in screen


def test_a_program_names_the_account(daemon: Keeper) -> None:
    """A program that speaks to the API may say whose windows it saw."""
    window = {"used_percent": 12, "resets_at": RESET.isoformat()}
    account = str(uuid.uuid4())
    plan = daemon.report("plan.observe", five_hour=window, account=account)["plan"]
    assert (plan["account"], plan["five_hour"]["used_percent"]) == (account, 12)
