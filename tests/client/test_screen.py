"""What people see: the status, reports and findings, on narrow and wide terminals."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from tollkeeper import __version__, wire
from tollkeeper.cli import doctor, screen, watch
from tollkeeper.cli.live import Rate
from tollkeeper.feed import Change
from tollkeeper.model import Agent, Alert, DaemonInfo, Importing, Plan, Status, Usage, Window

from .making import TIME, USED, agent, held, helper, printed, status, today

WIDTHS = [40, 80, 100, 120, 200]
MANY = status(
    agent("Agent-1", subagents=(helper(), helper("a3a12fa752ff6af55", None))),
    agent("an-agent-with-a-name-that-is-longer-than-any-column", state="idle"),
    agent("Agent-3", state="waiting", waiting_for="permission prompt", source="subscription"),
    agent("Agent-4", state="paused", model=None, last_activity_at=None),
    agent("Agent-5", state="exited", lines_added=0, lines_removed=0),
    held("Agent-6", "blocked"),
    today=today(USED, USED),
    alerts=tuple(Alert(time=TIME, kind="k", text=f"alert {number}") for number in range(9)),
)


@pytest.mark.parametrize("width", WIDTHS)
def test_screen_fits(width: int) -> None:
    """No line is wider than the terminal, however many agents and however long their names."""
    shown = printed(screen.status_screen(MANY, width), width)
    assert max(map(len, shown.splitlines())) <= width


@pytest.mark.parametrize("width", [80, 120])
def test_screen_shows_who_does_what(width: int) -> None:
    """Names, states, models, tokens and money stand in the line of each agent, at 80 columns too."""
    lines = printed(screen.status_screen(MANY, width), width).splitlines()
    (first,) = (line for line in lines if line.startswith("Agent-1 "))
    for word in ("● working", "opus-5-5", "330K", "$1.25 [API]"):
        assert word in first
    (third,) = (line for line in lines if line.startswith("Agent-3 "))
    assert "⚠ waiting" in third
    assert "$1.25 [Sub]" in third
    assert any("└ analyst" in line for line in lines)
    assert any("└ a3a12fa752ff6af55" in line for line in lines)


def test_wide_screen_shows_more() -> None:
    """A wide terminal also shows requests, kinds of tokens, lines changed and when it was seen."""
    (line,) = (
        line
        for line in printed(screen.status_screen(MANY, 120), 120).splitlines()
        if line.startswith("Agent-1 ")
    )
    for word in (" 3 ", "1.00K", "20.0K", "309K", "+12 -3", "42s"):
        assert word in line
    assert "+12 -3" not in printed(screen.status_screen(MANY, 80), 80)


def test_headline() -> None:
    """The first line counts the living agents, the waiting ones, and today's money by who pays."""
    first = printed(screen.status_screen(MANY, 120)).splitlines()[0]
    assert "5 agents | ⚠ 1 pending | plan: worth $1.25 today | API: $1.25 today" == first


@pytest.mark.parametrize(
    ("subscription", "api", "expected"),
    [
        (None, None, "0 agents | $0.00 today"),
        (USED, None, "0 agents | plan: worth $1.25 today"),
        (None, replace(USED, unpriced_requests=1), "0 agents | ~$1.25 today"),
    ],
)
def test_headline_of_the_day(subscription: Usage | None, api: Usage | None, expected: str) -> None:
    """Only who paid today is named, and a guessed price is marked."""
    shown = printed(screen.status_screen(status(today=today(subscription, api)), 80), 80)
    assert expected == shown.splitlines()[0]


def test_limited_plan() -> None:
    """A plan that refuses requests is told with the time of its reset."""
    limited = status(plan=Plan(limited_until="2026-11-22T14:00:00+00:00"))
    until = datetime.fromisoformat("2026-11-22T14:00:00+00:00").astimezone()
    assert f"plan limited until {until:%H:%M}" in printed(screen.status_screen(limited, 120))


def test_no_agents() -> None:
    """Without agents the screen says how to get one."""
    assert "Start one with: claude" in printed(screen.status_screen(status(), 80), 80)


def test_exited_agents_come_last() -> None:
    """Living agents come first, the oldest at the top."""
    told = (
        agent("c", state="exited", started_at="2026-11-22T08:00:00+00:00"),
        agent("b", started_at="2026-11-22T09:20:00+00:00"),
        agent("a", started_at="2026-11-22T09:10:00+00:00"),
    )
    table = screen.agents_table(told, datetime.fromisoformat(TIME), 80)
    assert ["a", "b", "c"] == [line[0] for line in printed(table, 80).splitlines()[1:]]


def test_last_alerts() -> None:
    """The last three alerts are shown, with how long ago they came."""
    shown = printed(screen.status_screen(MANY, 80), 80)
    assert [f"! just now: alert {number}" for number in (6, 7, 8)] == [
        line for line in shown.splitlines() if line.startswith("!")
    ]


