"""Holds agents and lets them go: frozen, or with their tool calls refused; remembered over restarts."""

import contextlib
import logging
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from tollkeeper.model import HoldKind
from tollkeeper.signals import SignalRefused
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.bar.journal import Cause
from tollkeeper_daemon.outlets.denials import Denials
from tollkeeper_daemon.outlets.signals import Signals
from tollkeeper_daemon.store.schema import HoldRecord
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

log = logging.getLogger(__name__)


class Holds:
    """Every agent that is held.

    An effect comes before its record: after a crash between the two it is simply done again, where a
    record without its effect would let an agent run on. What can't be saved holds all the same, and
    ``save`` tries again. ``changed`` is called after each change.
    """

    def __init__(
        self, store: Store, signals: Signals, denials: Denials, changed: Callable[[], None]
    ) -> None:
        self._store = store
        self._signals = signals
        self._denials = denials
        self._changed = changed
        self._unsaved: set[str] = set()
        records = store.read(lambda transaction: transaction.bar.holds())
        self.records = {record.agent: record for record in records}
        is_whole = self._denials.is_there()
        self._denials.keep_only({each.denied for each in records if each.denied})
        for each in records:
            # A file that is gone alone was removed by whom let the agent go: that is seen later.
            if each.denied and not (is_whole and self._denials.allows(each.denied)):
                self._denials.deny(each.denied, each.reason)

    def of(self, agent: LiveAgent) -> HoldRecord | None:
        """How this agent is held."""
        return self.records.get(agent.record.id)

    def is_held(self, agent: LiveAgent, kind: HoldKind) -> bool:
        """Whether the agent is held in this way."""
        record = self.of(agent)
        return record is not None and record.kind == kind

    def pause(self, agent: LiveAgent, reason: str, cause: Cause, now: int) -> None:
        """Freeze the agent and what it started; SignalRefused when that is not for us to do."""
        known, own = self.of(agent), agent.record.id
        self._signals.halt(own)
        processes = tuple(dict.fromkeys((own, *(known.processes if known else ()))))
        record = HoldRecord(own, "paused", now, reason, cause, processes)
        self._freeze_below(replace(record, denied=known.denied if known else ""))

    def _freeze_below(self, record: HoldRecord) -> None:
        """Freeze what a halted agent started; no tool call need be refused to it any more."""

        def note(others: Sequence[str]) -> None:
            # First: else nobody would know, after a crash, who froze those that follow.
            left = tuple(each for each in others if each not in record.processes)
            self._keep(replace(record, freezing=True, others=left))

        frozen = self._signals.freeze_below(record.agent, note)
        record = replace(record, processes=tuple(dict.fromkeys((*record.processes, *frozen))))
        # First: a refusal that is gone while the agent is noted as blocked was lifted by somebody.
        self._keep(record)
        self._refuse_no_more(record)

    def _refuse_no_more(self, record: HoldRecord) -> None:
        """A frozen agent need not be refused tools as well."""
        if record.denied and self._allowed(record):
            self._keep(replace(record, denied=""))

    def take_up(self) -> None:
        """Go on with what an earlier daemon died over: it froze what is frozen below such an agent."""
        for record in [each for each in self.records.values() if each.freezing]:
            frozen = set(self._signals.frozen_below(record.agent)) - set(record.others)
            processes = tuple(dict.fromkeys((*record.processes, *sorted(frozen))))
            record = replace(record, processes=processes, freezing=False, others=())
            if self._signals.runs(record.agent):
                self._keep(record)  # Somebody let it go on: so will what is frozen with it.
            else:
                self._freeze_below(record)
        for record in [each for each in self.records.values() if each.kind == "paused"]:
            self._refuse_no_more(record)

    def block(self, agent: LiveAgent, reason: str, now: int) -> bool:
        """Have Claude Code refuse the agent's tool calls; False when its conversation has no file."""
        conversation = agent.record.conversation
        if not self._denials.deny(conversation, reason):
            return False
        record = HoldRecord(agent.record.id, "blocked", now, reason, "limit", denied=conversation)
        self._keep(record)
        return True

    def mark_near(self, conversations: set[str]) -> None:
        """These are near a limit that would hold them."""
        self._denials.mark_near(conversations)

    def is_lifted(self, agent: LiveAgent) -> bool:
        """Whether somebody removed the refusal of a blocked agent, as ``toll resume`` with no daemon does."""
        record = self.of(agent)
        if record is None or record.kind != "blocked" or not record.denied:
            return False
        # With the whole folder gone nobody lifted anything: the daemon ends, the next one mends it.
        return self._denials.is_there() and self._denials.allows(record.denied)

    def follow(self, agent: LiveAgent) -> None:
        """A blocked agent turned to another conversation: that one is refused instead."""
        record, conversation = self.of(agent), agent.record.conversation
        if record is None or record.denied in ("", conversation):
            return
        # What the record names is refused at any time, or else somebody has lifted it.
        if self._denials.deny(conversation, record.reason):
            self._keep(replace(record, denied=conversation))
            self._allowed(record)

    def release(self, agent: LiveAgent) -> HoldRecord | None:
        """Let the agent go on; how it was held, None when it was not.

        SignalRefused when it can't be signalled any more: it stays held then.
        """
        record = self.of(agent)
        if record is not None:
            self._open(record)
            self._drop(record)
        return record

    def thaw(self, agent: LiveAgent) -> None:
        """Let an agent go on that somebody else froze, or that was frozen with one it descends from.

        SignalRefused when it can't be signalled.
        """
        self._signals.thaw(self._left_to(agent.record.id, (agent.record.id,)))

    def begin_stopping(self, agent: LiveAgent, reason: str, cause: Cause, now: int) -> HoldRecord:
        """The agent is about to be stopped; remembered, with its family, until that has ended."""
        known, own = self.of(agent), agent.record.id
        frozen = self._left_to(known.agent, known.processes) if known else ()
        denied = known.denied if known and not self._allowed(known) else ""
        family = (own, *(known.family if known else ()), *sorted(self._signals.family_of(own)))
        record = HoldRecord(own, "stopping", now, reason, cause, frozen, denied)
        record = replace(record, family=tuple(dict.fromkeys(family)))
        self._keep(record)
        return record

    def let_go(self, agent: str) -> None:
        """Somebody else thawed this agent: what it started goes on as well."""
        if record := self.records.get(agent):
            others = tuple(each for each in record.processes if each != agent)
            with contextlib.suppress(SignalRefused):
                left = self._left_to(agent, others)
                self._signals.thaw([each for each in left if each != agent])
            self._allowed(record)
            self._drop(record)

    def forget(self, agent: str) -> None:
        """The agent with this id is gone: what it started goes on."""
        if record := self.records.get(agent):
            with contextlib.suppress(SignalRefused):
                self._open(record)
            self._drop(record)

    def _open(self, record: HoldRecord) -> None:
        self._signals.thaw(self._left_to(record.agent, record.processes))
        if not self._allowed(record):
            raise SignalRefused("its tool calls can't be allowed again: see tolld.log")

    def _allowed(self, record: HoldRecord) -> bool:
        """Let the conversation that is refused use tools again, if any; whether that could be done."""
        if not record.denied:
            return True
        try:
            self._denials.allow(record.denied)
        except OSError:
            log.exception("can't allow the tools of %s", record.denied)
            return False
        for other in list(self.records.values()):
            if other.denied == record.denied and other.agent != record.agent:
                # Another agent in the same conversation: nothing refuses it, but nobody let it go on.
                self._keep(replace(other, denied=""))
        return True

    def _left_to(self, agent: str, frozen: Sequence[str]) -> tuple[str, ...]:
        """What is to go on with this agent, with which so much was frozen.

        What it started may have been frozen with one that it descends from. Agents among it that
        are paused themselves stay as they are, and keep what they started: also when the one between
        them, or this agent, is gone, so that they don't descend from it any more.
        """
        family = self._signals.family_of(agent)
        records = list(self.records.values())
        with_others = (each for record in records for each in record.processes if each in family)
        left = tuple(dict.fromkeys((*frozen, *with_others)))
        for other in records:
            if other.agent == agent or other.kind != "paused":
                continue
            below = other.agent in family or other.agent in frozen
            if below or not set(left).isdisjoint(other.processes):
                own = self._signals.family_of(other.agent)
                if agent in own:
                    continue
                theirs = (*other.processes, *(each for each in left if each in own))
                self._keep(replace(other, processes=tuple(dict.fromkeys(theirs))))
                left = tuple(each for each in left if each not in own)
        return left

    def _keep(self, record: HoldRecord) -> None:
        self.records[record.agent] = record
        self._save_now(record.agent)

    def _drop(self, record: HoldRecord) -> None:
        del self.records[record.agent]
        self._save_now(record.agent)

    @property
    def is_saved(self) -> bool:
        """Whether the store holds all of this."""
        return not self._unsaved

    def save(self) -> None:
        """Save what could not be saved yet; raises when that fails again."""
        if self._unsaved:
            self._store.write(self._save)
            self._unsaved.clear()

    def _save(self, transaction: Transaction) -> None:
        for agent in self._unsaved:
            if record := self.records.get(agent):
                transaction.bar.save_hold(record)
            else:
                transaction.bar.drop_hold(agent)

    def _save_now(self, agent: str) -> None:
        self._unsaved.add(agent)
        try:
            self.save()
        except Exception:
            log.exception("can't save how %s is held", agent)
        self._changed()
