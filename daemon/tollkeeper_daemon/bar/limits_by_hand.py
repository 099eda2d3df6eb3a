"""People's words about limits: what there are, one set, one taken back."""

from collections.abc import Iterable
from typing import cast

from msgspec import Struct
from msgspec.structs import replace

from tollkeeper import model
from tollkeeper.model import HoldKind, LimitAction
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.bar import words
from tollkeeper_daemon.bar.bar import Bar, key_of
from tollkeeper_daemon.budgets.board import WATCHED, Board, Stand
from tollkeeper_daemon.budgets.memories import Key, Memories
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.rules.limits import Scope, Unit
from tollkeeper_daemon.rules.over import is_unused
from tollkeeper_daemon.rules.terms import NOTHING, Own
from tollkeeper_daemon.tally import dollars

# More than anybody sets by hand, and few enough to judge in a millisecond.
MOST_BY_HAND = 1_000


class Effect(Struct, frozen=True):
    """What a limit asks for at once with an agent that has used it up; ``held`` is how it is now."""

    agent: str
    pid: int
    action: LimitAction
    text: str
    held: HoldKind | None


class ByHand(Struct, frozen=True, kw_only=True):
    """A limit as it was set, and raised since; without an action it is the settings' own, a bound of 0 is none.

    ``in_force`` says whether it is among those that are: not without a bound, nor of whom is gone.
    """

    scope: str
    bound_usd: float | None
    bound_tokens: int | None
    action: LimitAction | None
    in_force: bool


