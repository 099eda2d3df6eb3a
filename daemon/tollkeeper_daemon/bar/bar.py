"""The bar: judges what was used, carries out what the limits ask for, and tells it."""

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from msgspec.structs import replace

from tollkeeper.model import ActionKind, LimitAction
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.bar import words
from tollkeeper_daemon.bar.buttons import buttons_of
from tollkeeper_daemon.bar.hands import CarriedOut, Hands
from tollkeeper_daemon.bar.journal import Cause, Journal
from tollkeeper_daemon.budgets.board import Board, Stand
from tollkeeper_daemon.budgets.memories import Key, Memories
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.pipeline import Outcome, Pipeline
from tollkeeper_daemon.rules.judge import highest_passed, judge
from tollkeeper_daemon.rules.limits import (
    REACHED,
    Limit,
    Scope,
    Used,
    Verdict,
    is_stricter,
    strictest,
)
from tollkeeper_daemon.rules.terms import Memory

log = logging.getLogger(__name__)

UNSAVED = "what was done of limits can't be saved"
WENT_ON = "It went on while its tool calls were refused."
HOLDING: tuple[ActionKind, ...] = ("paused", "blocked")


class Due(NamedTuple):
    """An agent that limits ask to be dealt with: these, for the first time, and how."""

    agent: LiveAgent
    stands: list[Stand]
    action: LimitAction

    @property
    def keys(self) -> set[Key]:
        """The limits, as they are remembered."""
        return {key_of(stand.limit) for stand in self.stands}

    @property
    def causes(self) -> list[Stand]:
        """Why it is dealt with: no limit that only warns holds anybody."""
        return [each for each in self.stands if each.limit.action != "warn"] or self.stands


class Deed(NamedTuple):
    """What was done to an agent that was due."""

    due: Due
    done: CarriedOut

    @property
    def agent(self) -> str:
        """The agent's id."""
        return self.due.agent.record.id

    @property
    def is_done(self) -> bool:
        """Whether it is dealt with; what can't be done now is tried again at the next look."""
        return self.done.kind != "failed"


