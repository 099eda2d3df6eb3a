"""What is exchanged with others about the work: events and claims come in, lines and comments go out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.config import BeadsSettings, Config
from tollkeeper_daemon.exchange.bead_stages import BeadStages
from tollkeeper_daemon.exchange.claims import Claims
from tollkeeper_daemon.exchange.comments import Comments
from tollkeeper_daemon.exchange.events import Events
from tollkeeper_daemon.exchange.issues import Issues
from tollkeeper_daemon.exchange.lines import Lines
from tollkeeper_daemon.exchange.reckoner import Reckoner
from tollkeeper_daemon.exchange.talk import Talk
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.outlets.bd import Bd
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.workflows.work import Work

DRAFT = "comment.md"


class Exchange:
    """The parts and their order. ``settings`` are those in force now, ``run`` is the run directory.

    ``attempt`` does a piece of work so that, if it fails, that costs nothing else.
    """

    def __init__(
        self,
        store: Store,
        roster: Roster,
        pipeline: Pipeline,
        work: Work,
        herald: Herald,
        settings: Callable[[], Config],
        run: Path,
        attempt: Callable[..., object],
    ) -> None:
        conversations = pipeline.conversations

        def beads() -> BeadsSettings:
            return settings().beads

        def tell(text: str) -> None:
            herald.alert_once("failed", text)

        def stage_of(task: str, agent: LiveAgent) -> str:
            return stages.stage_of(task, agent.record.cwd)

        issues = Issues(Bd(), beads, run / DRAFT)
        stages = BeadStages(issues, beads)
        self.claims = Claims(roster, work.facts_of, lambda: conversations.ids, stage_of)
        self.events = Events(
            store, work.spans, work.workflows, roster, lambda kind: conversations.stage_of(kind)
        )
        self.lines = Lines(store, tell)
        self.comments = Comments(store, issues, beads, tell)
        self._reckoner = Reckoner(store, work.spans, settings, now_ms())
        self.talk = Talk(stages, self.comments, tell)
        self._attempt = attempt

    def look(self, now: int) -> None:
        """Take in what is new, reckon what has ended, and write the lines about it."""
        for part in (self.claims, self.events, self._reckoner, self.lines):
            self._attempt(part.look, now)

    def health(self) -> dict[str, Any]:
        """How the exchange goes: what could not be read or written, and what waits."""
        return {
            "bad_lines": self.events.bad_lines(),
            "unreadable": self.events.unreadable,
            "bad_files": sorted(self.claims.bad_files),
            "unwritten": {path: each.error for path, each in self.lines.troubles.items()},
            "comments_waiting": self.comments.waiting,
            "comments_failing": self.comments.failing,
        }
