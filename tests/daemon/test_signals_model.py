"""Freezing, thawing and stopping on a made-up system, where anything may happen in between."""

import random
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM

import pytest

from tollkeeper.signals import SignalRefused, id_of
from tollkeeper_daemon.outlets.family import family
from tollkeeper_daemon.outlets.signals import Signals, Stopped

from .kernel import OTHER, ROOT, FakeKernel, FakeProcess, Sent, finish

HISTORIES = 1500


class Scene:
    """An agent with a child and a grandchild, and a stranger beside them."""

    def __init__(self, kernel: FakeKernel) -> None:
        self.kernel = kernel
        self.signals = Signals(kernel, kernel.sleep)
        self.shell = kernel.start()
        self.stranger = kernel.start(self.shell)
        self.agent = kernel.start(self.shell)
        self.child = kernel.start(self.agent)
        self.grandchild = kernel.start(self.child)

    @property
    def ids(self) -> tuple[str, ...]:
        return self.agent.id, self.child.id, self.grandchild.id

    def sent(self) -> list[tuple[FakeProcess, int]]:
        """What was sent since the last look."""
        sent = [(to, number) for to, number in self.kernel.sent]
        self.kernel.sent.clear()
        return sent


@pytest.fixture(params=[True, False], ids=["pidfds", "no pidfds"])
def scene(request: pytest.FixtureRequest) -> Scene:
    return Scene(FakeKernel(pidfds=request.param))


def test_the_agent_is_frozen_first_and_thawed_last(scene: Scene) -> None:
    """Freezing goes from the agent down, thawing from the last descendant up."""
    assert scene.ids == scene.signals.freeze(scene.agent.id)
    down = [scene.agent, scene.child, scene.grandchild]
    assert [(each, SIGSTOP) for each in down] == scene.sent()
    assert scene.ids[::-1] == scene.signals.thaw(scene.ids)
    assert [(each, SIGCONT) for each in down[::-1]] == scene.sent()


def test_the_agent_is_frozen_before_anything_is_looked_for(scene: Scene) -> None:
    """Nothing is asked of the system about others before the agent has its signal."""
    seen: list[int] = []
    table = scene.kernel.table

    def watched() -> object:
        seen.append(len(scene.kernel.sent))
        return table()

    scene.kernel.table = watched  # pyright: ignore[reportAttributeAccessIssue]
    scene.signals.freeze(scene.agent.id)
    assert 1 == seen[0]


def test_who_was_frozen_before_is_left_so(scene: Scene) -> None:
    """A descendant that a person froze is not frozen by us, nor thawed; its own children are."""
    scene.kernel.stop(scene.child)
    frozen = scene.signals.freeze(scene.agent.id)
    assert (scene.agent.id, scene.grandchild.id) == frozen
    scene.signals.thaw(frozen)
    assert [True, False, False] == [
        each.stopped for each in (scene.child, scene.grandchild, scene.agent)
    ]


def test_other_users_descendants_are_left_alone(scene: Scene) -> None:
    """What runs with sudo below the agent gets no signal, though root could send it."""
    theirs = scene.kernel.start(scene.agent, user=ROOT)
    scene.kernel.start(theirs, user=OTHER)
    assert scene.ids == scene.signals.freeze(scene.agent.id)
    scene.kernel.own.user = scene.agent.user = ROOT
    other = scene.kernel.start(scene.agent, user=OTHER)
    scene.signals.freeze(scene.agent.id)
    assert not other.stopped


def test_an_agent_above_the_daemon_is_refused(scene: Scene) -> None:
    """An agent that the daemon runs under is not frozen, since that would freeze the daemon."""
    agent = scene.kernel.start(scene.shell)
    scene.kernel.own = scene.kernel.start(scene.kernel.start(agent))
    with pytest.raises(SignalRefused, match=f"^Tollkeeper itself runs under process {agent.pid}$"):
        scene.signals.freeze(agent.id)
    with pytest.raises(SignalRefused, match="runs under"):
        finish(scene.signals.stop(agent.id))
    assert [] == scene.sent()


def test_the_daemons_own_children_are_no_descendants(scene: Scene) -> None:
    """What the daemon started itself is not frozen with an agent."""
    command = scene.kernel.start(scene.kernel.own)
    scene.signals.freeze(scene.agent.id)
    assert not command.stopped


