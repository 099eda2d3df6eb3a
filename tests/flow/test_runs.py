"""Runs over restarts: they last as long as agents do, end when they should, and add up the same."""

import time
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tollkeeper.model import Run
from tollkeeper_daemon.store.schema import AgentRecord, RunRecord
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction
from waiting import wait_until

from . import lines
from .agent_process import AgentProcess
from .claude_home import ClaudeHome
from .keeper import Keeper

HOUR = 3_600_000


def _run_of(keeper: Keeper) -> Run:
    run = keeper.toll.status().run
    assert run
    return run


def _runs(keeper: Keeper) -> dict[str, RunRecord]:
    """The runs that are saved; no daemon may run."""
    with Store(keeper.paths.ledger) as store:
        return {run.id: run for run in store.read(lambda transaction: transaction.runs())}


def _age(keeper: Keeper, by: int, of_agents: Callable[[AgentRecord], AgentRecord]) -> RunRecord:
    """Let the run have been seen alive for the last time so long ago (ms); no daemon may run."""

    def work(transaction: Transaction) -> RunRecord:
        [run] = transaction.runs()
        aged = replace(run, started=run.started - by, last_lived=run.last_lived - by)
        transaction.save_run(aged)
        for agent in transaction.agents():
            transaction.save_agent(of_agents(agent))
        return aged

    with Store(keeper.paths.ledger) as store:
        return store.write(work)


def _as_it_was(agent: AgentRecord) -> AgentRecord:
    return agent


def _working(keeper: Keeper) -> AgentProcess:
    """An agent with one reply."""
    agent = keeper.start_agent()
    agent.says("busy")
    agent.log.reply()
    keeper.wait_for(lambda status: status.run is not None and status.run.usage.requests == 1)
    return agent


def test_daemon_down_for_hours_while_an_agent_lives(daemon: Keeper) -> None:
    """The run goes on, with its sum, and what the agent did meanwhile; so does the agent."""
    agent = _working(daemon)
    before = _run_of(daemon)
    daemon.stop()
    _age(daemon, 3 * HOUR, _as_it_was)
    agent.log.reply()
    daemon.start()
    status = daemon.wait_for(
        lambda status: status.run is not None and status.run.usage.requests == 2
    )
    assert status.run and status.run.id == before.id
    assert [(each.state, each.usage.requests) for each in status.agents] == [("working", 2)]
    daemon.stop()
    [saved] = _runs(daemon).values()
    assert (saved.id, saved.ended) == (before.id, 0)
    assert saved.last_lived > time.time() * 1000 - 60_000


def test_run_that_ended_while_the_daemon_was_down(daemon: Keeper) -> None:
    """A run whose agents are long gone is over, and saved with its end."""
    agent = _working(daemon)
    before = _run_of(daemon)
    daemon.stop()
    agent.exit()
    aged = _age(daemon, 2 * HOUR, _as_it_was)
    daemon.start()
    daemon.wait_for(lambda status: status.run is None)
    daemon.stop()
    assert _runs(daemon) == {before.id: replace(aged, ended=aged.last_lived)}


@pytest.mark.parametrize("tidily", [True, False], ids=["tidily", "by kill"])
def test_next_agent_after_a_run_that_ended_unseen(
    daemon: Keeper, home: ClaudeHome, tidily: bool
) -> None:
    """An agent that started when the last one was long gone has a run of its own."""
    agent = _working(daemon)
    before = _run_of(daemon)
    daemon.stop()
    agent.exit()
    if tidily:
        (home.sessions / f"{agent.pid}.json").unlink()
    aged = _age(daemon, 2 * HOUR, _as_it_was)
    wait_until(lambda: f"run-{int(time.time())}" != before.id)
    daemon.start_agent("next").says("busy")
    daemon.start()
    after = _run_of(daemon)
    assert (after.id != before.id, after.usage.requests) == (True, 0)
    daemon.stop()
    assert _runs(daemon)[before.id] == replace(aged, ended=aged.last_lived)


def test_run_with_an_agent_that_left_the_list(daemon: Keeper) -> None:
    """A run's sum is the same after a restart in which an agent that exited left the list."""
    gone, stays = _working(daemon), daemon.start_agent("other")
    stays.says("busy")
    stays.log.reply()
    gone.exit()
    daemon.wait_for(lambda status: status.run is not None and status.run.usage.requests == 2)
    daemon.wait_for(lambda status: "exited" in {each.state for each in status.agents})
    before = _run_of(daemon)
    daemon.stop()
    _age(
        daemon, 0, lambda agent: replace(agent, ended=agent.ended - HOUR) if agent.ended else agent
    )
    daemon.start()
    assert [each.pid for each in daemon.toll.agents()] == [stays.pid]
    assert _run_of(daemon) == before


def test_run_with_an_agent_from_before_it(keeper: Keeper) -> None:
    """What an agent did before any daemon saw it is in the run's sum, before and after a restart."""
    agent = keeper.start_agent()
    agent.log.reply()
    agent.says("busy")
    keeper.start()
    agent.log.append(lines.reply(agent.log.writer))
    keeper.wait_for(lambda status: status.run is not None and status.run.usage.requests == 2)
    before = _run_of(keeper)
    assert _run_of(keeper.restart()) == before
