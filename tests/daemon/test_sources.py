"""Session files, homes, and the operating system's own word on processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tollkeeper_daemon.agents.followed import Followed
from tollkeeper_daemon.config import Accounts, Source
from tollkeeper_daemon.sources import processes
from tollkeeper_daemon.sources.homes import Home, Homes, find_homes
from tollkeeper_daemon.sources.sessions import is_session_file, list_sessions, read_session

from .lines import DATA

SAMPLE = DATA / "claude-home" / "sessions" / "29410.json"


def test_sample_session() -> None:
    """The real client's file says pid, conversation, name and state."""
    found = read_session(str(SAMPLE))
    assert found
    assert (29410, "Agent-1", "user", "waiting", "permission prompt", "253381") == (
        found.pid,
        found.name,
        found.nameSource,
        found.status,
        found.waitingFor,
        found.procStart,
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("29410.json", True),
        ("/h/sessions/1.json", True),
        ("29410.abcdef.key", False),
        ("29410.key", False),
        ("29410.json.tmp", False),
        ("29410.1.json", False),
        (".json", False),
        ("a1.json", False),
        ("١.json", False),
        ("-1.json", False),
        ("29410", False),
    ],
)
def test_names_of_session_files(name: str, expected: bool) -> None:
    """Only a pid with .json behind it names a session file; a key file never does."""
    assert expected is is_session_file(name)