@pytest.mark.parametrize("pidfds", [True, False])
def test_an_agent_that_is_gone_is_refused(pidfds: bool) -> None:
    """When another process has the agent's pid, it is left alone, and its children with it."""
    scene = Scene(FakeKernel(pids=6, pidfds=pidfds))
    agent = scene.agent
    scene.kernel.exit(scene.grandchild)
    scene.kernel.reap(scene.grandchild)
    scene.kernel.exit(agent)
    scene.kernel.reap(agent)
    scene.kernel.start()
    heir = scene.kernel.start(scene.stranger)
    assert heir.pid in (agent.pid, scene.grandchild.pid)
    gone = agent if heir.pid == agent.pid else scene.grandchild
    for act in (scene.signals.freeze, scene.signals.halt):
        with pytest.raises(SignalRefused, match="another one has its pid now"):
            act(gone.id)
    with pytest.raises(SignalRefused, match="another one has its pid now"):
        finish(scene.signals.stop(gone.id))
    assert () == scene.signals.thaw([gone.id])
    assert [] == scene.sent()


@pytest.mark.parametrize("lag", [0, 1, 30, 200])
def test_children_started_while_it_freezes_are_caught(lag: int) -> None:
    """However long a signal takes, whatever is forked before it takes effect is frozen too."""
    scene = Scene(FakeKernel())
    scene.kernel.lag = lag
    kin = [scene.agent, scene.child, scene.grandchild]
    chance = random.Random(lag)

    def fork() -> None:
        running = [each for each in kin if each.alive and not each.stopped]
        if running and len(kin) < 60 and chance.random() < 0.05:
            kin.append(scene.kernel.start(chance.choice(running)))

    scene.kernel.meanwhile = fork
    frozen = scene.signals.freeze(scene.agent.id)
    scene.kernel.meanwhile = None
    assert len(kin) > 3 or lag < 30
    assert [] == [each for each in kin if not each.stopped]
    assert {each.id for each in kin} == set(frozen)


def test_stop(scene: Scene) -> None:
    """The agent is told to end, then its descendants; it took no more waiting than that."""
    stopped = finish(scene.signals.stop(scene.agent.id))
    assert Stopped("terminated", scene.ids) == stopped
    assert [(each, SIGTERM) for each in (scene.agent, scene.child, scene.grandchild)] == (
        scene.sent()
    )
    assert 0 == scene.kernel.slept


def test_a_frozen_agent_is_woken_to_end(scene: Scene) -> None:
    """To a frozen agent the signal comes first, and then it is thawed, so it does nothing else."""
    frozen = scene.signals.freeze(scene.agent.id)
    scene.sent()
    stopped = finish(scene.signals.stop(scene.agent.id, frozen))
    assert Stopped("terminated", scene.ids) == stopped
    assert [
        (scene.agent, SIGTERM),
        (scene.grandchild, SIGCONT),
        (scene.child, SIGCONT),
        (scene.agent, SIGCONT),
        (scene.child, SIGTERM),
        (scene.grandchild, SIGTERM),
    ] == scene.sent()


def test_an_agent_that_somebody_else_froze_is_woken_to_end(scene: Scene) -> None:
    """Nobody has to know who froze the agent, or its descendants, to have them end well."""
    scene.kernel.stop(scene.agent)
    scene.kernel.stop(scene.child)
    finish(scene.signals.stop(scene.agent.id))
    assert [
        (scene.agent, SIGTERM),
        (scene.agent, SIGCONT),
        (scene.child, SIGTERM),
        (scene.grandchild, SIGTERM),
        (scene.child, SIGCONT),
    ] == scene.sent()


def test_who_ignores_it_is_killed(scene: Scene) -> None:
    """After the grace period the agent is killed, and after another one its descendants."""
    for each in (scene.agent, scene.grandchild):
        each.ignores.add(SIGTERM)
    stopped = finish(scene.signals.stop(scene.agent.id, grace=3.0))
    assert Stopped("killed", scene.ids) == stopped
    assert [
        (scene.agent, SIGTERM),
        (scene.agent, SIGKILL),
        (scene.child, SIGTERM),
        (scene.grandchild, SIGTERM),
        (scene.grandchild, SIGKILL),
    ] == scene.sent()
    assert pytest.approx(6.0) == scene.kernel.slept