def test_old_alerts_go() -> None:
    """An alert has its age, and none is shown any more when it is older than a day."""
    now = datetime.fromisoformat(TIME)
    ages = {"d": 86_401, "c": 86_400, "b": 7_300, "a": 130, "ahead": -5}
    alerts = [
        Alert(time=(now - timedelta(seconds=age)).isoformat(), kind="later", text=f"{name}\x1b")
        for name, age in ages.items()
    ]
    assert [line.plain for line in screen.alert_lines(alerts[:4], now)] == [
        "! 1 day ago: c·",
        "! 2 h ago: b·",
        "! 2 min ago: a·",
    ]
    assert ["! just now: ahead·"] == [line.plain for line in screen.alert_lines(alerts[4:], now)]
    assert [] == screen.alert_lines(alerts, now + timedelta(days=2))


@pytest.mark.parametrize("name", ["[red]x", "[/]", ":smile:", "[bold", "\x1b[2Jx", "a\nb"])
def test_names_are_no_markup(name: str) -> None:
    """A name is shown as it is, brackets and all, and can't play tricks on the terminal."""
    shown = printed(screen.status_screen(status(agent(name)), 120))
    assert name.replace("\x1b", "·").replace("\n", "·") in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(("no_color", "coloured"), [("1", False), (None, True)])
