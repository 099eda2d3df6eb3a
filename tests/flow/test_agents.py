"""Agents: found by their session files, told apart, and followed through their states."""

import os
import signal
import subprocess

import pytest

from proc import needs_proc
from tollkeeper import wire
from tollkeeper.feed import Change, Feed
from waiting import wait_until

from . import lines
from .claude_home import ClaudeHome
from .keeper import Keeper
from .lines import USUAL_USD

pytestmark = needs_proc


def test_agent_appears_with_its_session_file(daemon: Keeper) -> None:
    """A running client with a session file is an agent, known by pid, project and conversation."""
    agent = daemon.start_agent("shop")
    agent.says("busy")
    [seen] = daemon.wait_for(lambda status: len(status.agents) == 1).agents
    expected = (agent.pid, "shop", agent.conversation, str(agent.cwd), "shop-1", "working", "api")
    assert expected == (
        seen.pid,
        seen.project,
        seen.conversation,
        seen.cwd,
        seen.name,
        seen.state,
        seen.source,
    )


def test_agent_has_its_requests(daemon: Keeper) -> None:
    """What is appended to its conversation's log is the agent's usage, and the run's."""
    agent = daemon.start_agent()
    agent.says("busy")
    daemon.wait_for(lambda status: len(status.agents) == 1)
    log = agent.log
    log.prompt()
    log.reply()
    log.append(lines.cost_state(log.writer, added=12, removed=3))
    status = daemon.wait_for(lambda status: status.agents[0].lines_added == 12)
    [seen] = status.agents
    assert (seen.usage.requests, seen.usage.messages, seen.usage.cost_usd) == (1, 1, USUAL_USD)
    assert (seen.model, seen.lines_removed) == (lines.OPUS, 3)
    assert status.run and status.run.usage == seen.usage


def test_requests_before_the_session_file(daemon: Keeper) -> None:
    """Lines that are read before their agent is known become its own when it is."""
    agent = daemon.start_agent()
    agent.log.reply()
    daemon.wait_for_requests(1)
    agent.says("idle")
    daemon.wait_for(lambda status: [each.usage.requests for each in status.agents] == [1])


def test_subagent_stands_under_its_agent(daemon: Keeper) -> None:
    """A subagent's requests are shown under its agent, with type and description, and in its sum."""
    agent = daemon.start_agent()
    agent.says("busy")
    agent.log.reply()
    helper = agent.log.subagent("analyst", "analyse it")
    helper.reply(model=lines.HAIKU)
    helper.reply(model=lines.HAIKU)
    status = daemon.wait_for(lambda status: [each.usage.requests for each in status.agents] == [3])
    [seen] = status.agents[0].subagents
    assert (seen.type, seen.description, seen.state) == ("analyst", "analyse it", "working")
    assert seen.usage.requests == 2
    assert status.agents[0].model == lines.OPUS


def test_states_follow_the_session_file(daemon: Keeper) -> None:
    """Working, idle and waiting (with what for) come through at once."""
    agent = daemon.start_agent()
    agent.says("idle")
    daemon.wait_for(lambda status: [each.state for each in status.agents] == ["idle"])
    with daemon.feed() as feed:
        agent.says("busy")
        _await_agent(feed, "agent.changed", "working")
        agent.says("waiting", waitingFor="permission prompt")
        change = _await_agent(feed, "agent.changed", "waiting")
        assert change.status.agents[0].waiting_for == "permission prompt"
        agent.says("idle")
        assert _await_agent(feed, "agent.changed", "idle").status.agents[0].waiting_for is None


def test_stopped_agent_is_paused(daemon: Keeper) -> None:
    """An agent frozen by a signal is shown as paused, and as before once it is thawed."""
    agent = daemon.start_agent()
    agent.says("idle")
    daemon.wait_for(lambda status: [each.state for each in status.agents] == ["idle"])
    agent.stop()
    daemon.wait_for(lambda status: status.agents[0].state == "paused")
    agent.resume()
    daemon.wait_for(lambda status: status.agents[0].state == "idle")


