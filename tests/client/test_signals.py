"""Signals go to the process with this id, of this user, and to nobody else."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from proc import needs_proc
from tollkeeper import kernel, signals
from tollkeeper.kernel import read_stat
from tollkeeper.signals import ProcessGone, SignalRefused, id_of, recognise, send
from waiting import wait_until

root = pytest.mark.skipif(os.getuid() != 0, reason="only root can start another user's process")
Child = subprocess.Popen[bytes]


@pytest.fixture
def child() -> Iterator[Child]:
    """A process of our own that sleeps."""
    with subprocess.Popen(["sleep", "600"]) as running:
        yield running
        running.kill()


def _id(pid: int) -> str:
    return id_of(pid, read_stat(pid).start)


def _without_pidfds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open", raising=False)


@pytest.fixture(params=[True, False], ids=["pidfds", "no pidfds"])
def pidfds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Systems with pidfds and without."""
    if not request.param:
        _without_pidfds(monkeypatch)


@needs_proc
@pytest.mark.usefixtures("pidfds")
def test_a_process_is_frozen_and_thawed_by_its_id(child: Child) -> None:
    """The process with the id gets the signal, and keeps its id."""
    process = _id(child.pid)
    send(process, signal.SIGSTOP)
    wait_until(lambda: recognise(process).stopped)
    assert (process,) == signals.thaw([process])
    wait_until(lambda: not recognise(process).stopped)
    send(process, signal.SIGTERM)
    assert -signal.SIGTERM == child.wait(10)


@needs_proc
@pytest.mark.usefixtures("pidfds")
def test_another_start_is_another_process(child: Child) -> None:
    """A process that started at another time than the id says is not signalled."""
    start = read_stat(child.pid).start
    for other in (start - 1, start + 1, f"0{start}"):
        with pytest.raises(ProcessGone, match="another one has its pid now"):
            send(f"{child.pid}-{other}", signal.SIGKILL)
    with pytest.raises(ProcessGone, match="another one has its pid now"):
        send(f"0{child.pid}-{start}", signal.SIGKILL)
    assert child.poll() is None


