"""Session files and processes turned into agents, on a machine that is made up."""

import os
from pathlib import Path

import pytest

from tollkeeper_daemon.agents.census import slug

from .lines import NINE_MS, NOW
from .machine import World, process


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


@pytest.fixture(autouse=True)
def in_no_loop(world: World) -> None:
    """No exit is watched here, so no loop is needed."""
    assert world.machine.watch_exit(1) is None


def test_agent_from_start_to_end(world: World) -> None:
    """A client starts, waits, works on and exits; each is told once."""
    world.machine.start(process(100, AGENT="a"))
    world.write(100, NOW, procStart=str(NINE_MS))
    assert [("started", "a")] == world.told.take()
    world.write(100, NOW, status="waiting", waitingFor="permission prompt")
    assert [("changed", "a")] == world.told.take()
    world.write(100, NOW, status="waiting", waitingFor="permission prompt", updatedAt=5)
    assert [] == world.told.take()
    world.machine.end(100)
    world.remove(100, NOW)
    assert [("exited", "a")] == world.told.take()
    world.census.take_pulses(NOW)
    assert [] == world.told.take()


def test_left_over_file(world: World) -> None:
    """A session file of a process that is gone, or whose pid another has now, is no agent."""
    world.write(100, NOW)
    world.machine.start(process(101))
    world.write(101, NOW, procStart="12345")
    assert [] == world.told.take()
    assert [] == world.names()


def test_left_over_file_that_is_written_anew(world: World) -> None:
    """A pid whose old file was stale is an agent once its new client writes the file."""
    world.write(100, NOW, procStart="1")
    world.census.read_sessions(world.home, NOW)
    world.machine.start(process(100, AGENT="a"))
    world.write(100, NOW, procStart=str(NINE_MS), status="idle")
    assert [("started", "a")] == world.told.take()


def test_stale_file_is_looked_at_again_when_it_changes(world: World) -> None:
    """A stale file is passed over until it is written anew, even if no event told of that."""
    path = Path(world.path(100))
    world.write(100, NOW, procStart="1")
    world.machine.start(process(100, AGENT="a"))
    before = path.stat()
    path.write_text(f'{{"pid": 100, "procStart": "{NINE_MS}"}}')
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    world.census.read_sessions(world.home, NOW)
    assert [] == world.told.take()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000))
    world.census.read_sessions(world.home, NOW)
    assert [("started", "a")] == world.told.take()


def test_file_of_an_agent_that_changed_unheard(world: World) -> None:
    """An agent's file is read again by the regular look when it changed, and not when it did not."""
    world.machine.start(process(100, AGENT="a"))
    world.write(100, NOW, status="busy")
    world.told.take()
    path = Path(world.path(100))
    before = path.stat()
    path.write_text('{"pid": 100, "sessionId": "conv-2", "status": "idle"}')
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000))
    world.census.read_sessions(world.home, NOW)
    assert [("changed", "a")] == world.told.take()
    assert "conv-2" == world.roster.alive()[0].record.conversation
    world.census.read_sessions(world.home, NOW)
    assert [] == world.told.take()


def test_stale_file_of_an_agent_that_is_known(world: World) -> None:
    """What a file says that names another start is not said by the agent that has its pid."""
    world.machine.start(process(100, AGENT="a"))
    world.write(100, NOW, procStart=str(NINE_MS))
    world.told.take()
    world.write(100, NOW, procStart="12345", sessionId="conv-2", status="idle")
    assert [] == world.told.take()
    assert "conv-1" == world.roster.alive()[0].record.conversation


def test_silence_is_told(world: World) -> None:
    """An agent without a file that falls silent is told as idle, once, and as working again."""
    world.machine.start(process(100, started=NOW, AGENT="a"))
    world.machine.silent = [100]
    world.census.find_clients(NOW)
    world.told.take()
    (agent,) = world.roster.alive()
    world.census.take_pulses(NOW + 14_000)
    assert [] == world.told.take()
    for _ in range(2):
        world.census.take_pulses(NOW + 15_000)
    assert [("changed", "a")] == world.told.take()
    agent.last_time = NOW + 16_000
    world.census.take_pulses(NOW + 17_000)
    assert [("changed", "a")] == world.told.take()


def test_agent_booked_out_by_mistake(world: World) -> None:
    """A client that seemed to be gone, and writes its file again, is told as the same agent."""
    seen = world.machine.start(process(100, AGENT="a"))
    world.write(100, NOW)
    (agent,) = world.roster.alive()
    world.machine.end(100)
    world.census.take_pulses(NOW)
    world.machine.start(seen)
    world.write(100, NOW, procStart=str(NINE_MS))
    assert [("started", "a"), ("exited", "a"), ("started", "a")] == world.told.take()
    assert [agent] == world.roster.alive()


def test_files_that_were_there_before(world: World) -> None:
    """Session files that were written while no daemon ran are found by looking."""
    world.machine.start(process(100, AGENT="a"))
    Path(world.path(100)).write_text('{"pid": 100, "sessionId": "c", "status": "idle"}')
    Path(world.path(100)).with_name("100.secret.key").write_text("secret")
    world.census.read_sessions(world.home, NOW)
    world.census.read_sessions(world.home, NOW)
    assert [("started", "a")] == world.told.take()
    assert "c" == world.roster.alive()[0].record.conversation


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 7}', '{"pid": "x"}', "\x00"])
def test_bad_file(world: World, content: str) -> None:
    """A session file that can't be read is remembered for the doctor until it can."""
    world.machine.start(process(100))
    Path(world.path(100)).write_text(content)
    world.census.read_session(world.path(100), world.home, NOW)
    assert {world.path(100)} == world.census.bad_files
    world.write(100, NOW)
    assert set() == world.census.bad_files
    assert 1 == len(world.names())


