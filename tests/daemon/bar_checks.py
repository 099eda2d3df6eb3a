"""Holds what the daemon did in a step against what the model says."""

import signal
from collections import Counter
from collections.abc import Iterable

from tollkeeper import frozen
from tollkeeper.model import Action, LimitAction
from tollkeeper_daemon.outlets.denials import Denials
from tollkeeper_daemon.store.schema import AgentRecord

from .bar_model import STRICTNESS, Asked, Key, Model
from .bar_parts import Listener, Parts
from .bar_world import World
from .kernel import FakeProcess, Sent

DEEDS = ("blocked", "paused", "failed")
BY_HAND = ("paused", "resumed", "unblocked")
Due = dict[str, LimitAction]


class Step:
    """What was done in a step from outside: whom people named, and who got replies."""

    def __init__(self) -> None:
        self.named: set[str] = set()
        self.resumed: set[str] = set()
        self.paid: set[str] = set()
        self.by_hand: Counter[tuple[str, str]] = Counter()
        # Whether people said anything, the daemon looked at every agent, or died in its midst.
        self.is_word = False
        self.has_looked = False
        self.is_torn = False


class Checks:
    """Brings the model up to date after each step, and says where the daemon differs from it."""

    def __init__(self, world: World, model: Model, listener: Listener) -> None:
        self.world = world
        self.model = model
        self.listener = listener
        # Thawed by somebody else, which the daemon sees when it looks.
        self.unsure: set[str] = set()
        # Told to end, ever; and those of which the journal does not say yet what came of it. What
        # they started ends with them, the agents among it too.
        self.doomed: set[str] = set()
        self.owed_an_end: set[str] = set()
        # Whom the daemon froze and did not thaw yet; whom it ever froze or told to end.
        self.frozen: set[FakeProcess] = set()
        self.touched: set[FakeProcess] = set()
        # What each agent had started before it was told to end; whom the daemon told so.
        self._families: dict[str, dict[FakeProcess, FakeProcess | None]] = {}
        self._told: set[FakeProcess] = set()
        # Held no more since the daemon looked last.
        self._gone: set[str] = set()
        self._sent = 0
        self._actions = 0

    def after(self, step: Step, parts: Parts) -> None:
        """The step is over: the daemon did what the model says, and nothing else."""
        model, before = self.model, self.model.known
        sent, told = self._what_was_done()
        after = {agent.record.id: agent.record for agent in parts.roster.alive()}
        # An agent that left in this step was dealt with before it did, or not any more.
        model.known = {**before, **since(self.world.now, parts)}
        news_at_most, due_at_most = model.news(), model.due()
        model.run, model.day = parts.roster.run.id if parts.roster.run else "", parts.pipeline.day
        # A run or a day may have begun before anything else was done, or behind it.
        news_at_most, due_at_most = news_at_most | model.news(), stricter(due_at_most, model.due())
        model.known = after
        if step.is_torn and step.is_word:  # Whether it came to what was asked for is open.
            adopt(model, parts)
            self.doomed |= model.stopping
            # One that was frozen before that could be noted: the next daemon can't know by whom.
            self.frozen -= {self.world.clients[each].process for each in step.named - model.held}
        reached = {agent.id for agent in after.values() if model.reached(agent)}
        news, due = model.news(), model.due()
        went_on, held = step.paid & model.blocked, set(model.held)

        self.doomed |= {agent for agent, action in due_at_most.items() if action == "stop"}
        meant = {agent for agent, action in due_at_most.items() if action != "warn"}
        meant |= step.named | went_on | self.doomed | due.keys()
        meant |= reached if step.is_torn and step.is_word else set()
        self._check_signals(sent, meant)
        self._settle_unsure(step)
        due = self._without_late(due, told, step, parts)
        done = [agent for agent, action in due.items() if self._can_do(agent, action)]
        self._carry_out(went_on, due, step, parts)
        model.remember(done)
        self._take_over_strangers(step, parts)
        for agent in before.keys() - after.keys():
            model.forget(agent)
        self._check_held()
        self._check_frozen(model.held - held)
        self._check_files(parts, step)
        self._check_ended(told)
        self._note_families()
        if step.is_torn:
            self._gone.clear()
            # Of one that the next daemon does not know any more it tells nothing.
            self.owed_an_end = model.stopping & parts.roster.agents.keys()
            return
        self._check_freed(step.resumed)
        if step.has_looked:
            self._check_freed(self._gone, by_chance=True)
            self._gone.clear()
        self._gone |= held - model.held
        names = {**before, **since(self.world.now, parts)}
        self._check_told(told, as_told(news, names), as_told(news_at_most, names))
        self._check_deeds(told, due, due_at_most, went_on)
        self._check_words(told, step)

    def _what_was_done(self) -> tuple[list[Sent], list[Action]]:
        """The signals sent since the last time, and the entries of the journal."""
        sent = self.world.kernel.sent[self._sent :]
        told = self.listener.actions[self._actions :]
        self._sent += len(sent)
        self._actions += len(told)
        for process, number in sent:
            if number in (signal.SIGTERM, signal.SIGKILL):
                self._told.add(process)
            if number == signal.SIGSTOP and process not in self.world.frozen_by_others:
                self.frozen.add(process)
            elif number == signal.SIGCONT:
                self.frozen.discard(process)
                self.world.frozen_by_others.discard(process)
        ended = {each.id for each in told if each.kind in ("stopped", "killed", "failed")}
        self.owed_an_end -= ended
        self.model.stopping -= {each.id for each in told if each.kind == "failed"}
        noticed = {each.id for each in told if each.cause == "elsewhere"} & self.unsure
        self.model.held -= noticed
        self.unsure -= noticed
        return sent, told

    def _check_signals(self, sent: list[Sent], meant: set[str]) -> None:
        """(a, c) Each signal hit an agent that was meant, or a descendant of it, and no other."""
        for process, number in sent:
            assert self.world.reachable(process), f"{process} is not to be signalled"
            is_meant = process.id in meant or process.line & meant
            is_thawed = number == signal.SIGCONT and process in self.touched
            assert is_meant or is_thawed, f"{process} got {number}, meant were {meant}"
            self.touched.add(process)

    def _carry_out(self, went_on: set[str], due: Due, step: Step, parts: Parts) -> None:
        """(b) What is due is done, to those who can be reached."""
        model = self.model
        for agent in went_on:
            # If the daemon died over it, the next reply tells again.
            if self.world.can_hold(agent) and not (
                step.is_torn and agent not in held_by(parts, "paused")
            ):
                model.hold(agent)
        for agent, action in due.items():
            if self._can_do(agent, action):
                self._do(agent, action)

    def _can_do(self, agent: str, action: LimitAction) -> bool:
        """Whether it can be done now; what can't is tried again at each look."""
        blocks = action == "block" and agent not in self.model.held
        if action == "warn" or (blocks and self.world.clients[agent].hooked):
            return True
        return self.world.can_hold(agent)

    def _do(self, agent: str, action: LimitAction) -> None:
        client = self.world.clients[agent]
        if action != "warn":
            self.unsure.discard(agent)
        if action == "stop":
            self.model.forget(agent)
            self.doomed.add(agent)
            if self.world.can_hold(agent):
                self.is_to_end(agent)
                assert client.process in self.touched, f"{client.process} was not told to end"
        elif action == "block" and client.hooked and agent not in self.model.held:
            self.model.blocked.add(agent)
        elif action != "warn":
            self.model.hold(agent)

    def _take_over_strangers(self, step: Step, parts: Parts) -> None:
        """Who can't be frozen may be refused tools as soon as that is all that is asked for.

        Whether this comes before or behind people's word in the same step is open.
        """
        for agent in filter(self.world.is_strangers, step.named):
            self.model.blocked.discard(agent)
            self.model.blocked |= held_by(parts, "blocked") & {agent}

    def is_to_end(self, agent: str) -> None:
        """This agent is told to end."""
        self.model.stopping.add(agent)
        self.owed_an_end.add(agent)
        self.doomed.add(agent)

    def _settle_unsure(self, step: Step) -> None:
        """Who was thawed by somebody else is held no more, once the daemon has looked."""
        if step.has_looked:
            for agent in self.unsure:
                if not self.world.clients[agent].process.stopped:
                    self.model.held.discard(agent)
            self.unsure.clear()

    def _without_late(self, due: Due, told: list[Action], step: Step, parts: Parts) -> Due:
        """Without strangers whom the daemon tried to deal with only while they were held yet.

        It saw them thawed, or a person's word came, behind that: their tools are refused at the next
        look then.
        """
        thawed = {each.id for each in told if each.id and each.cause == "elsewhere"}
        late = {each for each in thawed | step.named if self.world.is_strangers(each)}
        late -= held_by(parts, "blocked")
        return {
            agent: action for agent, action in due.items() if action == "warn" or agent not in late
        }

    def _open_ones(self) -> set[str]:
        """Agents of which it is open how they are: others thawed them, or end them."""
        clients = self.world.clients.values()
        return self.unsure | {each.id for each in clients if each.process.line & self.doomed}

    def _check_held(self) -> None:
        """(b, d) Who is held is frozen, whatever else happened and however often it restarted."""
        for agent in self.model.held - self._open_ones():
            process = self.world.clients[agent].process
            assert process.stopped or not process.alive, f"{process} should be frozen"

    def _check_frozen(self, agents: set[str]) -> None:
        """(b) Who was paused just now is frozen with all that it started."""
        for agent in agents if not self.world.unrest else ():
            for process in self.world.kernel.below(self.world.clients[agent].process):
                ends = {process.id, *process.line} & self.doomed
                assert process.stopped or ends or not self.world.reachable(process), f"{process}"

    def _check_freed(self, agents: Iterable[str], by_chance: bool = False) -> None:
        """(f) What was frozen with an agent that was let go runs again, but who is held itself.

        One that came free by chance may have been frozen since, with one that it descends from; and
        of one that is gone nobody knows any more what it started. What lost its parent in between
        belongs to a held agent above both as well, and stays with that one.
        """
        held = {self.world.clients[agent].process for agent in self.model.held}
        for agent in set(agents) - self.model.held:
            alone = by_chance or not self.world.is_there(agent)
            if alone and self.world.clients[agent].process.line & self.model.held:
                continue
            others = {each.id for each in held if agent in each.line}
            own = self.world.clients[agent].process
            here = {own, *self.world.kernel.below(own)}
            for process in self.frozen:
                if process not in here and process.line & self.model.held:
                    continue
                family = {process.id, *process.line}
                if agent in family and not others & family and self.world.reachable(process):
                    assert not process.stopped, f"{process} was not let go with {agent}"

    def _note_families(self) -> None:
        for agent in self.model.known.keys() - self.doomed:
            below = self.world.kernel.below(self.world.clients[agent].process)
            self._families[agent] = {each: each.parent for each in below}

    def _check_ended(self, told: list[Action]) -> None:
        """(f) When an agent is said to be stopped, what it had started has ended, too.

        What lost its parent before that is on its own: only of those whose parents live, or were
        told to end themselves, it is sure that the daemon saw them.
        """
        if self.world.unrest:
            return
        for agent in [each.id or "" for each in told if each.kind in ("stopped", "killed")]:
            sure = {self.world.clients[agent].process}
            for process, parent in self._families.get(agent, {}).items():
                if parent in sure and (process.alive or process in self._told):
                    sure.add(process)
                    assert not process.alive or not self.world.reachable(process), process

    def _check_files(self, parts: Parts, step: Step) -> None:
        """(h) The files of the paused and the refused list exactly those."""
        model = self.model
        listed = {agent.id for agent in frozen.read(self.world.paths.frozen)}
        there = {agent for agent in model.known if self.world.is_there(agent)} - self._open_ones()
        held = model.held | model.blocked
        assert held & there == listed & there, (held, listed, there)
        denied = Denials(self.world.paths.deny).denied()
        assert {model.known[agent].conversation for agent in model.blocked & there} <= denied
        if step.has_looked and not self.world.unrest and not self._open_ones():
            assert listed == held
            assert denied == {model.known[agent].conversation for agent in model.blocked}

    def _check_told(self, told: list[Action], least: Counter[str], most: Counter[str]) -> None:
        """(e) Each fraction of a limit that was passed is told once, the highest alone."""
        found = Counter(
            f"{each.kind} {each.scope} {'tokens' if each.bound_tokens else 'usd'}"
            for each in told
            if each.kind in ("warned", "reached")
        )
        assert least <= found <= most, (least, found, most)

    def _check_words(self, told: list[Action], step: Step) -> None:
        """(g) The journal has what people had done to each agent, once."""
        found = Counter(
            (each.kind, each.id) for each in told if each.cause == "person" and each.kind in BY_HAND
        )
        there = {agent for agent in step.named if self.world.can_hold(agent)} - self._open_ones()
        for agent in there:
            for kind in BY_HAND:
                assert step.by_hand[kind, agent] == found[kind, agent], (kind, agent)

    def _check_deeds(
        self, told: list[Action], due: Due, due_at_most: Due, went_on: set[str]
    ) -> None:
        """(e, g) The journal has what limits did to each agent, once."""
        deeds = Counter(
            each.id
            for each in told
            if each.cause == "limit"
            and each.kind in ("blocked", "paused")
            and self.world.is_there(each.id)
        )
        holding = {"block", "pause"}
        least = Counter(agent for agent in went_on if self.world.can_hold(agent))
        most = Counter(went_on)
        least.update(
            agent
            for agent, action in due.items()
            if (action in holding and self.world.can_hold(agent))
            or (action == "block" and agent in self.model.blocked and self.world.is_there(agent))
        )
        most.update(
            agent
            for agent in {**due_at_most, **due}
            if {due_at_most.get(agent), due.get(agent)} & holding
        )
        assert least <= deeds <= most, (least, deeds, most)


