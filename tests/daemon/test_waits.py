"""Who waits for a person for too long: told once for each waiting."""

from msgspec.structs import replace

from tollkeeper.model import AgentState
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.waits import Waits
from tollkeeper_daemon.store.schema import AgentRecord

RECORD = AgentRecord("7-1", 7, "shop-1", 1, "run-1")
NOW = 10**12
MINUTE = 60_000


def agent(state: AgentState = "waiting", what: str = "permission prompt") -> LiveAgent:
    """An agent in this state."""
    return LiveAgent(RECORD, status=state, waiting_for=what if state == "waiting" else "")


def told(waits: Waits, seen: LiveAgent, now: int) -> list[str]:
    """What is said of the agent at this time."""
    return [text for _, text in waits.overdue([seen], now)]


def test_once_for_each_waiting() -> None:
    """It is told when the time has come, not again, and anew when the agent has worked meanwhile."""
    waits, text = Waits(120), "shop-1 has been waiting for 2m 00s: permission prompt"
    assert [] == told(waits, agent(), NOW)
    assert [] == told(waits, agent(), NOW + 2 * MINUTE - 1)
    assert [text] == told(waits, agent(), NOW + 2 * MINUTE)
    assert [] == told(waits, agent(), NOW + 9 * MINUTE)
    waits.note(agent("working"), NOW + 9 * MINUTE)
    waits.note(agent(), NOW + 10 * MINUTE)
    assert [] == told(waits, agent(), NOW + 11 * MINUTE)
    assert [text] == told(waits, agent(), NOW + 12 * MINUTE)


def test_waiting_for_something_else() -> None:
    """Who waits for something else has begun to wait anew."""
    waits = Waits(120)
    waits.note(agent(), NOW)
    waits.note(agent(what="dialog open"), NOW + MINUTE)
    assert [] == told(waits, agent(what="dialog open"), NOW + 2 * MINUTE)
    [text] = told(waits, agent(what="dialog open"), NOW + 3 * MINUTE)
    assert text.endswith("dialog open")


def test_paused_while_it_waits() -> None:
    """An agent that is frozen while it waits still waits for the same thing when it is thawed."""
    waits, frozen = Waits(120), agent()
    frozen.stopped = True
    waits.note(agent(), NOW)
    assert [] == told(waits, frozen, NOW + MINUTE)
    assert 1 == len(told(waits, agent(), NOW + 2 * MINUTE))


def test_never() -> None:
    """Who wants to hear of no waiting hears of none."""
    waits = Waits(0)
    waits.note(agent(), NOW)
    assert [] == told(waits, agent(), NOW + 60 * MINUTE)


def test_words_of_others() -> None:
    """Names and reasons of any length and kind are a short line of plain text."""
    waits = Waits(1)
    odd = agent(what="x\n" * 500)
    odd.record = replace(RECORD, name="n\x1b" * 500)
    waits.note(odd, NOW)
    [text] = told(waits, odd, NOW + MINUTE)
    assert text.isprintable()
    assert len(text) < 220
