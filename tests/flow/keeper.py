"""One Tollkeeper in a home of its own: its daemon, its clients, and its toll command."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from tollkeeper.control import Toll, is_listening
from tollkeeper.errors import TollError
from tollkeeper.feed import Feed
from tollkeeper.model import Agent, Status
from tollkeeper.paths import Paths, find_paths
from waiting import wait_until

from .agent_process import AgentProcess
from .claude_home import ClaudeHome

TOLL = Path(sys.executable).with_name("toll")
# A socket's path holds about a hundred bytes, and a runner's own temporary folder may take them.
SHORT_TEMP = "/tmp"


class Running(Protocol):
    """Anything with a pid."""

    @property
    def pid(self) -> int: ...


class Keeper:
    """A daemon to start, stop and kill, with a Claude home that only it looks at.

    ``claude`` is the Claude home of another keeper, to read the same logs with another ledger.
    """

    def __init__(self, claude: ClaudeHome | None = None, processes: bool = False) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="toll-", dir=SHORT_TEMP)).resolve()
        self.home = claude or ClaudeHome(self.root / "claude", self.root / "work")
        self.managed = self.root / "managed"
        self.environment = self._environment()
        self.paths: Paths = find_paths(self.environment)
        self.process: subprocess.Popen[bytes] | None = None
        self.paths.config.mkdir(parents=True, mode=0o700)
        self.configure(f"[sources]\nprocesses = {str(processes).lower()}\n")
        for folder in (self.home.projects, self.home.sessions, self.root / "user"):
            folder.mkdir(parents=True, exist_ok=True)
        self.toll = Toll(self.paths, timeout=10)
        self._agents: list[AgentProcess] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End what was started; a daemon that complained fails the test that went well."""
        for agent in self._agents:
            agent.exit()
        try:
            self._end_daemon()
            complaints = self.complaints()
        finally:
            self.toll.close()
            shutil.rmtree(self.root, ignore_errors=True)
        if error is None:
            assert not complaints, complaints

    def configure(self, toml: str) -> None:
        """Write the settings."""
        self.paths.settings.write_text(toml)

    def limit(self, **settings: Any) -> None:
        """Write the settings with these in ``[limits]``, and no other bounds."""
        words = {"per_agent": 0, "per_run": 0, "daily": 0, **settings}
        lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in words.items())
        self.configure(f"[sources]\nprocesses = false\n\n[limits]\n{lines}")

    # The daemon.

    def start(self) -> Self:
        """Start the daemon and wait until it answers."""
        process = self.spawn()
        wait_until(lambda: process.poll() is not None or is_listening(self.paths))
        assert process.poll() is None, self.complaints()
        return self

    def spawn(self, stderr: int | None = None) -> "subprocess.Popen[bytes]":
        """Start the daemon, and do not wait; what it complains of can be led elsewhere."""
        assert self.process is None
        with open(self.root / "stderr", "ab") as complaints:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "tollkeeper_daemon"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=complaints,
                stderr=complaints if stderr is None else stderr,
                cwd=self.root,
                start_new_session=True,
            )
        return self.process

    def stop(self) -> int:
        """End the daemon with SIGTERM; its exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the daemon as the kernel would, with no moment to tidy up."""
        self._end(signal.SIGKILL)

    def restart(self) -> Self:
        """Stop the daemon and start it again."""
        assert self.stop() == 0
        return self.start()

    def complaints(self) -> str:
        """What no daemon should ever write: tracebacks and warnings; a refused start is none."""
        found = ""
        for file in (self.root / "stderr", self.paths.data / "tolld.err", self.paths.log):
            with contextlib.suppress(OSError):
                text = file.read_text("utf-8", "replace")
                told = text.startswith("tolld: ") and text.count("\n") == 1
                if "Traceback" in text or (file != self.paths.log and not told):
                    found += text
        return found

    def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        process, self.process = self.process, None
        process.send_signal(number)
        try:
            status = process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)
            raise
        self.toll.close()
        return status

    def _end_daemon(self) -> None:
        """Whether it was started here or by the toll command."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGCONT)
                self.stop()
        elif is_listening(self.paths):
            with contextlib.suppress(TollError):
                self.toll.call("shutdown", dict[str, Any])
            wait_until(lambda: not is_listening(self.paths))

    # What it says.

    def wait_for(self, seen: Callable[[Status], bool], timeout: float = 15.0) -> Status:
        """The first status in which this is seen."""
        last: list[Status] = []

        def look() -> Status | None:
            last[:] = [self.toll.status()]
            return last[0] if seen(last[0]) else None

        try:
            found = wait_until(look, timeout)
        except AssertionError:
            raise AssertionError(f"waited {timeout:g} s in vain, last seen: {last}") from None
        assert found is not None
        return found

    def wait_for_requests(self, count: int, timeout: float = 15.0) -> Status:
        """The status once this many requests are in the ledger, of whatever day."""

        def counted() -> bool:
            found = self.requests()
            assert found <= count, f"{found} requests, not {count}"
            return found == count

        wait_until(counted, timeout, f"{count} requests")
        return self.toll.status()

    def requests(self) -> int:
        """How many requests are in the ledger."""
        return self.report("daily")["totals"]["requests"]

    def report(self, verb: str, **params: Any) -> dict[str, Any]:
        """A report as the daemon answers it."""
        return self.toll.call(verb, dict[str, Any], **params)

    def agent(self, process: Running) -> Agent:
        """What it says of this agent."""
        [found] = [each for each in self.toll.agents() if each.pid == process.pid]
        return found

    def feed(self) -> Feed:
        """A subscription to its changes that has taken its snapshot, and hears what follows."""
        feed = Feed(self.paths)

        def hears() -> bool:
            change = feed.next_change(0.5)
            if change is None:
                self.toll.status()  # a beat follows
            return change is not None and change.update is not None

        wait_until(hears)
        return feed

    # Those around it.

    def start_agent(
        self,
        project: str = "shop",
        labels: dict[str, str] | None = None,
        command: Sequence[str] = ("sleep", "600"),
    ) -> AgentProcess:
        """Start a process that plays an agent; it has no session file yet."""
        agent = AgentProcess(self.home, project, labels, command)
        self._agents.append(agent)
        return agent

    def run(
        self,
        *arguments: str,
        timeout: float = 30.0,
        environment: Mapping[str, str] | None = None,
        given: str | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        """Run the toll command to its end, with pipes for stdout and stderr; ``given`` is on stdin."""
        return subprocess.run(
            [TOLL, *arguments],
            env={**self.environment, **(environment or {})},
            input=given,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        """The JSON value that the toll command prints."""
        result = self.run(*arguments, "--json")
        assert (result.returncode, result.stderr) == (0, "")
        return json.loads(result.stdout)

    def _environment(self) -> dict[str, str]:
        passed = ("PATH", "LANG", "LC_ALL")
        return {
            **{name: value for name, value in os.environ.items() if name in passed},
            **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")},
            "HOME": str(self.root / "user"),
            "TOLL_HOME": str(self.root / "toll"),
            "CLAUDE_CONFIG_DIR": str(self.home.path),
            "TOLL_MANAGED_SETTINGS": str(self.managed),
            "TZ": far_from_midnight(),
            "TERM": "xterm-256color",
        }


def far_from_midnight() -> str:
    """A time zone in which no test runs over the end of a day."""
    return "UTC0" if 1 <= datetime.now(UTC).hour < 23 else "NOON-12"
