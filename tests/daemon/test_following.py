"""Spans of agents and subagents: each going through a stage is one, and none is counted twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tollkeeper_daemon.labels.labels import NONE, Labels
from tollkeeper_daemon.store import work_shelf
from tollkeeper_daemon.store.schema import SpanRecord
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.workflows.marks import Mark

from .at_work import ANALYZE, MINUTE, PLAN, SECOND, AtWork
from .lines import NINE_MS


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with nothing in it."""
    with Store(tmp_path / "ledger") as opened:
        yield opened


@pytest.fixture
def work(store: Store) -> AtWork:
    """A daemon at work."""
    return AtWork(store).begin()


def test_agent_with_labels(work: AtWork) -> None:
    """An agent that brings a workflow and a stage is a span from its start to its exit."""
    agent = work.agent(WORKFLOW="w-1", STAGE="analyze", AGENT="Ada")
    work.passes(9 * SECOND)
    work.exits(agent)
    [span] = work.saved()
    assert (f"a:{agent.record.id}", "Ada", "completed") == (span.id, span.role, span.status)
    assert (NINE_MS, NINE_MS + 9 * SECOND) == (span.started, span.ended)
    assert [("started", span.id, ""), ("ended", span.id, "completed")] == work.told


@pytest.mark.parametrize("labels", [{"STAGE": "analyze"}, {"WORKFLOW": "w-1"}, {"TASK": "t"}, {}])
def test_agent_at_no_stage(work: AtWork, labels: dict[str, str]) -> None:
    """A stage without a workflow or a task, or these without a stage, are no span."""
    work.agent(100, **labels)
    assert [] == work.told


def test_stage_of_a_task_alone(work: AtWork) -> None:
    """A task without a workflow may have stages."""
    agent = work.agent(TASK="fix the bridge", STAGE="plan")
    assert [f"a:{agent.record.id}"] == work.ids("")


