"""People's words to agents, by the toll command: pause, resume, stop."""

import json
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from tollkeeper.model import Agent
from waiting import wait_until

from .adopted import Adopted, deaf_to_sigterm, state_of
from .agent_process import AgentProcess
from .keeper import Keeper
from .terminal import INTERRUPTED, Running

KEY = {"ANTHROPIC_API_KEY": "x"}
SETTINGS = "[sources]\nprocesses = false\n[limits]\ngrace_seconds = 3\n"
NAMES: dict[str, Callable[[Agent], str]] = {
    "name": lambda agent: agent.name,
    "pid": lambda agent: str(agent.pid),
    "id": lambda agent: agent.id,
    "conversation": lambda agent: agent.conversation or "",
    "beginning": lambda agent: (agent.conversation or "")[:6],
}
HOSTILE = "x\x1b[2J\ny"


class Pair(NamedTuple):
    """Two agents that work, and their daemon."""

    keeper: Keeper
    ada: AgentProcess
    bob: AgentProcess


@pytest.fixture
def pair(keeper: Keeper) -> Iterator[Pair]:
    """Ada and Bob at work."""
    keeper.configure(SETTINGS)
    keeper.start()
    yield Pair(keeper, *(start(keeper, name) for name in ("Ada", "Bob")))


def start(keeper: Keeper, name: str) -> AgentProcess:
    """An agent of this name that works."""
    agent = keeper.start_agent(labels={**KEY, "TOLL_AGENT": name})
    agent.says("busy")
    keeper.wait_for(lambda status: agent.pid in [each.pid for each in status.agents])
    return agent


def said(keeper: Keeper, *arguments: str) -> str:
    """What the command says; it must have done what it was told."""
    result = keeper.run(*arguments)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def refused(keeper: Keeper, status: int, *arguments: str) -> str:
    """The one line that says why not; nothing may stand on stdout."""
    result = keeper.run(*arguments)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (status, "", 1)
    return result.stderr


def test_pause_and_resume(pair: Pair) -> None:
    """One agent is frozen and let go on, a line each; the other is not touched."""
    assert said(pair.keeper, "pause", "Ada") == "Ada is paused.\n"
    assert (state_of(pair.ada.pid), state_of(pair.bob.pid)) == ("T", "S")
    assert pair.keeper.agent(pair.ada).state == "paused"
    assert said(pair.keeper, "pause", "Ada") == "Ada: it is paused already.\n"
    assert said(pair.keeper, "resume", "Ada") == "Ada goes on.\n"
    assert state_of(pair.ada.pid) == "S"
    assert said(pair.keeper, "resume", "Ada") == "Ada: it was not held.\n"


@pytest.mark.parametrize("name", NAMES)
def test_names_of_an_agent(pair: Pair, name: str) -> None:
    """An agent is named by its name, pid, id, conversation, or six letters of the latter."""
    word = NAMES[name](pair.keeper.agent(pair.ada))
    assert said(pair.keeper, "pause", word, "Ada") == "Ada is paused.\n"
    assert state_of(pair.bob.pid) == "S"


def test_what_names_nobody(pair: Pair) -> None:
    """A name that nobody bears is told, and the others that were named are not touched."""
    few = pair.keeper.agent(pair.ada).conversation or ""
    for word in ("Eve", "", few[:5], "0"):
        told = refused(pair.keeper, 1, "pause", "Bob", word)
        assert told == (
            f"toll: no agent {word!r} is running; nothing was done to the others; see: toll agents\n"
        )
    assert refused(pair.keeper, 1, "stop", "Eve").endswith("is running; see: toll agents\n")
    assert refused(pair.keeper, 1, "stop", "ada").endswith("is running; did you mean Ada?\n")
    assert (state_of(pair.ada.pid), state_of(pair.bob.pid)) == ("S", "S")


