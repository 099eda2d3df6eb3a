"""Runs and their agents over suspends, restarts and mistakes; what a new daemon takes up."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.store.schema import RunRecord
from tollkeeper_daemon.store.store import Store

from .lines import HAIKU, NINE_MS, NOW, OPUS, as_line, assistant, scanned
from .machine import process, session
from .shelf import PRICES

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
LOG = "/h/projects/-home-dev-src-shop/conv-1.jsonl"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as store:
        yield store


def appear(roster: Roster, pid: int = 100, now: int = NINE_MS, started: int = 0) -> LiveAgent:
    """A client is seen that started now, or before."""
    seen = process(pid, started=started or now)
    return roster.appear(seen, session(pid, f"conv-{pid}"), False, now)


def restored(store: Store, roster: Roster, now: int) -> Roster:
    """The roster of the next daemon, after everything of this one was saved."""
    for agent in roster.agents.values():
        store.write(lambda transaction, agent=agent: transaction.save_agent(agent.record))
    if run := roster.run:
        store.write(lambda transaction: transaction.save_run(run))
    after = Roster()
    after.restore(*store.read(lambda t: (t.agents(), t.runs())), now)
    return after


def river(store: Store, roster: Roster) -> Pipeline:
    """A pipeline that has taken up what was saved."""
    made = Pipeline(store, roster, PRICES, lambda path: ("api", ""))
    made.restore()
    return made


def reply(number: int, time: str, conversation: str = "conv-100", model: str = OPUS) -> bytes:
    """A reply of this conversation, at this time of the day."""
    return assistant(
        message=f"m{number}",
        request=f"r{number}",
        model=model,
        sessionId=conversation,
        timestamp=f"2026-11-22T{time}.000Z",
    )


def test_agent_after_a_suspend_begins_a_run() -> None:
    """When all agents were gone for half an hour unseen, the next one begins a run of its own."""
    roster = Roster()
    first = appear(roster)
    roster.tick(NINE_MS + SECOND)
    roster.exit(first, NINE_MS + SECOND)
    second = appear(roster, 101, NINE_MS + SECOND + 30 * MINUTE)
    assert first.record.run != second.record.run
    assert roster.run_agents == {second.record.id}


def test_run_that_another_follows_at_once_is_ended() -> None:
    """A run that is found to be over when the next begins is handed on with its end."""
    roster = Roster()
    first = appear(roster)
    roster.tick(NINE_MS + SECOND)
    roster.exit(first, NINE_MS + SECOND)
    appear(roster, 101, NINE_MS + HOUR)
    _, ended = roster.tick(NINE_MS + HOUR)
    assert ended
    assert (first.record.run, NINE_MS + SECOND) == (ended.id, ended.ended)
    assert roster.tick(NINE_MS + HOUR + SECOND)[1] is None


def test_run_goes_on_while_its_agent_lives(store: Store) -> None:
    """A daemon that was down for hours takes up the run of an agent that still lives."""
    before = Roster()
    agent = appear(before)
    after = restored(store, before, NINE_MS + 3 * HOUR)
    second = appear(after, 101, NINE_MS + 3 * HOUR)
    assert agent.record.run == second.record.run
    assert after.tick(NINE_MS + 3 * HOUR) == ([], None)
    assert after.run == RunRecord(agent.record.run, NINE_MS, NINE_MS + 3 * HOUR)


def test_sums_of_agents_from_before_the_run(store: Store) -> None:
    """An agent that began before its run, and left the list, counts in the run after a restart."""
    before = Roster()
    first = river(store, before)
    gone = appear(before, 100, NINE_MS, started=NINE_MS - HOUR)
    appear(before, 101, NINE_MS, started=NINE_MS - HOUR)
    first.post([scanned([reply(1, "08:20:00"), reply(2, "09:00:01")], LOG)], NINE_MS)
    first.post([scanned([reply(3, "08:20:00", "conv-101")], LOG)], NINE_MS)
    before.exit(gone, NINE_MS + SECOND)
    store.write(lambda transaction: transaction.save_agent(gone.record))
    before.tick(NINE_MS + HOUR)
    assert gone.record.id not in before.agents
    second = river(store, restored(store, before, NINE_MS + HOUR))
    assert 3 == first.run.totals.requests
    assert first.run == second.run


def test_run_that_is_over_adds_nothing(store: Store) -> None:
    """Agents of an earlier run are in the list after a restart, and not in the new run's sum."""
    before = Roster()
    first = river(store, before)
    gone = appear(before)
    first.post([scanned([reply(1, "09:00:01")], LOG)], NINE_MS)
    before.tick(NINE_MS + SECOND)
    before.exit(gone, NINE_MS + 29 * MINUTE)
    appear(before, 101, NINE_MS + 31 * MINUTE)
    first.post([scanned([reply(2, "09:31:01", "conv-101")], LOG)], NINE_MS)
    after = restored(store, before, NINE_MS + 32 * MINUTE)
    assert {"100", "101"} == {name.partition("-")[0] for name in after.agents}
    assert 1 == first.run.totals.requests
    assert first.run == river(store, after).run


