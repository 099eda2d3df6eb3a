"""What agents turn to: whose a conversation is, who pays for it, and which work it is for, from when on."""

from msgspec import Struct

from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.labels.labels import Fact
from tollkeeper_daemon.store.schema import Payer

FOR_EVER = 1 << 62


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
