"""``toll statusline``, run as Claude Code runs it: what it shows, what it leaves, and that it ends well."""

import json
import os
import pty
import subprocess
import sys
import time

import pytest

from tollkeeper.paths import Paths
from tollkeeper.status_script import NOT_RUNNING

CONVERSATION = "295f9608-a58c-4d3d-9aad-667f1e4744a1"
GIVEN = json.dumps({"session_id": CONVERSATION, "text": "é" * 30_000}).encode()
TOLL = [sys.executable, "-m", "tollkeeper.cli.main", "statusline"]


@pytest.fixture
def living(home: Paths) -> Paths:
    """The directories as a living daemon keeps them, with a line of all."""
    for folder in (home.status_inbox, home.segments):
        folder.mkdir(parents=True)
    home.alive.touch()
    os.utime(home.alive, (time.time() + 30, time.time() + 30))
    (home.segments / "all").write_text("🤖 3 agents\n")
    return home


def show(given: bytes = GIVEN, **named: str) -> str:
    """Run it to its end, which must be a good one without complaints; what it printed."""
    done = subprocess.run(
        TOLL,
        input=given,
        env={**os.environ, "PYTHONIOENCODING": "ascii", **named},
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()


def letters(paths: Paths) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in paths.status_inbox.iterdir()}


def test_shows_and_reports(living: Paths) -> None:
    """It shows the conversation's line, else that of all, and leaves what it was given, whole."""
    assert show() == "🤖 3 agents\n"
    (living.segments / CONVERSATION).write_text("Agent-1 $0.07")
    assert show() == "Agent-1 $0.07\n"
    assert letters(living) == {CONVERSATION: GIVEN}


@pytest.mark.parametrize("given", [b"", b"{", b"[]", b"\xff", b'{"session_id": 5}', b"[" * 90_000])
def test_no_conversation(living: Paths, given: bytes) -> None:
    """Without a name in what it is given it takes the environment's, else that of all."""
    assert show(given) == "🤖 3 agents\n"
    (living.segments / CONVERSATION).write_text("Agent-1\n")
    assert show(given, CLAUDE_CODE_SESSION_ID=CONVERSATION) == "Agent-1\n"
    assert show(given, CLAUDE_CODE_SESSION_ID="../inbox") == "🤖 3 agents\n"
    assert letters(living).keys() == {"all", CONVERSATION}


def test_no_segment(living: Paths) -> None:
    """Before the daemon has written any line it is an empty one."""
    (living.segments / "all").unlink()
    assert show() == "\n"


def test_no_daemon(living: Paths) -> None:
    """Without a daemon it says so, shows no old figures, and leaves nothing behind."""
    living.alive.unlink()
    assert show() == f"{NOT_RUNNING}\n"
    assert letters(living) == {}


@pytest.mark.usefixtures("home")
def test_in_a_terminal() -> None:
    """Typed by a person it says in one line what it is for, and does not wait."""
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(TOLL, stdin=theirs, capture_output=True, timeout=30, check=True)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (done.stdout, done.stderr.count(b"\n")) == (b"", 1)
    assert b"toll setup" in done.stderr


@pytest.mark.usefixtures("home")
def test_without_any_stdin() -> None:
    """With its stdin closed it ends well, too."""
    command = f"'{sys.executable}' -m tollkeeper.cli.main statusline <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=30, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_loads_little() -> None:
    """It loads none of the libraries that take longer than all its work."""
    code = "import sys, tollkeeper.cli.main, tollkeeper.cli.statusline; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert not {"zmq", "msgspec", "rich", "typing", "pathlib", "asyncio"} & {*loaded.split()}