def test_very_many_tasks_of_no_workflow(work: AtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes to a task of no workflow is not kept waiting by all the tasks that were done before."""
    for number in range(100):
        labels = Labels("", f"JIRA-{number}", "build")
        work.spans.mark(Mark(labels), "start", work.now)
        work.spans.mark(Mark(labels), "end", work.now)
    work.passes(SECOND)
    read: list[SpanRecord] = []
    decode = work_shelf._decode_span  # pyright: ignore[reportPrivateUsage]: it counts what is read

    def counted(row: bytes) -> SpanRecord:
        read.append(decode(row))
        return read[-1]

    monkeypatch.setattr(work_shelf, "_decode_span", counted)
    agent = work.agent(TASK="JIRA-42", STAGE="build")
    assert {"JIRA-42"} == {span.labels.task for span in read}
    assert f"a:{agent.record.id}" in work.ids("")


def test_agent_that_turns_to_another_stage(work: AtWork) -> None:
    """The span ends when its labels become others, and another begins; back again it is a third."""
    agent = work.agent(WORKFLOW="w-1")
    for labels in (ANALYZE, PLAN, ANALYZE, NONE):
        work.passes(4 * SECOND)
        work.says(agent, labels)
    first, second, third = work.saved()
    id = f"a:{agent.record.id}"
    assert [id, f"{id}:2", f"{id}:3"] == [first.id, second.id, third.id]
    assert [ANALYZE, PLAN, ANALYZE] == [each.labels for each in (first, second, third)]
    assert [first.ended, second.ended] == [second.started, third.started]
    assert ["completed", "completed", ""] == [first.status, second.status, third.status]


def test_labels_said_of_an_earlier_time(work: AtWork) -> None:
    """A stage said of the last minute ends the one before a minute ago."""
    agent = work.agent(WORKFLOW="w-1", STAGE="analyze")
    work.passes(3 * MINUTE)
    work.says(agent, PLAN, ago=MINUTE)
    first, second = work.saved()
    assert (NINE_MS + 2 * MINUTE, PLAN) == (second.started, second.labels)
    assert (NINE_MS + 2 * MINUTE, 2 * MINUTE) == (first.ended, first.worked)


def test_labels_said_of_all_the_time(work: AtWork) -> None:
    """A span whose labels were others all along is that other one, in another workflow too."""
    agent = work.agent(WORKFLOW="w-1", STAGE="analyze")
    work.passes(MINUTE)
    work.says(agent, Labels("w-2", "", "plan"), ago=2 * MINUTE)
    assert [] == work.ids("w-1")
    work.exits(agent)
    [span] = work.saved("w-2")
    assert (NINE_MS, MINUTE, Labels("w-2", "", "plan")) == (span.started, span.worked, span.labels)


def test_subagent(work: AtWork) -> None:
    """A subagent whose type stands for a stage is a span of its own, until it says that it is done."""
    agent = work.agent(WORKFLOW="w-1")
    work.passes(4 * SECOND)
    helper = work.helper(agent)
    work.passes(6 * SECOND)
    work.done(helper)
    [span] = work.saved()
    assert ("s:conv-100:h1", "analyst", ANALYZE) == (span.id, span.role, span.labels)
    assert ("completed", 6 * SECOND, 6 * SECOND) == (
        span.status,
        span.ended - span.started,
        span.worked,
    )


def test_subagent_without_work(work: AtWork) -> None:
    """Outside of a workflow or a task its type is no stage."""
    work.helper(work.agent())
    assert [] == work.told


def test_subagent_that_goes_on(work: AtWork) -> None:
    """One that is asked again after it was done is another span; late lines of it make none."""
    agent = work.agent(WORKFLOW="w-1")
    helper = work.helper(agent)
    work.passes(10 * SECOND)
    work.done(helper)
    work.passes(2 * SECOND)
    work.helper(agent)
    assert ["s:conv-100:h1"] == work.ids()
    work.passes(MINUTE)
    work.helper(agent)
    assert ["s:conv-100:h1", "s:conv-100:h1:2"] == work.ids()


def test_subagent_ends_with_its_agent(work: AtWork) -> None:
    """When its agent exits it is over, since it was last heard of."""
    agent = work.agent(WORKFLOW="w-1")
    helper = work.helper(agent)
    work.passes(30 * SECOND)
    helper.last_time = work.now
    work.passes(20 * SECOND)
    work.exits(agent)
    [span] = work.saved()
    assert (NINE_MS + 30 * SECOND, 30 * SECOND, "completed") == (
        span.ended,
        span.worked,
        span.status,
    )


def test_silent_subagent_of_an_idle_agent(work: AtWork) -> None:
    """One that never says that it is done is over half an hour after it was last heard of."""
    agent = work.agent(WORKFLOW="w-1")
    work.helper(agent)
    agent.status = "idle"
    work.passes(29 * MINUTE)
    assert [("started", "s:conv-100:h1", "")] == work.told
    work.passes(2 * MINUTE)
    [span] = work.saved()
    assert (NINE_MS, "") == (span.ended, span.status)


def test_subagent_of_a_conversation_that_was_left(work: AtWork) -> None:
    """After /clear a subagent is still the same."""
    agent = work.agent(WORKFLOW="w-1")
    work.helper(agent)
    work.roster.converses(agent, "conv-2")
    work.helper(agent)
    assert ["s:conv-100:h1"] == work.ids()


def test_stopped_agent(work: AtWork) -> None:
    """The stage of an agent that is told to end has failed, and that of its subagents."""
    agent = work.agent(WORKFLOW="w-1", STAGE="plan")
    work.helper(agent)
    work.holds_at_limit(agent, "stopping")
    work.holds.clear()
    work.exits(agent)
    assert ["failed", "failed"] == [span.status for span in work.saved()]


# Beside marked spans.


def test_agent_at_a_marked_stage(work: AtWork) -> None:
    """Agents and subagents that come to a marked stage are part of its span."""
    work.mark("start")
    work.agent(100, WORKFLOW="w-1", TASK="w-1.1", STAGE="analyze")
    work.helper(work.agent(200, WORKFLOW="w-1"))
    work.passes(8 * SECOND)
    span = work.mark("end")
    assert (["m:1"], 8 * SECOND) == (work.ids(), span.worked)


def test_agent_that_outlives_its_mark(work: AtWork) -> None:
    """What was part of a marked span gets none of its own when that ends; the next daemon knows that too."""
    work.mark("start")
    work.agent(WORKFLOW="w-1", STAGE="analyze")
    work.passes(4 * SECOND)
    work.mark("end")
    work.passes(4 * SECOND)
    work.killed().passes(4 * SECOND)
    assert ["m:1"] == work.ids()


def test_agent_that_comes_after_the_mark(work: AtWork) -> None:
    """Who comes to the stage when the marked span has ended is a span of its own."""
    work.mark("start")
    work.passes(4 * SECOND)
    work.mark("end")
    work.passes(4 * SECOND)
    agent = work.agent(WORKFLOW="w-1", STAGE="analyze")
    assert ["m:1", f"a:{agent.record.id}"] == work.ids()


def test_other_work(work: AtWork) -> None:
    """Who is at another stage, task or workflow is no part of a marked span."""
    work.mark("start", Labels("w-1", "w-1.1", "analyze"))
    ones = [
        work.agent(100, WORKFLOW="w-1", TASK="w-1.2", STAGE="analyze"),
        work.agent(200, WORKFLOW="w-1", TASK="w-1.1", STAGE="plan"),
        work.agent(300, WORKFLOW="w-2", TASK="w-1.1", STAGE="analyze"),
    ]
    own = {f"a:{agent.record.id}" for agent in ones}
    assert {*own, "m:1"} == {*work.ids("w-1"), *work.ids("w-2")}


def test_mark_that_comes_after_its_agent(work: AtWork) -> None:
    """A marker on what is a span already takes it over, with the time that it has lasted."""
    work.agent(WORKFLOW="w-1", STAGE="analyze")
    work.passes(6 * SECOND)
    work.mark("start")
    work.passes(2 * SECOND)
    span = work.mark("end", status="completed")
    assert ["m:1"] == work.ids()
    assert (NINE_MS, 8 * SECOND, "completed") == (span.started, span.worked, span.status)


def test_end_alone_of_an_agent(work: AtWork) -> None:
    """A marker that an agent's stage ends is its end, where none said that it starts."""
    agent = work.agent(WORKFLOW="w-1", STAGE="analyze")
    work.passes(6 * SECOND)
    work.mark("end", status="failed")
    work.exits(agent)
    [span] = work.saved()
    assert ("m:1", NINE_MS, "failed") == (span.id, span.started, span.status)


def test_mark_that_is_forgotten(work: AtWork) -> None:
    """A marked span is over half an hour after nobody was at it any more; its late end is its own."""
    work.mark("start")
    agent = work.agent(WORKFLOW="w-1", STAGE="analyze")
    work.passes(MINUTE)
    work.exits(agent)
    work.passes(31 * MINUTE)
    [span] = work.saved()
    assert (NINE_MS + MINUTE, "") == (span.ended, span.status)
    work.mark("end", status="completed")
    [span] = work.saved()
    assert ("completed", work.now) == (span.status, span.ended)


def test_mark_with_an_idle_agent(work: AtWork) -> None:
    """As long as an agent is at it a marked span lasts."""
    agent = work.agent(WORKFLOW="w-1", STAGE="analyze")
    work.mark("start")
    agent.status = "idle"
    work.passes(90 * MINUTE)
    assert [0] == [span.ended for span in work.saved()]


# Over restarts.


def test_next_daemon_takes_up_spans(work: AtWork) -> None:
    """A daemon that is killed in the midst of stages leaves them to the next, each once."""
    agent = work.agent(WORKFLOW="w-1", STAGE="plan")
    helper = work.helper(agent)
    work.mark("start", Labels("w-1", "", "review"))
    work.passes(20 * SECOND)
    before = work.ids()
    after = work.killed()
    after.passes(4 * SECOND)
    assert before == after.ids()
    after.done(helper)
    after.exits(agent)
    after.mark("end", Labels("w-1", "", "review"))
    assert (before, [True] * 3) == (after.ids(), [span.ended > 0 for span in after.saved()])


def test_agent_that_was_gone(work: AtWork) -> None:
    """The span of an agent that exited while no daemon ran ends when it was last heard of."""
    agent = work.agent(WORKFLOW="w-1", STAGE="plan")
    work.passes(20 * SECOND)
    agent.last_time = work.now
    after = AtWork(work.store, work)
    after.now += 5 * MINUTE
    after.roster.exit(agent, after.now)
    after.begin()
    [span] = after.saved()
    assert (NINE_MS + 20 * SECOND, "") == (span.ended, span.status)


def test_agent_out_of_sight(work: AtWork) -> None:
    """The span of an agent in a home that is not looked at lasts until it is looked at again."""
    agent = work.agent(WORKFLOW="w-1", STAGE="plan")
    after = AtWork(work.store, work)
    del after.roster.agents[agent.record.id]
    after.roster.out_of_sight.add(agent.record.id)
    after.begin().passes(MINUTE)
    assert [0] == [span.ended for span in after.saved()]
