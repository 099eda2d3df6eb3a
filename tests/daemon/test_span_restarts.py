"""Spans over restarts: daemons that are killed at any moment leave the same spans as one that lives on."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

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
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder)) as store:
        work = AtWork(store).begin()
        for number, step in enumerate(steps):
            work.now += SECOND
            take(work, step)
            if number in kills:
                work = work.killed()
        return [(span.id, span.labels, span.started, span.ended > 0) for span in work.saved()]


NAMES = ["start", "end", "comes", "exits", "says", "helper", "done", "time"]
steps_taken = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(0, 1), st.integers(0, 3)), max_size=25
)


@settings(max_examples=40)
@given(steps_taken, st.sets(st.integers(0, 24)))
def test_kills_change_nothing(steps: list[Step], kills: set[int]) -> None:
    """Each going through a stage is there once, whenever the daemon is killed."""
    assert told_by(steps, set()) == told_by(steps, kills)
