"""Whom a word is for: agents by name, pid, id or conversation, or all of them."""

from msgspec import Struct

from tollkeeper.naming import near
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.bar.agents_by_hand import Ambiguous
from tollkeeper_daemon.control.refusal import Refused
from tollkeeper_daemon.daemon import Daemon


class Whom(Struct, frozen=True, forbid_unknown_fields=True):
    """``agents`` name some, ``all`` means every one."""

    agents: tuple[str, ...] = ()
    all: bool = False


def find(daemon: Daemon, words: tuple[str, ...], everyone: bool) -> list[LiveAgent]:
    """The agents that are meant, each once; Refused when one is not there, or none is named."""
    if everyone and words:
        raise Refused("bad-params", "name agents, or all: not both")
    if everyone:
        return daemon.roster.alive()
    if not words:
        raise Refused("bad-params", "which agents? name one, or all")
    untouched = "nothing was done to the others; " if len(words) > 1 else ""
    found = [find_one(daemon, word, untouched) for word in words]
    return list({agent.record.id: agent for agent in found}.values())


def find_one(daemon: Daemon, word: str, hint: str = "") -> LiveAgent:
    """The agent that this word names; Refused when it is not there, or may be several."""
    try:
        agent = daemon.budgets.agents.find(word)
    except Ambiguous as several:
        raise Refused("ambiguous", str(several), f"{hint}name it by its pid") from None
    if agent is None:
        meant = near(word, (agent.record for agent in daemon.roster.alive()))
        way = f"did you mean {meant}?" if meant else "see: toll agents"
        raise Refused("not-found", f"no agent {word[:80]!r} is running", f"{hint}{way}")
    return agent
