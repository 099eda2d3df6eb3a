"""An agent of the demo: a process of its own, and the files that a client would write for it."""

import json
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from freezing import await_frozen, await_running, state_of
from proc import needs_proc
from tollkeeper.demo.agent import Agent
from tollkeeper.demo.place import Place
from tollkeeper.demo.story import CACHER, Prompt, Reply, Says
from waiting import wait_until

pytestmark = needs_proc

REPLY = Reply(1.0, CACHER.name, 100, 1_000, added=3)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A folder in which no daemon runs."""
    return Place(tmp_path)


@pytest.fixture
def agent(place: Place) -> Iterator[Agent]:
    """An agent at work, ended with the test."""
    started = Agent(place, CACHER, {"PATH": os.environ["PATH"]}, datetime.now(UTC))
    yield started
    started.end()


def session(place: Place, agent: Agent) -> dict[str, Any] | None:
    """What its session file says; None when there is none."""
    path = place.claude(by_key=True) / "sessions" / f"{agent.pid}.json"
    return json.loads(path.read_text()) if path.exists() else None


def lines(place: Place) -> int:
    """How many lines stand in all logs."""
    logs = place.folder.glob("claude*/projects/**/*.jsonl")
    return sum(len(log.read_text().splitlines()) for log in logs)


def test_plays_what_it_is_told(place: Place, agent: Agent) -> None:
    """What it is told stands in its log and in its session file."""
    before = lines(place)
    agent.play(Prompt(1.0, CACHER.name))
    agent.play(REPLY)
    agent.play(Says(1.0, CACHER.name, "waiting", "permission prompt"))
    assert before + 2 == lines(place)
    said = session(place, agent)
    assert said and ("waiting", "permission prompt") == (said["status"], said["waitingFor"])


def test_state_lasts(place: Place, agent: Agent) -> None:
    """What is said again changes nothing: the agent is in that state since it was first said."""
    before = session(place, agent)
    agent.play(Says(1.0, CACHER.name, "busy"))
    assert before == session(place, agent)


def test_frozen_agent_writes_nothing(place: Place, agent: Agent) -> None:
    """While it is frozen it asks for nothing, as a real one; when it goes on, it does."""
    before = lines(place)
    os.kill(agent.pid, signal.SIGSTOP)
    await_frozen(agent.pid)
    agent.play(REPLY)
    assert before == lines(place)
    os.kill(agent.pid, signal.SIGCONT)
    await_running(agent.pid)
    agent.play(REPLY)
    assert before + 1 == lines(place)


def test_ended_agent_leaves_no_session(place: Place, agent: Agent) -> None:
    """Whoever ends it finds it gone, with its session file, and what it is told then is lost."""
    before = lines(place)
    os.kill(agent.pid, signal.SIGTERM)
    wait_until(lambda: not agent.look())
    agent.play(REPLY)
    assert (None, before) == (session(place, agent), lines(place))


def test_frozen_agent_is_ended(place: Place, agent: Agent) -> None:
    """At the end of the demo a frozen agent ends as well."""
    os.kill(agent.pid, signal.SIGSTOP)
    await_frozen(agent.pid)
    agent.end()
    assert ("", None) == (state_of(agent.pid), session(place, agent))
