"""Freezes, thaws and stops agents: the one place of the daemon that signals them."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import count
from typing import Literal

from msgspec import Struct

from tollkeeper import signals
from tollkeeper.kernel import Kernel, Stat
from tollkeeper.signals import ProcessGone, SignalRefused, recognise, send
from tollkeeper_daemon.outlets.family import family
from tollkeeper_daemon.outlets.kernel import real_kernel

log = logging.getLogger(__name__)

GRACE_SECONDS = 10.0
# How long a killed process may take to be gone; one that waits for a disk takes longer.
KILLED_SECONDS = 1.0
STEP_SECONDS = 0.02
# How often is looked for children that were started while their parents were frozen: 50 looks
# are a twentieth of a second to half a second, by the number of processes on the machine.
MOST_LOOKS = 50
# In one of these states a process has yet to notice that it was told to stop.
RUNNING = "RS"


class Stopped(Struct, frozen=True):
    """How an agent's end came about, and the ids of those that were told to end, it first."""

    how: Literal["terminated", "killed"]
    hit: tuple[str, ...]


class Signals:
    """Whom it signals is named by id. ``sleep`` waits for so many seconds."""

    def __init__(
        self,
        kernel: Kernel | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._kernel = kernel or real_kernel()
        self._sleep = sleep

    def check(self, agent: str) -> None:
        """Look whether the agent may be signalled; SignalRefused if not."""
        signals.check(agent, self._kernel)

    def runs(self, process: str) -> bool:
        """Whether the process is seen to run or sleep: neither frozen, nor still about to be."""
        try:
            return recognise(process, self._kernel).state in RUNNING
        except SignalRefused:
            return False

    def halt(self, agent: str) -> None:
        """Freeze the agent alone, at once. SignalRefused when it can't be signalled."""
        send(agent, signal.SIGSTOP, self._kernel)

    def freeze(self, agent: str) -> tuple[str, ...]:
        """Freeze the agent at once, then its descendants; the ids of whom this froze, it first.

        A descendant that somebody else had frozen is not among them. SignalRefused when the agent
        can't be signalled; its descendants are left alone then.
        """
        self.halt(agent)
        return (agent, *self.freeze_below(agent))

    def freeze_below(
        self, agent: str, about_to: Callable[[Sequence[str]], None] = lambda others: None
    ) -> tuple[str, ...]:
        """Freeze the descendants of an agent that is halted; the ids of whom this froze.

        Before the first of them ``about_to`` is called, with those that are frozen already.
        """
        frozen: list[str] = []
        others: list[str] = []
        seen = {agent}
        settled = False
        for _ in range(MOST_LOOKS):
            alive = self._family([agent])
            new = [process for process in alive if process not in seen]
            if settled and not new:
                break
            seen.update(new)
            running = [process for process in new if not alive[process].stopped]
            others += [process for process in new if alive[process].stopped]
            if running and not frozen:
                about_to(others)
            frozen += [process for process in running if self._reaches(process, signal.SIGSTOP)]
            settled = not new and not any(
                alive[process].state in RUNNING for process in (agent, *frozen) if process in alive
            )
        return tuple(frozen)

    def thaw(self, frozen: Sequence[str]) -> tuple[str, ...]:
        """Let go on what ``freeze`` froze, the agent last; the ids of those that do.

        SignalRefused when the agent is there and can't be signalled.
        """
        return signals.thaw(frozen, self._kernel)

    def frozen_below(self, agent: str) -> tuple[str, ...]:
        """The ids of all that descends from it and is frozen, by whomever."""
        family = self._family([agent])
        return tuple(each for each, stat in family.items() if stat.stopped and each != agent)

    def family_of(self, agent: str) -> set[str]:
        """The ids of the agent and all that descend from it, of those that run."""
        return set(self._family([agent]))

    async def stop(
        self,
        agent: str,
        frozen: Sequence[str] = (),
        grace: float = GRACE_SECONDS,
        family: Sequence[str] = (),
        is_again: bool = False,
    ) -> Stopped:
        """End the agent, then what it leaves behind: kindly, and after the grace period (s) not so.

        ``frozen`` is what ``freeze`` froze: it has to run to end well. ``family`` is what the agent
        had started when it was to be stopped: since then some may have lost their parents. With
        ``is_again`` an earlier stop did not come to its end: the agent may be gone by now.
        SignalRefused when the agent can't be signalled. When this is cancelled, who was told to
        end has still been told.
        """
        known = list(self._family(dict.fromkeys([agent, *family])))
        try:
            send(agent, signal.SIGTERM, self._kernel)
        except ProcessGone:
            if not is_again:
                raise
        signals.thaw(frozen, self._kernel)
        self._wake(agent)
        killed = False
        if not await self._ended([agent], grace):
            known = list(self._family(known))
            killed = self._reaches(agent, signal.SIGKILL)
            await self._ended([agent], KILLED_SECONDS)
        rest = await self._stop_rest([process for process in known if process != agent], grace)
        return Stopped("killed" if killed else "terminated", (agent, *rest))

    async def _stop_rest(self, known: Iterable[str], grace: float) -> tuple[str, ...]:
        """End those that live on without the agent: an agent among them would go on spending."""
        left = self._family(known)
        told = [process for process in left if self._reaches(process, signal.SIGTERM)]
        for process in told:
            self._wake(process)
        if not await self._ended(told, grace):
            for process in self._family(told):
                self._reaches(process, signal.SIGKILL)
            await self._ended(told, KILLED_SECONDS)
        return tuple(told)

    def in_shell(self, process: str) -> bool:
        """Whether the process is a job of an interactive shell.

        Such a shell puts each job into a process group of its own (proc(5): pgrp, session, tty_nr),
        and takes the terminal back when the job is frozen. Once thawed it waits for ``fg``.
        """
        try:
            stat = recognise(process, self._kernel)
            shell = self._kernel.stat(stat.parent)
        except (OSError, SignalRefused):
            return False
        return bool(
            shell and stat.terminal and stat.session == shell.session and stat.group != shell.group
        )

    def _wake(self, process: str) -> None:
        """Let a process that was told to end do so, should somebody have frozen it."""
        try:
            stopped = recognise(process, self._kernel).stopped
        except SignalRefused:
            return
        if stopped:
            self._reaches(process, signal.SIGCONT)

    def _reaches(self, process: str, number: int) -> bool:
        try:
            send(process, number, self._kernel)
        except SignalRefused:
            return False
        return True

    async def _ended(self, processes: Iterable[str], within: float) -> bool:
        """Wait until all of them have ended, for so many seconds at most; whether they have."""
        for step in count():
            processes = [process for process in processes if self._alive(process)]
            if not processes or step * STEP_SECONDS >= within:
                return not processes
            await self._sleep(STEP_SECONDS)
        return False

    def _alive(self, process: str) -> bool:
        try:
            recognise(process, self._kernel)
        except ProcessGone:
            return False
        except SignalRefused:
            return True
        return True

    def _family(self, roots: Iterable[str]) -> dict[str, Stat]:
        try:
            return family(roots, self._kernel)
        except OSError as error:
            log.warning("can't look for an agent's descendants: %s", error.strerror)
            return {}
