"""The daemon as a service: handed over to it, kept by it, and given back."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import systemctl_stand_in
from tollkeeper.control import is_listening
from waiting import wait_until

from .keeper import Keeper
from .terminal import Running

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    """A Tollkeeper where a stand-in plays systemd, with quotes and spaces in its Claude home's name."""
    with Keeper() as idle:
        systemctl_stand_in.install(idle.root / "bin")
        idle.environment["PATH"] = f"{idle.root / 'bin'}:{idle.environment['PATH']}"
        other = idle.root / 'a "b" 100%h \\n $HOME é'
        (other / "projects").mkdir(parents=True)
        idle.environment["CLAUDE_CONFIG_DIR"] += f",{other}"
        yield idle


def unit_of(keeper: Keeper, home: str = "user") -> Path:
    return keeper.root / home / ".config" / "systemd" / "user" / "tollkeeper.service"


def pid_of(keeper: Keeper) -> int:
    """The daemon that answers."""
    return keeper.toll.call("ping", dict[str, Any])["pid"]


def status(keeper: Keeper) -> tuple[int, str]:
    """What the service's status is, and its exit status."""
    result = keeper.run("service", "status")
    assert "" == result.stderr
    return result.returncode, result.stdout


def test_handed_over_and_back(keeper: Keeper) -> None:
    """A daemon that ran by itself makes place for the service's, in the same environment."""
    keeper.run("up")
    alone = pid_of(keeper)
    result = keeper.run("service", "install")
    assert (0, "") == (result.returncode, result.stderr)
    pid = pid_of(keeper)
    assert f"The daemon that ran outside the service (pid {alone}) was stopped.\n" in result.stdout
    assert f"The service runs, with pid {pid};" in result.stdout
    assert alone != pid
    told = os.fsdecode(Path(f"/proc/{pid}/environ").read_bytes()).split("\0")
    for name in ("TOLL_HOME", "CLAUDE_CONFIG_DIR", "TOLL_MANAGED_SETTINGS", "TZ"):
        assert f"{name}={keeper.environment[name]}" in told
    assert any(each.startswith(f"PATH={keeper.root / 'bin'}:") for each in told)
    homes = [home["path"] for home in keeper.report("health")["homes"]]
    assert keeper.environment["CLAUDE_CONFIG_DIR"].split(",") == homes
    code, said = status(keeper)
    assert (0, True) == (code, f"ok   service: runs by systemd, with pid {pid}\n" in said)

    again = keeper.run("service", "install").stdout
    assert f"The service runs already, with pid {pid}.\n" in again
    assert pid == pid_of(keeper)

    result = keeper.run("service", "uninstall")
    assert f"Stopped: the service, which ran with pid {pid}\n" in result.stdout
    assert not is_listening(keeper.paths)
    assert [] == list((keeper.root / "user").iterdir())


def test_commands_start_the_service(keeper: Keeper) -> None:
    """Once it is installed, whoever starts the daemon starts the service; another account's it is not."""
    keeper.run("service", "install")
    assert 0 == keeper.run("down").returncode
    code, said = status(keeper)
    assert (1, True) == (code, "BAD  service: it does not run\n     mend: toll up\n" in said)
    assert 0 == keeper.run("agents").returncode
    code, said = status(keeper)
    assert (0, True) == (code, f"with pid {pid_of(keeper)}\n" in said)

    with Keeper() as other:
        other.environment["HOME"] = keeper.environment["HOME"]
        other.environment["PATH"] = keeper.environment["PATH"]
        other.run("up")
        assert pid_of(other) != pid_of(keeper)
        result = other.run("service", "install")
        assert (1, True) == (result.returncode, "for the account in" in result.stderr)
    keeper.run("service", "uninstall")