def test_exit_is_told_at_once(daemon: Keeper) -> None:
    """An agent that dies is told as exited before the next round of looking, and stays listed."""
    agent = daemon.start_agent()
    agent.says("busy")
    daemon.wait_for(lambda status: len(status.agents) == 1)
    agent.log.reply()
    daemon.wait_for_requests(1)
    with daemon.feed() as feed:
        agent.process.kill()
        _await_agent(feed, "agent.exited", "exited", wait=1.0)
    # A zombie until its parent, this test, takes note.
    assert agent.process.wait(10) == -signal.SIGKILL
    assert daemon.agent(agent).usage.requests == 1


def test_late_lines_of_an_exited_agent(daemon: Keeper) -> None:
    """Lines written just before the exit and read just after it are still the agent's."""
    agent = daemon.start_agent()
    agent.says("busy")
    daemon.wait_for(lambda status: len(status.agents) == 1)
    agent.exit()
    daemon.wait_for(lambda status: status.agents[0].state == "exited")
    agent.log.reply()
    daemon.wait_for(lambda status: status.agents[0].usage.requests == 1)


def test_labels_come_from_the_environment(daemon: Keeper) -> None:
    """Name, workflow, task and stage are taken from the agent's environment."""
    labels = {
        "TOLL_AGENT": "Ada",
        "TOLL_WORKFLOW": ".claude-4nq",
        "TOLL_TASK": ".claude-4nq.1-analyze",
        "TOLL_STAGE": "analyze",
    }
    daemon.start_agent(labels=labels).says("idle", name="other", nameSource="user")
    [seen] = daemon.wait_for(lambda status: len(status.agents) == 1).agents
    assert [seen.name, seen.workflow, seen.task, seen.stage] == list(labels.values())


def test_name_given_in_the_session(daemon: Keeper) -> None:
    """The name that a person gave is the agent's; one that the client derived is not."""
    agent = daemon.start_agent("shop")
    agent.says("idle", name="words of a prompt", nameSource="derived")
    daemon.wait_for(lambda status: [each.name for each in status.agents] == ["shop-1"])
    agent.says("idle", name="Agent-1", nameSource="user")
    daemon.wait_for(lambda status: [each.name for each in status.agents] == ["Agent-1"])


def test_two_agents_in_one_project(daemon: Keeper) -> None:
    """Two agents in one directory have names and sums of their own."""
    one, two = daemon.start_agent("shop"), daemon.start_agent("shop")
    one.says("busy")
    two.says("busy")
    one.log.reply()
    two.log.reply()
    two.log.reply()
    daemon.wait_for(lambda status: sorted(each.usage.requests for each in status.agents) == [1, 2])
    first, second = daemon.agent(one), daemon.agent(two)
    assert (first.usage.requests, second.usage.requests) == (1, 2)
    assert {first.name, second.name} == {"shop-1", "shop-2"}
    assert first.id != second.id


def test_clear_goes_on_in_a_new_conversation(daemon: Keeper) -> None:
    """After /clear the agent is the same, and has the requests of both conversations."""
    agent = daemon.start_agent()
    agent.says("busy")
    agent.log.reply()
    before = daemon.wait_for(
        lambda status: [each.usage.requests for each in status.agents] == [1]
    ).agents[0]
    agent.clear()
    agent.log.reply()
    [after] = daemon.wait_for(lambda status: status.agents[0].usage.requests == 2).agents
    assert (after.id, after.name) == (before.id, before.name)
    assert before.conversation != after.conversation == agent.conversation


