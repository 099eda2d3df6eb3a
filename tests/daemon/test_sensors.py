"""The sensors: what the letters of hooks and status lines change on agents, and what of it is told."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from tollkeeper import wire
from tollkeeper.letters import leave_status, report_hook
from tollkeeper.paths import Paths, find_paths
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.config import PlanSettings
from tollkeeper_daemon.events import Bell
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.intake.failures import Failures
from tollkeeper_daemon.intake.payment import Payment
from tollkeeper_daemon.intake.refusals import Refusals
from tollkeeper_daemon.intake.sensors import Sensors
from tollkeeper_daemon.intake.whose import Whose
from tollkeeper_daemon.outlets.alive import Alive
from tollkeeper_daemon.own.plans import load_plans
from tollkeeper_daemon.plan.accounts import Owner
from tollkeeper_daemon.plan.gauge import News, PlanGauge
from tollkeeper_daemon.plan.sums import PlanSums
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.transcript.letters import HookReport

from .machine import process, session

NOW = 1_795_340_000_000
FAR = 4_000_000_000_000


class Told:
    """Stands in for the herald: keeps how often it was told of an agent, and of the plan."""

    def __init__(self) -> None:
        self.agents = 0
        self.plan: list[News] = []

    def agent(self, topic: wire.Topic, agent: LiveAgent) -> None:
        assert topic == "agent.changed"
        self.agents += 1

    def plan_changed(self, news: list[News] | None) -> None:
        self.plan += news or []


class Bench:
    """Sensors on a roster with one agent, which the test sends letters."""

    def __init__(self, paths: Paths, store: Store, bell: Bell, *, writes_file: bool) -> None:
        paths.status_inbox.mkdir(parents=True)
        Alive(paths.alive).beat(FAR)
        self.run = str(paths.run)
        self.on_plan: list[str] = []
        self.refused: list[str] = []
        self.told = Told()
        herald = cast(Herald, self.told)
        self.roster = Roster()
        self.agent = self.roster.appear(
            process(conversation="conv-1"), session() if writes_file else None, False, NOW
        )
        self.plan = PlanGauge(store, PlanSettings, NOW, PlanSums(), load_plans().get)
        self.sensors = Sensors(
            paths.inbox,
            paths.status_inbox,
            bell,
            self.roster,
            self.plan,
            cast(Whose, self),
            cast(Refusals, self),
            cast(Payment, self),
            herald,
            Failures(herald),
        )

    def hook(self, event: str, conversation: str = "conv-1", pid: int = 0, **more: str) -> None:
        """A hook reports."""
        fields: dict[object, object] = {"hook_event_name": event, "session_id": conversation}
        report_hook(self.run, {**fields, **more}, {"CLAUDE_PID": str(pid)} if pid else {})
        self.sensors.read_hooks(NOW)

    def status(self, conversation: str = "conv-1", **fields: object) -> None:
        """A status line is refreshed."""
        said = {"session_id": conversation, **fields}
        leave_status(self.run, conversation, json.dumps(said).encode())
        self.sensors.read_status_lines(now_ms() + 1_000)

    def of(self, conversation: str, log: str, time: int) -> Owner:
        """Stands in for whoever knows whose plan it is."""
        return Owner("account-a")

    def reported(self, report: HookReport, now: int) -> None:
        """Stands in for whoever joins reports and logs."""
        self.refused.append(report.conversation)

    def shows_plan(self, agent: LiveAgent, now: int) -> None:
        """Stands in for whoever notes who pays."""
        self.on_plan.append(agent.record.name)

    @property
    def state(self) -> tuple[str, str]:
        """What the agent does, and what it waits for."""
        return self.agent.state(NOW), self.agent.waiting_for


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """The directories of a Tollkeeper."""
    return find_paths({"TOLL_HOME": str(tmp_path / "toll")})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty ledger."""
    with Store(tmp_path / "ledger.lmdb") as store:
        yield store


@pytest.fixture
def bell() -> Iterator[Bell]:
    """A bell that nobody waits for."""
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        yield Bell(loop)


@pytest.fixture
def silent(paths: Paths, store: Store, bell: Bell) -> Bench:
    """An agent whose client is too old to write a session file."""
    return Bench(paths, store, bell, writes_file=False)


@pytest.fixture
def bench(paths: Paths, store: Store, bell: Bell) -> Bench:
    """An agent whose client writes a session file, which says that it is busy."""
    return Bench(paths, store, bell, writes_file=True)


def test_states_by_hooks(silent: Bench) -> None:
    """Where no session file says what an agent does, its hooks do."""
    for event, state in [
        ("SessionStart", "idle"),
        ("UserPromptSubmit", "working"),
        ("PreToolUse", "working"),
        ("Stop", "idle"),
        ("UserPromptSubmit", "working"),
        ("StopFailure", "idle"),
    ]:
        silent.hook(event)
        assert silent.state == (state, "")
    silent.hook("Notification", notification_type="permission_prompt")
    assert silent.state == ("waiting", "permission prompt")
    silent.hook("Notification", notification_type="some_news")
    assert silent.state == ("waiting", "permission prompt")
    silent.hook("PostToolUse")
    assert silent.state == ("working", "")


