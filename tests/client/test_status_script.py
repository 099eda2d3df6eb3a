"""The status line that setup installs, run by every shell that is here, as Claude Code runs it."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tollkeeper.letters import is_alive
from tollkeeper.status_script import NOT_RUNNING, command, script

CONVERSATION = "295f9608-a58c-4d3d-9aad-667f1e4744a1"
GIVEN = json.dumps({"session_id": CONVERSATION, "text": "x" * 100_000})
SHELLS = {"sh": ["sh"], "dash": ["dash"], "bash": ["bash"], "busybox": ["busybox", "sh"]}
ALL, OWN = "\x1b[32m🤖 3 agents\x1b[0m | Plan: 67%", "Agent-1 $0.07"


class Place:
    """A run directory, with the script for it beside, and one shell to run it."""

    def __init__(self, top: Path, shell: list[str]) -> None:
        self.run = top / "run"
        self.inbox = self.run / "inbox" / "status"
        self.segments = self.run / "segments"
        self.file = top / "toll-statusline"
        self.file.write_text(script(str(self.run)))
        self.file.chmod(0o700)
        self.shell = shell

    def settle(self) -> None:
        """Make it as a daemon does."""
        for folder in (self.inbox, self.segments):
            folder.mkdir(mode=0o700, parents=True)
        self.beat(30)

    def beat(self, ahead: float) -> None:
        alive = self.run / "alive"
        alive.touch()
        os.utime(alive, (time.time() + ahead, time.time() + ahead))

    def show(
        self, theirs: str | None = None, conversation: str | None = CONVERSATION, given: str = GIVEN
    ) -> str:
        """Run it to its end, which must be a good one without complaints; what it printed."""
        named = {} if conversation is None else {"CLAUDE_CODE_SESSION_ID": conversation}
        done = subprocess.run(
            [*self.shell, "-c", self._command(theirs)],
            env={"PATH": os.environ["PATH"], "A": "é", **named},
            input=given.encode(),
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout.decode()

    def _command(self, theirs: str | None) -> str:
        """What is set up; where it is to be started, by this shell."""
        line = command(str(self.file), theirs)
        return line if theirs is None else f"{' '.join(self.shell)} {line}"

    def letters(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in self.inbox.iterdir()}


@pytest.fixture(params=SHELLS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    shell = SHELLS[request.param]
    if not shutil.which(shell[0]):
        pytest.skip(f"no {shell[0]} here")
    top = tmp_path / 'it\'s "$HOME" `x` \\ @run@'
    top.mkdir()
    yield Place(top, shell)


def test_shows_and_reports(place: Place) -> None:
    """It shows the conversation's line, else that of all, and leaves what it was given, whole."""
    place.settle()
    assert place.show() == "\n"
    (place.segments / "all").write_text(f"{ALL}\n")
    assert place.show() == f"{ALL}\n"
    (place.segments / CONVERSATION).write_text(OWN)
    assert place.show() == f"{OWN}\n"
    assert place.letters() == {CONVERSATION: GIVEN}
    assert (place.inbox / CONVERSATION).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "named", [None, "", "..", "../x", "a/b", "a b", "é", "$(x)", "-n*", "x" * 300]
)
def test_no_name(place: Place, named: str | None) -> None:
    """What is no conversation's name leads nowhere: the line of all, and a letter that names itself."""
    place.settle()
    (place.segments / "all").write_text(f"{ALL}\n")
    if named == "x" * 300:  # No file has so long a name.
        assert place.show(conversation=named) == f"{NOT_RUNNING}\n"
        assert place.letters() == {}
    else:
        assert place.show(conversation=named) == f"{ALL}\n"
        assert place.letters() == {"all": GIVEN}


@pytest.mark.parametrize("state", ["no directory", "no daemon yet", "killed", "read only"])
def test_no_daemon(place: Place, state: str) -> None:
    """Without a daemon it says so, shows no old figures, and leaves nothing behind."""
    if state != "no directory":
        place.settle()
        (place.segments / "all").write_text(f"{ALL}\n")
    match state:
        case "no daemon yet":
            (place.run / "alive").unlink()
        case "killed":
            place.beat(-5)
        case "read only":
            shutil.rmtree(place.inbox)
            place.inbox.touch()
        case _:
            pass
    assert place.show() == f"{NOT_RUNNING}\n"
    assert place.show("cat | wc -c") == f"{len(GIVEN)} | {NOT_RUNNING}\n"
    if place.inbox.is_dir():
        assert place.letters() == {}


def test_beside_another(place: Place) -> None:
    """One's own command gets the same on stdin; ours comes behind the last of its lines."""
    place.settle()
    (place.segments / "all").write_text(f"{ALL}\n")
    theirs = "echo \"first $A 'x'\"; echo oops >&2; cut -c 1-14; exit 3"
    assert place.show(theirs) == f"first é 'x'\n{GIVEN[:14]} | {ALL}\n"
    assert place.letters() == {CONVERSATION: GIVEN}
    assert place.show("true") == f"{ALL}\n"
    assert place.show("no-such-command") == f"{ALL}\n"
    (place.segments / "all").unlink()
    assert place.show("echo theirs") == "theirs\n"


def test_own_input(place: Place) -> None:
    """A command of one's own gets what this run was given, though others write the same letter."""
    place.settle()
    letter = place.inbox / CONVERSATION
    quoted = str(letter).replace("'", "'\"'\"'")
    assert place.show(f"echo other > '{quoted}'; cat") == f"{GIVEN}\n"


def test_slow_one(place: Place) -> None:
    """What the client says has gone to the daemon before a slow command of one's own is run."""
    place.settle()
    assert place.show(f"ls '{place.inbox}'".replace("it's", "it'\"'\"'s")) == (f"{CONVERSATION}\n")


def test_as_python_looks(place: Place) -> None:
    """Shell and Python agree on whether a daemon lives."""
    place.settle()
    for ahead in (30.0, -30.0):
        place.beat(ahead)
        assert (place.show() != f"{NOT_RUNNING}\n") == is_alive(str(place.run)) == (ahead > 0)


def test_starts_nothing_else(place: Place) -> None:
    """It starts cat alone: with that there is all it needs."""
    place.settle()
    folder = place.run / "bin"
    folder.mkdir()
    (folder / "cat").symlink_to(str(shutil.which("cat")))
    (place.segments / "all").write_text(f"{ALL}\n")
    shell = str(shutil.which(place.shell[0]))
    done = subprocess.run(
        [shell, *place.shell[1:], str(place.file)],
        env={"PATH": str(folder)},
        input=b"{}",
        capture_output=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.decode() == f"{ALL}\n"
    assert place.letters() == {"all": "{}"}
