"""What agents turn to: whose a conversation is, who pays for it, and which work it is for, from when on."""

from msgspec import Struct

from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.labels.labels import Fact, Layer, labels_of
from tollkeeper_daemon.store.schema import Payer

FOR_EVER = 1 << 62
# The layers that say something of an agent, in all that it turns to.
OF_AGENTS = (Layer.CLAIMED, Layer.MARKED, Layer.ENVIRONMENT, Layer.SAID)


class Claim(Struct, frozen=True):
    """That the requests of a conversation between two times (ms) are an agent's."""

    agent: str
    since: int
    until: int = FOR_EVER


class Turned(Struct, frozen=True):
    """An agent, or who pays for it, turned to a conversation at a time (ms).

    ``is_proof`` says that whoever was taken to pay since that turn of the agent's never did.
    """

    agent: LiveAgent
    conversation: str
    since: int
    is_old: bool = False
    is_proof: bool = False

    @property
    def payer(self) -> Payer:
        """Who pays from then on, as far as the agent is known to tell; else without a source."""
        return Payer(self.since, self.agent.record.source, self.agent.record.account)


class Labelled(Struct, frozen=True):
    """That something is known of the work that a conversation belongs to.

    What the same layer said before of later times, up to ``until`` (ms), is taken back.
    """

    agent: LiveAgent
    conversation: str
    fact: Fact
    until: int = 0


def labelled_at(agent: LiveAgent, conversation: str, since: int) -> list[Labelled]:
    """What is known of the conversation's work as the agent turns to it at this time (ms)."""
    told = agent.record.told
    return [
        Labelled(agent, conversation, Fact(since, layer, labels=labels_of(told, layer, since)))
        for layer in OF_AGENTS
    ]


def labelled_so_far(agent: LiveAgent) -> list[Labelled]:
    """All that is known of the work of the conversations that the agent turned to."""
    found: list[Labelled] = []
    for conversation, since, until in stays(agent):
        found += labelled_at(agent, conversation, since)
        later = [fact for fact in agent.record.told if since < fact.since < until]
        found += [Labelled(agent, conversation, fact) for fact in later]
    return found


def stays(agent: LiveAgent) -> list[tuple[str, int, int]]:
    """The conversations that the agent turned to: each from when to when (ms)."""
    turns = agent.record.turns
    ends = [*(since for _, since in turns[1:]), FOR_EVER]
    return [(*turn, until) for turn, until in zip(turns, ends, strict=bool(turns))]