def test_what_names_several(pair: Pair) -> None:
    """One conversation that two agents hold names neither of them; their pids do."""
    pair.bob.conversation = pair.ada.conversation
    pair.bob.says("busy")
    bob = pair.keeper.agent(pair.bob).id
    pair.keeper.wait_for(
        lambda status: (
            pair.ada.conversation in [a.conversation for a in status.agents if a.id == bob]
        )
    )
    for word in (pair.ada.conversation, pair.ada.conversation[:8]):
        told = refused(pair.keeper, 1, "pause", word)
        both = f"Ada (pid {pair.ada.pid}) or Bob (pid {pair.bob.pid})"
        assert told == f"toll: {word!r} may be {both}; name it by its pid\n"
    assert said(pair.keeper, "pause", str(pair.bob.pid)) == "Bob is paused.\n"


def test_nobody_named(pair: Pair) -> None:
    """Without a name the command says whom there is, and touches nobody."""
    assert refused(pair.keeper, 2, "pause") == (
        "toll: which agents? name them, or --all; running now: Ada, Bob\n"
    )
    assert refused(pair.keeper, 2, "stop").endswith("running now: Ada, Bob\n")
    assert refused(pair.keeper, 2, "resume").endswith("held now: none\n")
    said(pair.keeper, "pause", "Bob")
    assert refused(pair.keeper, 2, "resume").endswith("held now: Bob\n")
    assert refused(pair.keeper, 2, "pause", "Ada", "--all").endswith("not both\n")
    assert state_of(pair.ada.pid) == "S"


def test_all(pair: Pair) -> None:
    """--all means every agent; resume means those that are held."""
    assert said(pair.keeper, "pause", "--all") == "Ada is paused.\nBob is paused.\n"
    assert said(pair.keeper, "resume", "Ada") == "Ada goes on.\n"
    assert said(pair.keeper, "resume", "--all") == "Bob goes on.\n"
    assert said(pair.keeper, "resume", "--all") == "No agent is held.\n"
    assert said(pair.keeper, "stop", "--all") == "Ada has ended.\nBob has ended.\n"
    assert (pair.ada.process.wait(5), pair.bob.process.wait(5)) == (-15, -15)
    assert said(pair.keeper, "pause", "--all") == "No agent is running.\n"
    assert said(pair.keeper, "stop", "--all") == "No agent is running.\n"


def test_stop_of_a_paused_agent(pair: Pair) -> None:
    """An agent that is paused ends by SIGTERM as well; the other goes on."""
    said(pair.keeper, "pause", "Ada")
    assert said(pair.keeper, "stop", "Ada") == "Ada has ended.\n"
    assert pair.ada.process.wait(5) == -15
    assert state_of(pair.bob.pid) == "S"


def test_stop_waits_and_says_so(pair: Pair) -> None:
    """Who does not end by SIGTERM is waited for, which is told, and killed; others get answers."""
    deaf = deaf_to_sigterm()
    try:
        eve = Adopted(pair.keeper.home, deaf.pid)
        eve.says("busy")
        pair.keeper.wait_for(lambda status: len(status.agents) == 3)
        name = pair.keeper.agent(eve).name
        began = time.monotonic()
        with (
            Running(pair.keeper, "stop", name) as first,
            Running(pair.keeper, "stop", name) as other,
        ):
            assert pair.keeper.run("doctor").returncode == 0
            assert time.monotonic() - began < 3
            for each in (first, other):
                status, told = each.end()
                assert (status, each.shown) == (0, f"{name} has ended.\n")
                assert told.startswith("toll: waiting until they have ended; ")
        assert deaf.wait(5) == -9
        assert [entry["kind"] for entry in pair.keeper.report("log")["entries"]] == ["killed"]
    finally:
        deaf.kill()
        deaf.wait(5)


def test_stop_that_is_not_waited_for(pair: Pair) -> None:
    """Ctrl-C ends the waiting alone: the agent is stopped all the same."""
    deaf = deaf_to_sigterm()
    try:
        eve = Adopted(pair.keeper.home, deaf.pid)
        eve.says("busy")
        pair.keeper.wait_for(lambda status: len(status.agents) == 3)
        with Running(pair.keeper, "stop", str(deaf.pid)) as running:
            wait_until(lambda: "held" in pair.keeper.run("doctor").stdout)
            assert running.interrupt() == INTERRUPTED
        assert deaf.wait(10) == -9
    finally:
        deaf.kill()
        deaf.wait(5)


