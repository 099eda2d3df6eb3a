"""``toll demo``: what it shows within seconds, that it touches nothing of anybody, and leaves nothing behind."""

import fcntl
import json
import os
import select
import signal
import struct
import subprocess
import termios
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from ending import end
from freezing import state_of
from proc import needs_proc
from tollkeeper.control import Toll
from tollkeeper.demo.place import Place
from tollkeeper.demo.story import CACHER, CAST, SPENDER, STAGES, Marker, story
from tollkeeper.model import Status
from waiting import wait_until

from .bounded import start_billed
from .keeper import TOLL, Keeper
from .terminal import LEFT, Running

pytestmark = [needs_proc, pytest.mark.timeout(120)]

# That of the first round.
# The story takes some seconds where nothing else runs.
PATIENCE_SECONDS = 60.0
WORKFLOW = next(deed.workflow for deed in story() if isinstance(deed, Marker))
# How a terminal is told to show the other screen, and to come back (xterm's private mode 1049).
ENTERED, LEAVES = b"\x1b[?1049h", b"\x1b[?1049l"

Ending = tuple[str, signal.Signals]


class Demo:
    """A demo that was started here, in a temporary folder of the keeper's."""

    def __init__(self, running: Running) -> None:
        self.running = running
        told = json.loads(running.wait_for_lines(1)[0])
        self.place = Place(Path(told["folder"]))
        self.toll = Toll(self.place.paths, timeout=10)

    def wait_for(self, state: str) -> Status:
        """What its daemon says, once an agent is in this state."""

        def look() -> Status | None:
            status = self.toll.status()
            return status if state in {agent.state for agent in status.agents} else None

        return wait_until(look, PATIENCE_SECONDS, state) or self.toll.status()

    @property
    def stage(self) -> psutil.Process:
        """The process that plays it."""
        [stage] = psutil.Process(self.running.process.pid).children()
        return stage


@contextmanager
def demo(keeper: Keeper, *options: str) -> Generator[Demo]:
    """A demo whose environment is the keeper's, as if that was somebody's own."""
    temporary = keeper.root / "tmp"
    temporary.mkdir(exist_ok=True)
    environment = {"TMPDIR": str(temporary)}
    with Running(keeper, "demo", "--json", *options, environment=environment) as running:
        shown = Demo(running)
        try:
            yield shown
        finally:
            shown.toll.close()
            if running.process.poll() is None:
                running.process.send_signal(signal.SIGINT)
                running.process.wait(30)


