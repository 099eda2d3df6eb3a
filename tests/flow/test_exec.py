"""toll exec: the command gets labels, terminal and signals, and its stage begins and ends with it."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from ending import end
from tollkeeper_daemon.workflows.marks import is_marked
from waiting import wait_until

from .adopted import Adopted
from .keeper import TOLL, Keeper
from .terminal import Running
from .test_shell_job import Shell
from .test_workflows import spans

STAGE = ("--workflow", "w-1", "--stage", "analyze")
NO_DAEMON = (
    "toll: no daemon is running: the command runs all the same, and is counted once a daemon does\n"
)
# Says which of these signals it hears, until one that it does not hear ends it.
HEARS = """
import os, signal, sys, time
def heard(number, frame):
    os.write(1, f"{signal.Signals(number).name}\\n".encode())  # May be called in the middle of itself.
for name in sys.argv[1:]:
    signal.signal(getattr(signal, name), heard)
print("ready", flush=True)
while True:
    time.sleep(0.05)  # A signal that comes just before a pause would be heard with the next one.
"""


@contextmanager
def hearer(
    keeper: Keeper, *heard: str, columns: int = 0, options: tuple[str, ...] = ("--no-start",)
) -> Generator[Running]:
    """``toll exec`` of a command that says what it hears."""
    command = (sys.executable, "-c", HEARS, *heard)
    with Running(keeper, "exec", *options, "--", *command, columns=columns) as running:
        running.wait_for("ready")
        try:
            yield running
        finally:
            end(running.process)


def child_of(running: Running) -> int:
    """The pid of the command."""
    [child] = wait_until(lambda: psutil.Process(running.process.pid).children())
    return child.pid


@pytest.mark.skipif(
    not os.path.exists("/proc/self/stat"), reason="process starts are noted as Linux does"
)
def test_agent_at_its_stage(daemon: Keeper) -> None:
    """What the command asks is booked under its stage, which ends with it, each once."""
    options = ("--agent", "Ada", "--task", ".claude-4nq.1-analyze", "--budget", "2.50")
    with hearer(daemon, options=options) as running:
        agent = Adopted(daemon.home, child_of(running))
        agent.says("busy")
        [seen] = daemon.wait_for(lambda status: len(status.agents) == 1).agents
        told = (seen.name, seen.workflow, seen.task, seen.stage, seen.limits[0].bound_usd)
        assert told == ("Ada", ".claude-4nq", ".claude-4nq.1-analyze", "analyze", 2.5)
        agent.log.reply()
        daemon.wait_for_requests(1)
        running.process.send_signal(signal.SIGTERM)
        assert (128 + signal.SIGTERM, "") == running.end()
    assert daemon.stop() == 0
    [span] = spans(daemon, ".claude-4nq")
    assert ("Ada", "analyze", "failed") == (span.role, span.labels.stage, span.status)
    assert is_marked(span)
    assert span.worked > 0


@pytest.mark.parametrize(
    ("command", "status", "ended"),
    [
        (("true",), 0, "completed"),
        (("sh", "-c", "exit 3"), 3, "failed"),
        (("sh", "-c", "kill -9 $$"), 137, "failed"),
        (("./nothing",), 127, "failed"),
        (("/",), 126, "failed"),
    ],
)
def test_exit_status(daemon: Keeper, command: tuple[str, ...], status: int, ended: str) -> None:
    """It is that of the command, and says how its stage has ended."""
    result = daemon.run("exec", *STAGE, "--", *command)
    assert status == result.returncode
    assert (status in (126, 127)) == bool(result.stderr)
    assert daemon.stop() == 0
    assert [ended] == [span.status for span in spans(daemon)]


def test_command_that_is_interrupted(daemon: Keeper) -> None:
    """A stage has failed when its command was told to end, though that ends with 0, as Claude Code does."""
    script = "trap 'exit 0' INT; echo ready; while :; do sleep 0.05; done"
    command = ("exec", *STAGE, "--", "sh", "-c", script)
    with Running(daemon, *command) as running:
        running.wait_for("ready")
        try:
            running.process.send_signal(signal.SIGINT)
            assert (0, "") == running.end()
        finally:
            end(running.process)
    assert daemon.stop() == 0
    assert ["failed"] == [span.status for span in spans(daemon)]


def test_command_as_it_is(daemon: Keeper) -> None:
    """Behind -- everything is the command's own, with its stdin, and stdout bears nothing else."""
    script = 'import sys; print(sys.argv[1:], sys.stdin.read(), end="")'
    arguments = ["--json", "--", "--agent", "-x", "--no-start", "--help"]
    result = daemon.run("exec", "--", sys.executable, "-c", script, *arguments, given="words")
    assert (0, f"{arguments} words", "") == (result.returncode, result.stdout, result.stderr)