def test_colour(monkeypatch: pytest.MonkeyPatch, no_color: str | None, coloured: bool) -> None:
    """NO_COLOR takes the colour away, and each state keeps a mark of its own."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("FORCE_COLOR", "1")
    if no_color:
        monkeypatch.setenv("NO_COLOR", no_color)
    out = screen.console()
    with out.capture() as captured:
        out.print(screen.status_screen(MANY, 120))
    assert coloured is ("\x1b[32m" in captured.get())
    assert all(mark in captured.get() for mark, _ in screen.STATES.values())
    assert len(screen.STATES) == len({mark for mark, _ in screen.STATES.values()})


def test_console_shows_brackets() -> None:
    """The console that commands print on takes words as they are."""
    out = screen.console()
    with out.capture() as captured:
        out.print("$1.25 [api] :smile: [/]")
    assert "$1.25 [api] :smile: [/]\n" == captured.get()


def test_import_bar() -> None:
    """An import tells bytes, rate and time left, and is never more than whole."""
    importing = Importing(done_bytes=500_000_000, total_bytes=1_000_000_000)
    shown = printed(screen.import_bar(importing, 100e6))
    assert "importing 500.0 MB of 1.00 GB, 100.0 MB/s, 5s left" in shown
    over = Importing(done_bytes=3, total_bytes=0)
    assert "importing" in printed(screen.import_bar(over, None), 80)
    loading = status(daemon=DaemonInfo(pid=1, started_at=TIME, importing=importing))
    assert "importing" in printed(screen.status_screen(loading, 80), 80)


PING = {"pid": 5, "version": __version__, "protocol": 1}
HEALTH: dict[str, Any] = {
    "homes": [{"path": "/h/.claude", "exists": True}, {"path": "/h/.config", "exists": False}],
    "watcher": "inotify",
    "logs": 7,
    "bad_lines": 0,
    "bad_session_files": [],
    "bad_stats_caches": [],
    "unpriced_models": [],
}


FAILING = {
    "name": "on.alert",
    "failures": 3,
    "time": TIME,
    "error": "ended with status 1: no route",
}


def test_healthy() -> None:
    """With everything in order every finding is well, and nothing is to be mended."""
    findings = doctor.examine(PING, HEALTH)
    assert all(finding.well and finding.mend is None for finding in findings)
    assert ["Claude home: /h/.claude"] == [f.text for f in findings if "home" in f.text]


@pytest.mark.parametrize(
    ("ping", "health", "said", "mend"),
    [
        ({"version": "0.0.1"}, {}, "version 0.0.1", "toll down"),
        ({}, {"watcher": "polling"}, "watches ran out", "max_user_watches"),
        ({}, {"bad_session_files": ["/h/1.json"]}, "/h/1.json", "remove it"),
        ({}, {"unpriced_models": ["a", "b"]}, "no price for a, b", "toll prices check"),
        ({}, {"outdated_guesses": ["a"]}, "of a were charged at a guess", "toll reprice"),
        ({}, {"homes": [{"path": "/h", "exists": False}]}, "/h", "CLAUDE_CONFIG_DIR"),
        ({}, {"homes": []}, "no Claude home", "CLAUDE_CONFIG_DIR"),
        (
            {},
            {"failing_commands": [{**FAILING, "failures": 1}]},
            "in on.alert fails: it ended with status 1: no route (2026",
            "mend on.alert in config.toml",
        ),
        ({}, {"failing_commands": [FAILING]}, "fails, 3 times in a row: it ended", "tolld.log"),
    ],
)
def test_unhealthy(ping: dict[str, Any], health: dict[str, Any], said: str, mend: str) -> None:
    """What is wrong is one finding, with what to do about it."""
    (bad,) = (f for f in doctor.examine({**PING, **ping}, {**HEALTH, **health}) if not f.well)
    assert said in bad.text
    assert mend in (bad.mend or "")


def test_bad_lines_are_told() -> None:
    """What could not be read is told, though nothing can be done about it."""
    findings = doctor.examine(PING, {**HEALTH, "bad_lines": 3, "bad_stats_caches": ["/h/s.json"]})
    assert all(finding.well for finding in findings)
    assert any(finding.text.endswith(": 3") for finding in findings)
    assert any(finding.text.startswith("/h/s.json can't") for finding in findings)


def change(topic: str, update: wire.Update | None, *agents: Agent) -> Change:
    """A step of the feed."""
    return Change(topic, update, status(*agents))


def test_watched_changes() -> None:
    """Each change is told in a line with its time; a heartbeat is worth none."""
    seen = agent("Agent-1", state="waiting", waiting_for="permission prompt")
    update = wire.AgentUpdate(sequence=8, time=TIME, agent=seen)
    beat = wire.Heartbeat(
        sequence=8, time=TIME, daemon=status().daemon, agents=(), today=today(), run=None
    )
    alert = wire.AlertUpdate(sequence=8, time=TIME, alert=Alert(time=TIME, kind="k", text="look"))
    assert ["09:30:00 watching 1 agents"] == watch.lines_of(change("snapshot", None, seen))
    assert ["09:30:00 agent.changed Agent-1: waiting (permission prompt)"] == watch.lines_of(
        change("agent.changed", update, seen)
    )
    assert [] == watch.lines_of(change("heartbeat", beat))
    assert ["09:30:00 alert look"] == watch.lines_of(change("alert", alert))
    later = wire.Update(sequence=8, time=TIME)
    assert ["09:30:00 brand.new"] == watch.lines_of(change("brand.new", later))


def test_watched_plan() -> None:
    """A plan is told by its account, with what was seen of its windows and what is estimated."""
    five = Window(used_percent=42.9, resets_at=TIME, observed_at=TIME, estimated_percent=44.1)
    plan = Plan(account="0b77fe09-aaaa", five_hour=five, limited_until=TIME)
    bare = Plan(seven_day=Window(used_percent=3, resets_at=TIME, observed_at=TIME))
    update = wire.PlanUpdate(sequence=8, time=TIME, plan=plan, plans=(bare, plan))
    assert [
        "09:30:00 plan 7 days 3 %",
        "09:30:00 plan account 0b77fe09, 5 hours 42 % (~44 % now), limited",
    ] == watch.lines_of(change("plan", update))


def test_watched_usage() -> None:
    """What was sent and charged is told by agent, or by conversation when there is none."""
    parts = {"model": "claude-opus-5-5", "source": "api"}
    charged = (
        wire.Charged(conversation="c", agent="id-Agent-1", usage=USED, **parts),
        wire.Charged(conversation="0123456789", usage=replace(USED, messages=0), **parts),
        wire.Charged(conversation="0123456789", usage=Usage(messages=1), **parts),
    )
    update = wire.UsageUpdate(
        sequence=8, time=TIME, charged=charged, agents=(), today=today(), run=None
    )
    assert [
        "09:30:00 usage Agent-1: +2 messages",
        "09:30:00 usage 01234567: +1 message",
        "09:30:00 usage Agent-1: opus-5-5 330K tokens $1.25 [API]",
        "09:30:00 usage 01234567: opus-5-5 330K tokens $1.25 [API]",
    ] == watch.lines_of(change("usage", update, agent()))


def test_watched_answer() -> None:
    """A message that moves to the model that answers it was told before, and is not again."""
    parts = {"conversation": "c", "agent": "id-Agent-1", "source": "api"}
    charged = (
        wire.Charged(model="", usage=Usage(messages=-1), **parts),
        wire.Charged(model="claude-opus-5-5", usage=replace(USED, messages=1), **parts),
    )
    update = wire.UsageUpdate(
        sequence=8, time=TIME, charged=charged, agents=(), today=today(), run=None
    )
    assert ["09:30:00 usage Agent-1: opus-5-5 330K tokens $1.25 [API]"] == watch.lines_of(
        change("usage", update, agent())
    )
    moved = replace(update, charged=charged[:1])
    assert [] == watch.lines_of(change("usage", moved, agent()))


def test_watched_change_for_a_program() -> None:
    """A program gets the topic, and the update or the whole status."""
    update = wire.Update(sequence=8, time=TIME)
    assert {"topic": "x", "update": update} == watch.as_json(change("x", update))
    assert {"topic": "snapshot", "update": status()} == watch.as_json(change("snapshot", None))


def test_rate_of_an_import() -> None:
    """The rate is told from two sights on, over the last moments, and not after the import."""
    rate = Rate()
    seen = [Importing(done_bytes=done, total_bytes=100) for done in (0, 10, 10, 40)]
    assert [None, 10.0, 5.0, 40 / 3] == [rate.of(each, now) for now, each in enumerate(seen)]
    assert rate.of(None, 4) is None
    assert rate.of(seen[0], 5) is None


def test_status_is_what_was_made() -> None:
    """The made-up status is one that a daemon could send."""
    assert wire.decode(wire.encode(MANY), Status) == MANY