def stricter(one: Due, other: Due) -> Due:
    """Whom either asks to be dealt with, and how at the strictest."""
    asked = [*one.items(), *other.items()]
    return dict(sorted(asked, key=lambda each: STRICTNESS.index(each[1])))


def held_by(parts: Parts, kind: str) -> set[str]:
    """Whom the daemon takes to be held in this way."""
    records = parts.budgets.bar.hands.holds.records.values()
    return {record.agent for record in records if record.kind == kind}


def since(now: int, parts: Parts) -> dict[str, AgentRecord]:
    """The agents that live, as far as the daemon knows, or did so at this time (ms)."""
    agents = [agent.record for agent in parts.roster.agents.values()]
    return {each.id: each for each in agents if not each.ended or each.ended >= now}


def as_told(news: Counter[tuple[Key, float]], agents: dict[str, AgentRecord]) -> Counter[str]:
    """The news in the words of the journal."""
    found: Counter[str] = Counter()
    for (kind, name, unit), passed in news:
        told = "reached" if passed == 1 else "warned"
        shown = f":{agents[name].name if kind == 'agent' else name}"
        found[f"{told} {kind}{'' if kind in ('run', 'daily') else shown} {unit}"] += 1
    return found


def adopt(model: Model, parts: Parts) -> None:
    """Take from the daemon what is open, as it died before it answered."""
    model.asked = {
        (scope.kind, scope.name, unit): Asked(own.bound, own.action)
        for (scope, unit), own in parts.memories.own.items()
    }
    for of_keys in (model.granted, model.told, model.acted):
        of_keys.clear()
    for (scope, unit), memory in parts.memories.of_limits.items():
        key = scope.kind, scope.name, unit
        model.granted[key], model.told[key] = memory.granted, memory.told
        model.acted[key] = dict(memory.acted)
    kinds = {"paused": model.held, "blocked": model.blocked, "stopping": model.stopping}
    for agent in list(model.known):
        model.forget(agent)
    for agent, record in parts.budgets.bar.hands.holds.records.items():
        kinds[record.kind].add(agent)