def test_labels_of_the_environment(daemon: Keeper) -> None:
    """What is given takes the place of what is inherited, and of what is narrower than it."""
    inherited = {"TOLL_WORKFLOW": "w-0", "TOLL_TASK": "t-0", "TOLL_STAGE": "s-0", "TOLL_AGENT": "A"}
    for options, labels in [
        ((), {}),
        (("--stage", "s-1"), {"TOLL_STAGE": "s-1"}),
        (("--task", "t-1"), {"TOLL_TASK": "t-1", "TOLL_STAGE": ""}),
        (("--workflow", "w-1"), {"TOLL_WORKFLOW": "w-1", "TOLL_TASK": "", "TOLL_STAGE": ""}),
        (("--agent", "B", "--budget", "5"), {"TOLL_AGENT": "B", "TOLL_BUDGET_USD": "5"}),
    ]:
        result = daemon.run("exec", *options, "--", "env", environment=inherited)
        lines = dict(line.split("=", 1) for line in result.stdout.splitlines())
        found = {name: value for name, value in lines.items() if name.startswith("TOLL_")}
        expected = {**daemon.environment, **inherited, **labels}
        assert {
            name: value for name, value in expected.items() if value and name.startswith("TOLL_")
        } == found


def test_stage_that_is_inherited(daemon: Keeper) -> None:
    """Within a stage that somebody else has marked a command is no stage of its own."""
    nested = ("exec", "--agent", "B", "--", "true")
    assert daemon.run("exec", *STAGE, "--", str(TOLL), *nested).returncode == 0
    assert daemon.stop() == 0
    assert [True] == [is_marked(span) for span in spans(daemon)]


def test_several_at_one_stage(daemon: Keeper) -> None:
    """Commands at the same stage at the same time are a span each."""
    with hearer(daemon, options=STAGE) as one, hearer(daemon, options=STAGE) as other:
        for running, number in ((one, signal.SIGTERM), (other, signal.SIGKILL)):
            os.kill(child_of(running), number)
            assert 128 + number == running.end()[0]
    assert daemon.stop() == 0
    assert [(True, "failed")] * 2 == [(is_marked(span), span.status) for span in spans(daemon)]


# Without a daemon.


def test_no_daemon(keeper: Keeper) -> None:
    """The command runs all the same, and a line says so."""
    result = keeper.run("exec", *STAGE, "--no-start", "--", "sh", "-c", "echo $TOLL_STAGE; exit 4")
    assert (4, "analyze\n", NO_DAEMON) == (result.returncode, result.stdout, result.stderr)


def test_frozen_daemon(daemon: Keeper) -> None:
    """A daemon that does not answer holds the command up for a second."""
    assert daemon.process
    daemon.process.send_signal(signal.SIGSTOP)
    result = daemon.run("exec", *STAGE, "--", "true", timeout=10)
    assert (0, "") == (result.returncode, result.stdout)
    assert result.stderr.startswith("toll: the daemon did not answer within 1 s: the command runs")


