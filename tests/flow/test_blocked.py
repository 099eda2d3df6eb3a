"""Agents whose tool calls are refused: seen in the status, named by toll down, freed with no daemon."""

import json
from collections.abc import Callable

import pytest

from proc import needs_proc
from tollkeeper.places import DENY_FOLDER
from waiting import wait_until

from .adopted import state_of
from .agent_process import AgentProcess
from .bounded import await_known, kinds, start_billed, usual
from .keeper import Keeper
from .test_words import refused, said

pytestmark = needs_proc
HOOK = {"hooks": {"PreToolUse": [{"hooks": [{"type": "command", "command": "toll hook"}]}]}}
REASON = "The limit of Ada is reached: $0.02 of $0.02."


@pytest.fixture
def ada(keeper: Keeper) -> AgentProcess:
    """An agent that is blocked; Bob, who works on, shares nothing with it."""
    return start_blocked(keeper, "Ada")[0]


def start_blocked(keeper: Keeper, *names: str) -> list[AgentProcess]:
    """Agents of these names that are blocked, and Bob, who is not."""
    (keeper.home.path / "settings.json").write_text(json.dumps(HOOK))
    keeper.limit(per_agent=usual(1), action="block")
    keeper.start()
    agents = [start_billed(keeper, AGENT=name) for name in names]
    await_known(keeper, *agents, start_billed(keeper, AGENT="Bob"))
    for agent in agents:
        agent.log.reply()
        wait_until(lambda agent=agent: is_denied(keeper, agent))
    keeper.wait_for(
        lambda status: sum(each.held is not None for each in status.agents) == len(names)
    )
    return agents


def is_denied(keeper: Keeper, agent: AgentProcess) -> bool:
    """Whether the hook of its conversation refuses tools."""
    event = {"hook_event_name": "PreToolUse", "session_id": agent.conversation}
    path = keeper.paths.run / DENY_FOLDER / event["session_id"]
    return path.exists()


def test_status_shows_it(keeper: Keeper, ada: AgentProcess) -> None:
    """It is marked as blocked, with the reason and the way on; so who listens is told of it."""
    shown = said(keeper, "status")
    [row] = [line for line in shown.splitlines() if line.startswith("Ada")]
    assert "⊘ blocked" in row
    assert (
        f"⊘ Ada is blocked: {REASON}\n  To go on: toll resume Ada (--add-usd 5 for more budget)\n"
        in shown
    )
    [bob] = [line for line in shown.splitlines() if line.startswith("Bob")]
    assert "● working" in bob
    held = keeper.agent(ada).held
    assert held is not None
    assert (held.kind, held.reason) == ("blocked", REASON)
    assert refused(keeper, 2, "resume").endswith("held now: Ada\n")


def test_who_listens_hears_of_it(keeper: Keeper, ada: AgentProcess) -> None:
    """A block and its end are changes of the agent, though its process looks as before."""
    with keeper.feed() as feed:

        def held() -> list[str | None]:
            status = feed.latest(0.5)
            return [each.held and each.held.kind for each in status.agents if each.pid == ada.pid]

        assert held() == ["blocked"]
        assert said(keeper, "resume", "Ada").startswith("Ada goes on. ")
        wait_until(lambda: held() == [None])


def test_down_names_it(keeper: Keeper, ada: AgentProcess) -> None:
    """`toll down` says whom it leaves blocked, and how to free them."""
    pid = keeper.report("ping")["pid"]
    assert said(keeper, "down").splitlines() == [
        f"The daemon (pid {pid}) is down.",
        "Ada stays blocked: toll resume Ada frees it",
        "To free all of them without a daemon: toll resume --all --no-start",
    ]
    assert keeper.process is not None
    assert keeper.process.wait(20) == 0
    keeper.process = None
    assert is_denied(keeper, ada)
    said(keeper, "up")
    told = keeper.json("down")
    assert (told["paused"], told["blocked"]) == ([], ["Ada"])


@pytest.mark.parametrize("how", ["Ada", "pid", "conversation", "--all"])
@pytest.mark.parametrize("end", [Keeper.stop, Keeper.kill], ids=["SIGTERM", "kill -9"])
def test_lifted_without_a_daemon(
    keeper: Keeper, ada: AgentProcess, how: str, end: Callable[[Keeper], object]
) -> None:
    """Without a daemon a block is lifted too; the next one lets the agent work on, and notes it."""
    end(keeper)
    word = {"pid": str(ada.pid), "conversation": ada.conversation[:8]}.get(how, how)
    assert said(keeper, "resume", word, "--no-start") == "Ada goes on.\n"
    assert not is_denied(keeper, ada)
    assert said(keeper, "resume", "--all", "--no-start") == "No agent is held.\n"
    ada.log.reply()
    keeper.start()
    keeper.wait_for_requests(2)
    ada.log.reply()
    keeper.wait_for_requests(3)
    wait_until(lambda: kinds(keeper, ada) == ["reached", "blocked", "unblocked"])
    assert (state_of(ada.pid), is_denied(keeper, ada)) == ("S", False)
    assert keeper.agent(ada).held is None
    assert keeper.report("resume", all=True)["done"] == []