def test_agent_booked_out_by_mistake() -> None:
    """A process that was taken for gone goes on as the same agent, with its sum and its claims."""
    roster = Roster()
    agent = appear(roster)
    agent.tally.totals.requests = 5
    roster.exit(agent, NINE_MS + MINUTE)
    again = appear(roster, 100, NINE_MS)
    assert (again is agent, again.state(NOW), roster.alive()) == (True, "working", [agent])
    assert 5 == again.tally.totals.requests
    assert agent is roster.agent_of("conv-100", NINE_MS + HOUR)
    assert agent is roster.with_pid(100)


def test_clear_while_no_daemon_ran(store: Store) -> None:
    """A conversation begun while no daemon ran is the agent's since the last was seen to live."""
    before = Roster()
    agent = appear(before)
    before.tick(NINE_MS + MINUTE)
    after = restored(store, before, NOW)
    (known,) = after.alive()
    assert after.hear(known, session(conversation="conv-2"), NOW)
    assert known is after.agent_of("conv-2", NINE_MS + MINUTE)
    assert after.agent_of("conv-2", NINE_MS + MINUTE - 1) is None
    assert known is after.agent_of("conv-100", NOW)
    assert agent.record.id == known.record.id


def test_turns_survive_two_restarts(store: Store) -> None:
    """Late lines of every conversation that an agent went through are its own in later daemons."""
    roster = Roster()
    agent = appear(roster)
    for number in (2, 3):
        roster.hear(agent, session(conversation=f"conv-{number}"), NINE_MS + number * MINUTE)
    for _ in range(2):
        roster = restored(store, roster, NOW)
    held = {name: roster.agent_of(name, NOW) for name in ("conv-100", "conv-2", "conv-3")}
    assert held == dict.fromkeys(held, roster.agents[agent.record.id])


def test_what_a_log_told_of_an_agent_is_kept(store: Store) -> None:
    """Payer, account and model that the log named are on the record that is saved."""
    before = Roster()
    seen = process(100, pays_by_key=False)
    agent = before.appear(seen, session(), False, NINE_MS)
    owner = as_line({"type": "session-owner", "accountUuid": "acc-1", "sessionId": "conv-1"})
    told = scanned([owner, reply(1, "09:00:01", "conv-1")], LOG)
    assert [agent] == river(store, before).post([told], NOW).agents
    (known,) = restored(store, before, NOW).alive()
    assert ("subscription", "acc-1", OPUS) == (
        known.record.source,
        known.record.account,
        known.record.model,
    )


def test_latest_model_is_kept(store: Store) -> None:
    """An agent that changed its model and changed it back has the latest one after a restart."""
    before = Roster()
    agent = appear(before)
    first = river(store, before)
    for number, model in enumerate((OPUS, HAIKU, OPUS)):
        first.post([scanned([reply(number, f"09:00:0{number}", model=model)], LOG)], NOW)
    assert OPUS == agent.record.model
    after = restored(store, before, NOW)
    river(store, after)
    assert [OPUS] == [each.record.model for each in after.alive()]


def test_unpriced_models_of_history(store: Store) -> None:
    """Models without a price are known when they stood in the history, and to later daemons."""
    first = river(store, Roster())
    first.post([scanned([reply(1, "09:00:01", model="claude-opus-99")], LOG)], NOW, live=False)
    assert {"claude-opus-99"} == first.unpriced_models
    assert {"claude-opus-99"} == river(store, Roster()).unpriced_models


def test_unpriced_models_after_a_failed_save(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model whose first posting could not be saved is saved with the next one."""
    first = river(store, Roster())
    told = scanned([reply(1, "09:00:01", model="claude-opus-99")], LOG)

    def fail(*_: object) -> None:
        raise RuntimeError("on purpose")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr("tollkeeper_daemon.store.transaction.Transaction.save_file", fail)
        first.post([told], NOW)
    first.post([told], NOW)
    assert {"claude-opus-99"} == river(store, Roster()).unpriced_models


def test_revived_agent_is_saved_as_living(store: Store) -> None:
    """An agent that came back is a living one to the next daemon too."""
    before = Roster()
    agent = appear(before)
    before.exit(agent, NINE_MS + MINUTE)
    store.write(lambda transaction: transaction.save_agent(agent.record))
    appear(before, 100, NINE_MS)
    assert [replace(agent.record, ended=0)] == [
        each.record for each in restored(store, before, NOW).alive()
    ]
