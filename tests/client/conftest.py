"""Fixtures of the client's unit tests."""

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tollkeeper.cli.main import main
from tollkeeper.managed import VARIABLE as MANAGED
from tollkeeper.paths import Paths, find_paths

Run = Callable[..., tuple[int, str, str]]

# A busy machine is no failure.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Paths]:
    """A Tollkeeper of our own, with a path short enough for a socket, and no daemon in it."""
    with tempfile.TemporaryDirectory(prefix="toll", dir="/tmp") as folder:
        monkeypatch.setenv("TOLL_HOME", str(Path(folder).resolve()))
        monkeypatch.setenv(MANAGED, f"{folder}/managed")
        # No service of the person who runs the tests, and no proxy.
        monkeypatch.setenv("HOME", f"{folder}/user")
        for name in ("XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "ANTHROPIC_BASE_URL"):
            monkeypatch.delenv(name, raising=False)
        yield find_paths()


@pytest.fixture
def managed(home: Paths) -> Path:
    """The folder of managed settings, which the test may write; else there are none."""
    folder = Path(os.environ[MANAGED])
    (folder / "managed-settings.d").mkdir(parents=True)
    return folder


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs toll with these arguments: its exit status, and what it printed on both streams."""
    # Whoever runs the tests may have set it, and libraries do: the streams are pipes.
    monkeypatch.delenv("COLUMNS", raising=False)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["toll", *arguments])
        exit_status = 0
        try:
            main()
        except SystemExit as done:
            assert done.code is None or isinstance(done.code, int)
            exit_status = done.code or 0
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        out, err = capfd.readouterr()
        return exit_status, out, err

    return call