def test_lifted_and_gone_to_another_conversation(keeper: Keeper, ada: AgentProcess) -> None:
    """Who was let go on without a daemon stays free in the conversation it turned to meanwhile."""
    keeper.stop()
    said(keeper, "resume", "Ada", "--no-start")
    ada.clear()
    keeper.start()
    wait_until(lambda: kinds(keeper, ada) == ["reached", "blocked", "unblocked"])
    assert not is_denied(keeper, ada)


@pytest.mark.parametrize("is_wiped", [False, True])
def test_not_lifted(keeper: Keeper, ada: AgentProcess, is_wiped: bool) -> None:
    """Who was not let go stays blocked over a restart, also when all of the run directory was lost."""
    keeper.stop()
    if is_wiped:
        (keeper.paths.deny / ada.conversation).unlink()
        keeper.paths.deny.rmdir()
    keeper.start()
    assert is_denied(keeper, ada)
    keeper.wait_for(
        lambda status: [each.held is not None for each in status.agents].count(True) == 1
    )
    assert kinds(keeper, ada) == ["reached", "blocked"]


def test_follows_to_another_conversation(keeper: Keeper, ada: AgentProcess) -> None:
    """A blocked agent that turns to another conversation is blocked in that one, and is freed there."""
    before = keeper.paths.deny / ada.conversation
    ada.clear()
    wait_until(lambda: is_denied(keeper, ada) and not before.exists())
    keeper.stop()
    assert said(keeper, "resume", "Ada", "--no-start") == "Ada goes on.\n"
    assert not is_denied(keeper, ada)


def test_gone_meanwhile(keeper: Keeper, ada: AgentProcess) -> None:
    """Of a blocked agent that has ended the refusal goes as well: its conversation can be taken up."""
    keeper.stop()
    ada.exit()
    assert said(keeper, "resume", "Ada", "--no-start") == "Ada: it has ended meanwhile.\n"
    assert not is_denied(keeper, ada)


def test_refusal_that_stays(keeper: Keeper, ada: AgentProcess) -> None:
    """A refusal that can't be removed is told, and the agent stays on the list."""
    keeper.stop()
    file = keeper.paths.deny / ada.conversation
    file.unlink()
    file.mkdir()
    result = keeper.run("resume", "--all", "--no-start")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("toll: Ada: its tool calls can't be allowed again: ")
    file.rmdir()
    assert said(keeper, "resume", "--all", "--no-start") == "Ada goes on.\n"


def test_a_word_for_two(keeper: Keeper) -> None:
    """Without a daemon a word that may name two is refused with both, and nobody is let go on."""
    one, two = start_blocked(keeper, "Ada", "Eve")
    keeper.stop()
    listed = json.loads(keeper.paths.frozen.read_text())
    for each in listed["agents"]:
        each["conversation"] = one.conversation
    keeper.paths.frozen.write_text(json.dumps(listed))
    told = refused(keeper, 1, "resume", one.conversation[:6], "--no-start")
    both = f"Ada (pid {one.pid}) or Eve (pid {two.pid})"
    assert told == f"toll: {one.conversation[:6]!r} may be {both}; name it by its pid\n"
    told = refused(keeper, 1, "resume", "Ada", one.conversation, "--no-start")
    assert "nothing was done to the others; name it by its pid" in told
    assert is_denied(keeper, one) and is_denied(keeper, two)


def test_two_in_one_conversation(keeper: Keeper) -> None:
    """Let one of two go on in the conversation they share: nobody let the other one go on."""
    one, two = start_blocked(keeper, "Ada", "Eve")
    two.conversation = one.conversation
    two.says("busy")
    keeper.wait_for(
        lambda status: [each.conversation for each in status.agents].count(one.conversation) == 2
    )
    said(keeper, "resume", "Ada")
    keeper.restart()
    keeper.wait_for(lambda status: len(status.agents) == 3)
    held = {each.name: each.held is not None for each in keeper.toll.agents()}
    assert held == {"Ada": False, "Eve": True, "Bob": False}


def test_tagged_is_no_reply(keeper: Keeper, ada: AgentProcess) -> None:
    """To say which work the reply was that blocked it, does not freeze it."""
    said(keeper, "tag", "Ada", "--task", "search", "--since", "1h")
    wait_until(lambda: keeper.agent(ada).task == "search")
    assert kinds(keeper) == ["reached", "blocked"]
    assert state_of(ada.pid) != "T"
