"""A daemon that ends and starts again has missed nothing and forgotten nothing."""

import os
from datetime import datetime

from msgspec.structs import replace

from tollkeeper.feed import Change
from tollkeeper.model import Agent
from tollkeeper_daemon.store.store import Store
from waiting import wait_until

from . import lines
from .claude_home import ClaudeHome
from .keeper import Keeper
from .lines import USUAL


def test_figures_are_the_same(daemon: Keeper, home: ClaudeHome) -> None:
    """Every report says the same after a restart."""
    for project in ("shop", "notes"):
        log = home.log(project)
        log.prompt()
        log.reply(blocks=2)
        log.append(lines.reply(log.writer, when=lines.ago(days=3)))
        log.subagent("analyst", "look at it").reply(model=lines.HAIKU)
    daemon.wait_for_requests(6)
    before = (daemon.report("daily"), daemon.report("session"), daemon.toll.status().today)
    daemon.restart()
    assert before == (daemon.report("daily"), daemon.report("session"), daemon.toll.status().today)


def test_agents_and_run_go_on(daemon: Keeper) -> None:
    """Agents keep id, name, usage, labels and state over a restart, and the run goes on."""
    named = daemon.start_agent(labels={"TOLL_AGENT": "Ada", "TOLL_TASK": "t-1"})
    other = daemon.start_agent()
    named.says("waiting", waitingFor="permission prompt")
    other.says("busy")
    named.log.reply()
    named.log.subagent("analyst", "look at it").reply()
    other.log.reply()
    before = daemon.wait_for(
        lambda status: status.run is not None and status.run.usage.requests == 3
    )
    after = daemon.restart().wait_for(
        lambda status: {each.state for each in status.agents} == {"waiting", "working"}
    )
    assert [_lasting(each) for each in after.agents] == [_lasting(each) for each in before.agents]
    assert after.run == before.run


def test_exit_while_down(daemon: Keeper) -> None:
    """An agent that ended while the daemon was down is shown as exited, with its usage."""
    agent = daemon.start_agent()
    agent.says("busy")
    agent.log.reply()
    daemon.wait_for(lambda status: [each.usage.requests for each in status.agents] == [1])
    daemon.stop()
    agent.log.reply()
    agent.exit()
    daemon.start()
    [seen] = daemon.wait_for(lambda status: status.today.total.requests == 2).agents
    assert (seen.state, seen.usage.requests) == ("exited", 2)


def test_clear_while_down(daemon: Keeper) -> None:
    """An agent that turned to a new conversation while the daemon was down has both."""
    agent = daemon.start_agent()
    agent.says("busy")
    agent.log.reply()
    daemon.wait_for(lambda status: [each.usage.requests for each in status.agents] == [1])
    daemon.stop()
    agent.clear()
    agent.log.reply()
    daemon.start()
    [seen] = daemon.wait_for(lambda status: status.agents[0].usage.requests == 2).agents
    assert seen.conversation == agent.conversation


def test_clear_long_before_the_daemon_is_back(daemon: Keeper) -> None:
    """What an agent did in a new conversation hours before the daemon came back is its own."""
    agent = daemon.start_agent()
    agent.says("busy")
    agent.log.reply()
    daemon.wait_for(lambda status: [each.usage.requests for each in status.agents] == [1])
    daemon.stop()
    _last_seen(daemon, lines.ago(hours=3))
    agent.clear()
    for minutes in (100, 10, 1):
        agent.log.append(lines.reply(agent.log.writer, when=lines.ago(minutes=minutes)))
    daemon.start()
    daemon.wait_for(lambda status: status.agents[0].usage.requests == 4)


def test_late_line_of_an_earlier_conversation(daemon: Keeper) -> None:
    """Late lines of every conversation that an agent went through are its own after a restart."""
    agent = daemon.start_agent()
    agent.says("busy")
    logs = [agent.log]
    daemon.wait_for(lambda status: len(status.agents) == 1)
    for _ in range(2):
        agent.clear()
        logs.append(agent.log)
        daemon.wait_for(lambda status: status.agents[0].conversation == agent.conversation)
    daemon.restart()
    for log in logs:
        log.reply()
    daemon.wait_for(lambda status: status.agents[0].usage.requests == 3)