@needs_proc
@pytest.mark.usefixtures("pidfds")
def test_ended_processes_are_gone(child: Child) -> None:
    """A zombie gets no signal any more, nor does what its parent has taken note of."""
    process = _id(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(ProcessGone, match="has ended"):
        send(process, signal.SIGCONT)
    child.wait()
    with pytest.raises(ProcessGone, match="is gone"):
        send(process, signal.SIGCONT)
    assert () == signals.thaw([process])


@pytest.mark.parametrize("process", ["0-0", "1-1", "1-0", "01-7"])
def test_the_first_processes_are_never_signalled(process: str) -> None:
    """Neither the system's own nor, as pid 0 would be, the whole process group."""
    with pytest.raises(SignalRefused, match="the system's own"):
        send(process, signal.SIGCONT)


@pytest.mark.parametrize(
    "process", ["", "-", "12", "12-", "-1-5", "-5", "a-1", "1a-1", "٣-1", "12-3-4", f"{10**9}-1"]
)
def test_ids_that_are_none(process: str) -> None:
    """What is no pid with a start names nobody, least of all a group of processes."""
    with pytest.raises(SignalRefused, match="is no id of a process"):
        send(process, signal.SIGCONT)


@needs_proc
@pytest.mark.usefixtures("pidfds")
def test_itself_and_its_ancestors_are_refused() -> None:
    """The process that sends signals spares itself, its parent, and all above."""
    with pytest.raises(SignalRefused, match="is Tollkeeper itself"):
        send(_id(os.getpid()), signal.SIGCONT)
    above: list[int] = []
    pid = os.getppid()
    while pid > 1:
        above.append(pid)
        pid = read_stat(pid).parent
    assert above
    for pid in above:
        with pytest.raises(SignalRefused, match=f"(runs under process {pid}|another user's)$"):
            send(_id(pid), signal.SIGCONT)


@needs_proc
@pytest.mark.usefixtures("pidfds")
def test_a_thread_is_no_process() -> None:
    """The number of a thread names no process, though /proc answers for it."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert thread.native_id
        with pytest.raises(ProcessGone, match="is gone"):
            send(_id(thread.native_id), signal.SIGCONT)
    finally:
        done.set()
        thread.join()


@needs_proc
@root
@pytest.mark.usefixtures("pidfds")
def test_another_users_process_is_refused() -> None:
    """Root may signal anybody, but another user's processes are none of ours."""
    with subprocess.Popen(["sleep", "600"], user=65534) as theirs:
        with pytest.raises(SignalRefused, match="another user's"):
            send(_id(theirs.pid), signal.SIGTERM)
        assert theirs.poll() is None
        theirs.kill()


@needs_proc
@root
def test_roots_process_is_refused(child: Child) -> None:
    """A user who is not root is told that the process is another's."""
    code = (
        "import os, sys; from tollkeeper.signals import *; os.setresuid(*[65534] * 3)\n"
        "try: send(sys.argv[1], 9)\n"
        "except SignalRefused as error: print(error.code, error.message)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, _id(child.pid)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"refused process {child.pid} is another user's\n" == told.stdout
    assert child.poll() is None


@needs_proc
def test_a_system_that_forbids_it(child: Child) -> None:
    """Where the system lets nobody signal a process, that is said."""

    class Strict(kernel.Proc):
        def signal(self, pid: int, number: int, check: Callable[[], None]) -> None:
            check()
            raise PermissionError(1, "Operation not permitted")

    with pytest.raises(SignalRefused, match=f"^this user may not signal process {child.pid}$"):
        send(_id(child.pid), signal.SIGKILL, Strict())


@needs_proc
def test_a_system_that_cannot_be_asked(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    """When there are no files left to open, nothing is sent, and it is not taken for gone."""

    def fail(pid: int) -> None:
        raise OSError(24, "Too many open files")

    process = _id(child.pid)
    monkeypatch.setattr(kernel, "read_stat", fail)
    with pytest.raises(SignalRefused, match=": Too many open files$") as caught:
        send(process, signal.SIGKILL)
    assert not isinstance(caught.value, ProcessGone)
    assert child.poll() is None


def test_without_proc(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no /proc, the client alone refuses, and says who can do it."""

    def fail(pid: int) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(kernel, "read_stat", fail)
    monkeypatch.setattr(kernel, "has_proc", lambda: False)
    process = f"{child.pid}-1"
    with pytest.raises(SignalRefused, match="without /proc only the daemon knows it again"):
        send(process, signal.SIGKILL)
    with pytest.raises(SignalRefused, match="only the daemon"):
        signals.thaw([process])
    assert child.poll() is None


@needs_proc
def test_ancestors_end_where_they_are_hidden(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that hides other users' processes does not keep us from signalling our own."""
    above = os.getppid()
    real = kernel.read_stat

    def hidden(pid: int) -> kernel.Stat:
        if pid == above:
            raise PermissionError(1, "Operation not permitted")
        return real(pid)

    process = _id(child.pid)
    monkeypatch.setattr(kernel, "read_stat", hidden)
    send(process, signal.SIGTERM)
    assert -signal.SIGTERM == child.wait(10)


@needs_proc
@root
def test_a_pid_that_comes_again() -> None:
    """A process that took over the pid is not hit: not before, at, or right behind the last look."""
    if (unshare := shutil.which("unshare")) is None:
        pytest.skip("unshare is not installed")
    alone = [unshare, "--pid", "--fork", "--kill-child", "--mount-proc"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("there are no pid namespaces here")
    told = subprocess.run(
        [*alone, sys.executable, Path(__file__).with_name("reuse_pid.py")],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ("", 0) == (told.stderr, told.returncode)
    assert [
        "process N is gone, and another one has its pid now: lives",
        "process N is gone, and another one has its pid now: lives",
        "process N is gone: lives",
    ] == told.stdout.splitlines()


def test_little_is_loaded() -> None:
    """Sending a signal needs none of the libraries that take their time to load."""
    code = "import sys, tollkeeper.signals; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"typing", "dataclasses", "msgspec", "asyncio", "zmq", "psutil"} & {*loaded}


def test_nothing_else_signals_by_pid() -> None:
    """No other file signals a pid, but to ask whether there is one, or a child not yet waited for."""
    root = Path(__file__).parents[2]
    client = root / "client" / "tollkeeper"
    sends = re.compile(r"os\.kill\((?!.*, 0\)$)|pidfd_send_signal\(", re.MULTILINE)
    assert {client / "kernel.py", client / "cli" / "child.py"} == {
        path
        for part in ("client", "daemon", "tray")
        for path in (root / part).rglob("*.py")
        if sends.search(path.read_text("utf-8"))
    }
