"""Forks by today's client: the parent keeps what it sent and paid, and its agent too."""

import uuid

import pytest

from tollkeeper.model import Agent

from . import lines
from .agent_process import AgentProcess
from .claude_home import ClaudeHome
from .keeper import Keeper
from .lines import USUAL_USD

LABELS = {"TOLL_AGENT": "Ada", "TOLL_WORKFLOW": "w-1", "TOLL_TASK": "t-1"}
# Below and above every other conversation's id.
IDS = ["00000000-0000-4000-8000-00000000000", "ffffffff-ffff-4fff-bfff-fffffffffff"]


def _parent(daemon: Keeper) -> tuple[AgentProcess, Agent]:
    """An agent with a prompt and two replies."""
    agent = daemon.start_agent(labels=LABELS)
    agent.says("busy")
    agent.log.prompt()
    agent.log.reply()
    agent.log.reply()
    daemon.wait_for(
        lambda status: (
            [(each.usage.requests, each.usage.messages) for each in status.agents] == [(2, 1)]
        )
    )
    return agent, daemon.agent(agent)


def _fork(home: ClaudeHome, parent: AgentProcess, conversation: str) -> None:
    """The log of a fork that goes on with a prompt and a reply of its own."""
    log = home.log(parent.project, conversation)
    copies = lines.forked(parent.log.path.read_bytes(), conversation)
    log.append(copies + lines.prompt(log.writer) + lines.reply(log.writer))


@pytest.mark.parametrize("conversation", IDS)
def test_fork_of_a_living_agent(daemon: Keeper, home: ClaudeHome, conversation: str) -> None:
    """A fork adds its own prompt and reply, and takes nothing from the agent of its parent."""
    parent, before = _parent(daemon)
    _fork(home, parent, conversation + "0")
    status = daemon.wait_for_requests(3)
    assert daemon.agent(parent).usage == before.usage
    assert status.today.total.messages == 2
    assert _by_conversation(daemon) == {parent.conversation: (2, 1), conversation + "0": (1, 1)}


@pytest.mark.parametrize("conversation", IDS)
def test_fork_by_an_agent(daemon: Keeper, home: ClaudeHome, conversation: str) -> None:
    """The agent that forks has what it did itself; what it copied stays with the other agent."""
    parent, before = _parent(daemon)
    forker = daemon.start_agent(labels={"TOLL_AGENT": "Bob"})
    forker.conversation = conversation + "1"
    forker.says("busy")
    _fork(home, parent, forker.conversation)
    daemon.wait_for_requests(3)
    assert daemon.agent(parent).usage == before.usage
    own = daemon.agent(forker).usage
    assert (own.requests, own.messages, own.value_usd) == (1, 1, USUAL_USD)


def test_fork_after_the_parent_exited(daemon: Keeper, home: ClaudeHome) -> None:
    """A fork made when the parent's agent is gone, and while no daemon ran, changes nothing of it."""
    parent, before = _parent(daemon)
    parent.exit()
    daemon.wait_for(lambda status: status.agents[0].state == "exited")
    daemon.stop()
    _fork(home, parent, IDS[0] + "2")
    daemon.start()
    daemon.wait_for_requests(3)
    assert daemon.agent(parent).usage == before.usage


def test_fork_under_other_prices(daemon: Keeper, home: ClaudeHome) -> None:
    """A fork made after the prices changed leaves what was charged; only its own is dearer."""
    parent, before = _parent(daemon)
    daemon.stop()
    daemon.paths.prices.write_text(
        f'[[prices]]\nmodel = "{lines.OPUS}"\ninput = 400.0\noutput = 2000.0\n'
        "cache_read = 20.0\ncache_write_5m = 500.0\ncache_write_1h = 800.0\n"
    )
    _fork(home, parent, str(uuid.uuid4()))
    daemon.start()
    status = daemon.wait_for_requests(3)
    assert daemon.agent(parent).usage == before.usage
    assert status.today.total.value_usd == pytest.approx(102 * USUAL_USD)


@pytest.mark.parametrize("conversation", IDS)
def test_fork_is_read_first(keeper: Keeper, home: ClaudeHome, conversation: str) -> None:
    """A fork whose parent's log comes later leaves prompts and replies to the parent."""
    log = home.log()
    log.prompt()
    log.reply()
    content = log.path.read_bytes()
    fork = home.log("shop", conversation + "3")
    fork.append(lines.forked(content, fork.conversation) + lines.reply(fork.writer))
    log.path.unlink()
    keeper.start()
    keeper.wait_for_requests(2)
    log.append(content + lines.reply(log.writer))
    keeper.wait_for_requests(3)
    assert _by_conversation(keeper) == {log.conversation: (2, 1), fork.conversation: (1, 0)}


def _by_conversation(keeper: Keeper) -> dict[str, tuple[int, int]]:
    """Requests and messages of each conversation."""
    return {
        line["sessionId"]: (line["requests"], line["messages"])
        for line in keeper.report("session")["sessions"]
    }
