"""An agent as it runs, and its helpers: what is saved of it, and what only matters while it lives. Pure."""

from msgspec import Struct, field

from tollkeeper.model import AgentState
from tollkeeper_daemon.agents.proxied import Proxied
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
    ``complaint`` is what is wrong with its budget. ``status_since`` and ``stopped_since`` are when it came
    to its status, and was frozen (ms, 0 where that is not known).
    """

    record: AgentRecord
    tally: Tally = field(default_factory=Tally)
    proxied: Proxied = field(default_factory=Proxied)
    status: AgentState | None = None
    reported: AgentState | None = None
    asked_name: str = ""
    given_name: str = ""
    complaint: str = ""
    waiting_for: str = ""
    stopped: bool = False
    status_since: int = 0
    stopped_since: int = 0
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

    def state_since(self, now: int) -> int:
        """When it came to what it does now (ms); 0 where that is not known."""
        match self.state(now):
            case "exited":
                return self.record.ended
            case "paused":
                return self.stopped_since
            case _ if self.status:
                return self.status_since
            case "idle" if not self.reported:
                return self.last_time
            case _:
                return 0

    def freeze(self, stopped: bool, now: int) -> None:
        """It was seen to be frozen, or not to be."""
        if stopped != self.stopped:
            self.stopped, self.stopped_since = stopped, now if stopped else 0
