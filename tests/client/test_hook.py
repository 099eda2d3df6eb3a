"""``toll hook``, run as Claude Code runs it: what it prints for an event, and that it fails in silence."""

import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper.cli import hook
from tollkeeper.cli.hook import LONGEST_ANSWER
from tollkeeper.paths import Paths, find_paths
from tollkeeper.places import LONGEST_FILE_NAME, is_file_name

CONVERSATION = "295f9608-a58c-4d3d-9aad-667f1e4744a1"
ANSWER = '{"continue": false}\n'


def event(conversation: Any = CONVERSATION, name: Any = "PreToolUse", **more: Any) -> bytes:
    """What the client writes to its hook."""
    fields = {"session_id": conversation, "hook_event_name": name, "tool_name": "Bash", **more}
    return json.dumps(fields).encode()


def run_hook(given: bytes, **options: Any) -> str:
    """Run it to its end, which must be a good one without complaints; what it printed."""
    command = [sys.executable, "-m", "tollkeeper.cli.main", "hook"]
    done = subprocess.run(
        command, input=given, capture_output=True, timeout=30, check=False, **options
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()


@pytest.fixture
def deny(home: Paths) -> Path:
    """The folder of answers, with one for the conversation, and no daemon beside it."""
    home.deny.mkdir(parents=True)
    (home.deny / CONVERSATION).write_text(ANSWER)
    return home.deny


@pytest.mark.usefixtures("deny")
def test_refused() -> None:
    """Before a tool it prints what lies ready for the conversation, a subagent's as its parent's."""
    assert run_hook(event()) == ANSWER
    assert run_hook(event(agent_id="a3a12fa752ff6af55", agent_type="analyst")) == ANSWER
    assert run_hook(event(tool_input={"content": "x" * 3_000_000})) == ANSWER


def test_refused_while_a_tool_ran(deny: Path) -> None:
    """After a tool it ends the turn; a refusal of the tool itself would come too late."""
    told = {"continue": False, "stopReason": "spent"}
    refusal = {"hookEventName": "PreToolUse", "permissionDecision": "deny"}
    (deny / CONVERSATION).write_text(json.dumps({**told, "hookSpecificOutput": refusal}))
    assert told == json.loads(run_hook(event(name="PostToolUse")))
    for broken in ("", "[]", "{", "null"):
        (deny / CONVERSATION).write_text(broken)
        assert run_hook(event(name="PostToolUse")) == ""


@pytest.mark.usefixtures("deny")
def test_not_refused() -> None:
    """Another conversation, and what is no tool call, go on."""
    assert run_hook(event("8774b0d2-f62b-4c94-a674-62fe0552b9cb")) == ""
    for name in (
        "PostToolUseFailure",
        "Stop",
        "SessionStart",
        "pretooluse",
        None,
        5,
        ["PreToolUse"],
    ):
        assert run_hook(event(name=name)) == ""


def test_near_a_limit(home: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """Near a limit it waits for the refusal that the reply just given may bring."""
    home.deny.mkdir(parents=True)
    (home.deny / f"{CONVERSATION}.near").touch()
    refusal = home.deny / CONVERSATION

    def meanwhile(_: float) -> None:
        refusal.write_text(ANSWER)

    monkeypatch.setattr(time, "sleep", meanwhile)
    asked: dict[object, object] = {
        "session_id": CONVERSATION,
        "hook_event_name": "PreToolUse",
    }
    assert hook.answer_to(asked, str(home.run)) == ANSWER.encode()
    refusal.unlink()
    monkeypatch.undo()
    assert hook.answer_to(asked, str(home.run)) == b""


def test_nothing_there(home: Paths) -> None:
    """Without a daemon, and without any directory of ours, nothing is said, made or started."""
    assert run_hook(event()) == ""
    assert not home.run.exists()


@pytest.mark.usefixtures("deny")
@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"null",
        b"[]",
        b'"PreToolUse"',
        b"{}",
        b"[" * 200_000,
        b'{"hook_event_name":' + b"9" * 10_000 + b"}",
        b'{"hook_event_name": "PreToolUse"}',
        event(None),
        event(5),
        event([CONVERSATION]),
        event(""),
        event("."),
        event(".."),
        event(f"../deny/{CONVERSATION}"),
        event(f"./{CONVERSATION}"),
        event(f"{CONVERSATION}\0"),
        event("\ud800"),
        event("x" * 100_000),
    ],
    ids=range(21),
)
def test_malice(given: bytes) -> None:
    """Whatever comes in that names no conversation, it ends well and prints nothing."""
    assert run_hook(given) == ""