def test_what_a_log_told_of_its_agent(daemon: Keeper) -> None:
    """Payer, account and model that an agent's log named are the agent's after a restart."""
    agent = daemon.start_agent()
    agent.says("busy")
    log = agent.log
    log.append(lines.session_owner(log.writer, "acc-1"))
    for model in (lines.OPUS, lines.HAIKU, lines.OPUS):
        log.reply(model=model)
    daemon.wait_for(lambda status: [each.usage.requests for each in status.agents] == [3])
    before = daemon.agent(agent)
    assert (before.source, before.account, before.model) == ("subscription", "acc-1", lines.OPUS)
    daemon.restart()
    after = daemon.agent(agent)
    assert (after.source, after.account, after.model) == ("subscription", "acc-1", lines.OPUS)
    log.reply()
    daemon.wait_for(lambda status: status.today.subscription.requests == 4)


def test_agent_in_a_folder_that_is_no_text(daemon: Keeper) -> None:
    """A directory and labels that are not UTF-8 are shown as they can be, also after a restart."""
    odd = os.fsdecode(b"caf\xe9")
    agent = daemon.start_agent(odd, {"TOLL_AGENT": odd, "TOLL_TASK": os.fsdecode(b"\xff\xfe")})
    log = daemon.home.log("shop", agent.conversation)
    agent.says("busy", cwd=None)
    log.reply()
    daemon.wait_for(lambda status: [each.usage.requests for each in status.agents] == [1])
    before = daemon.agent(agent)
    assert (before.name, before.task, before.project) == ("caf\\xe9", "\\xff\\xfe", "caf\\xe9")
    daemon.restart()
    assert [each.name for each in daemon.toll.agents()] == [before.name]
    for verb in ("status", "agents", "session"):
        assert daemon.run(verb).returncode == 0


def test_lines_written_while_down(daemon: Keeper, home: ClaudeHome) -> None:
    """Lines appended and logs made while the daemon was down are counted at its start."""
    log = home.log()
    log.reply()
    daemon.wait_for_requests(1)
    daemon.stop()
    log.reply()
    home.log("other").reply()
    half = lines.reply(log.writer)
    log.append(half[:100])
    daemon.start()
    assert daemon.requests() == 3
    log.append(half[100:])
    status = daemon.wait_for_requests(4)
    assert status.today.total.total_tokens == 4 * USUAL.total


def test_log_replaced_while_down(daemon: Keeper, home: ClaudeHome) -> None:
    """A log that became another one under the same inode is read from its beginning."""
    log = home.log()
    for _ in range(3):
        log.reply()
    daemon.wait_for_requests(3)
    daemon.stop()
    log.path.write_bytes(b"".join(lines.reply(log.writer) for _ in range(3)))
    daemon.start()
    assert daemon.requests() == 6


def test_sequence_grows(daemon: Keeper, home: ClaudeHome) -> None:
    """The sequence of updates is higher after each restart, so that no update looks old."""
    seen = [daemon.toll.status().sequence]
    for _ in range(2):
        home.log().reply()
        daemon.restart()
        seen.append(daemon.toll.status().sequence)
    assert seen == sorted(set(seen))


def test_feed_survives_a_restart(daemon: Keeper, home: ClaudeHome) -> None:
    """A subscriber that lived through a restart has the right status again by itself."""
    log = home.log()
    with daemon.feed() as feed:
        log.reply()
        wait_until(lambda: _requests(feed.next_change()) == 1)
        daemon.stop()
        log.reply()
        daemon.start()
        log.reply()
        wait_until(lambda: _requests(feed.next_change(20)) == 3)
        assert feed.latest(0.1).today == daemon.toll.status().today


def test_feed_survives_a_kill(daemon: Keeper) -> None:
    """A subscriber tells of the daemon's death, and takes up with the next one."""
    with daemon.feed() as feed:
        daemon.kill()
        assert feed.wait_for_daemon(0.1) is False
        daemon.start()
        assert feed.wait_for_daemon(10) is True
        agent = daemon.start_agent()
        agent.says("busy")
        wait_until(lambda: (change := feed.next_change(20)) and change.status.agents)


def _last_seen(keeper: Keeper, when: datetime) -> None:
    """Let the daemon that ended have seen its agents at this time for the last time."""
    with Store(keeper.paths.ledger) as store:
        [run] = store.read(lambda transaction: transaction.runs())
        aged = replace(run, last_lived=int(when.timestamp() * 1000))
        store.write(lambda transaction: transaction.save_run(aged))


def _requests(change: Change | None) -> int | None:
    return change.status.today.total.requests if change else None


def _lasting(agent: Agent) -> Agent:
    """The agent without what a daemon keeps only while it runs."""
    subagents = tuple(replace(each, description=None, state="done") for each in agent.subagents)
    return replace(agent, subagents=subagents)
