"""An agent as it runs, and its helpers: what is saved of it, and what only matters while it lives. Pure."""

from msgspec import Struct, field

from tollkeeper.model import AgentState
from tollkeeper_daemon.labels.labels import NONE, Labels
from tollkeeper_daemon.store.schema import AgentRecord
from tollkeeper_daemon.tally import Tally

SILENT_AFTER_MS = 15_000


class LiveSubagent(Struct):
    """A helper in an agent's conversation; its description is shown, and never saved.

    ``labels`` say which work it does now, its own or its agent's.
    """

    id: str
    type: str = ""
    description: str = ""
    finished: bool = False
    last_time: int = 0
    tally: Tally = field(default_factory=Tally)
    labels: Labels = NONE


class LiveAgent(Struct):
    """An agent as it runs: what is saved of it, and what only matters while it lives.

    ``status`` is what its session file says, ``reported`` what its hooks do; clients that write no
    such file may have hooks. ``asked_name`` is its session's own name, ``given_name`` that in an
    orchestrator's file. ``unseen_since`` is when an earlier daemon last saw it, until this one has heard of it;
    ``complaint`` is what is wrong with its budget.
    """

    record: AgentRecord
    tally: Tally = field(default_factory=Tally)
    status: AgentState | None = None
    reported: AgentState | None = None
    asked_name: str = ""
    given_name: str = ""
    complaint: str = ""
    waiting_for: str = ""
    stopped: bool = False
    unseen_since: int = 0
    last_time: int = 0
    lines_added: int = 0
    lines_removed: int = 0
    context_used_percent: float | None = None
    subagents: dict[str, LiveSubagent] = field(default_factory=dict[str, LiveSubagent])

    def state(self, now: int) -> AgentState:
        """What it does; without its own word (older clients) it is told from its last activity."""
        if self.record.ended:
            return "exited"
        if self.stopped:
            return "paused"
        if said := self.status or self.reported:
            return said
        return "working" if now - self.last_time < SILENT_AFTER_MS else "idle"
