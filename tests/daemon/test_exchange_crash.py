"""What is exchanged over restarts: one line for each stage and model, one comment on each task, whenever it dies."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from fleeting import fleeting_folder
from tollkeeper_daemon.store.store import Store

from .exchanging import Exchanging, mortal_writes
from .lines import HAIKU, NINE_MS, OPUS
from .works import book, booking

STAGES = ("analyze", "plan")
# All of a story is over before anybody forgets a stage that never ends.
APART_MS = 150_000

Step = tuple[str, int, int]
"""What happens, at which stage, and which of a few choices."""


class Outcome(Struct, frozen=True):
    """What others can see in the end: the daemon's own lines in order, and the comments."""

    lines: list[dict[str, Any]]
    comments: list[Any]
    deaths: int
    moments: int


def take(world: Exchanging, store: Store, step: Step) -> None:
    """One step of the story."""
    name, which, choice = step
    stage = STAGES[which]
    match name:
        case "start" | "end":
            world.tells(name, stage)
        case "book":
            book(
                store,
                booking(
                    "w-1",
                    stage,
                    task=f"w-1.1-{stage}",
                    model=(OPUS, HAIKU)[choice % 2],
                    output=choice + 1,
                    value=10**9,
                ),
            )
        case "other":
            world.appends(note=choice)
        case "bd":
            world.bd.does = [["busy"], ["slow", "busy"], ["", "", "crash"], ["crash"] * 3][choice]
        case "workflow":
            world.ends()
        case _:
            raise AssertionError(name)


def told_by(steps: list[Step], deadly: set[int]) -> Outcome:
    """What others see after this story, in which the daemon dies at these moments."""
    with fleeting_folder() as folder, Store(Path(folder, "ledger")) as store:
        world = Exchanging(store, Path(folder, "shop"), sorted(deadly))
        with mortal_writes(world.fate):
            world.does(world.agent)
            world.begins()
            for number, step in enumerate([*steps, ("workflow", 0, 0)], start=1):
                assert world.work.now <= NINE_MS + number * APART_MS
                world.work.now = NINE_MS + number * APART_MS
                take(world, store, step)
                world.settles()
        comments = sorted(world.commented())
        lines = world.written()
        for line in lines:
            if line["span"] is None:
                del line["timestamp"]  # That of its writing.
        return Outcome(lines, comments, world.deaths, world.fate.moments)


SHORT: list[Step] = [
    ("start", 0, 0),
    ("book", 0, 0),
    ("book", 0, 1),
    ("end", 0, 0),
    ("book", 0, 3),
]


def test_undisturbed() -> None:
    """A stage has a line for each model, its task one comment; what came late has a line with the workflow's end."""
    outcome = told_by(SHORT, set())
    assert [
        ("m:1", HAIKU, 2, 450),
        ("m:1", OPUS, 1, 450),
        (None, HAIKU, 4, None),
    ] == [
        (line["span"], line["model"], line["tokens"]["output"], line["duration_seconds"])
        for line in outcome.lines
    ]
    [(task, rows)] = outcome.comments
    assert "w-1.1-analyze" == task
    assert "- **Output tokens**: 3" in rows
    assert 0 == outcome.deaths


@pytest.mark.parametrize("story", [SHORT, SHORT[:3]], ids=["stage ends", "workflow ends"])
def test_death_at_any_moment(story: list[Step]) -> None:
    """Wherever it dies between a stage's end and the note that its task has the comment, nothing is lost or twice."""
    undisturbed = told_by(story, set())
    for moment in range(1, undisturbed.moments + 1):
        outcome = told_by(story, {moment})
        assert (1, undisturbed.lines) == (outcome.deaths, outcome.lines), moment
        assert undisturbed.comments == outcome.comments, moment


NAMES = ["start", "end", "book", "other", "bd"]
steps_taken = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(0, 1), st.integers(0, 3)), max_size=12
)


@pytest.mark.timeout(180)
@settings(max_examples=25)
@given(steps_taken, st.sets(st.integers(1, 150), max_size=12))
def test_deaths_change_nothing(steps: list[Step], deadly: set[int]) -> None:
    """However often it dies, and bd fails, others see what a daemon that lives on would have told them."""
    undisturbed, outcome = told_by(steps, set()), told_by(steps, deadly)
    assert undisturbed.lines == outcome.lines
    assert undisturbed.comments == outcome.comments
    ends = [(line["span"], line["stage"], line["model"]) for line in outcome.lines if line["span"]]
    assert len(ends) == len({*ends})
    booked = sum(choice + 1 for name, _, choice in steps if name == "book")
    assert booked == sum(line["tokens"]["output"] for line in outcome.lines)
