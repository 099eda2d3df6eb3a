"""Notices and hooks of a real daemon: each kind reaches the user's command, each event its own."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from tollkeeper.errors import CallError
from tollkeeper.model import AgentState
from waiting import wait_until

from . import lines
from .keeper import Keeper
from .told import Told


@pytest.fixture
def told(keeper: Keeper) -> Iterator[Told]:
    """Where the keeper's commands put what they are told."""
    yield Told(keeper.root / "told")


def notifying(keeper: Keeper, told: Told, more: str = "") -> Keeper:
    """The daemon, started, with a command for all notices."""
    keeper.configure(
        f"{more}\n[sources]\nprocesses = false\n"
        f"[notify]\nwaiting_after_seconds = 1\ncommand = {told.command('notice')}\n"
    )
    return keeper.start()


def is_gone(pid: int) -> bool:
    """Whether this process has ended, be it that nobody has asked for its status yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_limited_and_reset(keeper: Keeper, told: Told) -> None:
    """That a plan refuses requests is told with the time it does until, and then that it is over."""
    notifying(keeper, told)
    log = keeper.home.log()
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    log.append(lines.refusal(log.writer, soon))
    limited = told.first("notice", kind="limited")
    assert soon.astimezone(UTC).strftime(":%M") in limited["text"]
    assert {"time", "kind", "text", "agent", "agent_id"} == limited.keys()
    reset = told.first("notice", kind="reset")
    assert datetime.fromisoformat(reset["time"]) >= soon
    kinds = [alert.kind for alert in keeper.toll.status().alerts]
    assert ["limited", "reset"] == kinds


def test_reset_while_no_daemon_ran(keeper: Keeper, told: Told) -> None:
    """A refusal that was over before the daemon started is no news any more."""
    keeper.start()
    log = keeper.home.log()
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    log.append(lines.refusal(log.writer, soon))
    keeper.wait_for(lambda status: status.plan.limited_until is not None)
    keeper.stop()
    wait_until(lambda: datetime.now(UTC) > soon)
    notifying(keeper, told)
    agent = keeper.start_agent()
    agent.says("waiting", waitingFor="permission prompt")
    told.first("notice", kind="waiting")  # By then the clock was looked at.
    assert ["waiting"] == [alert.kind for alert in keeper.toll.status().alerts]
    assert keeper.toll.status().plan.limited_until is None


def test_failing_commands_are_seen_by_the_doctor(keeper: Keeper) -> None:
    """A command that fails is a finding with how often and why; it is gone with other settings."""
    settings = "[sources]\nprocesses = false\n[on]\nagent_started = "
    keeper.configure(settings + "'echo no route; exit 7'\n")
    keeper.start()

    def findings() -> list[str]:
        told = json.loads(keeper.run("doctor", "--json").stdout)
        return [
            each["text"] for each in told if not each["well"] and "agent_started" in each["text"]
        ]

    keeper.start_agent().says("busy")
    wait_until(lambda: len(findings()) == 1)
    keeper.start_agent().says("busy")
    wait_until(lambda: "2 times in a row: it ended with status 7: no route (" in findings()[0])
    keeper.configure(settings + "'true'\n")
    wait_until(lambda: findings() == [])


def test_waiting_too_long(keeper: Keeper, told: Told) -> None:
    """Each waiting that lasts is told once, with the agent's name and what it waits for."""
    notifying(keeper, told)
    agent = keeper.start_agent(labels={"TOLL_AGENT": "<b>shop</b>"})
    agent.says("waiting", waitingFor="permission prompt")
    notice = told.first("notice", kind="waiting")
    assert ("<b>shop</b>", keeper.agent(agent).id) == (notice["agent"], notice["agent_id"])
    assert notice["text"].startswith("<b>shop</b> has been waiting for ")
    assert notice["text"].endswith("s: permission prompt")
    agent.says("busy")
    state: AgentState = "working"
    keeper.wait_for(lambda status: [state] == [each.state for each in status.agents])
    agent.says("waiting", waitingFor="dialog open")
    keeper.wait_for(lambda status: len(status.alerts) == 2)
    alerts = keeper.toll.status().alerts
    assert [("waiting", "<b>shop</b>")] * 2 == [(each.kind, each.agent) for each in alerts]
    keeper.stop()
    assert 1 == len(told.all("notice"))  # At most one of a kind and agent in a minute.