def test_one_of_several_fails(pair: Pair) -> None:
    """What can't be done to one is told on stderr with its name, and the others have it done."""
    said(pair.keeper, "limit", "set", "--agent", "Bob", "--tokens", "1000")
    said(pair.keeper, "pause", "--all")
    result = pair.keeper.run("resume", "--all", "--add-tokens", "50")
    assert (result.returncode, result.stdout) == (
        1,
        "Bob goes on. The limit of Bob was raised to 1,050 tokens; used so far: 0 tokens.\n",
    )
    assert result.stderr == "toll: Ada: it has no limit in tokens that could be raised\n"
    result = pair.keeper.run("resume", "Ada", "--add-tokens", "50", "--json")
    [done] = json.loads(result.stdout)["done"]
    assert (result.returncode, result.stderr, done["kind"]) == (1, "", None)
    assert (done["agent"], done["error"]) == (
        "Ada",
        "it has no limit in tokens that could be raised",
    )


def test_answers_for_programs(pair: Pair) -> None:
    """With --json each word is answered by one value: what came of it, agent by agent."""
    ada = pair.keeper.agent(pair.ada)
    done = {"id": ada.id, "agent": "Ada", "pid": ada.pid, "note": None, "error": None}
    assert pair.keeper.json("pause", "Ada") == {"done": [{**done, "kind": "paused"}]}
    assert pair.keeper.json("resume", "Ada") == {
        "done": [{**done, "kind": "resumed"}],
        "offered": [],
    }
    assert pair.keeper.json("resume", "--all") == {"done": [], "offered": []}
    assert pair.keeper.json("stop", "Ada") == {"done": [{**done, "kind": "stopped"}]}


def test_hostile_names(pair: Pair) -> None:
    """A name can't play tricks on the terminal, whatever is said of it, and is told by its pid."""
    eve = start(pair.keeper, HOSTILE)
    shown = [
        said(pair.keeper, "pause", str(eve.pid)),
        said(pair.keeper, "status"),
        said(pair.keeper, "agents"),
        said(pair.keeper, "limit"),
        said(pair.keeper, "log"),
        said(pair.keeper, "limit", "set", "--agent", str(eve.pid), "--usd", "3"),
        refused(pair.keeper, 2, "resume"),
    ]
    assert all("\x1b" not in text and "x·[2J·y" in text for text in shown)
    assert f"toll resume {eve.pid}" in shown[1]
    assert "x·[2J·y stays paused" in said(pair.keeper, "down")
    assert pair.keeper.process
    assert pair.keeper.process.wait(20) == 0
    pair.keeper.process = None
    assert said(pair.keeper, "resume", "--all", "--no-start") == "x·[2J·y goes on.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["pause", "Ada"],
        ["pause", "--all", "--json"],
        ["stop", "--all"],
        ["limit"],
        ["limit", "--json"],
        ["limit", "set", "--daily", "--usd", "5"],
        ["limit", "clear", "--daily"],
        ["log"],
        ["log", "--json"],
        ["log", "--follow"],
    ],
)
def test_no_daemon(keeper: Keeper, arguments: list[str]) -> None:
    """With --no-start and no daemon a word has exit status 3, one line, and starts nothing."""
    told = refused(keeper, 3, *arguments, "--no-start")
    assert told == "toll: no daemon is running; start it with: toll up\n"
    assert not keeper.paths.data.exists()


def test_words_start_the_daemon(keeper: Keeper) -> None:
    """A word that finds no daemon starts one, which knows at once who runs."""
    agent = keeper.start_agent(labels={"TOLL_AGENT": "Ada"})
    agent.says("busy")
    assert said(keeper, "pause", "Ada") == "Ada is paused.\n"
    said(keeper, "down")
    assert said(keeper, "resume", "Ada") == "Ada goes on.\n"
    wait_until(lambda: state_of(agent.pid) == "S")
