"""The real Claude Code client: finding it, and running it headless in a home of its own."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from msgspec import Struct, field

from ending import end

from .home import Home, Subscription
from .install_client import binary, installed
from .logs import Line, ModelUsage, SessionFile, read_lines, read_session_files
from .replies import Tokens

RUN_TIMEOUT_S = 40.0


def find_client() -> Path | None:
    """Find the client that TOLL_E2E_CLIENT names, or the one that install_client.py installed."""
    if named := os.environ.get("TOLL_E2E_CLIENT"):
        return Path(named) if Path(named).is_file() else None
    return binary() if installed() else None


class Result(Struct, frozen=True, kw_only=True):
    """What a headless run says at its end."""

    session_id: str
    total_cost_usd: float
    model_usage: dict[str, ModelUsage] = field(name="modelUsage")
    is_error: bool = False
    api_error_status: int | None = None
    text: str = field(name="result", default="")
    num_turns: int = 0

    @property
    def tokens(self) -> dict[str, Tokens]:
        return {model: usage.tokens() for model, usage in self.model_usage.items()}

    @property
    def costs(self) -> dict[str, float]:
        return {model: usage.cost_usd for model, usage in self.model_usage.items()}


class Client:
    """A client with a home of its own, talking to the server at the url.

    Several runs may share it, at once too: they are then agents of one user. Whatever it started
    and is still running at the end, or frozen, is killed, and the home is removed.
    """

    def __init__(self, binary: Path, url: str, *, subscription: Subscription | None = None) -> None:
        self.binary = binary
        self.home = Home(subscription)
        self.environment = self.home.environment(url)
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._running:
            end(process)
        self.home.remove()

    @property
    def config_dir(self) -> Path:
        return self.home.config_dir

    @property
    def cwd(self) -> Path:
        return self.home.cwd

    def configure(self, **settings: Any) -> None:
        """Lay the settings over those in settings.json, for the runs to come."""
        self.home.configure(settings)

    def run(
        self,
        prompt: str,
        *,
        resume: str | None = None,
        fork: bool = False,
        args: Sequence[str] = (),
        extra_env: Mapping[str, str] | None = None,
    ) -> Result:
        """Run one prompt to its end."""
        return self.finish(
            self.start(prompt, resume=resume, fork=fork, args=args, extra_env=extra_env)
        )

    def start(
        self,
        prompt: str,
        *,
        resume: str | None = None,
        fork: bool = False,
        args: Sequence[str] = (),
        extra_env: Mapping[str, str] | None = None,
        under: Sequence[str] = (),
    ) -> subprocess.Popen[bytes]:
        """Start a run and come back at once; `finish` waits for its result.

        ``under`` is a command that runs what comes behind it.
        """
        chain = ["--resume", resume] if resume else []
        forked = ["--fork-session"] if fork else []
        process = subprocess.Popen(
            [*under, self.binary, "-p", prompt, "--output-format", "json", *chain, *forked, *args],
            cwd=self.cwd,
            env={**self.environment, **(extra_env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._running.append(process)
        return process

    def finish(self, process: subprocess.Popen[bytes], timeout: float = RUN_TIMEOUT_S) -> Result:
        """Wait for a run's end and read its result."""
        said, complaints = process.communicate(timeout=timeout)
        self._running.remove(process)
        try:
            return msgspec.json.decode(said, type=Result)
        except msgspec.DecodeError as error:
            words = (said + complaints)[-2000:].decode(errors="replace")
            raise AssertionError(f"the client ended with {process.returncode}: {words}") from error

    def log_path(self, session_id: str) -> Path:
        slug = "".join(c if c.isascii() and c.isalnum() else "-" for c in str(self.cwd))
        return self.config_dir / "projects" / slug / f"{session_id}.jsonl"

    def session_ids(self) -> set[str]:
        """Name the sessions that have a log, in any project."""
        return {path.stem for path in self.config_dir.glob("projects/*/*.jsonl")}

    def log(self, session_id: str) -> list[Line]:
        return read_lines(self.log_path(session_id))

    def subagent_logs(self, session_id: str) -> list[list[Line]]:
        folder = self.log_path(session_id).with_suffix("") / "subagents"
        return [read_lines(path) for path in sorted(folder.rglob("agent-*.jsonl"))]

    def session_files(self) -> dict[int, SessionFile]:
        """Read what the running clients say of themselves, by process id."""
        return read_session_files(self.config_dir)
