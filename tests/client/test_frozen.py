"""The file of paused agents: what is written is read, in any version, and frees the agents."""

import signal
import stat
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from proc import needs_proc
from tollkeeper import frozen
from tollkeeper.frozen import FrozenAgent, FrozenFileError
from tollkeeper.kernel import read_stat
from tollkeeper.signals import SignalRefused, id_of, recognise, send
from waiting import wait_until

DATA = Path(__file__).parents[1] / "data"
AGENT = FrozenAgent(
    id="29410-253381",
    name="Agent-1",
    pid=29410,
    processes=("29410-253381", "29420-253400"),
    at="2026-11-22T09:30:00.000+00:00",
    reason="spent $5.02 of $5.00 (agent)",
    in_shell=True,
)


def test_version_1_is_read() -> None:
    """A file of the first version always loads."""
    assert (AGENT,) == frozen.read(DATA / "paused-v1" / "paused.json")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """The file holds the agents, for nobody but its user, and nothing is left beside it."""
    path = tmp_path / "paused.json"
    agents = (AGENT, replace(AGENT, id="7-7", name="ä ☕"))
    frozen.write(path, (AGENT,))
    frozen.write(path, agents)
    assert agents == frozen.read(path)
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert [path] == [*tmp_path.iterdir()]
    frozen.write(path, ())
    assert () == frozen.read(path)


def test_who_was_freed(tmp_path: Path) -> None:
    """Who was freed while no daemon ran is kept beside; an old file, and none, know of nobody."""
    path = tmp_path / "paused.json"
    assert () == frozen.read_freed(path)
    frozen.write(path, (AGENT,), ["7-7"])
    assert ((AGENT,), ("7-7",)) == (frozen.read(path), frozen.read_freed(path))
    path.write_bytes(b"{")
    assert () == frozen.read_freed(path)
    assert () == frozen.read_freed(DATA / "paused-v1" / "paused.json")


def test_no_file_is_no_agents(tmp_path: Path) -> None:
    """Before anything was paused there is no file."""
    assert () == frozen.read(tmp_path / "paused.json")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"version":1}', b'{"version":1,"agents":[{}]}', b"\xff"]
)
def test_broken_files(tmp_path: Path, content: bytes) -> None:
    """What is no such file is an error of one line that names it."""
    path = tmp_path / "paused.json"
    path.write_bytes(content)
    with pytest.raises(FrozenFileError) as caught:
        frozen.read(path)
    assert caught.value.message.startswith(f"{path} does not say which agents are held: ")
    assert "\n" not in caught.value.message


def test_files_of_later_versions(tmp_path: Path) -> None:
    """Fields that were added do no harm; a later version is refused."""
    path = tmp_path / "paused.json"
    now = (DATA / "paused-v1" / "paused.json").read_text()
    path.write_text(now.replace('"in_shell"', '"new":1,"in_shell"'))
    assert (AGENT,) == frozen.read(path)
    path.write_text(now.replace('"version":1', '"version":2'))
    with pytest.raises(FrozenFileError, match="later version"):
        frozen.read(path)


def test_files_that_cannot_be_touched(tmp_path: Path) -> None:
    """A file that can't be read or written is an error that says so; no half of it stays."""
    (tmp_path / "paused.json").mkdir()
    with pytest.raises(FrozenFileError, match="can't read"):
        frozen.read(tmp_path / "paused.json")
    with pytest.raises(FrozenFileError, match="can't write"):
        frozen.write(tmp_path / "paused.json", (AGENT,))
    assert [tmp_path / "paused.json"] == [*tmp_path.iterdir()]
    with pytest.raises(FrozenFileError, match="can't write"):
        frozen.write(tmp_path / "none" / "paused.json", (AGENT,))


@needs_proc
def test_an_agent_is_thawed_without_a_daemon(tmp_path: Path) -> None:
    """The descendants go on before the agent, and those that are gone are passed over."""
    with subprocess.Popen(["sleep", "600"]) as agent, subprocess.Popen(["sleep", "600"]) as helper:
        ids = [id_of(child.pid, read_stat(child.pid).start) for child in (agent, helper)]
        for process in ids:
            send(process, signal.SIGSTOP)
            wait_until(lambda process=process: recognise(process).stopped)
        path = tmp_path / "paused.json"
        frozen.write(path, [replace(AGENT, processes=(ids[0], "999999999-1", ids[1]))])
        (read,) = frozen.read(path)
        assert (ids[1], ids[0]) == frozen.thaw(read)
        for process in ids:
            wait_until(lambda process=process: not recognise(process).stopped)
        agent.kill()
        helper.kill()
    assert () == frozen.thaw(read)


def test_a_file_frees_nobody_else() -> None:
    """Whatever the file names, only a process of this user by its id is signalled."""
    with pytest.raises(SignalRefused, match="the system's own"):
        frozen.thaw(replace(AGENT, processes=("1-1",)))
    with pytest.raises(SignalRefused, match="no id"):
        frozen.thaw(replace(AGENT, processes=("-1",)))
    assert () == frozen.thaw(replace(AGENT, processes=()))
