"""Ends of stages and workflows, as markers tell them: who is released by them, and how what lasts has ended."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.labels.labels import Labels
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.workflows.workflows import Workflows

from .at_work import ANALYZE, MINUTE, SECOND, AtWork
from .exchanging import Silent


@pytest.fixture
def work(tmp_path: Path) -> Iterator[AtWork]:
    with Store(tmp_path / "ledger") as store:
        yield AtWork(store).begin()


@pytest.fixture
def workflows(work: AtWork) -> Workflows:
    herald = cast(Herald, Silent())
    return Workflows(work.store, work.spans, work.following, work.members, work.roster, herald)


@pytest.mark.parametrize("event", ["stage", "workflow"])
def test_clock_that_is_set_back(work: AtWork, workflows: Workflows, event: str) -> None:
    """An end that the clock puts before its start is one: nobody is at the stage any more, then or later."""
    agent = work.agent()
    workflows.start("w-1", "", "", work.now)
    work.passes(4 * SECOND)
    workflows.stage("start", ANALYZE, work.now, str(agent.record.pid))
    work.now -= 3 * SECOND
    if event == "stage":
        workflows.stage("end", ANALYZE, work.now, status="completed")
    else:
        workflows.end("w-1", "completed", work.now)
    work.passes(MINUTE)
    [span] = work.saved()
    assert span.ended == span.started
    assert "" == work.members.labels_of(agent, work.now).stage


def test_subagent_that_is_done_as_its_workflow_ends(work: AtWork, workflows: Workflows) -> None:
    """What was done when the workflow ended was completed, though its last lines may be on their way."""
    agent = work.agent(WORKFLOW="w-1")
    helper = work.helper(agent)
    helper.finished = True
    work.look()
    workflows.end("w-1", "completed", work.now)
    assert ["completed"] == [span.status for span in work.saved()]


def test_subagent_that_is_at_work_as_its_workflow_ends(work: AtWork, workflows: Workflows) -> None:
    """Of what is in its midst then nobody knows how it ended; other workflows are left alone."""
    work.helper(work.agent(100, WORKFLOW="w-1"))
    other = work.helper(work.agent(200, WORKFLOW="w-2"))
    other.finished = True
    work.look()
    workflows.end("w-1", "completed", work.now)
    assert [""] == [span.status for span in work.saved()]
    assert [0] == [span.ended for span in work.saved("w-2")]


def test_end_that_is_said_again(work: AtWork, workflows: Workflows) -> None:
    """It is the same end, told once; where somebody has come to the stage since it is theirs."""
    workflows.stage("start", ANALYZE, work.now, "analyst")
    work.passes(4 * SECOND)
    workflows.stage("end", ANALYZE, work.now, "analyst", status="completed")
    work.passes(4 * SECOND)
    again = workflows.stage("end", ANALYZE, work.now, status="failed")
    assert [again] == [*work.saved()]
    assert ("m:1", 4 * SECOND, "completed") == (again.id, again.ended - again.started, again.status)
    assert [("started", "m:1", ""), ("ended", "m:1", "completed")] == work.told
    work.agent(WORKFLOW="w-1", STAGE="analyze")
    workflows.stage("end", ANALYZE, work.now, status="failed")
    assert ["completed", "failed"] == [span.status for span in work.saved()]


def test_end_of_another_task(work: AtWork, workflows: Workflows) -> None:
    """The end of a task that nobody began is none that was said before."""
    workflows.stage("end", ANALYZE, work.now, status="completed")
    workflows.stage("end", Labels("w-1", "w-1.5", "analyze"), work.now, status="completed")
    assert ["", "w-1.5"] == [span.labels.task for span in work.saved()]
