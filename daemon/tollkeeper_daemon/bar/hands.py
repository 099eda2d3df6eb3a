"""The hands: does to an agent what a limit or a person asks for, and writes it into the journal."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from tollkeeper.model import ActionKind, AlertKind, LimitAction
from tollkeeper.signals import SignalRefused
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.bar import words
from tollkeeper_daemon.bar.holds import Holds
from tollkeeper_daemon.bar.journal import Cause, Journal
from tollkeeper_daemon.outlets.signals import Signals, Stopped
from tollkeeper_daemon.sources.hooks import has_hook
from tollkeeper_daemon.store.schema import HoldRecord

log = logging.getLogger(__name__)

# Until then a process that was frozen may still be seen running.
SETTLED_MS = 1_000
ELSEWHERE = "It was resumed by somebody else."
WITHOUT_DAEMON = "told so by a person, while no daemon ran."


class CarriedOut(NamedTuple):
    """What was done to an agent, None for nothing, and why, or why it could not be done."""

    kind: ActionKind | None
    why: str


class Hands:
    """Acts on single agents. ``look_at`` looks at once how an agent is, ``grace`` is in seconds.

    ``alert`` tells people what comes of a limit later, when nobody waits for it any more. ``freed`` are
    the ids of those whom a person let go on while no daemon ran.
    """

    def __init__(
        self,
        holds: Holds,
        signals: Signals,
        journal: Journal,
        look_at: Callable[[LiveAgent], None],
        grace: Callable[[], float],
        alert: Callable[[AlertKind, str, LiveAgent], None],
        freed: Iterable[str] = (),
    ) -> None:
        self.holds = holds
        self._signals = signals
        self._journal = journal
        self.look_at = look_at
        self._grace = grace
        self._alert = alert
        self._freed = set(freed)
        self._stopping: dict[str, asyncio.Task[str]] = {}

    async def close(self) -> None:
        """Wait for nobody any more; the next daemon goes on with those who did not stop yet."""
        for task in self._stopping.values():
            task.cancel()
        await asyncio.gather(*self._stopping.values(), return_exceptions=True)

    def halt(self, agents: Iterable[LiveAgent]) -> None:
        """Freeze these alone, before anything else is done: what they started follows."""
        for agent in agents:
            with contextlib.suppress(SignalRefused):
                self._signals.halt(agent.record.id)

    def carry_out(
        self, action: LimitAction, agent: LiveAgent, reasons: Sequence[str], now: int
    ) -> CarriedOut:
        """Do what limits ask for, because of these reasons; who calls tells it."""
        reason = " ".join(reasons)
        try:
            match action:
                case "warn":
                    return CarriedOut(None, reason)
                case "stop":
                    self._signals.check(agent.record.id)
                    self.stop(agent, reason, "limit", now)
                    return CarriedOut("stopped", reason)
                case "block" if self._block(agent, reasons, now):
                    kind = "blocked"
                case _:
                    self.holds.pause(agent, reason, "limit", now)
                    kind = "paused"
        except SignalRefused as refused:
            log.warning("%s was not touched: %s", agent.record.name, refused)
            return CarriedOut("failed", str(refused))
        self.look_at(agent)
        return CarriedOut(kind, reason)

    def pause(self, agent: LiveAgent, reason: str, cause: Cause, now: int) -> None:
        """Freeze the agent; SignalRefused when that is not for us to do."""
        self.holds.pause(agent, reason, cause, now)
        self._note("paused", agent, reason, cause)

    def _block(self, agent: LiveAgent, reasons: Sequence[str], now: int) -> bool:
        """Have its tool calls refused, if Claude Code asks us about them."""
        record = agent.record
        if not has_hook(Path(record.home), record.cwd):
            return False
        if self.holds.is_held(agent, "paused"):
            return False
        return self.holds.block(agent, words.denial(record.name, reasons), now)

    def release(self, agent: LiveAgent, text: str, cause: Cause) -> HoldRecord | None:
        """Let the agent go on; how it was held, None when it was not."""
        record = self.holds.of(agent)
        if record is None or record.kind == "stopping":
            return None
        self.holds.release(agent)
        self._note("unblocked" if record.kind == "blocked" else "resumed", agent, text, cause)
        return record

    def wake(self, agent: LiveAgent, text: str, cause: Cause) -> None:
        """Let go on who was frozen, but not held; SignalRefused when that is not for us to do."""
        self.holds.thaw(agent)
        self._note("resumed", agent, text, cause)

    def stop(self, agent: LiveAgent, reason: str, cause: Cause, now: int) -> "asyncio.Task[str]":
        """Stop the agent, SIGKILL after the grace period; the task ends when it has ended.

        The task's result says what went wrong, and is empty when nothing did.
        """
        known = self._stopping.get(agent.record.id)
        if known is not None:
            return known
        before = self.holds.of(agent)
        is_again = before is not None and before.kind == "stopping"
        record = self.holds.begin_stopping(agent, reason, cause, now)
        return self._begin(record.agent, self._stop(agent, record, is_again))

    def _begin(self, agent: str, work: Coroutine[Any, Any, str]) -> "asyncio.Task[str]":
        task = asyncio.get_running_loop().create_task(work)
        self._stopping[agent] = task
        task.add_done_callback(lambda _: self._stopping.pop(agent, None))
        return task

    async def _stop(self, agent: LiveAgent, record: HoldRecord, is_again: bool) -> str:
        cause = cast(Cause, record.cause)
        try:
            ended = await self._end(record, is_again)
        except SignalRefused as refused:
            self._fail(agent, str(refused), cause)
            return str(refused)
        self._note("killed" if ended.how == "killed" else "stopped", agent, record.reason, cause)
        return ""

    async def _end(self, record: HoldRecord, is_again: bool) -> Stopped:
        """End the agent and its family, which is forgotten then. SignalRefused when it can't be."""
        agent, frozen, family = record.agent, record.processes, record.family
        try:
            ended = await self._signals.stop(agent, frozen, self._grace(), family, is_again)
        except SignalRefused:
            self.holds.forget(record.agent)
            raise
        self.holds.forget(record.agent)
        return ended

    def check(self, agent: LiveAgent, now: int) -> None:
        """See whether a held agent is still held; called with each pulse, and when it changes."""
        record = self.holds.of(agent)
        if record is None:
            return
        if record.kind == "stopping":
            self._go_on_stopping(agent, record, now)
        elif agent.record.ended:
            self.holds.forget(agent.record.id)
        elif record.kind == "blocked":
            if not self.lets_go_of_lifted(agent):
                self.holds.follow(agent)
        elif not 0 <= now - record.since <= SETTLED_MS and self._signals.runs(agent.record.id):
            self._lets_go(agent, "resumed")

    def lets_go_of_lifted(self, agent: LiveAgent) -> bool:
        """Let go of a blocked agent whose refusal somebody else removed; whether it was one."""
        if not self.holds.is_lifted(agent):
            return False
        self._lets_go(agent, "unblocked")
        return True

    def _lets_go(self, agent: LiveAgent, kind: ActionKind) -> None:
        """The agent was let go on, and not by this daemon: so it is, and is told, unless a person did it."""
        self.holds.let_go(agent.record.id)
        if agent.record.id in self._freed:
            self._freed.remove(agent.record.id)
            self._note(kind, agent, WITHOUT_DAEMON, "person")
            return
        self._note(kind, agent, ELSEWHERE, "elsewhere")
        self._alert("paused", words.happened(agent.record.name, kind, ELSEWHERE), agent)

    def _go_on_stopping(self, agent: LiveAgent, record: HoldRecord, now: int) -> None:
        """Do what an earlier daemon began; who does it in this one also tells of it."""
        cause = cast(Cause, record.cause)
        if agent.record.id not in self._stopping:
            self.stop(agent, record.reason, cause, now)

    def forget_the_gone(self, known: Collection[str]) -> None:
        """Let go of what is remembered of agents that left long ago; only these are known."""
        for agent in self.holds.records.keys() - set(known) - self._stopping.keys():
            record = self.holds.records[agent]
            if record.kind == "stopping":
                self._begin(agent, self._end_rest(record))
            else:
                self.holds.forget(agent)

    async def _end_rest(self, record: HoldRecord) -> str:
        """End what an agent left behind that is not known any more; of it nothing is told."""
        with contextlib.suppress(SignalRefused):
            await self._end(record, is_again=True)
        return ""

    def _note(self, kind: ActionKind, agent: LiveAgent, reason: str, cause: Cause) -> None:
        self._journal.note(kind, words.happened(agent.record.name, kind, reason), cause, agent)
        self.look_at(agent)

    def _fail(self, agent: LiveAgent, why: str, cause: Cause) -> None:
        text = f"{agent.record.name} was not touched: {why}"
        log.warning("%s", text)
        self._journal.note("failed", text, cause, agent)
        if cause == "limit":
            self._alert("failed", text, agent)