def test_key_files_are_never_opened(tmp_path: Path) -> None:
    """The secret beside a session file is not among the files to read."""
    for name in ("1.json", "1.abc.key", "2.json", "notes.json"):
        (tmp_path / name).write_text("{}")
    assert {"1.json", "2.json"} == {Path(path).name for path in list_sessions(tmp_path)}
    assert [] == list_sessions(tmp_path / "none")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"pid": 8, "sessionId": "\xff"}',
        b'{"pid": 8}',
        b'{"pid": "7"}',
        b'{"sessionId": "c"}',
        b'{"pid": 7, "startedAt": "x"}',
        b'{"pid":' * 10_000,
    ],
)
def test_bad_session_files(tmp_path: Path, content: bytes) -> None:
    """What is no session of this pid is a ValueError that names the file."""
    (tmp_path / "7.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"7\.json"):
        read_session(str(tmp_path / "7.json"))


def test_session_with_nulls(tmp_path: Path) -> None:
    """A session may say nothing but its pid."""
    assert read_session(str(tmp_path / "7.json")) is None
    (tmp_path / "7.json").write_text('{"pid": 7, "name": null, "status": null, "new": [1]}')
    found = read_session(str(tmp_path / "7.json"))
    assert found
    assert found.name is None


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_no_file_for_a_session_file(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """A folder or a pipe where a session file should be is a bad file, and holds nobody up."""
    make(tmp_path / "7.json")
    with pytest.raises(ValueError, match=r"7\.json"):
        read_session(str(tmp_path / "7.json"))


def test_default_homes(tmp_path: Path) -> None:
    """Without a setting the client's two defaults are homes, whether they exist or not."""
    found = find_homes({"HOME": str(tmp_path)})
    assert [tmp_path / ".claude", tmp_path / ".config" / "claude"] == [h.path for h in found.homes]
    assert not found.bounded


def test_named_homes(tmp_path: Path) -> None:
    """CLAUDE_CONFIG_DIR names the homes, each directory once, and nothing else is one."""
    (tmp_path / "link").symlink_to(tmp_path / "a")
    named = f"{tmp_path}/a, {tmp_path}/b,,{tmp_path}/link"
    found = find_homes({"HOME": "/none", "CLAUDE_CONFIG_DIR": named})
    assert [tmp_path / "a", tmp_path / "b"] == [home.path for home in found.homes]
    assert found.bounded
    assert (tmp_path / "a" / "projects", tmp_path / "a" / "sessions") == (
        found.homes[0].projects,
        found.homes[0].sessions,
    )


@pytest.mark.parametrize(
    ("folder", "file", "expected"),
    [
        (".claude", ".claude.json", True),
        (".claude", ".claude/.claude.json", True),
        ("work", "work/.claude.json", True),
        ("work", ".claude.json", False),
        (".claude", "other.json", False),
    ],
)
def test_subscription(tmp_path: Path, folder: str, file: str, expected: bool) -> None:
    """The account stands in the home, for the default home beside it, and nowhere else."""
    (tmp_path / folder).mkdir()
    (tmp_path / file).write_text('{"oauthAccount": {"accountUuid": "u"}}')
    assert expected is followed(tmp_path / folder).is_subscribed(Home(tmp_path / folder))


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff", b'{"oauthAccount": null}', b'{"oauthAccount": {}}']
    + [b'{"oauthAccount": "x"}', b'{"oauthAccount": {"a": "\xff"}}', b"[" * 10_000],
)
def test_no_subscription(tmp_path: Path, content: bytes) -> None:
    """Settings without an account, or that can't be read, name no subscription."""
    (tmp_path / ".claude.json").write_bytes(content)
    assert not followed(tmp_path).is_subscribed(Home(tmp_path))


def followed(*paths: Path, bounded: bool = False, source: Source = "auto") -> Followed:
    """These homes, followed."""
    return Followed(Homes(tuple(Home(path) for path in paths), bounded), Accounts(source))


def test_home_of_a_running_client_is_admitted(tmp_path: Path) -> None:
    """A home that a running client uses is taken in, once, when it exists."""
    homes = followed(tmp_path / "a")
    (tmp_path / "b").mkdir()
    assert (Home(tmp_path / "b"), True) == homes.admit(str(tmp_path / "b"))
    assert (Home(tmp_path / "b"), False) == homes.admit(str(tmp_path / "b/"))
    assert (Home(tmp_path / "a"), False) == homes.admit(str(tmp_path / "a"))
    assert (None, False) == homes.admit(str(tmp_path / "none"))


def test_bounds_set_by_hand_hold(tmp_path: Path) -> None:
    """With homes named by hand no other is ever taken in, not even when none is named at all."""
    (tmp_path / "b").mkdir()
    for homes in (followed(tmp_path / "a", bounded=True), followed(bounded=True)):
        assert (None, False) == homes.admit(str(tmp_path / "b"))


def test_whose_path_it_is(tmp_path: Path) -> None:
    """A log or session file is in a home only when it lies in that home's own folder."""
    homes = followed(tmp_path / "a")
    assert homes.holds(f"{tmp_path}/a/projects/p/c.jsonl")
    assert not homes.holds(f"{tmp_path}/a/projects-old/p/c.jsonl")
    assert not homes.holds(f"{tmp_path}/ab/projects/p/c.jsonl")
    assert Home(tmp_path / "a") == homes.home_of_session(f"{tmp_path}/a/sessions/1.json")
    assert homes.home_of_session(f"{tmp_path}/a/sessions/x/1.json") is None
    assert homes.home_of_session(f"{tmp_path}/b/sessions/1.json") is None


def test_who_pays_in_each_home(tmp_path: Path) -> None:
    """Each home's logs are paid by its own account, also when one home's name begins another's."""
    paths = [tmp_path / "claude", tmp_path / "claude-work"]
    for path in paths:
        path.mkdir()
    (paths[0] / ".claude.json").write_text('{"oauthAccount": {"accountUuid": "u"}}')
    for order in (paths, paths[::-1]):
        homes = followed(*order)
        assert "subscription" == homes.payer_of_log(f"{paths[0]}/projects/p/c.jsonl")[0]
        assert "api" == homes.payer_of_log(f"{paths[1]}/projects/p/c.jsonl")[0]
        assert "api" == homes.payer_of_log("/elsewhere/projects/p/c.jsonl")[0]


@pytest.mark.parametrize("source", ["subscription", "api"])
def test_who_pays_by_setting(tmp_path: Path, source: Source) -> None:
    """The setting goes before what the home says."""
    homes = followed(tmp_path, source=source)
    assert source == homes.payer_of_log(f"{tmp_path}/projects/p/c.jsonl")[0]


@pytest.fixture
def child() -> Iterator["subprocess.Popen[bytes]"]:
    """A process of our own that waits for its standard input to close."""
    environment = {"HOME": "/home/none", "TOLL_AGENT": "a", "TOLL_STAGE": "", "PATH": "/bin"}
    environment |= {"ANTHROPIC_API_KEY": "secret-value"}
    command = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()", "--resume"]
    with subprocess.Popen(
        [*command, "conv-5"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        cwd="/",
    ) as running:
        assert running.stdout
        running.stdout.readline()
        yield running
        running.kill()


def test_look_at_a_process(child: "subprocess.Popen[bytes]") -> None:
    """A process is told with its directory, labels and home, and no secret is in it."""
    found = processes.look_at(child.pid)
    assert found
    assert (child.pid, "/", "/home/none/.claude", "conv-5") == (
        found.pid,
        found.cwd,
        found.home,
        found.conversation,
    )
    assert {"TOLL_AGENT": "a"} == found.labels
    assert found.keys == ("ANTHROPIC_API_KEY",)
    assert "secret-value" not in repr(found)
    assert found == processes.look_at(child.pid)


def test_pulse_of_a_process(child: "subprocess.Popen[bytes]") -> None:
    """A process has the same id at each look; frozen, freed and ended are told."""
    found = processes.look_at(child.pid)
    assert found
    assert processes.Pulse(found.id, False) == processes.pulse(child.pid)
    os.kill(child.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
    assert processes.Pulse(found.id, True) == processes.pulse(child.pid)
    os.kill(child.pid, signal.SIGCONT)
    os.waitid(os.P_PID, child.pid, os.WCONTINUED | os.WNOWAIT)
    assert processes.Pulse(found.id, False) == processes.pulse(child.pid)
    os.kill(child.pid, signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert processes.pulse(child.pid) is None
    assert processes.look_at(child.pid) is None
    child.wait()
    assert processes.pulse(child.pid) is None


def test_start_tells_a_reused_pid(child: "subprocess.Popen[bytes]") -> None:
    """A session file with another start is not this process's."""
    found = processes.look_at(child.pid)
    assert found
    ticks = found.id.rpartition("-")[2]
    assert not processes.started_as(found.pid, found.started, None, None)
    if Path("/proc/self/stat").exists():
        assert processes.started_as(found.pid, found.started, ticks, 0)
        assert processes.started_as(found.pid, found.started, int(ticks), 0)
        assert not processes.started_as(found.pid, found.started, int(ticks) + 1, found.started)


@pytest.mark.parametrize("pid", [0, 2**31 - 1, 2**31, 2**63, 10**30])
def test_pids_that_are_none(pid: int) -> None:
    """A pid that no process of ours can have is nobody."""
    assert processes.look_at(pid) is None


def test_other_programs_are_no_clients(child: "subprocess.Popen[bytes]") -> None:
    """A process of another name is no client, and is not looked at twice."""
    passed = processes.Passed()
    assert child.pid not in {found.pid for found in processes.find_clients(passed)}
    assert child.pid not in passed.left({child.pid}, time.monotonic() + 61)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"oauthAccount": {"accountUuid": "acc-1", "emailAddress": "a@b"}}', "acc-1"),
        ('{"oauthAccount": {"accountUuid": 5}}', ""),
        ('{"oauthAccount": null}', ""),
        ("{", ""),
    ],
)
def test_account_of_a_home(tmp_path: Path, content: str, expected: str) -> None:
    """The settings of a home name its account, and are read again when they were written."""
    homes = followed(tmp_path)
    assert homes.account_of(Home(tmp_path)) == ""
    (tmp_path / ".claude.json").write_text(content)
    assert homes.account_of(Home(tmp_path)) == expected
