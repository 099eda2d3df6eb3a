"""How the time of spans goes by: worked, waited for people, held; never more than there was."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper.model import AgentState
from tollkeeper_daemon.labels.labels import Labels
from tollkeeper_daemon.store.schema import SpanRecord
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.workflows.timing import (
    Doing,
    Look,
    accounted,
    closed,
    counted,
    doing_of,
    together,
)

from .at_work import MINUTE, PLAN, SECOND, AtWork

NOW = 1_800_000_000_000
SPAN = SpanRecord("w-1", "m:1", Labels("w-1", "", "plan"), "", NOW)


@pytest.fixture
def work(tmp_path: Path) -> Iterator[AtWork]:
    """A daemon at work."""
    with Store(tmp_path / "ledger") as store:
        yield AtWork(store).begin()


@pytest.mark.parametrize(
    ("state", "is_held", "is_limited", "doing"),
    [
        ("working", False, False, "worked"),
        ("working", True, True, "worked"),
        ("waiting", False, True, "waited"),
        ("waiting", True, False, "held"),
        ("idle", False, False, "waited"),
        ("idle", False, True, "held"),
        ("idle", True, False, "held"),
        ("paused", False, False, "held"),
        ("exited", True, True, None),
    ],
)
def test_doing(state: AgentState, is_held: bool, is_limited: bool, doing: Doing | None) -> None:
    """Who waits at a limit is held; who waits for people waits; who works works."""
    assert doing == doing_of(state, is_held, is_limited)


def test_together() -> None:
    """Of several who are at it one that works is enough, and one that is held before one that waits."""
    assert "worked" == together(["waited", None, "held", "worked"])
    assert "held" == together(["waited", "held"])
    assert None is together([])


def test_states_of_an_agent(work: AtWork) -> None:
    """Each state counts from the look that saw it begin to the look that saw it end."""
    agent = work.agent(WORKFLOW="w-1", STAGE="plan")
    work.passes(10 * SECOND)
    agent.status = "waiting"
    work.look()
    work.passes(20 * SECOND)
    work.holds_at_limit(agent, "paused")
    work.passes(30 * SECOND)
    work.holds.clear()
    work.limited.add(agent.record.id)
    agent.status = "idle"
    work.look()
    work.passes(5 * SECOND)
    work.exits(agent)
    [span] = work.saved()
    assert (10 * SECOND, 20 * SECOND, 35 * SECOND) == (span.worked, span.waited, span.held)


def test_sleep(work: AtWork) -> None:
    """What no look came in for longer than a minute is not counted."""
    work.agent(WORKFLOW="w-1", STAGE="plan")
    work.passes(10 * SECOND)
    work.now += 61 * SECOND
    work.look()
    work.passes(10 * SECOND)
    work.spans.save_all()
    assert [20 * SECOND] == [span.worked for span in work.saved()]


def test_subagent_of_an_agent_that_waits(work: AtWork) -> None:
    """A subagent waits when its agent does."""
    agent = work.agent(WORKFLOW="w-1")
    helper = work.helper(agent)
    work.passes(10 * SECOND)
    agent.status = "waiting"
    work.look()
    work.passes(20 * SECOND)
    work.done(helper)
    [span] = work.saved()
    assert (10 * SECOND, 20 * SECOND) == (span.worked, span.waited)


def test_nobody_at_a_marked_stage(work: AtWork) -> None:
    """The time in which nobody is seen at a marked stage is none of the three."""
    work.mark("start", PLAN)
    work.passes(10 * SECOND)
    agent = work.agent(WORKFLOW="w-1", STAGE="plan")
    work.passes(20 * SECOND)
    work.exits(agent)
    work.passes(30 * SECOND)
    span = work.mark("end", PLAN)
    assert (60 * SECOND, 20 * SECOND) == (span.ended - span.started, accounted(span))


def test_saved_now_and_then(work: AtWork) -> None:
    """A daemon that is killed costs the times of ten seconds at most."""
    work.agent(WORKFLOW="w-1", STAGE="plan")
    work.passes(3 * MINUTE)
    [span] = work.saved()
    assert 3 * MINUTE - 12 * SECOND <= span.worked <= 3 * MINUTE


looks = st.tuples(
    st.integers(-2 * MINUTE, 2 * MINUTE), st.sampled_from(["worked", "held", "waited", None])
)


@given(st.lists(looks, max_size=20), st.integers(-2 * MINUTE, 2 * MINUTE))
def test_no_more_than_there_was(steps: list[tuple[int, Doing | None]], last: int) -> None:
    """Whatever the clock does, the parts are not negative, and not longer than the span."""
    span, now, look = SPAN, NOW, Look(NOW, None)
    for step, doing in steps:
        now += step
        before, span = span, counted(span, look, now)
        assert 0 <= accounted(span) - accounted(before) <= max(step, 0)
        look = Look(now, doing)
    ended = closed(counted(span, look, now + last), now + last, "")
    parts = (ended.worked, ended.waited, ended.held)
    assert min(parts) >= 0
    assert sum(parts) <= ended.ended - ended.started