def test_who_lost_its_parent_ends_as_well(scene: Scene) -> None:
    """What the agent had started when it was to be stopped ends with it, and no stranger."""
    scene.kernel.exit(scene.child)
    stopped = finish(scene.signals.stop(scene.agent.id, family=scene.ids))
    assert Stopped("terminated", (scene.agent.id, scene.grandchild.id)) == stopped
    assert [(scene.agent, SIGTERM), (scene.grandchild, SIGTERM)] == scene.sent()


def test_only_a_stop_that_had_begun_goes_on_without_the_agent(scene: Scene) -> None:
    """Who is gone can't be stopped, whatever it left, unless it had been told to end before."""
    scene.kernel.exit(scene.agent)
    scene.kernel.reap(scene.agent)
    with pytest.raises(SignalRefused):
        finish(scene.signals.stop(scene.agent.id, family=scene.ids))
    assert [] == scene.sent()
    finish(scene.signals.stop(scene.agent.id, family=scene.ids, is_again=True))
    assert [(scene.child, SIGTERM), (scene.grandchild, SIGTERM)] == scene.sent()


def test_children_of_the_grace_period_end_as_well(scene: Scene) -> None:
    """What a stubborn agent starts before it is killed does not outlive it."""
    scene.agent.ignores.add(SIGTERM)
    late: list[FakeProcess] = []

    def fork() -> None:
        if scene.kernel.slept and not late:
            late.append(scene.kernel.start(scene.agent))

    scene.kernel.meanwhile = fork
    stopped = finish(scene.signals.stop(scene.agent.id, grace=1.0))
    assert late[0].id in stopped.hit
    assert not late[0].alive


