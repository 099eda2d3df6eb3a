"""What a daemon stands on: one ledger, its directories, and a log that nobody can write into."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from waiting import wait_until

from .claude_home import ClaudeHome
from .keeper import Keeper
from .lines import USUAL


def test_one_daemon_per_ledger(daemon: Keeper) -> None:
    """A daemon with another run directory is refused by the one that has the ledger."""
    assert daemon.process
    other = daemon.root / "run-2"
    environment = {
        name: value for name, value in daemon.environment.items() if name != "TOLL_HOME"
    } | {
        "XDG_CONFIG_HOME": str(daemon.root / "config-2"),
        "XDG_DATA_HOME": str(daemon.root / "data-2"),
        "XDG_RUNTIME_DIR": str(other),
    }
    (daemon.root / "data-2").mkdir()
    (daemon.root / "data-2" / "tollkeeper").symlink_to(daemon.paths.data)
    refused = subprocess.run(
        [sys.executable, "-m", "tollkeeper_daemon"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert refused.returncode == 1
    assert f"pid {daemon.process.pid}" in refused.stderr


@pytest.mark.parametrize(
    ("place", "content"), [("settings", "{} = 1"), ("prices", "[[prices]]\nmodel = {}")]
)
def test_refusal_in_one_line(keeper: Keeper, place: str, content: str) -> None:
    """What is wrong with a file of the user's is told in one line, with nothing that moves a cursor."""
    file: Path = getattr(keeper.paths, place)
    file.write_text(content.format('"\\u001b[31mred\\nTraceback\\u009b"'))
    refused = subprocess.run(
        [sys.executable, "-m", "tollkeeper_daemon"],
        env=keeper.environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert refused.returncode == 1
    assert refused.stderr.startswith("tolld: ")
    assert "[31mred" in refused.stderr
    assert refused.stderr.removesuffix("\n").isprintable()


def test_daemon_ends_without_its_run_directory(daemon: Keeper, home: ClaudeHome) -> None:
    """A daemon whose run directory was removed ends by itself, and the next one goes on."""
    home.log().reply()
    daemon.wait_for_requests(1)
    process = daemon.process
    assert process
    shutil.rmtree(daemon.paths.run)
    assert wait_until(lambda: process.poll() is not None)
    assert process.returncode == 0
    daemon.process = None
    daemon.toll.close()
    assert daemon.start().requests() == 1


def test_exited_agent_waits_for_nothing(daemon: Keeper) -> None:
    """An agent that ended while it waited for a permission is exited, and waits no more."""
    agent = daemon.start_agent()
    agent.says("waiting", waitingFor="permission prompt")
    daemon.wait_for(lambda status: [each.state for each in status.agents] == ["waiting"])
    agent.exit()
    status = daemon.wait_for(lambda status: [a.state for a in status.agents] == ["exited"])
    assert [each.waiting_for for each in status.agents] == [None]


def test_log_of_the_daemon_is_its_own(daemon: Keeper, home: ClaudeHome) -> None:
    """A model's name with a line break and escape codes writes no line into the daemon's log."""
    model = "claude-x\n2026-11-22 12:00:00,000 ERROR forged\x1b]0;title\x07" + "y" * 10_000
    home.log().reply(USUAL, model=model)
    daemon.wait_for_requests(1)
    written = daemon.paths.log.read_text("utf-8")
    assert "forged" in written
    assert not any(line.startswith("2026-11-22 12:00:00,000 ERROR") for line in written.split("\n"))
    assert "\x1b" not in written
    assert max(map(len, written.split("\n"))) < 1_000
