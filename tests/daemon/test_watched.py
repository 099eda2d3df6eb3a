"""The running sums of single conversations, workflows and tasks are those of the ledger, always."""

import asyncio
from pathlib import Path
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from fleeting import fleeting_folder
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.ledger.prices import load_prices
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.repricing import Repricer
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.tally import Tally

from .lines import OPUS, assistant, usage
from .shelf import PRICES
from .test_pipeline import agent_in, pipeline, post
from .test_prices import entry

DEARER = load_prices(entry(OPUS, "41"))
CONVERSATIONS = ("conv-1", "conv-2")
WATCHED = (
    ("conversation", "conv-1"),
    ("conversation", "conv-2"),
    ("task", "t1"),
    ("workflow", "w1"),
    ("task", "none"),
)


class Posted(NamedTuple):
    """A line of a reply; the same message again grows, or stays."""

    message: int
    conversation: int
    output: int


class Claimed(NamedTuple):
    """An agent with labels is found to hold the conversation."""

    conversation: int


class Begun(NamedTuple):
    """Somebody begins to watch, or ceases."""

    watched: int
    ends: bool


class Repriced(NamedTuple):
    """Prices change, and everything is charged anew."""

    dearer: bool


events = st.lists(
    st.builds(Posted, st.integers(0, 5), st.integers(0, 1), st.integers(0, 1_000))
    | st.builds(Claimed, st.integers(0, 1))
    | st.builds(Begun, st.integers(0, len(WATCHED) - 1), st.booleans())
    | st.builds(Repriced, st.booleans()),
    max_size=20,
)


def run(river: Pipeline, events: list[Posted | Claimed | Begun | Repriced]) -> None:
    """Let all this happen, one after the other."""
    for event in events:
        match event:
            case Posted(message, number, output):
                name = CONVERSATIONS[number]
                ids = {"message": f"{name}-{message}", "request": f"{name}-{message}"}
                line = assistant(usage(input=5, output=output), sessionId=name, **ids)
                post(river, line, path=f"/h/projects/-p/{name}.jsonl")
            case Claimed(number):
                agent_in(
                    river.roster, CONVERSATIONS[number], 100 + number, WORKFLOW="w1", TASK="t1"
                )
                river.claim(CONVERSATIONS[number])
            case Begun(number, False):
                river.watch([WATCHED[number]])
            case Begun(number):
                river.watched.end(*WATCHED[number])
            case Repriced(dearer):
                river.prices = DEARER if dearer else PRICES
                repricer = Repricer(river, lambda outcome: None, lambda: False)
                asyncio.run(repricer.run(0))


@settings(max_examples=60)
@given(events)
def test_sums_are_those_of_the_ledger(
    events: list[Posted | Claimed | Begun | Repriced],
) -> None:
    """However posts, claims and new prices come, a watched sum is the sum over the ledger's rows."""
    with fleeting_folder() as folder, Store(Path(folder)) as store:
        river = pipeline(store, Roster())
        run(river, events)
        running = {key: river.watched.tally(*key) for key in WATCHED if river.watched.has(*key)}
        for key in running:
            river.watch([key])
        assert running == {key: river.watched.tally(*key) for key in running}


def test_nobody_watches(tmp_path: Path) -> None:
    """What nobody watches has come to nothing, and what is watched no more is forgotten."""
    with Store(tmp_path) as store:
        river = pipeline(store)
        post(river, assistant())
        assert Tally() == river.watched.tally("conversation", "conv-1")
        river.watch([("conversation", "conv-1")])
        assert 20 == river.watched.tally("conversation", "conv-1").totals.output
        river.watched.end("conversation", "conv-1")
        river.watched.end("conversation", "conv-1")
        assert not river.watched.has("conversation", "conv-1")