def test_daemon_is_started(keeper: Keeper) -> None:
    """One is started where none runs, and it heeds signals though those of the command wait."""
    keeper.run("exec", "--", "true")
    wait_until(lambda: keeper.paths.control_socket.exists())
    pid = int(keeper.paths.lock.read_text())
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not keeper.paths.control_socket.exists())


def test_daemon_killed_meanwhile(daemon: Keeper) -> None:
    """The next daemon ends the stage that one before it has begun."""
    with hearer(daemon, options=STAGE) as running:
        daemon.kill()
        daemon.start()
        running.process.send_signal(signal.SIGTERM)
        running.end()
    assert daemon.stop() == 0
    assert ["failed"] == [span.status for span in spans(daemon)]


# Signals.


@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGWINCH"])
def test_signal_is_passed_on(keeper: Keeper, name: str) -> None:
    """A signal to toll exec is one to the command, which may go on."""
    with hearer(keeper, name) as running:
        for times in (1, 2):
            running.process.send_signal(getattr(signal, name))
            running.wait_for(name, times)
        running.process.send_signal(signal.SIGUSR2)
        assert 128 + signal.SIGUSR2 == running.end()[0]


def test_ignored_signal(keeper: Keeper) -> None:
    """What is ignored by whoever starts it is ignored by the command."""
    script = f"trap \"\" HUP; exec {TOLL} exec --no-start -- sh -c 'kill -HUP $$; echo lives'"
    result = keeper.run("exec", "--no-start", "--", "sh", "-c", script)
    assert "lives\n" == result.stdout


def test_ignored_children(keeper: Keeper) -> None:
    """That the command has ended is heard, too, under who ignores how children end."""
    program = (
        "import os, signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN);"
        f"os.execv({str(TOLL)!r}, ['toll', 'exec', '--no-start', '--', 'sh', '-c', 'exit 3'])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], env=keeper.environment, timeout=20, check=False
    )
    assert 3 == result.returncode


def test_command_that_is_frozen(keeper: Keeper) -> None:
    """A command that is frozen alone, as by toll pause, leaves toll exec as it is; SIGCONT is passed on."""
    with hearer(keeper, "SIGCONT", "SIGUSR1", columns=80) as running:
        command = psutil.Process(child_of(running))
        command.send_signal(signal.SIGSTOP)
        wait_until(lambda: command.status() == psutil.STATUS_STOPPED)
        running.process.send_signal(signal.SIGUSR1)
        running.process.send_signal(signal.SIGCONT)
        running.wait_for("SIGUSR1")
        running.wait_for("SIGCONT")


@pytest.mark.skipif(not os.path.exists("/bin/bash"), reason="there is no bash")
def test_job_of_a_shell(keeper: Keeper, tmp_path: Path) -> None:
    """In a terminal ^C reaches the command once, ^Z gives the shell its prompt, and fg goes on."""
    script = tmp_path / "hears.py"
    script.write_text(HEARS)
    with Shell(tmp_path) as shell:
        home = keeper.environment["TOLL_HOME"]
        shell.type(
            f"TOLL_HOME={home} {TOLL} exec --no-start -- "
            f"{sys.executable} {script} SIGINT SIGCONT SIGUSR1"
        )
        shell.wait_for("ready\r\n")
        toll = psutil.Process(shell.process.pid).children()[0]
        shell.press("\x03")
        shell.wait_for("SIGINT")
        toll.send_signal(signal.SIGUSR1)
        shell.wait_for("SIGUSR1")
        assert shell.shown.count("SIGINT") == 1
        shell.press("\x1a")
        shell.wait_for(r"(?s)Stopped .*ready> $")
        shell.type("fg")
        shell.wait_for("SIGCONT")
        toll.send_signal(signal.SIGINT)
        shell.wait_for("SIGINT")
        toll.send_signal(signal.SIGTERM)
        shell.wait_for(r"(?s)Terminated.*ready> $|ready> $")
        shell.type("echo ended with $?")
        shell.wait_for("ended with 143")