def test_a_system_without_files_left(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """When descendants can't be looked for, the agent is frozen and ended all the same."""

    def fail() -> object:
        raise OSError(24, "Too many open files")

    scene.kernel.table = fail  # pyright: ignore[reportAttributeAccessIssue]
    assert (scene.agent.id,) == scene.signals.freeze(scene.agent.id)
    stopped = finish(scene.signals.stop(scene.agent.id, (scene.agent.id,)))
    assert Stopped("terminated", (scene.agent.id,)) == stopped
    assert "descendants: Too many open files" in caplog.text


def test_jobs_of_a_shell(scene: Scene) -> None:
    """A job has a group of its own in its shell's session; what a script starts has not."""
    shell, agent, child = (each.stat for each in (scene.shell, scene.agent, scene.child))
    assert not scene.signals.in_shell(scene.agent.id)
    for stat in (shell, agent, child):
        stat.session, stat.terminal = scene.shell.pid, 34816
    child.group = agent.group
    assert scene.signals.in_shell(scene.agent.id)
    assert not scene.signals.in_shell(scene.shell.id)
    assert not scene.signals.in_shell(scene.child.id)
    agent.terminal = 0
    assert not scene.signals.in_shell(scene.agent.id)
    assert not scene.signals.in_shell("999-1")
    assert not scene.signals.in_shell("nobody")


class History:
    """A machine with few pids, on which processes come and go while agents are signalled."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.kernel = FakeKernel(pids=self.chance.choice((20, 40)), pidfds=seed % 4 != 0)
        self.kernel.lag = self.chance.choice((0, 0, 3))
        self.kernel.own.user = self.chance.choice((ROOT, 1000, 1000))
        self.signals = Signals(self.kernel, self.kernel.sleep)
        self.above = self.kernel.start(user=self.kernel.own.user)
        self.kernel.own = self.kernel.start(self.above)
        self.agents = [self.above]
        self.frozen: dict[str, tuple[str, ...]] = {}
        self.meant = ""
        self.checked = 0

    def usurp(self, *processes: FakeProcess) -> None:
        """Processes end, and their pids come at once to another one and its child."""
        for process in processes:
            self.kernel.exit(process)
            if not process.reaped:
                self.kernel.reap(process)
        parent = self.chance.choice([*self.kernel.alive(), self.kernel.init])
        for process in processes:
            parent = self.kernel.start(parent, user=self.kernel.own.user, pid=process.pid)

    def live(self) -> None:
        """Anything may happen to any process."""
        chance = self.chance.random()
        own = self.kernel.own.user
        alive = [each for each in self.kernel.alive() if each is not self.above]
        if chance < 0.5 and len(self.kernel.processes) < 11:
            parent = self.chance.choice([*alive, self.kernel.init, self.kernel.own])
            if not parent.stopped:
                user = self.chance.choice((None, own, own, OTHER))
                child = self.kernel.start(parent, user=user)
                if self.chance.random() < 0.2:
                    child.ignores.add(SIGTERM)
        elif chance < 0.7 and alive:
            self.kernel.exit(self.chance.choice(alive))
        elif chance < 0.85 and len(alive) > 1:
            self.usurp(*self.chance.sample(alive, self.chance.choice((1, 2))))
        elif chance < 0.9 and alive:
            self.kernel.stop(self.chance.choice(alive))
        else:
            for each in [*self.kernel.processes.values()]:
                if each.stat.ended:
                    self.kernel.reap(each)

    def perhaps(self) -> None:
        """Once in a while something happens in between."""
        if self.chance.random() < 0.08:
            self.live()

    def act(self) -> None:
        """Freeze, thaw or stop an agent, which may be long gone."""
        for _ in range(self.chance.randrange(12)):
            self.live()
        if alive := self.kernel.alive():
            self.agents.append(self.chance.choice(alive))
        agent = self.chance.choice([*self.agents, *self.agents[-1:] * len(self.agents)]).id
        self.meant = agent
        self.kernel.meanwhile = self.perhaps
        try:
            match self.chance.randrange(3):
                case 0:
                    self.frozen[agent] = self.signals.freeze(agent)
                case 1:
                    self.signals.thaw(self.frozen.pop(agent, ()))
                case _:
                    finish(self.signals.stop(agent, self.frozen.pop(agent, ()), grace=0.1))
        except SignalRefused:
            pass
        self.kernel.meanwhile = None
        self.check()

    def check(self) -> None:
        """Every signal went to the agent that was meant, or to one of its own descendants."""
        for sent in self.kernel.sent[self.checked :]:
            assert self.meant == sent.process.id or self.meant in sent.process.line, sent
            assert self.kernel.own.user == sent.process.user, sent
            assert sent.process not in (self.kernel.own, self.above, self.kernel.init), sent
        self.checked = len(self.kernel.sent)


def test_nobody_else_is_ever_signalled() -> None:
    """Whatever happens in between, signals go to the agent meant, and to what descends from it."""
    sent: list[Sent] = []
    reused = 0
    for seed in range(HISTORIES):
        history = History(seed)
        try:
            for _ in range(8):
                history.act()
        except BaseException as error:
            error.add_note(f"in the history of seed {seed}")
            raise
        sent += history.kernel.sent
        reused += sum(
            history.kernel.processes.get(each.pid, each) is not each for each in history.agents
        )
    assert {SIGSTOP, SIGCONT, SIGTERM, SIGKILL} == {each.number for each in sent}
    assert len(sent) > 2 * HISTORIES
    assert reused > HISTORIES / 2


def test_histories_find_a_careless_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that is believed without a second look would hit strangers: the histories tell."""

    def careless(child: str, parent: str, kernel: FakeKernel) -> object:
        stat = kernel.stat(int(child.partition("-")[0]))
        return stat if stat and id_of(int(child.partition("-")[0]), stat.start) == child else None

    monkeypatch.setattr("tollkeeper_daemon.outlets.family._child", careless)
    with pytest.raises(AssertionError, match="Sent"):
        test_nobody_else_is_ever_signalled()


def test_freezing_and_thawing_leaves_all_as_it_was() -> None:
    """On a machine at rest the whole family is frozen, and after the thaw each is as before."""
    for seed in range(200):
        history = History(seed)
        for _ in range(30):
            history.live()
        kernel = history.kernel
        kernel.own.user = 1000
        for each in kernel.alive():
            each.user = 1000
        before = {each: each.stopped for each in kernel.alive()}
        agents = [each for each in before if each is not history.above and not each.stopped]
        if not agents:
            continue
        agent = history.chance.choice(agents)
        kernel.lag = 0
        frozen = history.signals.freeze(agent.id)
        kin = [agent, *kernel.below(agent)]
        assert all(each.stopped for each in kin)
        assert {each.id for each in kin if not before[each]} == set(frozen)
        assert frozen[::-1] == history.signals.thaw(frozen)
        assert before == {each: each.stopped for each in kernel.alive()}


def test_family_of_several(scene: Scene) -> None:
    """Of several roots each member is named once, and who is gone not at all."""
    roots = [scene.child.id, scene.agent.id, "77-7", scene.stranger.id]
    assert {*scene.ids, scene.stranger.id} == set(family(roots, scene.kernel))
    scene.kernel.exit(scene.stranger)
    assert set(scene.ids) == set(family(roots, scene.kernel))