def test_unknown_model_and_broken_prices(keeper: Keeper, told: Told) -> None:
    """A model without a price and a price file that is broken are told."""
    notifying(keeper, told)
    keeper.home.log().reply(model="claude-nova-9")
    assert "nova-9" in told.first("notice", kind="unknown-model")["text"]
    keeper.paths.prices.write_text("broken")
    assert "prices.toml" in told.first("notice", kind="prices")["text"]


def test_what_is_off_is_kept_all_the_same(keeper: Keeper, told: Told) -> None:
    """A kind that is off reaches no command, and stands in the status."""
    keeper.configure(
        f'[notify]\noff = ["unknown-model"]\ncommand = {told.command("notice")}\n'
        f"[on]\nalert = {told.command('alert')}\n"
    )
    keeper.start()
    keeper.home.log().reply(model="claude-nova-9")
    assert "unknown-model" == told.first("alert")["alert"]["kind"]
    assert ["unknown-model"] == [alert.kind for alert in keeper.toll.status().alerts]
    assert [] == told.all("notice")


def test_agents_come_and_go(keeper: Keeper, told: Told) -> None:
    """The commands for agents get the update as it is on the wire, and its topic."""
    keeper.configure(
        f"[on]\nagent_started = {told.command('started')}\nagent_exited = {told.command('exited')}\n"
    )
    agent = keeper.start().start_agent()
    agent.says("busy")
    started = told.first("started")
    assert ("agent.started", agent.pid) == (started["topic"], started["agent"]["pid"])
    agent.exit()
    exited = told.first("exited")
    assert {"topic", "sequence", "time", "agent"} == exited.keys()
    assert ("agent.exited", "exited") == (exited["topic"], exited["agent"]["state"])
    assert started["agent"]["id"] == exited["agent"]["id"]


def test_alert_hook_that_fails(keeper: Keeper, told: Told) -> None:
    """A command for alerts, and one for notices, that fail are told once each, and set nothing off."""
    keeper.configure(
        "[sources]\nprocesses = false\n"
        f"[notify]\ncommand = '{told.command('notice')[1:-1]}; exit 4'\n"
        f"[on]\nalert = '{told.command('alert')[1:-1]}; exit 5'\n"
    )
    keeper.start()
    log = keeper.home.log()
    for model in ("claude-nova-9", "claude-nova-10"):
        log.reply(model=model)
        keeper.wait_for(lambda status, model=model: any(model in a.text for a in status.alerts))
    status = keeper.wait_for(lambda status: len(status.alerts) == 4)
    texts = sorted(alert.text for alert in status.alerts if alert.kind == "command")
    assert ["notify.command ended with status 4", "on.alert ended with status 5"] == [
        text.removeprefix("the command in ").partition(":")[0] for text in texts
    ]
    told.first("alert")
    keeper.stop()
    assert (2, 1) == (len(told.all("alert")), len(told.all("notice")))


def test_commands_end_with_the_daemon(keeper: Keeper, told: Told) -> None:
    """A command that hangs holds up neither the figures nor the daemon's end."""
    keeper.configure(f"[on]\nagent_started = 'sleep 600 & echo $! > {told.folder}/pid; wait'\n")
    agent = keeper.start().start_agent()
    agent.says("busy")
    agent.log.reply()
    keeper.wait_for_requests(1)
    pid = int(
        wait_until(lambda: (told.folder / "pid").exists() and (told.folder / "pid").read_text())
    )
    assert not is_gone(pid)
    assert 0 == keeper.stop()
    wait_until(lambda: is_gone(pid), what="the end of the command")


def test_windows_told_by_a_program(keeper: Keeper) -> None:
    """A program that speaks to the API tells of the plan's windows: at 80 % a person is warned."""
    keeper.start()
    resets_at = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    window = {"used_percent": 81.5, "resets_at": resets_at}
    plan = keeper.report("plan.observe", five_hour=window)["plan"]
    assert plan["five_hour"]["used_percent"] == 81.5
    status = keeper.toll.status()
    assert status.plan.five_hour is not None
    assert [alert.kind for alert in status.alerts] == ["warned"]
    with pytest.raises(CallError, match="<= 100"):
        keeper.report("plan.observe", seven_day={**window, "used_percent": 1795342827})