def test_daemon_beside_the_service(keeper: Keeper) -> None:
    """A daemon that runs outside is told of; installing again hands over."""
    keeper.run("service", "install")
    keeper.run("down")
    keeper.start()
    alone = pid_of(keeper)
    code, said = status(keeper)
    assert (1, True) == (
        code,
        f"the daemon that answers (pid {alone}) is not the service's" in said,
    )
    assert keeper.process is not None
    result = keeper.run("service", "install")
    assert f"(pid {alone}) was stopped" in result.stdout
    wait_until(lambda: keeper.process is not None and keeper.process.poll() == 0)
    keeper.process = None
    assert 0 == status(keeper)[0]
    keeper.run("service", "uninstall")


def test_changed_environment(keeper: Keeper) -> None:
    """After a change of the environment the file is out of date, and installing starts the daemon anew."""
    keeper.run("service", "install")
    pid = pid_of(keeper)
    keeper.environment["XDG_DATA_HOME"] = "/nowhere/else"
    code, said = status(keeper)
    assert (1, True) == (code, "for another version, Python or environment" in said)
    assert '+Environment="XDG_DATA_HOME=/nowhere/else"\n' in keeper.run("service", "install").stdout
    assert pid != pid_of(keeper)
    assert 0 == status(keeper)[0]
    keeper.run("service", "uninstall")


def test_of_another_home(keeper: Keeper) -> None:
    """What the manager reads of another home's files is neither started nor stopped."""
    keeper.run("service", "install")
    pid = pid_of(keeper)
    home = keeper.environment["HOME"]
    keeper.environment["FRAGMENT_HOME"] = home
    keeper.environment["HOME"] = str(keeper.root / "elsewhere")
    result = keeper.run("service", "install")
    assert 1 == result.returncode
    assert f"systemd goes by {home}/" in result.stderr
    assert not unit_of(keeper, "elsewhere").exists()
    unit_of(keeper, "elsewhere").parent.mkdir(parents=True)
    unit_of(keeper, "elsewhere").write_text(unit_of(keeper).read_text())
    code, said = status(keeper)
    assert (1, True) == (code, f"goes by {home}/" in said)
    assert "Removed: " in keeper.run("service", "uninstall").stdout
    assert pid == pid_of(keeper)
    keeper.environment["HOME"] = home
    assert 0 == status(keeper)[0]
    keeper.run("service", "uninstall")


def test_does_not_start(keeper: Keeper) -> None:
    """A service that does not start gives the agents their daemon back, and says where to look."""
    keeper.run("up")
    keeper.configure("[limits]\nper_agent = ")
    result = keeper.run("service", "install")
    assert 1 == result.returncode
    assert "toll: systemd did not start it: Job for tollkeeper.service failed" in result.stderr
    assert "see journalctl --user -u tollkeeper" in result.stderr
    code, said = status(keeper)
    assert (1, True) == (code, "it failed (exit-code)" in said)
    refused = keeper.run("up")
    assert 3 == refused.returncode
    assert str(keeper.paths.settings) in refused.stderr

    keeper.configure("[sources]\nprocesses = false\n")
    assert 0 == keeper.run("up").returncode
    assert 0 == status(keeper)[0]
    keeper.run("service", "uninstall")


@pytest.mark.parametrize(
    ("words", "answers", "told", "installed"),
    [
        ((), "yy", "The service runs, with pid", True),
        ((), "yn", "To start the daemon at login: toll service install", False),
        (("--yes",), "", "To start the daemon at login: toll service install", False),
    ],
)
def test_offered_by_setup(
    keeper: Keeper, words: tuple[str, ...], answers: str, told: str, installed: bool
) -> None:
    """In a terminal setup ends by offering the service; --yes, and a pipe, do not stand for a yes."""
    assert "login" not in keeper.run("setup", "--dry-run").stdout
    with Running(keeper, "setup", *words, columns=300) as setup:
        for number, answer in enumerate(answers, start=1):
            setup.wait_for("[y/N]", number)
            setup.say(answer)
        assert (0, "") == setup.end()
    assert told in setup.shown
    assert installed == unit_of(keeper).exists()
    if installed:
        assert 0 == status(keeper)[0]
        assert "login" not in keeper.run("setup", "--yes").stdout
        keeper.run("service", "uninstall")
    keeper.run("setup", "--undo", "--yes")
