"""Spans over restarts: daemons that are killed at any moment leave the same spans as one that lives on."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleeting import fleeting_folder
from tollkeeper_daemon.labels.labels import NONE, Labels
from tollkeeper_daemon.store.store import Store

from .at_work import ANALYZE, PLAN, SECOND, AtWork

Step = tuple[str, int, int]
"""What happens, to which of the agents, and which of a few choices."""

BROUGHT = [
    {"WORKFLOW": "w-1"},
    {"WORKFLOW": "w-1", "STAGE": "plan"},
    {"WORKFLOW": "w-1", "TASK": "w-1.1", "STAGE": "analyze"},
    {},
]
LABELS = [ANALYZE, PLAN, Labels("w-1", "w-1.2", "plan"), NONE]
KINDS = ["analyst", "planner", ""]


def take(work: AtWork, step: Step) -> None:
    """One step of the story; one that can't be taken is passed over."""
    name, which, choice = step
    pid = 100 + which
    agent = work.roster.with_pid(pid)
    helpers = list(agent.subagents.values()) if agent else []
    do: dict[str, Callable[[], object]] = {
        "start": lambda: work.mark("start", LABELS[choice % 3]),
        "end": lambda: work.mark("end", LABELS[choice % 3]),
        "comes": lambda: None if agent else work.agent(pid, **BROUGHT[choice]),
        "exits": lambda: agent and work.exits(agent),
        "says": lambda: agent and work.says(agent, LABELS[choice]),
        "helper": lambda: agent and work.helper(agent, KINDS[choice % 3], f"h{choice}"),
        "done": lambda: helpers and work.done(helpers[choice % len(helpers)]),
        "time": lambda: work.passes((choice + 1) * 4 * SECOND),
    }
    do[name]()


def told_by(steps: list[Step], kills: set[int]) -> list[object]:
    """The spans after this story, in which the daemon is killed after these steps."""
    with fleeting_folder() as folder, Store(Path(folder)) as store:
        work = AtWork(store).begin()
        for number, step in enumerate(steps):
            work.now += SECOND
            take(work, step)
            if number in kills:
                work = work.killed()
        return [(span.id, span.labels, span.started, span.ended) for span in work.saved()]


NAMES = ["start", "end", "comes", "exits", "says", "helper", "done", "time"]
steps_taken = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(0, 1), st.integers(0, 3)), max_size=25
)


@settings(max_examples=40)
@given(steps_taken, st.sets(st.integers(0, 24)))
def test_kills_change_nothing(steps: list[Step], kills: set[int]) -> None:
    """Each going through a stage is there once, whenever the daemon is killed."""
    assert told_by(steps, set()) == told_by(steps, kills)


@pytest.mark.parametrize("is_known", [True, False], ids=["known as done", "unknown"])
def test_kill_before_the_end_is_told(is_known: bool) -> None:
    """A subagent that was done when the daemon was killed has ended then, whenever the next one comes."""
    with fleeting_folder() as folder, Store(Path(folder)) as store:
        work = AtWork(store).begin()
        agent = work.agent(WORKFLOW="w-1")
        helper = work.helper(agent)
        work.passes(20 * SECOND)
        helper.finished, helper.last_time = True, work.now
        done = work.now
        work.look()
        work.now += 60 * SECOND
        work = work.killed()
        helper.finished = is_known
        work.passes(10 * SECOND)
        work.exits(agent)
        [span] = work.saved()
        assert (done, "completed") == (span.ended, span.status)


def test_subagent_that_goes_on(tmp_path: Path) -> None:
    """A subagent that was taken for done, and is heard of again, has not ended then."""
    with Store(tmp_path) as store:
        work = AtWork(store).begin()
        agent = work.agent(WORKFLOW="w-1")
        helper = work.helper(agent)
        helper.finished = True
        work.look()
        work.passes(SECOND // 2)
        work.helper(agent)
        work.passes(20 * SECOND)
        assert [0] == [span.ended for span in work.saved()]
        work.done(helper)
        assert [20 * SECOND + SECOND // 2] == [span.ended - span.started for span in work.saved()]