class Bar:
    """Everything from a charge to an action.

    It is closed, and acts on nothing, until ``begin``: what is read before that is judged once, as
    a whole. What a home holds when it is first followed is history, and moves no rule.
    ``look_at_clock`` begins the day of this time (ms): a person's word is of the day it is said on.
    """

    def __init__(
        self,
        board: Board,
        memories: Memories,
        hands: Hands,
        journal: Journal,
        roster: Roster,
        pipeline: Pipeline,
        herald: Herald,
        is_new: bool,
    ) -> None:
        self.board = board
        self.memories = memories
        self.hands = hands
        self.journal = journal
        self.herald = herald
        self._roster = roster
        self._pipeline = pipeline
        self.look_at_clock: Callable[[int], object] = lambda now: None
        self.is_new = is_new
        self.is_open = False
        self.in_history = False
        self._is_busy = False
        self._failures: set[tuple[str, str]] = set()

    def begin(self, now: int) -> None:
        """The history is read: from now on everything counts."""
        self.is_open, self.is_new = True, False
        self.look(now)

    def take_up(self, now: int) -> None:
        """Go on with what an earlier daemon left undone.

        What it booked before it had read all history is history, too.
        """
        with self._by_itself("who was being paused can't be looked after"):
            self.hands.holds.take_up()
        if self.is_new:
            self._excuse({scope: self.board.used(scope) for scope in self.board.current()}, now)

    @contextlib.contextmanager
    def history(self, now: int) -> Generator[None]:
        """What is booked inside is history: nothing of it counts, and nothing is judged by it.

        It is taken off the day of now: no other one may begin ``in_history``.
        """
        before = {scope: self.board.spent(scope) for scope in self.board.current()}
        was_busy, self._is_busy = self._is_busy, True
        was_in, self.in_history = self.in_history, True
        try:
            with self._pipeline.history():
                yield
        finally:
            self._is_busy, self.in_history = was_busy, was_in
            self._excuse(
                {scope: self.board.spent(scope) - spent for scope, spent in before.items()}, now
            )

    def _excuse(self, used: dict[Scope, Used], now: int) -> None:
        if more := {scope: each for scope, each in used.items() if each != Used()}:
            with self.saving():
                self.memories.excuse(more, now)

    # The river.

    def charged(self, outcome: Outcome, now: int) -> None:
        """A log has just told of this: judge it at once.

        What is only moved from one book to another is no reply.
        """
        replies: Counter[str] = Counter()
        for book, totals in outcome.charged:
            replies[book.agent] += totals.requests
        went_on = [
            agent
            for agent in outcome.agents
            if replies[agent.record.id] > 0 and self.hands.holds.is_held(agent, "blocked")
        ]
        for agent in went_on:
            self._hold_harder(agent, now)
        self.look(now)

    def _hold_harder(self, agent: LiveAgent, now: int) -> None:
        """Freeze a blocked agent: refusing its tool calls did not hold it, it was given replies.

        But one that somebody else let go on, with no daemon running, goes on.
        """
        if self.hands.lets_go_of_lifted(agent):
            return
        holding = [each for each in self.board.reached_by(agent) if each.limit.action != "warn"]
        due = Due(agent, holding, "pause")
        self._tell_deed(Deed(due, self._carry_out(due, [WENT_ON], now)), is_late=True)

    def look(self, now: int) -> None:
        """Judge every limit in force, and carry out what is news."""
        # What is done to an agent is told at once, and who hears of it asks for a look in turn.
        if not self.is_open or self._is_busy:
            return
        self._is_busy = True
        try:
            self._look(now)
        finally:
            self._is_busy = False

    def _look(self, now: int) -> None:
        stands = self.board.stands()
        totals = {stand.limit.scope: self.board.used(stand.limit.scope) for stand in stands}
        verdicts = judge(totals, [stand.limit for stand in stands], now)
        deeds = self._enforce([stand for stand in stands if stand.is_reached], now)
        changed = self._remember(stands, deeds, now)
        for verdict in verdicts:
            key = key_of(verdict.limit)
            self._tell(verdict, [deed for deed in deeds if key in deed.due.keys])
        news = {key_of(verdict.limit) for verdict in verdicts}
        for deed in deeds:
            self._tell_deed(deed, is_late=not deed.due.keys & news)
        self._check(now)
        self._mark_near([stand for stand in stands if stand.is_near])
        if changed:
            self.herald.limits_changed()

    def _check(self, now: int) -> None:
        for agent in list(self._roster.agents.values()):
            with self._by_itself(f"{agent.record.name} can't be looked after"):
                self.hands.check(agent, now)
        with self._by_itself("agents that are gone can't be forgotten"):
            known = self._roster.agents.keys() | self._roster.out_of_sight
            self.hands.forget_the_gone(known)
        with self.saving():
            self.hands.holds.save()

    @contextlib.contextmanager
    def _by_itself(self, failure: str) -> Generator[None]:
        """What fails in here keeps nothing else from its turn: it is told once, and tried again."""
        try:
            yield
        except Exception as error:
            log.exception("%s", failure)
            self.herald.alert_once("failed", f"{failure} ({error}): see tolld.log")

    def _mark_near(self, near: list[Stand]) -> None:
        """Let the hooks of those wait a moment whose next reply may cross a limit that holds them."""
        agents = self._roster.alive() if near else []
        self.hands.holds.mark_near(
            {
                agent.record.conversation
                for agent in agents
                if any(self.board.binds(stand.limit, agent) for stand in near)
            }
        )

    def _enforce(self, reached: list[Stand], now: int) -> list[Deed]:
        """Deal with every agent that a reached limit binds and was not carried out on yet."""
        dues = [due for agent in self._roster.alive() if (due := self._due(agent, reached))]
        self.hands.halt([due.agent for due in dues if due.action == "pause"])
        reasons = [[self.describe(stand) for stand in due.causes] for due in dues]
        return [
            Deed(due, self._carry_out(due, because, now))
            for due, because in zip(dues, reasons, strict=True)
        ]

    def _carry_out(self, due: Due, reasons: Sequence[str], now: int) -> CarriedOut:
        try:
            return self.hands.carry_out(due.action, due.agent, reasons, now)
        except Exception as error:
            log.exception("%s can't be dealt with", due.agent.record.name)
            return CarriedOut("failed", f"Something went wrong ({error}): see tolld.log.")

    def _due(self, agent: LiveAgent, reached: list[Stand]) -> Due | None:
        if self.hands.holds.is_held(agent, "stopping"):
            return None  # It is on its way out, and can't go it frozen.
        stands = [stand for stand in reached if self._is_due(stand.limit, agent)]
        action = strictest(stand.limit.action for stand in stands)
        return Due(agent, stands, action) if stands else None

    def _is_due(self, limit: Limit, agent: LiveAgent) -> bool:
        acted = self.memories.of(key_of(limit)).acted
        done = acted.get(agent.record.id)
        is_news = done is None or is_stricter(limit.action, done)
        return is_news and self.board.binds(limit, agent)

    def _remember(self, stands: list[Stand], deeds: list[Deed], now: int) -> bool:
        """Keep what was told and done; a limit that was raised starts anew. Whether any changed."""
        changed: dict[Key, Memory] = {}
        for stand in stands:
            key, passed = key_of(stand.limit), highest_passed(stand.limit, stand.used)
            known = self.memories.of(key)
            acted = dict(known.acted) if passed >= REACHED else {}
            done = (deed for deed in deeds if key in deed.due.keys and deed.is_done)
            acted.update((deed.agent, stand.limit.action) for deed in done)
            memory = replace(known, told=passed, acted=acted)
            if memory != known:
                changed[key] = memory
        with self.saving():
            self.memories.remember(changed, now)
        return bool(changed)

    def saving(self) -> AbstractContextManager[None]:
        """What can't be saved in here holds all the same: that is told, and the next look tries again."""
        return self._by_itself(UNSAVED)

    @property
    def is_saved(self) -> bool:
        """Whether the next daemon would know all that was done."""
        return self.memories.is_saved and self.hands.holds.is_saved

    def describe(self, stand: Stand) -> str:
        """That the limit is reached, in a sentence."""
        return words.reached(stand, self._name(stand.limit))

    def note_limit(
        self,
        kind: ActionKind,
        text: str,
        scope: Scope,
        stand: Stand | None,
        cause: Cause = "person",
    ) -> None:
        """A limit was changed."""
        agent = self._roster.agents.get(scope.name) if scope.kind == "agent" else None
        self.journal.note(kind, text, cause, agent, stand, self.board.scope_name(scope))
        self.herald.limits_changed()
        if agent:
            self.herald.agent("agent.changed", agent)

    # Telling.

    def _tell(self, verdict: Verdict, done: list[Deed]) -> None:
        stand, limit = Stand(verdict.limit, verdict.used), verdict.limit
        name, scope = self._name(limit), self.board.scope_name(limit.scope)
        of = self._roster.agents.get(limit.scope.name) if limit.scope.kind == "agent" else None
        if not verdict.is_reached:
            text = words.warned(stand, name)
            self.journal.note("warned", text, "limit", of, stand, scope)
            self.herald.alert("warned", text, of, limit=scope)
            return
        names: dict[str, ActionKind | None] = {
            each.due.agent.record.name: each.done.kind for each in done
        }
        text = words.reached(stand, name, names)
        self.journal.note("reached", text, "limit", of, stand, scope)
        held = any(each.done.kind in HOLDING for each in done)
        self.herald.alert("reached", text, of, buttons_of(limit) if held else (), scope)

    def _tell_deed(self, deed: Deed, is_late: bool) -> None:
        """What was done to an agent; an alert when it came under a limit that was reached before."""
        agent, (kind, why) = deed.due.agent, deed.done
        if kind is None or not self._is_news(deed):
            return
        text = words.happened(agent.record.name, kind, why)
        stand = next(iter(deed.due.causes), None)
        if kind != "stopped":  # Of that is told when the agent is gone.
            scope = self.board.scope_name(stand.limit.scope) if stand else ""
            self.journal.note(kind, text, "limit", agent, stand, scope)
        if is_late or kind == "failed":
            alert = "failed" if kind == "failed" else "paused"
            buttons = buttons_of(stand and stand.limit) if kind in HOLDING else ()
            self.herald.alert(alert, text, agent, buttons)

    def _is_news(self, deed: Deed) -> bool:
        """What fails again and again for the same reason is told once."""
        failure = (deed.agent, deed.done.why)
        if deed.is_done:
            self._failures = {each for each in self._failures if each[0] != deed.agent}
            return True
        is_news = failure not in self._failures
        self._failures.add(failure)
        return is_news

    def _name(self, limit: Limit) -> str:
        return self.board.agent_name(limit.scope)


def key_of(limit: Limit) -> Key:
    """What the limit is remembered under."""
    return limit.scope, limit.unit
