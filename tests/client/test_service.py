"""``toll service``: what it does to files, what it says, and what it asks the managers for."""

import getpass
import json
import os
import sys
from pathlib import Path

import pytest

from tollkeeper.cli import doctor_tray
from tollkeeper.cli.doctor_service import ServiceFacts, TrayFacts, judge_service, judge_tray
from tollkeeper.cli.finding import Finding
from tollkeeper.cli.service_installing import say_how_long
from tollkeeper.paths import Paths
from tollkeeper.service import launchd, systemd
from tollkeeper.service.manager import NOT_THERE, Result, State, run_command
from tollkeeper.service.placing import Kind, Standing
from tollkeeper.service.starting import start_service

from .conftest import Run
from .test_service_files import tree

linux = pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")


@pytest.fixture
def user(home: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's home where no service manager is installed."""
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    (tmp_path / "user").mkdir()
    return tmp_path / "user"


@pytest.fixture
def unit(user: Path) -> Path:
    """Where the unit goes."""
    return user / ".config" / "systemd" / "user" / "tollkeeper.service"


@linux
def test_without_a_manager(user: Path, unit: Path, run: Run) -> None:
    """Where systemd can't be asked, the service is there for the next login, and that is said."""
    status, out, err = run("service", "install", "--tray")
    assert (status, err) == (0, "")
    assert out.splitlines()[:4] == [
        f"Written: {unit}",
        f"Written: {user}/.config/autostart/io.tollkeeper.tray.desktop",
        "There is no systemd user session here (systemctl: No such file or directory)",
        "The daemon starts with the next one; until then: toll up",
    ]
    assert "loginctl" not in out
    assert unit.samefile(unit.parent / "default.target.wants" / unit.name)
    assert f'Environment="TOLL_HOME={os.environ["TOLL_HOME"]}"\n' in unit.read_text()
    assert (
        f'ExecStart=:"{sys.executable}" -X faulthandler -m tollkeeper_daemon\n' in unit.read_text()
    )

    status, out, err = run("service", "status", "--tray")
    assert (status, err) == (1, "")
    assert "ok   service: whether it runs can't be told: no systemd user session here (sys" in out
    assert f"ok   tray icon at login: {user}/.config/autostart" in out


@linux
def test_nothing_to_install_it_for(user: Path, run: Run) -> None:
    """Where no systemd would start it, its installation is not recommended; nor is it there."""
    status, out, _ = run("service", "status")
    assert status == 1
    assert out.splitlines()[0] == "ok   service: not installed: no systemd user session here"


@linux
def test_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's user may be a mere number; how long the service runs is said all the same."""

    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(getpass, "getuser", nobody)
    said: list[str] = []
    say_how_long(said.append)
    assert "loginctl enable-linger" in said[0]


@linux
def test_pipe_in_its_place(unit: Path, home: Paths) -> None:
    """A daemon is started without a service whose file tells nothing."""
    unit.parent.mkdir(parents=True)
    os.mkfifo(unit)
    assert not start_service(home)


@linux
def test_there_and_back(user: Path, run: Run) -> None:
    """Install twice, uninstall twice, install again: the same files, then none, and it says so."""
    assert "Written: " in run("service", "install")[1]
    installed = tree(user)
    assert "As it is to be: " in run("service", "install")[1]
    assert installed == tree(user)
    assert "Removed: " in run("service", "uninstall")[1]
    assert [] == tree(user)
    nothing = "Nothing to do: nothing of ours is installed.\n"
    assert (0, nothing, "") == run("service", "uninstall")
    run("service", "install")
    assert installed == tree(user)


@linux
def test_edited_and_not_started(user: Path, unit: Path, run: Run) -> None:
    """Where an edited unit is not started at login the command that is shown mends that, and keeps the edits beside."""
    run("service", "install")
    edited = f"{unit.read_text()}# mine\n"
    unit.write_text(edited)
    link = unit.parent / "default.target.wants" / unit.name
    link.unlink()
    line = "it does not start at login\n     mend: "
    command = run("service", "status")[1].partition(line)[2].partition(" (")[0]
    assert command == "toll service install --force"
    assert 0 == run(*command.split()[1:])[0]
    assert link.is_symlink()
    assert edited == unit.with_name("tollkeeper.service.before-toll").read_text()
    assert line not in run("service", "status")[1]


@linux
def test_uninstall_of_the_tray_alone(user: Path, unit: Path, run: Run) -> None:
    """The icon's start can be taken out alone; the service's removal takes both."""
    run("service", "install", "--tray")
    run("service", "uninstall", "--tray")
    assert unit.exists()
    assert not (user / ".config" / "autostart").exists()
    run("service", "install", "--tray")
    run("service", "uninstall")
    assert [] == tree(user)


@linux
def test_edited_by_hand(user: Path, unit: Path, run: Run) -> None:
    """A file that somebody edited is replaced only by force, and kept beside each time."""
    run("service", "install")
    edited = f"{unit.read_text()}# mine\n"
    unit.write_text(edited)
    status, out, err = run("service", "install")
    assert (status, out) == (1, "")
    assert f"{unit} was edited by hand" in err
    assert edited == unit.read_text()
    assert "edited by hand: toll service install --dry-run shows" in run("service", "status")[1]

    status, out, _ = run("service", "install", "--dry-run")
    assert (status, unit.read_text()) == (0, edited)
    assert "-# mine\n" in out
    backup = unit.with_name("tollkeeper.service.before-toll")
    out = run("service", "install", "--force")[1]
    assert f"Written: {unit}; as it was: {backup}\n" in out
    assert "-# mine\n" in out
    assert edited == backup.read_text()
    assert "# mine" not in unit.read_text()

    unit.write_text("[Service]\n")
    assert "as it was edited: " in run("service", "uninstall")[1]
    assert not unit.exists()
    assert "[Service]\n" == backup.with_name(f"{backup.name}-2").read_text()


@linux
def test_for_another_account(user: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service of another TOLL_HOME is neither taken over nor removed unasked."""
    run("service", "install")
    first = os.environ["TOLL_HOME"]
    monkeypatch.setenv("TOLL_HOME", "/tmp/toll-other")
    status, _, err = run("service", "install")
    assert (status, f"for the account in {first}/data" in err) == (1, True)
    status, out, _ = run("service", "status")
    assert (status, "mend: toll service install --force" in out) == (1, True)
    status, _, err = run("service", "uninstall")
    assert (status, f"for the account in {first}/data; to remove it: --force" in err) == (1, True)
    assert 0 == run("service", "install", "--force")[0]
    monkeypatch.setenv("TOLL_HOME", first)
    assert 0 == run("service", "uninstall", "--force")[0]
    assert [] == tree(user)


@linux
def test_moved(user: Path, unit: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the Python or the environment is another one, the file is out of date; installing mends it."""
    run("service", "install")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    status, out, _ = run("service", "status")
    assert (status, "mend: toll service install\n" in out) == (1, True)
    assert '+Environment="TZ=Asia/Tokyo"\n' in run("service", "install")[1]
    assert "mend: " not in run("service", "status")[1]


@linux
def test_as_json(user: Path, unit: Path, run: Run) -> None:
    """Programs get one value from each verb, and no other words."""
    told = json.loads(run("service", "install", "--json")[1])
    assert {"files": [{"path": str(unit), "changed": True, "backup": None}], "pid": None} == told
    status = json.loads(run("service", "status", "--json")[1])
    assert {"path": str(unit), "kind": "current"} == status["service"]
    assert "absent" == status["tray"]["kind"]
    [change] = json.loads(run("service", "install", "--dry-run", "--json")[1])
    assert {"path": str(unit), "diff": ""} == change
    removed = json.loads(run("service", "uninstall", "--json")[1])
    assert {"files": [{"path": str(unit), "backup": None}]} == removed


def test_without_the_tray(user: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not installed is not started at login; nothing is written."""

    def find_none(name: str) -> None:
        """No package is there."""

    monkeypatch.setattr(doctor_tray, "find_spec", find_none)
    status, out, err = run("service", "install", "--tray")
    assert (status, out) == (1, "")
    assert "toll: the tray icon is not installed; install Tollkeeper with its extra [tray]" in err
    assert [] == tree(user)


def test_wrong_usage(run: Run) -> None:
    """Without a word of what to do it says which there are."""
    status, out, err = run("service")
    assert (status, out) == (2, "")
    assert "install, uninstall or status" in err


class Commands:
    """Plays a manager's command: each call is noted, and answered as said for its first words."""

    def __init__(self, **answers: Result) -> None:
        self.calls: list[str] = []
        self.answers = answers

    def __call__(self, *words: str) -> Result:
        self.calls.append(" ".join(words))
        said = [answer for word, answer in self.answers.items() if word in words]
        return said[0] if said else Result(0, "")


SHOWN = """LoadState=loaded
ActiveState={active}
SubState={sub}
Result={result}
MainPID={pid}
UnitFileState={enabled}
FragmentPath=/home/a/.config/systemd/user/tollkeeper.service
NeedDaemonReload={stale}
"""
FILE = "/home/a/.config/systemd/user/tollkeeper.service"


def shown(
    active: str = "active",
    sub: str = "running",
    result: str = "success",
    pid: int = 7,
    enabled: str = "enabled",
    stale: str = "no",
) -> State:
    """What is read of systemctl's words."""
    return systemd.read_state(
        SHOWN.format(active=active, sub=sub, result=result, pid=pid, enabled=enabled, stale=stale)
    )


def test_state_of_systemd() -> None:
    """systemctl's words for a service that runs, does not, failed, is masked, or was changed."""
    assert State(FILE, True, True, 7) == shown()
    assert State(FILE, False, False) == shown("inactive", "dead", pid=0, enabled="disabled")
    assert State(FILE, True, False, problem="it failed (exit-code)") == shown(
        "failed", "failed", "exit-code", 0
    )
    assert State(FILE, True, False, problem="it failed (watchdog)") == shown(
        "activating", "auto-restart", "watchdog", 0
    )
    assert "it is masked" == shown(enabled="masked").problem
    assert shown(stale="yes").stale
    assert State() == systemd.read_state(
        "LoadState=not-found\nActiveState=inactive\nFragmentPath=\n"
    )


def test_calls_of_systemd() -> None:
    """systemd reads the unit anew before it starts it; a failure is its first line."""
    commands = Commands()
    manager = systemd.Systemd(commands)
    manager.reload()
    assert manager.start() is None
    called = [call.removeprefix("systemctl --user --no-ask-password ") for call in commands.calls]
    unit = "tollkeeper.service"
    assert ["daemon-reload", f"reset-failed {unit}", f"restart {unit}"] == called
    commands.answers["restart"] = Result(1, "Job failed.\nSee systemctl status.\n")
    assert "Job failed." == manager.start()
    commands.answers["show"] = Result(1, "Failed to connect to bus: No medium found\n")
    assert "Failed to connect to bus: No medium found" == manager.unreachable()
    assert State(problem="Failed to connect to bus: No medium found") == manager.state()


# As launchctl prints it (man launchctl: the form may change), shortened.
PRINTED = """gui/501/io.tollkeeper.tolld = {
\tactive count = 1
\tpath = /Users/a/Library/LaunchAgents/io.tollkeeper.tolld.plist
\ttype = LaunchAgent
\tstate = running
\tprogram = /venv/bin/python
\tpid = 4711
\tlast exit code = (never exited)
\tspawn type = interactive (4)
}
"""


def test_state_of_launchd() -> None:
    """launchctl's words for an agent that runs, and for one that failed."""
    path = "/Users/a/Library/LaunchAgents/io.tollkeeper.tolld.plist"
    assert State(path, True, True, 4711) == launchd.read_state(PRINTED)
    failed = PRINTED.replace("= running", "= spawn scheduled").replace("\tpid = 4711\n", "")
    failed = failed.replace("(never exited)", "78: EX_CONFIG")
    assert State(path, True, problem="it failed (exit code 78: EX_CONFIG)") == launchd.read_state(
        failed
    )
    ended = failed.replace("78: EX_CONFIG", "0").replace("spawn scheduled", "not running")
    assert State(path, True) == launchd.read_state(ended)


def test_calls_of_launchd() -> None:
    """launchd forgets the agent before it is given its file anew, and may not know it at all."""
    gone = Result(launchd.UNKNOWN, "Could not find service\n")
    commands = Commands(print=gone, bootout=Result(launchd.NO_PROCESS, "No such process\n"))
    manager = launchd.Launchd("io.tollkeeper.tolld", Path("/agents/it.plist"), commands)
    domain = f"gui/{os.getuid()}"
    target = f"{domain}/io.tollkeeper.tolld"
    assert manager.start() is None
    assert [
        f"launchctl bootout {target}",
        f"launchctl bootstrap {domain} /agents/it.plist",
    ] == commands.calls
    assert State() == manager.state()
    assert manager.stop() is None
    commands.answers["bootout"] = Result(0, "")
    assert manager.stop() is None
    assert f"launchctl print {target}" == commands.calls[-1]
    commands.answers["bootstrap"] = Result(5, "Bootstrap failed: 5: Input/output error\n")
    assert "Bootstrap failed: 5: Input/output error" == manager.start()


def test_command_that_is_not_there() -> None:
    """A program that is not installed is a failure like any other."""
    assert Result(NOT_THERE, "/nowhere/at-all: No such file or directory") == run_command(
        "/nowhere/at-all"
    )


def judged(
    kind: Kind = "current",
    linked: bool = True,
    unreachable: str | None = None,
    state: State | None = None,
    present: int | None = 7,
) -> list[Finding]:
    """What is said of a service that stands so."""
    stands = Standing(kind, None if kind == "absent" else "text", "/data")
    state = state or State(FILE, True, True, 7)
    facts = ServiceFacts(FILE, stands, linked, "systemd", "journalctl", unreachable, state, present)
    return judge_service(facts)


def test_judgement() -> None:
    """What does not start, does not run, or is not what answers has to be mended, and how is said."""
    assert [True, True] == [each.well for each in judged()]
    assert "service: runs by systemd, with pid 7" == judged()[-1].text
    assert [Finding(True, "service: not installed: toll service install")] == judged("absent")
    for found, said in (
        (judged("outdated"), "for another version, Python or environment"),
        (judged("another"), "for the account in /data"),
        (judged(linked=False), "does not start at login"),
        (judged(present=8), "(pid 8) is not the service's"),
        (judged(state=State(FILE, True), present=None), "does not run"),
        (judged(state=State(problem="it is masked")), "it is masked"),
        (judged(state=State(), present=None), "does not know of it"),
        (judged(state=State("/other.service", True, True, 7)), "goes by /other.service"),
        (judged(state=State(FILE, True, True, 7, stale=True)), "was changed since"),
    ):
        [bad] = [each for each in found if not each.well]
        assert said in bad.text
        assert bad.mend
    assert all(each.well for each in judged("edited"))
    stale = State(FILE, True, True, 7, stale=True)
    [bad] = [each for each in judged("edited", state=stale) if not each.well]
    assert bad.mend == "toll service install --force (it keeps the edited file beside)"
    assert all(each.well for each in judged(unreachable="no bus", present=None))
    assert judge_tray(TrayFacts(FILE, Standing("absent")))[0].well
    assert [] == judge_tray(TrayFacts(FILE, Standing("absent"), installed=False))
    assert not judge_tray(TrayFacts(FILE, Standing("current", "text"), installed=False))[0].well
    assert not judge_tray(TrayFacts(FILE, Standing("outdated", "text")))[0].well