def all_files(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file and folder below, with size and time of its last change."""
    found = {path: path.lstat() for path in folder.rglob("*")}
    return {str(path): (stat.st_size, stat.st_mtime_ns) for path, stat in found.items()}


def test_shows_all_there_is(keeper: Keeper) -> None:
    """Agents work, idle, wait and are paused at a budget; a subscription and a key pay; there is history."""
    with demo(keeper) as shown:
        status = shown.wait_for("paused")
        agents = {agent.name: agent for agent in status.agents}
        assert {part.name for part in CAST} == agents.keys()
        assert {"working", "idle", "waiting", "paused"} == {each.state for each in agents.values()}
        spender = agents[SPENDER.name]
        assert spender.held and state_of(spender.pid) == "T"
        for part in CAST:
            agent = agents[part.name]
            assert ("api" if part.by_key else "subscription") == agent.source
            assert agent.context_used_percent and agent.usage.requests or part.name == "Agent-4"
        [plan] = [each for each in status.plans if each.five_hour]
        assert plan.five_hour and 67 == plan.five_hour.used_percent
        assert "reached" in {alert.kind for alert in status.alerts}
        daily = shown.toll.call("daily", dict[str, Any])
        assert 20 < len(daily["daily"])


def test_workflow_goes_through_its_stages(keeper: Keeper) -> None:
    """Within the first seconds a workflow ends, with the sums of its four stages."""
    with demo(keeper) as shown:

        def ended() -> list[dict[str, Any]]:
            told = shown.toll.call("workflow.show", dict[str, Any], workflow=WORKFLOW)
            return told["stages"] if told["ended_at"] else []

        shown.wait_for("paused")
        stages = wait_until(ended, 40)
        assert [*STAGES] == [each["stage"] for each in stages]
        assert all(each["requests"] > 3 for each in stages)


def test_touches_nothing_of_anybody(keeper: Keeper) -> None:
    """Somebody's homes, in the environment, stay as they are; their agent is not known, and gets no signal."""
    foreign = start_billed(keeper, BUDGET_USD="0.01", AGENT="real")
    for _ in range(10):
        foreign.log.reply()
    keeper.paths.data.mkdir(parents=True)
    before = all_files(keeper.root)
    with demo(keeper) as shown:
        status = shown.wait_for("paused")
        assert foreign.pid not in {agent.pid for agent in status.agents}
        shown.toll.call("pause", dict[str, Any], all=True)
        assert LEFT == shown.running.interrupt()
    (keeper.root / "tmp").rmdir()
    assert before.keys() == all_files(keeper.root).keys()
    before.pop(str(keeper.root), None)
    after = all_files(keeper.root)
    assert before == after
    happened = os.WEXITED | os.WSTOPPED | os.WCONTINUED | os.WNOHANG
    assert os.waitid(os.P_PID, foreign.pid, happened) is None


@pytest.mark.parametrize(
    "ending",
    [
        ("front", signal.SIGINT),
        ("front", signal.SIGTERM),
        ("front", signal.SIGHUP),
        ("front", signal.SIGKILL),
        ("stage", signal.SIGTERM),
        ("stage", signal.SIGKILL),
    ],
    ids=lambda ending: f"{ending[0]}-{ending[1].name}",
)
def test_leaves_nothing(keeper: Keeper, ending: Ending) -> None:
    """However it ends, its daemon, its agents, be they frozen, and its folder are gone."""
    whose, number = ending
    with demo(keeper) as shown:
        status = shown.wait_for("paused")
        stage = shown.stage
        pids = {status.daemon.pid, stage.pid, *(agent.pid for agent in status.agents)}
        target = stage if whose == "stage" else psutil.Process(shown.running.process.pid)
        target.send_signal(number)
        wait_until(lambda: not any(state_of(pid) for pid in pids), what="all to be gone")
        wait_until(lambda: not shown.place.folder.exists(), what="the folder to be gone")
        exit_status, complaint = shown.running.end()
    if whose == "stage":
        assert 1 == exit_status and complaint.startswith("toll: the demo ended early")
    else:
        gone = {signal.SIGINT: 0, signal.SIGKILL: -number}
        assert (gone.get(number, 128 + number), "") == (exit_status, complaint)


def test_killed_with_its_stage(keeper: Keeper) -> None:
    """Killed together with its stage, its daemon and its agents end, be they frozen; the next one removes the folder."""
    with demo(keeper) as shown:
        status = shown.wait_for("paused")
        stage = shown.stage
        pids = {status.daemon.pid, stage.pid, *(agent.pid for agent in status.agents)}
        shown.running.process.send_signal(signal.SIGSTOP)  # Lest it takes the place of its stage.
        stage.kill()
        shown.running.process.kill()
        wait_until(lambda: not any(state_of(pid) for pid in pids), what="all to be gone")
        assert shown.place.folder.exists()
        shown.running.end()
    with demo(keeper) as another:
        another.wait_for("working")
        assert not shown.place.folder.exists()
        assert another.place.folder.exists()


def test_ends_by_itself(keeper: Keeper) -> None:
    """With ``--seconds`` it ends by itself, and goes well."""
    with demo(keeper, "--seconds", "0.5") as shown:
        assert LEFT == shown.running.end()
        assert not shown.place.folder.exists()


def test_commands_of_the_folder(keeper: Keeper) -> None:
    """The folder's own ``toll`` looks at the demo, whoever calls it, and is gone with it."""
    with demo(keeper) as shown:
        shown.wait_for("paused")  # By then all of them are known.
        command = psutil.Popen(
            [str(shown.place.toll), "agents", "--json"], env=keeper.environment, stdout=-1
        )
        said, _ = command.communicate(timeout=30)
        assert {part.name for part in CAST} == {agent["name"] for agent in json.loads(said)}
        shown.running.interrupt()
        assert not shown.place.toll.exists()
    assert not keeper.paths.run.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_dashboard_gives_the_terminal_back(keeper: Keeper, number: signal.Signals) -> None:
    """In a terminal the dashboard opens; a signal to end it leaves the other screen, and nothing of the demo."""
    temporary = keeper.root / "tmp"
    temporary.mkdir()
    ours, its = os.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
    environment = {**keeper.environment, "TMPDIR": str(temporary)}
    process = subprocess.Popen(
        [TOLL, "demo"], env=environment, stdin=its, stdout=its, stderr=its, start_new_session=True
    )
    shown = b""

    def read(mark: bytes) -> bool:
        nonlocal shown
        while select.select([ours], [], [], 0)[0]:
            shown += os.read(ours, 1 << 16)
        return mark in shown

    try:
        wait_until(lambda: read(CACHER.name.encode()))
        assert ENTERED in shown and LEAVES not in shown
        process.send_signal(number)
        wait_until(lambda: read(LEAVES) and process.poll() is not None)
        assert 0 == process.returncode
    finally:
        end(process)
        os.close(its)
        os.close(ours)
    assert [] == [*temporary.iterdir()]