def test_bad_file_that_went(world: World) -> None:
    """A bad session file that was removed is no longer wrong."""
    Path(world.path(100)).write_text("{")
    world.census.read_session(world.path(100), world.home, NOW)
    world.remove(100, NOW)
    assert set() == world.census.bad_files


def test_pulses_tell_frozen_and_gone(world: World) -> None:
    """A look at the processes tells who was frozen, freed, or is gone without a word."""
    world.machine.start(process(100, AGENT="a"))
    world.machine.start(process(101, AGENT="b"))
    for pid in (100, 101):
        world.write(pid, NOW, sessionId=f"conv-{pid}")
    world.told.take()
    world.machine.stopped.add(100)
    world.census.take_pulses(NOW)
    world.census.take_pulses(NOW)
    assert [("changed", "a")] == world.told.take()
    world.machine.stopped.clear()
    world.machine.end(101)
    world.census.take_pulses(NOW)
    assert {("changed", "a"), ("exited", "b")} == set(world.told.take())


def test_reused_pid_books_the_old_agent_out(world: World) -> None:
    """When another process runs under an agent's pid, the agent is gone and the other is new."""
    world.machine.start(process(100, AGENT="a"))
    world.write(100, NOW)
    world.machine.end(100)
    world.machine.start(process(100, started=NOW, AGENT="b"))
    world.write(100, NOW, sessionId="conv-2", procStart=str(NOW))
    assert [("started", "a"), ("exited", "a"), ("started", "b")] == world.told.take()


def test_clear_is_a_change(world: World) -> None:
    """A client that turns to another conversation keeps its agent."""
    world.machine.start(process(100, AGENT="a"))
    world.write(100, NOW)
    world.write(100, NOW, sessionId="conv-2")
    assert [("started", "a"), ("changed", "a")] == world.told.take()
    assert "conv-2" == world.roster.alive()[0].record.conversation


def test_client_without_a_file(world: World) -> None:
    """A client that writes no file is found among the processes, once, and its file is taken."""
    world.machine.start(process(100, AGENT="a"))
    world.machine.silent = [100]
    world.census.find_clients(NOW)
    world.census.find_clients(NOW)
    assert [("started", "a")] == world.told.take()
    world.write(100, NOW, procStart=str(NINE_MS), status="idle")
    assert [("changed", "a")] == world.told.take()


def test_client_outside_the_homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client whose home is none of ours is not an agent."""
    world = World(tmp_path / "h", monkeypatch)
    world.admitted = None
    world.machine.start(process(100))
    world.machine.silent = [100]
    world.census.find_clients(NOW)
    assert [] == world.names()


def test_agents_of_an_earlier_daemon(world: World) -> None:
    """Agents that ended while no daemon ran are booked out at the start, the others kept."""
    for pid in (100, 101):
        world.roster.appear(world.machine.start(process(pid)), None, False, NINE_MS)
    world.machine.end(101)
    world.census.begin(NOW)
    assert [("exited", "shop-2")] == world.told.take()
    assert ["shop-1"] == world.names()


def silent_agent(world: World, pid: int, cwd: str, conversation: str = "") -> None:
    """An older client, which writes no session file, runs in this directory."""
    seen = world.machine.start(process(pid, cwd=cwd, conversation=conversation, AGENT=f"a{pid}"))
    world.roster.appear(seen, None, False, NINE_MS)


def test_log_of_an_older_client(world: World) -> None:
    """A log in the folder of the only older client's directory is that client's."""
    silent_agent(world, 1, "/home/dev/src/shop")
    silent_agent(world, 2, "/home/dev/src/api")
    log = "/h/projects/-home-dev-src-shop/conv-9.jsonl"
    found = world.census.guess_holder(log, "conv-9")
    assert found
    assert "a1" == found.record.name
    assert found is world.roster.agent_of("conv-9", NOW)


def test_log_of_one_of_two_older_clients(world: World) -> None:
    """When two older clients may have written a log, it is nobody's, rather than the wrong one's."""
    silent_agent(world, 1, "/home/dev/src/shop")
    silent_agent(world, 2, "/home/dev/src/shop")
    log = "/h/projects/-home-dev-src-shop/conv-9.jsonl"
    assert world.census.guess_holder(log, "conv-9") is None


def test_log_of_the_client_that_has_none_yet(world: World) -> None:
    """Of two older clients the one without a conversation so far must be the writer."""
    silent_agent(world, 1, "/home/dev/src/shop", "conv-1")
    silent_agent(world, 2, "/home/dev/src/shop")
    found = world.census.guess_holder("/h/projects/-home-dev-src-shop/conv-9.jsonl", "conv-9")
    assert found
    assert "a2" == found.record.name


def test_log_of_todays_client_is_not_guessed(world: World) -> None:
    """A client that says what it converses is not taken for the writer of another log."""
    world.machine.start(process(100))
    world.write(100, NOW)
    log = "/h/projects/-home-dev-src-shop/conv-9.jsonl"
    assert world.census.guess_holder(log, "conv-9") is None


@pytest.mark.parametrize(
    ("cwd", "folder"),
    [
        ("/home/dev/src/shop", "-home-dev-src-shop"),
        ("/home/dev/my.app_2", "-home-dev-my-app-2"),
        ("/home/dév", "-home-d-v"),
        ("", ""),
    ],
)
def test_slug(cwd: str, folder: str) -> None:
    """A project's folder is its path with all but letters and digits made a dash."""
    assert folder == slug(cwd)
