"""An orchestrator's files may lie, or be none: nothing comes of that but what they say of their own agent."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.exchange.claims import Claims
from tollkeeper_daemon.labels.labels import labels_at
from tollkeeper_daemon.labels.task_ids import TaskIds
from tollkeeper_daemon.sources.orchestra import claims_in, note_in, read_claims, read_note

from .lines import NINE_MS
from .machine import process, session

TASK = ".claude-4nq.1-analyze"


def claim(task: str, time: object, agent: str = "cook") -> bytes:
    """A line of claims."""
    line = {"action": "claim", "task": task, "agent": agent, "timestamp": time}
    return json.dumps(line).encode() + b"\n"


class Tree:
    """A worktree with an agent in it, and what an orchestrator says of that."""

    def __init__(self, folder: Path) -> None:
        self.note = Path(note_in(str(folder)))
        self.claims = Path(claims_in(str(folder)))
        self.note.parent.mkdir(parents=True)
        self.folder = folder
        self.roster = Roster()
        self.reader = Claims(
            self.roster, lambda agent: agent.record.told, TaskIds, lambda task, agent: ""
        )
        self.agent = self.comes(100)

    def comes(self, pid: int) -> LiveAgent:
        """An agent comes to the tree."""
        seen = process(pid, started=NINE_MS, cwd=str(self.folder))
        return self.roster.appear(seen, session(pid, f"conv-{pid}"), False, NINE_MS)

    def says(self, *lines: bytes, written: int = NINE_MS, **more: Any) -> None:
        """The files say this, as of that time (ms)."""
        note = {"name": "cook", "sessionId": "conv-100", "repoPath": str(self.folder), **more}
        self.note.write_text(json.dumps(note))
        self.claims.write_bytes(b"".join(lines))
        os.utime(self.claims, (written / 1000, written / 1000))

    def task(self, now: int) -> str:
        """The agent's task, once the files were looked at."""
        self.reader.look(now)
        return labels_at(self.agent.record.told, now).task


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A worktree with an agent in it."""
    return Tree(tmp_path / "tree")


@pytest.mark.parametrize("time", [1e300, 10**30, "9999-12-31T23:59:59Z", 1e19])
def test_claims_of_times_to_come(tree: Tree, time: object) -> None:
    """A claim later than the file's writing is counted as bad, and those behind it hold."""
    tree.says(claim("bd-9zz.1", time), claim(TASK, iso(NINE_MS + 5)), written=NINE_MS + 10)
    assert TASK == tree.task(NINE_MS + 10)
    assert {str(tree.claims)} == tree.reader.bad_files
    assert "cook" == tree.agent.record.name


def test_clocks_that_differ(tree: Tree) -> None:
    """A claim by a clock that is a little ahead holds from then on."""
    tree.says(claim(TASK, iso(NINE_MS + 30_000)))
    assert "" == tree.task(NINE_MS + 10)
    assert TASK == tree.task(NINE_MS + 30_000)


def test_note_about_another(tree: Tree) -> None:
    """A note that names none of the agent's conversations says nothing of it."""
    tree.says(claim(TASK, iso(NINE_MS)), sessionId="conv-200")
    assert "" == tree.task(NINE_MS + 10)
    other = tree.comes(200)
    tree.reader.look(NINE_MS + 10)
    assert ("shop-1", "cook") != (tree.agent.record.name, other.record.name)
    assert TASK == labels_at(other.record.told, NINE_MS + 10).task


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 5_000,
        b'{"name": 7}',
        b'{"sessionId": null}',
        b"x" * 99_999,
    ],
)
def test_notes_that_are_none(tree: Tree, note: bytes) -> None:
    """What is no note is shown as bad, and gives nobody a name."""
    tree.says()
    tree.note.write_bytes(note)
    before = tree.agent.record.name
    tree.reader.look(NINE_MS)
    assert before == tree.agent.record.name
    assert {str(tree.note)} == tree.reader.bad_files


def test_large_names(tree: Tree) -> None:
    """Of absurdly long names no more is kept than of others."""
    tree.says(claim("t" * 10_000, NINE_MS), taskFile="/" * 9_999, name="n" * 10_000, id="cook")
    assert 64 == len(tree.task(NINE_MS))
    assert 200 == len(tree.agent.record.name)


def link_to_zeros(path: Path) -> None:
    """Lay a link to a file without an end there."""
    path.symlink_to("/dev/zero")


def test_what_is_no_file(tree: Tree) -> None:
    """Pipes, folders and links to nowhere in their places hold nobody up."""
    for path in (tree.note, tree.claims):
        for lay in (os.mkfifo, os.mkdir, link_to_zeros):
            tree.says(claim(TASK, NINE_MS))
            path.unlink()
            lay(path)
            tree.reader.look(NINE_MS)
            assert {str(path)} == tree.reader.bad_files
            (os.rmdir if path.is_dir() else os.unlink)(path)
    with pytest.raises(ValueError, match="absent"):
        read_note(str(tree.folder / "absent"))


def test_many_claims(tree: Tree) -> None:
    """Of a file without measure the latest claims are read, whole lines of them, and the latest hold."""
    lines = [claim(f"bd-{number:05}a", NINE_MS + number) for number in range(20_000)]
    tree.says(*lines, written=NINE_MS + 20_000)
    found, bad = read_claims(str(tree.claims))
    assert (0, "bd-19999a") == (bad, found[-1].task)
    assert 1_000 < len(found) < 4_000
    for _ in range(2):
        assert "bd-19999a" == tree.task(NINE_MS + 20_000)
        assert 100 == len(tree.agent.record.told)