def test_reused_pid_is_no_agent(daemon: Keeper, home: ClaudeHome) -> None:
    """A left-over session file whose pid another process bears by now is passed over."""
    stranger, agent = daemon.start_agent("left-over"), daemon.start_agent("shop")
    stranger.says("busy", procStart="1", startedAt=1)
    agent.says("busy")
    [seen] = daemon.wait_for(lambda status: bool(status.agents)).agents
    assert seen.pid == agent.pid
    assert daemon.report("health")["bad_session_files"] == []


def test_dead_pid_is_no_agent(keeper: Keeper) -> None:
    """A left-over session file of a process that is gone makes no agent at the start."""
    gone, agent = keeper.start_agent("gone"), keeper.start_agent("shop")
    gone.says("busy")
    agent.says("busy")
    gone.exit()
    keeper.start()
    assert [each.pid for each in keeper.toll.agents()] == [agent.pid]


def test_key_files_are_never_opened(daemon: Keeper, home: ClaudeHome) -> None:
    """The secret beside a session file is not opened: a pipe in its place finds no reader."""
    agent = daemon.start_agent()
    key = home.sessions / f"{agent.pid}.0a1b2c.key"
    os.mkfifo(key)
    agent.says("idle")
    daemon.wait_for(lambda status: len(status.agents) == 1)
    with pytest.raises(OSError, match="No such device or address"):
        os.open(key, os.O_WRONLY | os.O_NONBLOCK)
    key.unlink()
    key.write_text("secret")
    agent.says("busy")
    daemon.wait_for(lambda status: status.agents[0].state == "working")
    assert _open_files(daemon).count(str(key)) == 0


def test_client_without_a_session_file() -> None:
    """An older client, which writes no session file, is found and has its log's requests."""
    with Keeper(processes=True) as keeper:
        keeper.start()
        cwd = keeper.home.cwd("shop")
        binary = keeper.root / "bin" / "claude"
        binary.parent.mkdir()
        binary.write_bytes(_sleep())
        binary.chmod(0o700)
        client = subprocess.Popen(
            [binary, "600"],
            cwd=cwd,
            env={"CLAUDE_CONFIG_DIR": str(keeper.home.path), "TOLL_AGENT": "Old"},
        )
        try:
            log = keeper.home.log("shop")
            log.reply()
            [seen] = keeper.wait_for(lambda status: bool(status.agents), 30).agents
            assert (seen.pid, seen.name, seen.project) == (client.pid, "Old", "shop")
            log.reply()
            keeper.wait_for(lambda status: status.agents[0].usage.requests == 2)
            assert keeper.toll.agents()[0].conversation == log.conversation
        finally:
            client.kill()
            client.wait(10)
        keeper.wait_for(lambda status: status.agents[0].state == "exited")


def _sleep() -> bytes:
    with open("/bin/sleep", "rb") as file:
        return file.read()


def _open_files(keeper: Keeper) -> list[str]:
    assert keeper.process
    folder = f"/proc/{keeper.process.pid}/fd"
    return [os.readlink(f"{folder}/{name}") for name in os.listdir(folder)]


def _await_agent(feed: Feed, topic: str, state: str, wait: float = 10.0) -> Change:
    """The change of this topic that brings the agent into this state."""

    def look() -> Change | None:
        change = feed.next_change(wait)
        assert change, f"no {topic} within {wait:g} s"
        if not isinstance(change.update, wire.AgentUpdate) or change.topic != topic:
            return None
        return change if change.update.agent.state == state else None

    change = wait_until(look)
    assert change is not None
    return change


def test_folder_that_no_line_names(daemon: Keeper) -> None:
    """A conversation without a prompt is of its agent's folder, in reports and exports."""
    agent = daemon.start_agent()
    agent.says("busy")
    agent.log.reply()
    daemon.wait_for_requests(1)
    folder = str(daemon.home.cwd())
    for project in ("shop", folder):
        assert daemon.report("daily", project=project)["totals"]["requests"] == 1
    [request] = daemon.report("export")["requests"]
    assert (request["project"], request["cwd"]) == ("shop", folder)
