"""A made-up machine on which clients run, fork, end and are signalled, and pids come again soon."""

import json
import os
from pathlib import Path
from random import Random

from msgspec import Struct

from tollkeeper.paths import Paths
from tollkeeper_daemon.rules.settings import Limits
from tollkeeper_daemon.sources.homes import Home
from tollkeeper_daemon.sources.processes import Passed, Process, Pulse

from .kernel import ROOT, USER, FakeKernel, FakeProcess
from .lines import NOW

PIDS = 20
MOST_PROCESSES = 14
HOOKS = {"hooks": {"PreToolUse": [{"hooks": [{"type": "command", "command": "toll hook"}]}]}}


class Crash(BaseException):
    """The daemon dies at this very place."""


class Client(Struct, eq=False):
    """An agent as it is on the machine, whatever the daemon knows of it."""

    process: FakeProcess
    started: int
    conversation: str
    by_key: bool
    hooked: bool
    labels: dict[str, str]

    @property
    def id(self) -> str:
        return self.process.id


class World:
    """The machine: processes, clients with their session files, and the time (``now``, ms).

    ``unrest`` is how likely something happens elsewhere whenever the system is asked something.
    The daemon dies in the midst of its work when ``fuse`` has burnt down; 0 is no fuse.
    """

    def __init__(self, folder: Path, random: Random) -> None:
        self.random = random
        self.now = NOW
        # What an output token costs, in nano-dollars.
        self.price = 20_000
        self.kernel = FakeKernel(PIDS)
        # To root the system would let it signal everybody.
        self.user = random.choice([USER, ROOT])
        # The daemon runs under an agent, as it does when a session starts it.
        self.kernel.own = self.kernel.start(self.kernel.start(user=self.user))
        self.kernel.meanwhile = self.meanwhile
        self.unrest = 0.0
        self.fuse = 0
        self.clients: dict[str, Client] = {}
        self.died: dict[str, int] = {}
        self.frozen_by_others: set[FakeProcess] = set()
        self.settings = Limits()
        self.paths = Paths(folder / "config", folder / "data", folder / "run")
        self.paths.run.mkdir(parents=True)
        self.home = Home(folder / "home")
        self.home.sessions.mkdir(parents=True)
        self.folders = {hooked: folder / name for hooked, name in ((True, "a"), (False, "b"))}
        (self.folders[True] / ".claude").mkdir(parents=True)
        (self.folders[True] / ".claude" / "settings.json").write_text(json.dumps(HOOKS))
        self.has_crashed = False
        self._written = 0
        self._asking = False

    # What happens on the machine.

    def start_client(self, parent: FakeProcess | None = None) -> Client:
        """Somebody starts a client."""
        return self.make_client(self.kernel.start(parent, user=self.user))

    def make_client(self, process: FakeProcess) -> Client:
        """This process is a client: it writes its session file."""
        choose = self.random.choice
        labels = {
            "TOLL_TASK": choose(["", "t1", "t2"]),
            "TOLL_WORKFLOW": choose(["", "w1"]),
            "TOLL_BUDGET_USD": choose(["", "", "", "0", "0.5", "2"]),
        }
        client = Client(
            process,
            self.now,
            f"c{len(self.clients)}",
            by_key=self.random.random() < 0.8,
            hooked=self.random.random() < 0.4,
            labels={name: value for name, value in labels.items() if value},
        )
        if self.random.random() < 0.2:
            process.ignores.add(15)
        self.clients[client.id] = client
        self.write_session(client)
        return client

    def write_session(self, client: Client) -> None:
        """The client says which conversation it holds."""
        pid, start = client.process.pid, client.process.stat.start
        said = {"pid": pid, "sessionId": client.conversation, "status": "busy", "procStart": start}
        path = self.home.sessions / f"{pid}.json"
        path.write_text(json.dumps({**said, "cwd": str(self.folders[client.hooked])}))
        self._written += 1
        os.utime(path, ns=(self._written, self._written))

    def end(self, process: FakeProcess) -> None:
        """The process ends by itself, or is killed by somebody; a client's file may stay."""
        self.kernel.exit(process)
        if process.parent and not process.reaped:
            self.kernel.reap(process)
        if process.id in self.clients and self.random.random() < 0.5:
            (self.home.sessions / f"{process.pid}.json").unlink(missing_ok=True)

    def note_deaths(self) -> None:
        """Remember when clients died: no reply comes after that."""
        for client in self.clients.values():
            if not client.process.alive:
                self.died.setdefault(client.id, self.now)

    def take_over(self, gone: FakeProcess) -> FakeProcess | None:
        """Another process has this pid now; None when the pid is not free yet."""
        return (
            None
            if gone.pid in self.kernel.processes
            else self.kernel.start(user=self.user, pid=gone.pid)
        )

    def freeze_or_thaw(self, process: FakeProcess) -> None:
        """Somebody else freezes a process that runs, or thaws one that is frozen."""
        if process.stopped:
            self.kernel.thaw(process)
            self.frozen_by_others.discard(process)
        else:
            self.kernel.stop(process)
            self.frozen_by_others.add(process)

    def can_hold(self, agent: str) -> bool:
        """Whether the agent lives, and the daemon may signal it."""
        process = self.clients[agent].process
        return process.alive and self.reachable(process)

    def is_there(self, agent: str | None) -> bool:
        """Whether the agent lives."""
        return agent is not None and self.clients[agent].process.alive

    def is_strangers(self, agent: str) -> bool:
        """Whether the agent lives, and the daemon may not signal it."""
        process = self.clients[agent].process
        return process.alive and not self.reachable(process)

    def living(self) -> list[Client]:
        """The clients that run, or are frozen."""
        return [client for client in self.clients.values() if client.process.alive]

    def below(self) -> list[FakeProcess]:
        """Living processes that clients started, and that are no clients."""
        return [
            process
            for process in self.kernel.alive()
            if process.line & self.clients.keys() and process.id not in self.clients
        ]

    def fork(self, parents: list[FakeProcess]) -> None:
        """A running process starts another one."""
        running = [process for process in parents if process.alive and not process.stopped]
        if running and self.has_room:
            self.kernel.start(self.random.choice(running))

    @property
    def has_room(self) -> bool:
        return len(self.kernel.processes) < MOST_PROCESSES

    def reachable(self, process: FakeProcess) -> bool:
        """Whether the daemon may signal it: its own user's, not itself, nor what it runs under."""
        own = self.kernel.own
        return process.user == self.user and process is not own and process.id not in own.line

    def meanwhile(self) -> None:
        """Called whenever the system is asked something."""
        if self._asking:
            return
        self.burn()
        if self.random.random() < self.unrest:
            self._asking = True
            below = self.below()
            match self.random.randrange(4):
                case 0 if below:
                    self.end(self.random.choice(below))
                case 1 if self.has_room:
                    self.kernel.start(user=self.user)
                case 2 if living := self.living():
                    self.end(self.random.choice(living).process)
                case _:
                    self.fork([*below, *(client.process for client in self.living())])
            self._asking = False

    def burn(self) -> None:
        """A bit of the fuse burns away."""
        if self.fuse:
            self.fuse -= 1
            if not self.fuse:
                self.has_crashed = True
                raise Crash

    # What the census asks; it stands in for the module that looks at processes.

    Passed = Passed

    def look_at(self, pid: int) -> Process | None:
        process = self.kernel.processes.get(pid)
        client = self.clients.get(process.id) if process else None
        if client is None or not client.process.alive or client.process.user != self.user:
            return None
        return Process(
            id=client.id,
            pid=pid,
            started=client.started,
            cwd=str(self.folders[client.hooked]),
            labels=client.labels,
            keys=("ANTHROPIC_API_KEY",) if client.by_key else (),
            home=str(self.home.path),
            conversation="",
        )

    def pulse(self, pid: int) -> Pulse | None:
        process = self.kernel.processes.get(pid)
        return Pulse(process.id, process.stopped) if process and process.alive else None

    def started_as(self, pid: int, started: int, ticks: object, noted: int | None) -> bool:
        return self.kernel.processes[pid].id == f"{pid}-{ticks}"

    def watch_exit(self, pid: int) -> int | None:
        return None