def test_what_is_not_trusted(deny: Path, tmp_path: Path) -> None:
    """Only a file that lies in the folder itself is printed: no link, pipe or folder."""
    (tmp_path / "out").write_text("out of the folder")
    (deny / "link").symlink_to(tmp_path / "out")
    (deny / "inside").symlink_to(deny / CONVERSATION)
    os.mkfifo(deny / "pipe")
    (deny / "folder").mkdir()
    for name in ("link", "inside", "pipe", "folder"):
        assert run_hook(event(name)) == ""


def test_folder_is_not_trusted(home: Paths, deny: Path, tmp_path: Path) -> None:
    """A folder that leads elsewhere is not followed."""
    deny.rename(tmp_path / "elsewhere")
    home.deny.symlink_to(tmp_path / "elsewhere")
    assert run_hook(event()) == ""


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_of_another_user(deny: Path) -> None:
    """What another user put there is not printed."""
    os.chown(deny / CONVERSATION, 12345, -1)
    assert run_hook(event()) == ""


def test_bounded(deny: Path) -> None:
    """Of a file that is too long for an answer no more is printed than an answer has."""
    (deny / CONVERSATION).write_text("x" * (LONGEST_ANSWER + 1))
    assert len(run_hook(event())) == LONGEST_ANSWER


@pytest.mark.usefixtures("deny")
def test_in_a_directory_that_is_gone(tmp_path: Path) -> None:
    """An agent may have removed the directory it works in, and is refused all the same."""
    gone = tmp_path / "gone"
    gone.mkdir()
    assert run_hook(event(), cwd=gone, preexec_fn=lambda: os.rmdir(gone)) == ANSWER


@pytest.mark.usefixtures("home")
def test_in_a_terminal() -> None:
    """Typed by a person it says in one line what it is for, and does not wait."""
    ours, theirs = pty.openpty()
    try:
        command = [sys.executable, "-m", "tollkeeper.cli.main", "hook"]
        done = subprocess.run(command, stdin=theirs, capture_output=True, timeout=30, check=True)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.stdout == b""
    assert done.stderr.count(b"\n") == 1
    assert b"Claude Code" in done.stderr


@pytest.mark.usefixtures("home")
def test_without_any_stdin() -> None:
    """With its stdin closed it ends well, too."""
    command = f"'{sys.executable}' -m tollkeeper.cli.main hook <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=30, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_loads_little() -> None:
    """It loads none of the libraries that take longer than all its work."""
    code = "import sys, tollkeeper.cli.main, tollkeeper.cli.hook; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"zmq", "msgspec", "rich", "typing", "pathlib", "asyncio"} & {*loaded.stdout.split()}


def test_place() -> None:
    """The answers lie in the run directory."""
    assert find_paths({"TOLL_HOME": "/t"}).deny == Path("/t/run/deny")


@given(st.text() | st.from_regex(r"[-_a-zA-Z0-9]+", fullmatch=True))
def test_file_names(text: str) -> None:
    """A file name is made of plain letters, digits, - and _, and is neither empty nor long."""
    plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
    expected = 0 < len(text) <= LONGEST_FILE_NAME and all(c in plain for c in text)
    assert is_file_name(text) == expected