def test_the_file_is_believed(bench: Bench) -> None:
    """An agent's own session file is believed before a hook, which may come late."""
    bench.hook("Stop")
    bench.hook("Notification", notification_type="permission_prompt")
    assert bench.state == ("working", "")
    assert bench.told.agents == 0


def test_helpers(bench: Bench) -> None:
    """A subagent is there with its type from its start on, and done when it ends; told once each."""
    bench.hook("SubagentStart", agent_id="a1", agent_type="analyst")
    bench.hook("PreToolUse", agent_id="a1", agent_type="analyst")
    [helper] = bench.agent.subagents.values()
    assert (helper.id, helper.type, helper.finished) == ("a1", "analyst", False)
    bench.hook("SubagentStop", agent_id="a1", agent_type="analyst")
    assert helper.finished
    assert bench.told.agents == 2
    assert bench.state == ("working", "")


def test_a_helper_that_fails_is_done(bench: Bench) -> None:
    """A subagent whose request fails ends with that: nothing else is reported of it."""
    bench.hook("SubagentStart", agent_id="a1", agent_type="analyst")
    bench.hook("StopFailure", agent_id="a1", agent_type="analyst", error="rate_limit")
    [helper] = bench.agent.subagents.values()
    assert helper.finished


def test_refusals(bench: Bench) -> None:
    """A rate limit is a matter of the plan only where a subscription pays for the agent."""
    bench.hook("StopFailure", error="rate_limit")
    assert bench.refused == []
    bench.roster.begins_paid_by(bench.agent, "subscription", "account-a")
    bench.hook("StopFailure", error="server_error")
    bench.hook("Stop", error="rate_limit")
    bench.hook("StopFailure", conversation="unknown", error="rate_limit")
    assert bench.refused == []
    bench.hook("StopFailure", error="rate_limit")
    assert bench.refused == ["conv-1"]


def test_whose_hook(silent: Bench) -> None:
    """A conversation that nobody is known to hold is the agent's whose pid the hook names."""
    silent.hook("UserPromptSubmit", conversation="unknown", pid=999)
    silent.hook("SessionStart", conversation="unknown")
    assert silent.told.agents == 0
    silent.hook("Stop", conversation="unknown", pid=100)
    assert silent.state == ("idle", "")


def test_context(bench: Bench) -> None:
    """How full the context is is noted, and told when it is another than before."""
    for percent in (2, 2, 2, 7):
        bench.status(context_window={"used_percentage": percent})
    assert bench.agent.context_used_percent == 7
    assert bench.told.agents == 2


def test_lines_that_changed(bench: Bench) -> None:
    """The lines that a conversation added and removed are told while it goes on, and of no other one."""

    def show(added: object, removed: object, conversation: str = "conv-1") -> tuple[int, int]:
        cost = {"total_lines_added": added, "total_lines_removed": removed}
        bench.status(conversation, cost=cost)
        return bench.agent.lines_added, bench.agent.lines_removed

    assert (142, 38) == show(142, 38) == show(142, 38)
    assert 1 == bench.told.agents
    bench.roster.hear(bench.agent, session(conversation="conv-2"), NOW)
    assert (142, 38) == show(500, 0) == show(None, 3, "conv-2") == show(-1, 0, "conv-2")
    assert (7, 0) == show(7, 0, "conv-2")


def test_model_before_the_first_reply(bench: Bench) -> None:
    """The model that will be asked is shown until a reply names the one that was."""
    bench.status(model={"id": "claude-opus-5-5[1m]", "display_name": "Opus 5.5"})
    assert "claude-opus-5-5[1m]" == bench.agent.record.model
    bench.status(model={"id": "claude-haiku-5-5"})
    bench.status(model={"id": 5})
    assert "claude-opus-5-5[1m]" == bench.agent.record.model
    assert (1, 0) == (bench.told.agents, bench.sensors.bad_letters)


def test_what_can_not_be_read_is_counted(bench: Bench) -> None:
    """Bad letters, and bad parts of good ones, are counted; what stands beside them is taken."""
    folder = Path(bench.run, "inbox")
    (folder / "hook-0").write_text("{")
    (folder / "status" / "x").write_text('{"session_id": 5}')
    bench.sensors.read_hooks(NOW)
    bench.status(context_window={"used_percentage": 9}, rate_limits={"five_hour": 3})
    assert bench.sensors.bad_letters == 3
    assert bench.agent.context_used_percent == 9
    assert bench.on_plan == [bench.agent.record.name]


def test_a_figure_that_was_shown_before(bench: Bench) -> None:
    """What an idle client shows again under another conversation, or to a new daemon, is no news."""
    resets_at = now_ms() // 1000 + 3600

    def used() -> tuple[float, str] | None:
        window = bench.plan.view(now_ms()).five_hour
        return window and (window.used_percent, window.observed_at)

    def show(conversation: str, percent: float) -> None:
        windows = {"five_hour": {"used_percentage": percent, "resets_at": resets_at}}
        cost = {"total_api_duration_ms": 5000}
        bench.status(conversation, rate_limits=windows, cost=cost)

    show("conv-1", 67)
    first = used()
    assert first is not None
    show("conv-2", 67)
    assert used() == first
    show("conv-3", 68)
    later = used()
    assert later is not None
    assert later[0] == 68