class LimitsByHand:
    """Sets and clears limits, or only says what that would do."""

    def __init__(
        self, bar: Bar, board: Board, memories: Memories, pipeline: Pipeline, roster: Roster
    ) -> None:
        self._bar = bar
        self._board = board
        self._memories = memories
        self._pipeline = pipeline
        self._roster = roster

    def restore(self) -> None:
        """Watch what the limits of an earlier daemon bound."""
        scopes = {scope for scope, _ in self._memories.own if scope.kind in WATCHED}
        if scopes:
            self._pipeline.watch((scope.kind, scope.name) for scope in scopes)

    def forget_unused(self, now: int) -> None:
        """Take back the limits on work that is over, so that there is always room for others."""
        touched: dict[Scope, int] = {}
        for (scope, _), at in self._memories.touched.items():
            touched[scope] = max(at, touched.get(scope, 0))
        unused = {scope for scope, at in touched.items() if self._is_unused(scope, at, now)}
        with self._bar.saving():
            self._memories.forget(unused, now)
        for scope in unused:
            self._unwatch(scope)
            text = words.forgotten(scope)
            self._bar.note_limit("limit-cleared", text, scope, None, "limit")

    def _is_unused(self, scope: Scope, touched: int, now: int) -> bool:
        if scope.kind not in WATCHED:
            return False
        there = (getattr(agent.record, scope.kind) for agent in self._roster.alive())
        spent = self._pipeline.watched.last_spent(scope.kind, scope.name)
        return scope.name not in there and is_unused(touched, spent, now)

    def all(self) -> list[model.Limit]:
        """Every limit in force."""
        return [self._board.view(stand) for stand in self._board.stands()]

    def by_hand(self) -> list[ByHand]:
        """The limits that were set by hand, also those of what does not run now."""
        in_force = {key_of(stand.limit) for stand in self._board.stands()}
        return [
            self._by_hand(
                (scope, unit),
                own,
                any((each, unit) in in_force for each in self._board.instances(scope)),
            )
            for (scope, unit), own in self._memories.own.items()
        ]

    def _by_hand(self, key: Key, own: Own, in_force: bool) -> ByHand:
        scope, unit = key
        bound = own.bound + self._memories.of(key).granted
        return ByHand(
            scope=self._board.scope_name(scope),
            bound_usd=dollars(bound) if unit == "usd" else None,
            bound_tokens=bound if unit == "tokens" else None,
            action=own.action,
            in_force=in_force,
        )

    def agents_by_hand(self) -> set[str]:
        """The ids of the agents whose own limits were set by hand, also of those that have ended."""
        return {scope.name for scope, _ in self._memories.own if scope.kind == "agent"}

    def is_full(self, scope: Scope, unit: Unit) -> bool:
        """Whether one more would be too many; each is looked at with every reply."""
        return len(self._memories.own) >= MOST_BY_HAND and (scope, unit) not in self._memories.own

    def weigh(self, scope: Scope, unit: Unit, own: Own) -> tuple[model.Limit | None, list[Effect]]:
        """How such a limit would stand, and whom it would stop now; it is not set."""
        was_watched = self._is_watched(scope)
        self._watch(scope)
        stand = self._board.stand_if(scope, unit, own)
        effects = [self._effect(stand, agent) for agent in self._hit(stand)] if stand else []
        if not was_watched:
            self._unwatch(scope)
        return stand and self._anew(stand, by_hand=True), effects

    def set(
        self, scope: Scope, unit: Unit, own: Own, now: int
    ) -> tuple[model.Limit | None, list[Effect]]:
        """Set the limit: what it stops is stopped now."""
        self._bar.look_at_clock(now)
        self._watch(scope)
        stand = self._board.stand_if(scope, unit, own)
        hit = self._hit(stand) if stand else []
        with self._bar.saving():
            self._memories.set_own(scope, unit, own, now)
        self._begin_anew(scope, unit, now)
        bound = words.amount(unit, own.bound) if own.bound else "none"
        name = words.whose(scope, self._board.agent_name(scope))
        text = f"{words.upper(name)} was set to {bound}."
        self._bar.note_limit("limit-set", text, scope, stand)
        self._bar.look(now)
        effects = [self._effect(stand, agent) for agent in hit] if stand else []
        return stand and self._board.view(stand), effects

    def set_in(self, scope: Scope, units: Iterable[Unit]) -> list[Unit]:
        """In which of these units there is a limit on this scope that was set by hand."""
        return [unit for unit in units if (scope, unit) in self._memories.own]

    def weigh_clearing(
        self, scope: Scope, units: Iterable[Unit]
    ) -> tuple[list[model.Limit], list[Effect]]:
        """What would hold instead, and whom it would stop now; nothing is cleared."""
        stands = self._instead(scope, units)
        effects = [self._effect(stand, agent) for stand in stands for agent in self._hit(stand)]
        return [self._anew(stand, by_hand=False) for stand in stands], effects

    def clear(
        self, scope: Scope, units: Iterable[Unit], now: int
    ) -> tuple[list[model.Limit], list[Effect]]:
        """Take these back: what the settings or the agent itself ask for holds again, from now on."""
        self._bar.look_at_clock(now)
        units = list(units)
        stands = self._instead(scope, units)
        hit = [(stand, agent) for stand in stands for agent in self._hit(stand)]
        for unit in units:
            with self._bar.saving():
                self._memories.clear_own(scope, unit, now)
            self._begin_anew(scope, unit, now)
            name = words.whose(scope, self._board.agent_name(scope))
            text = f"{words.upper(name)} in {'dollars' if unit == 'usd' else unit} was cleared."
            self._bar.note_limit("limit-cleared", text, scope, None)
        if not self._is_watched(scope):
            self._unwatch(scope)
        self._bar.look(now)
        effects = [self._effect(stand, agent) for stand, agent in hit]
        return [self._board.view(stand) for stand in stands], effects

    def _anew(self, stand: Stand, by_hand: bool) -> model.Limit:
        """The limit as it would be shown when it begins anew."""
        return replace(self._board.view(stand), waived=False, by_hand=by_hand)

    def _instead(self, scope: Scope, units: Iterable[Unit]) -> list[Stand]:
        """What holds in their place; nothing does of an agent that has ended."""
        alive = {agent.record.id for agent in self._roster.alive()}
        if scope.kind == "agent" and scope.name not in alive:
            return []
        found = (self._board.stand_without(scope, unit) for unit in units)
        return [stand for stand in found if stand]

    def _begin_anew(self, scope: Scope, unit: Unit, now: int) -> None:
        """Nothing was told or done of this limit yet; also of those of the run and the day of now."""
        keys: list[Key] = [(each, unit) for each in self._board.instances(scope)]
        with self._bar.saving():
            self._memories.remember(dict.fromkeys(keys, NOTHING), now)

    def _effect(self, stand: Stand, agent: LiveAgent) -> Effect:
        record, hold = agent.record, self._bar.hands.holds.of(agent)
        return Effect(
            agent=record.name,
            pid=record.pid,
            action=stand.limit.action,
            text=self._bar.describe(stand),
            held=cast(HoldKind, hold.kind) if hold else None,
        )

    def _hit(self, stand: Stand) -> list[LiveAgent]:
        if not stand.is_reached:
            return []
        return [each for each in self._roster.alive() if self._board.binds(stand.limit, each)]

    def _is_watched(self, scope: Scope) -> bool:
        return any(own == scope for own, _ in self._memories.own)

    def _watch(self, scope: Scope) -> None:
        if scope.kind in WATCHED and not self._pipeline.watched.has(scope.kind, scope.name):
            self._pipeline.watch([(scope.kind, scope.name)])

    def _unwatch(self, scope: Scope) -> None:
        self._pipeline.watched.end(scope.kind, scope.name)
