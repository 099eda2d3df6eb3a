"""Random histories of a machine with agents; after each step the bar is held against the model."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

from tollkeeper import frozen
from tollkeeper.model import LimitAction
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import RUN_ENDS_AFTER_MS
from tollkeeper_daemon.clock import day_of, local_day
from tollkeeper_daemon.rules.limits import Scope, ScopeKind, Unit
from tollkeeper_daemon.rules.settings import Limits
from tollkeeper_daemon.rules.terms import EVERY, Own

from .bar_checks import Checks, Step
from .bar_model import NANO_PER_TOKEN, Asked, Model, Paid
from .bar_parts import Listener, Parts, Replies
from .bar_world import Client, Crash, World
from .kernel import OTHER

STEP_MS = 2_000
DOLLAR = 10**9
ACTIONS: tuple[LimitAction, ...] = ("pause", "pause", "pause", "stop", "block", "warn")
# After that many steps without any news whoever is being stopped has ended.
MOST_STEPS_TO_END = 150


class History:
    """One history, all of it decided by its seed; ``told`` are its steps, for people to read."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = Random(seed)
        self.world = World(folder, self.random)
        self.model = Model()
        self.listener = Listener()
        self.checks = Checks(self.world, self.model, self.listener)
        self.replies = Replies()
        self.told: list[str] = []
        self.step = Step()
        self.is_up = False
        self._stops: list[asyncio.Task[Any]] = []

    async def play(self, steps: int) -> None:
        """Begin with an empty ledger, go so many steps, then let all stopping come to its end."""
        self.world.unrest = self.random.choice([0, 0, 0.02])
        await self._go(self._begins)
        for _ in range(steps):
            kind = self.random.choices(list(KINDS), [*KINDS.values()])[0]
            if self.random.random() < 0.06:
                self.world.fuse = self.random.randint(1, 80)
            name = kind.__name__
            if kind in WORDS and self.random.random() < 0.1:
                await self._go(lambda kind=kind: self._on_full_disk(kind), name)
            else:
                await self._go(lambda kind=kind: kind(self), name)
            if kind is History.day_begins and self.random.random() < 0.7:
                await self._go(self.clock_is_set_back)
        self.world.unrest = 0
        for _ in range(MOST_STEPS_TO_END):
            if not self.checks.owed_an_end:
                break
            await self._go(self.pulses)
        assert not self.checks.owed_an_end, "the journal tells of every end"
        await self.parts.die()

    async def _go(self, kind: Callable[[], Awaitable[None] | None], name: str = "") -> None:
        self.told.append(name or kind.__name__.strip("_"))
        self.step = Step()
        self.world.now += STEP_MS
        try:
            if self.is_up:
                self.parts.days.check(self.world.now)
                # What people say in this step is of the day that has begun by now.
                self.model.day = self.parts.pipeline.day
            if (going := kind()) is not None:
                await going
            await asyncio.sleep(0)  # Those who are being stopped get a bit further.
        except Crash:
            pass
        if self.world.has_crashed:
            self.tell("THE DAEMON DIES IN THE MIDST OF IT")
            self.step.is_torn, self.world.has_crashed = True, False
            self.replies.take_back()
            if self.is_up:
                await self.parts.die()
            self._come_up()
            await asyncio.sleep(0)
        self.world.fuse = 0
        self._stops = [task for task in self._stops if not is_over(task)]
        self.world.note_deaths()
        self.world.kernel.meanwhile = None
        self.checks.after(self.step, self.parts)
        self.world.kernel.meanwhile = self.world.meanwhile

    async def _on_full_disk(self, kind: "Kind") -> None:
        """Nothing can be saved while this happens; it can again with the next look."""
        self.tell("the disk is full")
        self.world.fuse = 0
        self.parts.store.is_full = True
        try:
            if (going := kind(self)) is not None:
                await going
        finally:
            self.parts.store.is_full = False
        self.pulses()
        assert self.parts.budgets.bar.is_saved

    def tell(self, text: str) -> None:
        """Add to what people read of this step."""
        self.told[-1] += f"; {text}"

    def _come_up(self, history: bool = False) -> None:
        self.step.has_looked = True
        self.is_up = False
        self.parts = Parts(self.world, self.listener, self._sleep, self.replies)
        self.is_up = True
        self.parts.start(history)

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.world.meanwhile()

    def _begins(self) -> None:
        """The first daemon comes up, under an agent itself; what was spent before is history."""
        self._change_settings()
        under = self.world.kernel.own.parent
        assert under
        for client in (self.world.make_client(under), self.world.start_client()):
            self._pay(client, history=True)
        self._come_up(history=True)

    # Steps: what happens on the machine. The daemon sees it soon, or late.

    def starts(self) -> None:
        """A client starts, perhaps below another one."""
        if self.world.has_room:
            running = [each.process for each in self.world.living() if not each.process.stopped]
            client = self.world.start_client(self.random.choice([None, None, *running]))
            self.tell(f"{client.id} {client.labels} by_key={client.by_key} hooked={client.hooked}")
            self._perhaps_seen()

    def exits(self) -> None:
        """A client ends."""
        if living := self.world.living():
            process = self.random.choice(living).process
            self.tell(process.id)
            self.world.end(process)
            self._perhaps_seen()

    def exits_and_its_pid_is_reused(self) -> None:
        """A client ends, and before the daemon notices another process has its pid."""
        if living := self.world.living():
            gone = self.random.choice(living).process
            self.world.end(gone)
            stranger = self.world.take_over(gone)
            self.tell(f"{gone.id}, now {stranger}")
            if stranger and self.random.random() < 0.3:
                self.world.make_client(stranger)
                self._perhaps_seen()

    def forks(self) -> None:
        """A client, or what it started, starts something."""
        clients = [client.process for client in self.world.living()]
        self.world.fork([*clients, *self.world.below()])

    def descendant_ends(self) -> None:
        """Something that a client started ends."""
        if below := self.world.below():
            self.world.end(self.random.choice(below))

    def changes_user(self) -> None:
        """A client, or something that it started, goes on as another user."""
        clients = [each.process for each in self.world.living() if self.random.random() < 0.2]
        if found := [*clients, *self.world.below()]:
            process = self.random.choice(found)
            process.user = OTHER
            self.tell(process.id)

    def somebody_else_signals(self) -> None:
        """Somebody else freezes or thaws a process."""
        clients = [client.process for client in self.world.living()]
        found = [*clients, *self.world.below()]
        if found and (process := self.random.choice(found)).id not in self.checks.unsure:
            self.tell(f"{process}")
            if process.id in self.model.held:
                self.checks.unsure.add(process.id)
            self.checks.frozen.discard(process)
            self.world.freeze_or_thaw(process)

    def turns(self) -> None:
        """A client turns to another conversation, which the daemon sees."""
        found = [each for each in self.world.living() if each.id in self.model.known]
        if found:
            client = self.random.choice(found)
            client.conversation += "x"
            self.world.write_session(client)
            self.parts.look_around()

    def _perhaps_seen(self) -> None:
        if self.is_up and self.random.random() < 0.6:
            self.parts.look_around()

    def is_let_go_without_a_daemon(self) -> None:
        """A person allows a blocked agent its tools again, and no daemon runs."""
        listed = {each.id: each for each in frozen.read(self.world.paths.frozen)}
        if found := sorted(self.model.blocked & listed.keys()):
            agent = self.random.choice(found)
            self.tell(agent)
            frozen.allow(listed[agent], self.world.paths.deny)
            self.model.blocked.discard(agent)

    # Steps: what is spent.

    def spends(self) -> None:
        """Agents get replies; also those that are frozen, or just gone, had some on their way."""
        known = [self.world.clients[agent] for agent in self.model.known]
        if known:
            for client in self.random.choices(known, k=self.random.choice([1, 1, 1, 3])):
                self._pay(client)
        if self.is_up:
            self.parts.read_logs()

    def _pay(self, client: Client, history: bool = False) -> None:
        tokens = self.random.randint(1, 12) * 5_000
        time = self.world.died.get(client.id, self.world.now)
        self.replies.add(client.conversation, time, tokens, self.random.choice(["", "helper"]))
        known = self.model.known.get(client.id)
        of = {
            "agent": client.id,
            "run": known.run if known else "",
            "daily": day_of(time),
            "conversation": client.conversation,
            "task": client.labels.get("TOLL_TASK", ""),
            "workflow": client.labels.get("TOLL_WORKFLOW", ""),
        }
        self.model.paid.append(Paid(of, tokens, client.by_key, history))
        self.step.paid.add(client.id)
        self.tell(f"{client.id} ${tokens * NANO_PER_TOKEN / DOLLAR}")

    # Steps: time goes on, and daemons come and go.

    def pulses(self) -> None:
        """Two seconds have passed."""
        self.step.has_looked = True
        self.parts.pulse()

    def rests(self) -> None:
        """Nothing happens for a long time."""
        self.world.now += RUN_ENDS_AFTER_MS
        self.pulses()

    def day_begins(self) -> None:
        """It is midnight."""
        _, self.world.now = local_day(self.world.now)
        self.pulses()

    def clock_is_set_back(self) -> None:
        """The day had just begun, and then it is the one before again."""
        self.world.now = local_day(self.world.now)[0] - 1_000
        self.pulses()

    async def restarts(self) -> None:
        """The daemon ends, the machine goes on without it, and another one starts."""
        await self.parts.die()
        self.is_up = False
        fuse, self.world.fuse = self.world.fuse, 0
        for _ in range(self.random.randrange(4)):
            kind = self.random.choice(MACHINE)
            self.tell(kind.__name__)
            kind(self)
        if self.random.random() < 0.3:
            self._change_settings()
        self.world.fuse = fuse
        self._come_up()
        # It does not know those that ended long ago: what they left is ended, and nothing told.
        self.checks.owed_an_end &= self.parts.roster.agents.keys()

    def _change_settings(self) -> None:
        choose = self.random.choice
        self.world.settings = self.model.settings = Limits(
            per_agent=choose([0.0, 1.0, 3.0]),
            per_run=choose([0.0, 4.0, 8.0]),
            daily=choose([0.0, 6.0, 12.0]),
            action=choose(ACTIONS),
            warn_at=choose([(0.8,), (0.5, 0.9), ()]),
            counts=choose(["cost", "cost", "value"]),
            grace_seconds=0.1,
        )
        self.tell(f"{self.world.settings}")

    async def prices_change(self) -> None:
        """A token costs more or less from now on, and everything is charged anew."""
        self.world.fuse = 0  # A daemon that dies over it counts what it had no time to excuse.
        self.model.price = self.random.choice([1, 2, 4]) * NANO_PER_TOKEN // 2
        self.world.price = self.model.price
        self.tell(f"{self.model.price}")
        self.parts.pipeline.prices = self.parts.prices()
        await self.parts.repricer.run(0)
        self.pulses()

    # Steps: what people say.

    def person_pauses(self) -> None:
        """A person pauses an agent."""
        for agent in self._named():
            name = agent.record.id
            self.parts.budgets.agents.pause(agent, self.world.now)
            if self.world.can_hold(name) and name not in self.model.stopping:
                if name not in self.model.held:
                    self.step.by_hand["paused", name] += 1
                self.model.hold(name)

    def person_resumes(self) -> None:
        """A person lets agents go on."""
        self._resume(0)

    def person_resumes_with_more(self) -> None:
        """A person lets agents go on, and with more budget."""
        self._resume(self.random.choice([DOLLAR // 2, 5 * DOLLAR]))

    def _resume(self, more: int) -> None:
        model, agents = self.model, self._named()
        unit: Unit | None = "usd" if more else None
        expected = [each for each in agents if not more or model.has_usd(each.record)]
        if more:
            model.add_usd([agent.record for agent in agents], more)
        for agent in expected:
            name = agent.record.id
            is_stuck = self.world.is_strangers(name)
            if name in model.blocked or (name in model.held and not is_stuck):
                self.step.by_hand["resumed" if name in model.held else "unblocked", name] += 1
                model.held.discard(name)
                model.blocked.discard(name)
            elif not agent.stopped or is_stuck:
                continue
            else:
                self.step.by_hand["resumed", name] += 1
            self.step.resumed.add(name)
            model.spare(agent.record)
        self.parts.budgets.agents.resume(agents, unit, more, self.world.now)

    async def person_stops(self) -> None:
        """A person stops agents."""
        for agent in self._named():
            name = agent.record.id
            stop = self.parts.budgets.agents.stop(agent, self.world.now)
            self._stops.append(asyncio.get_running_loop().create_task(stop))
            self.model.forget(name)
            if self.world.can_hold(name):
                self.checks.is_to_end(name)
        for _ in range(2):
            await asyncio.sleep(0)  # Till they are told.

    def _named(self) -> list[LiveAgent]:
        agents = [each for each in self.parts.roster.alive() if each.record.id in self.model.known]
        sure = [each for each in agents if each.record.id not in self.checks.unsure]
        named = self.random.sample(sure, min(len(sure), self.random.choice([1, 1, 3])))
        self.step.is_word = True
        self.step.named |= {agent.record.id for agent in named}
        self.tell(f"{sorted(self.step.named)}")
        return named

    def person_sets_a_limit(self) -> None:
        """A person sets a limit, or asks what it would do."""
        agents = self.parts.roster.alive()
        of: dict[ScopeKind, list[str]] = {
            "agent": [agent.record.id for agent in agents],
            "conversation": [agent.record.conversation for agent in agents],
            "task": ["t1", "t2"],
            "workflow": ["w1"],
            "run": [EVERY],
            "daily": [EVERY],
        }
        kinds: list[ScopeKind] = [kind for kind, names in of.items() if names]
        kind = self.random.choice(kinds)
        scope = Scope(kind, self.random.choice(of[kind]))
        unit: Unit = self.random.choice(["usd", "usd", "tokens"])
        size = self.random.choice([0, 1, 2, 5])
        bound = size * (DOLLAR if unit == "usd" else DOLLAR // NANO_PER_TOKEN)
        own = Own(bound, self.random.choice([None, *ACTIONS]))
        is_dry = self.random.random() < 0.3
        self.tell(f"{scope} {unit} {own} {is_dry=}")
        self.step.is_word = True
        if is_dry:
            self.parts.budgets.limits.weigh(scope, unit, own)
        else:
            self.model.set_limit((scope.kind, scope.name), unit, Asked(own.bound, own.action))
            self.parts.budgets.limits.set(scope, unit, own, self.world.now)

    def person_clears_a_limit(self) -> None:
        """A person takes a limit back."""
        found = [
            key for key in self.parts.memories.own if key[0].name in (EVERY, *self.model.known)
        ]
        if found:
            scope, unit = self.random.choice(found)
            self.tell(f"{scope} {unit}")
            self.step.is_word = True
            self.model.set_limit((scope.kind, scope.name), unit, None)
            self.parts.budgets.limits.clear(scope, [unit], self.world.now)


Kind = Callable[[History], Awaitable[None] | None]
MACHINE: tuple[Callable[[History], None], ...] = (
    History.exits,
    History.exits_and_its_pid_is_reused,
    History.starts,
    History.descendant_ends,
    History.spends,
    History.somebody_else_signals,
    History.is_let_go_without_a_daemon,
)
# Each kind of step, and how often it comes.
KINDS: dict[Kind, int] = {
    History.starts: 10,
    History.exits: 3,
    History.exits_and_its_pid_is_reused: 4,
    History.forks: 8,
    History.descendant_ends: 3,
    History.changes_user: 1,
    History.somebody_else_signals: 5,
    History.turns: 3,
    History.spends: 25,
    History.pulses: 10,
    History.rests: 1,
    History.day_begins: 3,
    History.restarts: 4,
    History.prices_change: 2,
    History.person_pauses: 4,
    History.person_resumes: 6,
    History.person_resumes_with_more: 5,
    History.person_stops: 2,
    History.person_sets_a_limit: 6,
    History.person_clears_a_limit: 2,
}


WORDS = {
    History.person_pauses,
    History.person_resumes,
    History.person_resumes_with_more,
    History.person_stops,
    History.person_sets_a_limit,
    History.person_clears_a_limit,
}


def is_over(task: "asyncio.Task[Any]") -> bool:
    """Whether a person's word to stop was answered, or nobody is left to answer it."""
    if not task.done():
        return False
    if not task.cancelled():
        error = task.exception()
        assert error is None or isinstance(error, Crash), error
    return True
