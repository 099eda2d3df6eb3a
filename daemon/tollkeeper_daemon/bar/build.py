"""The budgets of a daemon: puts the bar and its parts together, and is the one door to them."""

import logging
from collections.abc import Callable
from typing import cast

from tollkeeper import frozen
from tollkeeper.frozen import FrozenAgent, FrozenFileError
from tollkeeper.model import Hold, HoldKind
from tollkeeper.paths import Paths
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.bar import words
from tollkeeper_daemon.bar.agents_by_hand import AgentsByHand
from tollkeeper_daemon.bar.bar import HOLDING, Bar
from tollkeeper_daemon.bar.grants import Grants
from tollkeeper_daemon.bar.hands import Hands
from tollkeeper_daemon.bar.holds import Holds
from tollkeeper_daemon.bar.journal import Journal
from tollkeeper_daemon.bar.limits_by_hand import LimitsByHand
from tollkeeper_daemon.budgets.board import Board
from tollkeeper_daemon.budgets.memories import Memories
from tollkeeper_daemon.clock import iso, now_ms
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.outlets.denials import Denials
from tollkeeper_daemon.outlets.notices import Notice
from tollkeeper_daemon.outlets.signals import Signals
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.rules.limits import Scope
from tollkeeper_daemon.rules.over import days_over
from tollkeeper_daemon.rules.settings import Limits
from tollkeeper_daemon.store.store import Store

log = logging.getLogger(__name__)

# When the first history was read (ms): from then on everything that is used counts.
WATCHED_SINCE = "watched_since"


class Budgets:
    """The bar, people's words to it, and the journal of both.

    ``settings`` are those of ``[limits]`` now, ``look_at`` looks at once how an agent is. ``on_held`` is
    called when anybody is held otherwise than before.
    """

    def __init__(
        self,
        store: Store,
        memories: Memories,
        board: Board,
        pipeline: Pipeline,
        roster: Roster,
        herald: Herald,
        paths: Paths,
        settings: Callable[[], Limits],
        look_at: Callable[[LiveAgent], None],
        signals: Signals | None = None,
    ) -> None:
        self.on_held: Callable[[], object] = lambda: None
        self._store = store
        self._roster = roster
        self._memories = memories
        self._board = board
        self._paths = paths
        self._signals = signals or Signals()
        self._herald = herald
        self._kinds: dict[str, str] = {}
        self.journal = Journal(store, herald.acted)
        self._holds = Holds(store, self._signals, Denials(paths.deny), self._holds_changed)
        herald.hold_of = self.hold_of
        self._hands = Hands(
            self._holds,
            self._signals,
            self.journal,
            look_at,
            lambda: settings().grace_seconds,
            herald.alert,
            frozen.read_freed(paths.frozen),
        )
        is_new = store.read(lambda transaction: transaction.meta(WATCHED_SINCE)) is None
        self.bar = Bar(board, memories, self._hands, self.journal, roster, pipeline, herald, is_new)
        self._grants = Grants(self.bar, roster)
        self.agents = AgentsByHand(self.bar, self._grants, roster, self._signals)
        self.limits = LimitsByHand(self.bar, board, memories, pipeline, roster)
        self.limits.restore()

    def press(self, notice: Notice, button: str) -> None:
        """A button of a notification was pressed."""
        self.agents.press(notice, button, now_ms())

    def limits_moved(self, now: int) -> None:
        """Settings or the day are others: who is held stays held, and is offered if it has room now."""
        if not self.bar.is_open:
            return
        self.bar.look(now)
        self._grants.offer()

    def begin(self, now: int) -> None:
        """The history is read: from now on the limits act."""
        if self._store.read(lambda transaction: transaction.meta(WATCHED_SINCE)) is None:
            self._store.write(lambda transaction: transaction.set_meta(WATCHED_SINCE, now))
        self.limits.forget_unused(now)
        self.bar.begin(now)
        self._write_frozen()

    def begin_if_known(self, now: int) -> bool:
        """Whether the limits act though not all could be read: of a known ledger the rest counts too."""
        if not self.bar.is_open and not self.bar.is_new:
            self.begin(now)
        return self.bar.is_open

    async def stop(self) -> None:
        """Act no more; who is held stays held."""
        await self._hands.close()
        self._holds.mark_near(set())

    def offered(self) -> list[str]:
        """The names of agents that a limit holds, which has room again: a person may resume them."""
        return [agent.record.name for agent in self._grants.with_room()]

    def held(self) -> dict[str, str]:
        """The names of all agents that are held, and how: ``paused``, ``blocked``, ``stopping``."""
        return {
            agent.record.name: record.kind
            for agent in self._roster.alive()
            if (record := self._holds.of(agent))
        }

    def hold_of(self, agent: LiveAgent) -> Hold | None:
        """How this agent is held, as it is shown."""
        record = self._holds.of(agent)
        if record is None:
            return None
        kind = cast(HoldKind, record.kind)
        return Hold(kind=kind, since=iso(record.since), reason=words.why(record.reason))

    def frozen(self) -> tuple[FrozenAgent, ...]:
        """The agents that are paused or blocked, with what it takes to free them."""
        return tuple(
            FrozenAgent(
                id=agent.record.id,
                name=agent.record.name,
                pid=agent.record.pid,
                processes=record.processes,
                at=iso(record.since),
                reason=record.reason,
                in_shell=self._signals.in_shell(agent.record.id),
                conversation=agent.record.conversation,
                denied=record.denied,
            )
            for agent in self._roster.alive()
            if (record := self._holds.of(agent)) and record.kind in HOLDING
        )

    def begin_day(self, now: int) -> None:
        """Forget what is over for good: days and runs, agents that left the list, limits on old work."""
        current = set(self._board.current())
        scopes = {scope for scope in self._memories.scopes() if scope.name}
        current |= {Scope("agent", agent) for agent in self._roster.out_of_sight}
        days = {scope.name for scope in scopes if scope.kind == "daily"}
        over = {Scope("daily", day) for day in days_over(days, self._board.day)}
        over |= {scope for scope in scopes if scope.kind in ("agent", "run")} - current
        with self.bar.saving():
            self._memories.forget(over, now)
        if self.bar.is_open:  # Else what was spent of late may not be read yet.
            self.limits.forget_unused(now)
        self.limits_moved(now)

    def _holds_changed(self) -> None:
        """Keep the file in step, and tell of those whose processes look as before."""
        self._write_frozen()
        alive = {agent.record.id: agent for agent in self._roster.alive()}
        before = self._kinds
        self._kinds = {id: each.kind for id, each in self._holds.records.items() if id in alive}
        for id, agent in alive.items():
            if _is_unseen(agent, before.get(id), self._kinds.get(id)):
                self._herald.agent("agent.changed", agent)
        self.on_held()

    def _write_frozen(self) -> None:
        """Leave a way to free them without a daemon."""
        try:
            frozen.write(self._paths.frozen, self.frozen())
        except FrozenFileError as error:
            log.warning("%s", error)


def _is_unseen(agent: LiveAgent, before: str | None, now: str | None) -> bool:
    """Whether an agent is held otherwise than before, and no look at its process would show that.

    Who is paused is seen to stop. Who was let go by somebody else was seen to run before that.
    """
    if before == now:
        return False
    return "blocked" in (before, now) or (now is None and not agent.stopped)
