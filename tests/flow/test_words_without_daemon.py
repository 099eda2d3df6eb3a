"""Agents that are paused and no daemon: toll down names them, toll resume frees them."""

import json

import pytest

from waiting import wait_until

from .adopted import state_of
from .agent_process import AgentProcess
from .keeper import Keeper
from .test_words import SETTINGS, refused, said, start


@pytest.fixture
def frozen(keeper: Keeper) -> AgentProcess:
    """Ada, paused, and the daemon that did it is down; Bob works on."""
    keeper.configure(SETTINGS)
    keeper.start()
    ada = start(keeper, "Ada")
    start(keeper, "Bob")
    said(keeper, "pause", "Ada")
    assert keeper.stop() == 0
    assert state_of(ada.pid) == "T"
    return ada


def test_down_names_the_frozen(keeper: Keeper, frozen: AgentProcess) -> None:
    """`toll down` says whom it leaves frozen and how to free them."""
    said(keeper, "up")
    pid = keeper.report("ping")["pid"]
    assert said(keeper, "down").splitlines() == [
        f"The daemon (pid {pid}) is down.",
        "Ada stays paused: toll resume Ada frees it",
        "To free all of them without a daemon: toll resume --all --no-start",
    ]
    said(keeper, "up")
    assert keeper.json("down")["paused"] == ["Ada"]
    assert state_of(frozen.pid) == "T"


@pytest.mark.parametrize("how", ["Ada", "pid", "--all"])
def test_resume_without_a_daemon(keeper: Keeper, frozen: AgentProcess, how: str) -> None:
    """Told not to start a daemon, `toll resume` frees who is paused; the next daemon sees it."""
    word = str(frozen.pid) if how == "pid" else how
    assert said(keeper, "resume", word, "--no-start") == "Ada goes on.\n"
    assert state_of(frozen.pid) == "S"
    assert said(keeper, "resume", "--all", "--no-start") == "No agent is held.\n"
    keeper.start()
    wait_until(lambda: keeper.report("health")["held"] == {})
    paused, resumed = keeper.report("log")["entries"]
    assert (paused["kind"], resumed["kind"], resumed["cause"]) == ("paused", "resumed", "person")
    assert resumed["text"] == "Ada goes on. Told so by a person, while no daemon ran."
    assert keeper.agent(frozen).state == "working"
    assert keeper.report("resume", all=True)["done"] == []


def test_resume_without_a_daemon_as_json(keeper: Keeper, frozen: AgentProcess) -> None:
    """The answer has the shape of the daemon's own; an agent that is gone is told so."""
    answer = keeper.json("resume", "--all", "--no-start")
    [done] = answer["done"]
    assert (answer.keys(), done["agent"], done["kind"], done["error"]) == (
        {"done", "offered"},
        "Ada",
        "resumed",
        None,
    )


def test_gone_meanwhile(keeper: Keeper, frozen: AgentProcess) -> None:
    """An agent that ended while it was paused is told to be gone, and nothing is signalled."""
    frozen.exit()
    assert said(keeper, "resume", "--all", "--no-start") == "Ada: it has ended meanwhile.\n"


def test_who_is_not_paused(keeper: Keeper, frozen: AgentProcess) -> None:
    """Without a daemon a name that is not on its list has exit status 3; nobody is let go."""
    told = refused(keeper, 3, "resume", "Ada", "Bob", "--no-start")
    assert told.startswith("toll: no agent 'Bob' is known to be held, and no daemon is running; ")
    told = refused(keeper, 3, "resume", "ada", "--no-start")
    assert told.endswith(" and no daemon is running; did you mean Ada?\n")
    assert state_of(frozen.pid) == "T"


def test_more_budget_needs_the_daemon(keeper: Keeper, frozen: AgentProcess) -> None:
    """Without a daemon no budget is added, and nobody is let go on as if it were."""
    told = refused(keeper, 3, "resume", "Ada", "--add-usd", "5", "--no-start")
    assert told == (
        "toll: more budget needs the daemon, and no daemon is running; start it with: toll up\n"
    )
    assert state_of(frozen.pid) == "T"


def test_daemon_that_does_not_start(keeper: Keeper, frozen: AgentProcess) -> None:
    """Where no daemon can be started it is told why, and who is paused is freed all the same."""
    keeper.configure("[limits\n")
    result = keeper.run("resume", "Ada")
    assert (result.returncode, result.stdout) == (0, "Ada goes on.\n")
    assert result.stderr.startswith("toll: the daemon did not start: ")
    assert result.stderr.count("\n") == 1
    assert state_of(frozen.pid) == "S"


@pytest.mark.parametrize("content", ["", "{", '{"version":99,"agents":[]}', "\x00"])
def test_list_that_cannot_be_read(keeper: Keeper, frozen: AgentProcess, content: str) -> None:
    """A list of paused agents that makes no sense is one line of error, and signals nobody."""
    keeper.paths.frozen.write_text(content)
    told = refused(keeper, 1, "resume", "--all", "--no-start")
    assert str(keeper.paths.frozen) in told
    assert state_of(frozen.pid) == "T"


def test_forged_list(keeper: Keeper, frozen: AgentProcess) -> None:
    """A list whose pid has another start signals nobody."""
    listed = json.loads(keeper.paths.frozen.read_text())
    [ada] = listed["agents"]
    ada["id"] = f"{frozen.pid}-1"
    ada["processes"] = [ada["id"]]
    keeper.paths.frozen.write_text(json.dumps(listed))
    assert said(keeper, "resume", "--all", "--no-start") == "Ada: it has ended meanwhile.\n"
    assert state_of(frozen.pid) == "T"


def test_one_of_two(keeper: Keeper) -> None:
    """Freed one by one, each is told once, and the other stays paused meanwhile."""
    keeper.configure(SETTINGS)
    keeper.start()
    ada, bob = start(keeper, "Ada"), start(keeper, "Bob")
    said(keeper, "pause", "--all")
    assert keeper.stop() == 0
    assert said(keeper, "resume", "Bob", "--no-start") == "Bob goes on.\n"
    assert (state_of(ada.pid), state_of(bob.pid)) == ("T", "S")
    assert refused(keeper, 3, "resume", "Bob", "--no-start").startswith("toll: no agent 'Bob'")
    assert said(keeper, "resume", "--all", "--no-start") == "Ada goes on.\n"
    assert state_of(ada.pid) == "S"
    keeper.start()
    wait_until(lambda: keeper.report("health")["held"] == {})
    causes = [each["cause"] for each in keeper.report("log")["entries"]]
    assert causes == ["person"] * 4
