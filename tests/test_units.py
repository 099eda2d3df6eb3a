"""The service files: well formed, asking for what the daemon needs, and part of the package."""

import configparser
import plistlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tollkeeper.errors import TollError
from tollkeeper.service.parts import Part, daemon_part, tray_part
from tollkeeper.service.wanted import Wanted, wanted
from waiting import wait_until

ROOT = Path(__file__).parents[1]
FILES = (
    "systemd/tollkeeper.service",
    "launchd/io.tollkeeper.tolld.plist",
    "launchd/io.tollkeeper.tray.plist",
    "autostart/io.tollkeeper.tray.desktop",
)
# Each makes the user's systemd put the daemon into a namespace, from which it can't tell agents apart.
NAMESPACED = {
    "PrivateDevices",
    "PrivateTmp",
    "PrivateUsers",
    "ProcSubset",
    "ProtectClock",
    "ProtectControlGroups",
    "ProtectHome",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "ProtectProc",
    "ProtectSystem",
    "ReadOnlyPaths",
    "ReadWritePaths",
}
# A folder whose name means something to every one of the formats.
NASTY = "a b%h$HOME\"q'\\n&<é>;`#=@SEAL@ --"
# What no program's path may have: for systemd, and for env.
QUOTES = str.maketrans("", "", "\"'\\=")


@pytest.fixture
def want() -> Iterator[Wanted]:
    """A Python and directories below a folder with a nasty name, and short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="toll", dir="/tmp") as folder:
        yield _wanted(Path(folder).resolve())


def _wanted(folder: Path) -> Wanted:
    home, python = folder / NASTY, folder / NASTY.translate(QUOTES) / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    environment = {"HOME": str(home), "TOLL_HOME": str(home / "toll"), "PATH": f"{home}/bin:/bin"}
    environment["CLAUDE_CONFIG_DIR"] = f"{home}/claude"
    environment["XDG_CONFIG_HOME"] = f"{home}/config"
    return wanted(environment, str(python))


def parsed_unit(text: str) -> configparser.ConfigParser:
    """The unit; of variables only the last."""
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    parser.optionxform = str  # pyright: ignore[reportAttributeAccessIssue]
    parser.read_string(text)
    return parser


def test_unit(want: Wanted) -> None:
    """The unit starts the daemon with the user's session, again when it fails or hangs, and to the end."""
    parsed = parsed_unit(daemon_part({}, "linux").text(want))
    assert ["Unit", "Service", "Install"] == parsed.sections()
    service = parsed["Service"]
    assert service["ExecStart"].endswith(" -m tollkeeper_daemon")
    assert ("notify", "on-failure") == (service["Type"], service["Restart"])
    assert int(service["WatchdogSec"]) > 0
    assert "default.target" == parsed["Install"]["WantedBy"]


def test_unit_can_see_the_agents(want: Wanted) -> None:
    """No option of the unit hides the user's processes from the daemon."""
    assert not NAMESPACED & set(parsed_unit(daemon_part({}, "linux").text(want))["Service"])


def verified(tmp_path: Path, text: str) -> tuple[int, str]:
    """What systemd says of a user unit with this text."""
    if (analyze := shutil.which("systemd-analyze")) is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "tollkeeper.service"
    unit.write_text(text, "utf-8")
    result = subprocess.run(
        [analyze, "verify", "--user", unit],
        env={"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return result.returncode, result.stdout + result.stderr


def test_systemd_accepts_the_unit(want: Wanted, tmp_path: Path) -> None:
    """systemd finds nothing wrong with the unit, and the Python where it says, whatever its name."""
    assert (0, "") == verified(tmp_path, daemon_part({}, "linux").text(want))


def test_systemd_looks_at_the_unit(want: Wanted, tmp_path: Path) -> None:
    """systemd misses a Python that is not there, and variables that are none."""
    text = daemon_part({}, "linux").text(want)
    Path(want.python).unlink()
    assert "is not executable" in verified(tmp_path, text)[1]
    assert (
        "Invalid environment" in verified(tmp_path, text.replace('="TOLL_HOME', '="TOLL-HOME'))[1]
    )


def calls_of(analyze: str, group: str) -> set[str]:
    """The system calls in a group of systemd's, and in those that it holds."""
    said = subprocess.run(
        [analyze, "syscall-filter", group], capture_output=True, text=True, timeout=30, check=True
    )
    found: set[str] = set()
    for line in map(str.strip, said.stdout.splitlines()[1:]):
        if line.startswith("@"):
            found |= calls_of(analyze, line)
        elif line and not line.startswith("#"):
            found.add(line)
    return found


def test_filter_lets_the_daemon_work(want: Wanted) -> None:
    """The unit's filter lets through what signals agents, follows files, maps the ledger, runs commands."""
    if (analyze := shutil.which("systemd-analyze")) is None:
        pytest.skip("systemd-analyze is not installed")
    group = parsed_unit(daemon_part({}, "linux").text(want))["Service"]["SystemCallFilter"]
    needed = {"kill", "pidfd_open", "pidfd_send_signal", "inotify_add_watch", "mremap", "mmap"}
    needed |= {"flock", "execve", "vfork", "clone3", "setsid", "sendto", "epoll_wait", "utimensat"}
    allowed = calls_of(analyze, group)
    assert not needed - allowed
    assert "ptrace" not in allowed


def test_systemd_starts_no_such_program(want: Wanted) -> None:
    """A Python that systemd would refuse is refused before anything is written."""
    with pytest.raises(TollError, match="no program with quotes"):
        daemon_part({}, "linux").text(replace(want, python="/it's/python"))


def test_env_starts_no_such_program(want: Wanted) -> None:
    """A Python that env would take for a variable is refused, where env is needed."""
    odd = replace(want, python="/a=b/python")
    with pytest.raises(TollError, match="no program with ="):
        tray_part({}, "linux").text(odd)
    assert "Exec=/a=b/python -m" in tray_part({}, "linux").text(replace(odd, environment={}))


@pytest.mark.parametrize("part_of", [daemon_part, tray_part])
def test_plist(want: Wanted, part_of: Callable[..., Part]) -> None:
    """A launch agent starts its program at login, again when it fails, and keeps what it prints."""
    part = part_of({"HOME": want.home}, "darwin")
    parsed = plistlib.loads(part.text(want).encode())
    assert part.file.stem == parsed["Label"]
    program = "tollkeeper_daemon" if part_of is daemon_part else "tollkeeper_tray"
    assert [want.python, "-m", program] == parsed["ProgramArguments"]
    assert {**want.environment, "PATH": want.path} == parsed["EnvironmentVariables"]
    assert (True, {"SuccessfulExit": False}) == (parsed["RunAtLoad"], parsed["KeepAlive"])
    for key in ("StandardOutPath", "StandardErrorPath"):
        assert parsed[key].startswith(f"{want.home}/Library/Logs/tollkeeper")


def test_launch_agent_is_private(want: Wanted) -> None:
    """What launchd's daemon writes is its owner's alone."""
    parsed = plistlib.loads(daemon_part({}, "darwin").text(want).encode())
    assert 0o077 == parsed["Umask"]


def test_autostart(want: Wanted) -> None:
    """The desktop file says what the desktop is to start, and that it is no window."""
    parsed = parsed_unit(tray_part({}, "linux").text(want))
    entry = parsed["Desktop Entry"]
    assert ("Application", "false") == (entry["Type"], entry["Terminal"])
    assert entry["Exec"].endswith(" -m tollkeeper_tray")


# What a desktop does with the file, by the library that most of them use.
LAUNCH = """import gi, sys
gi.require_version("Gio", "2.0")
from gi.repository import Gio
Gio.DesktopAppInfo.new_from_filename(sys.argv[1]).launch([], None)
"""


def test_desktop_starts_it(want: Wanted, tmp_path: Path) -> None:
    """A desktop hands the program its words and its environment, whatever the names."""
    system, imports = "/usr/bin/python3", LAUNCH.partition("Gio.")[0]
    tried = ["sh", "-c", 'exec "$@"', "sh", system, "-c", imports]
    if subprocess.run(tried, capture_output=True, timeout=30, check=False).returncode:
        pytest.skip("the system's Python has no gi")
    part, said = tray_part({}, "linux"), tmp_path / "said"
    words = 'printf "%s\\n" "$@" "$TOLL_HOME" "$CLAUDE_CONFIG_DIR"'
    Path(want.python).write_text(f"#!/bin/sh\n{words} > {said}.part\nmv {said}.part {said}\n")
    file = tmp_path / part.file.name
    file.write_text(part.text(want))
    subprocess.run([system, "-c", LAUNCH, file], timeout=30, check=True)
    wait_until(said.exists, what="what the desktop starts")
    told = [want.environment[name] for name in ("TOLL_HOME", "CLAUDE_CONFIG_DIR")]
    assert ["-m", "tollkeeper_tray", *told] == said.read_text().splitlines()


def test_links() -> None:
    """The files that are installed are those in the repository."""
    for name in FILES:
        linked = ROOT / "client" / "tollkeeper" / "service" / "files" / Path(name).name
        assert linked.is_symlink()
        assert linked.resolve() == ROOT / name


@pytest.mark.timeout(300)
def test_wheel_holds_the_files(tmp_path: Path) -> None:
    """A wheel, of the sources or of a distribution of them, brings the files along, as files."""
    build = "from hatchling.build import build_sdist, build_wheel; import sys; "
    run = [sys.executable, "-c", f"{build}print(build_sdist(sys.argv[1]))", str(tmp_path)]
    sdist = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    shutil.unpack_archive(tmp_path / sdist.stdout.split()[-1], tmp_path / "sdist", filter="data")
    [unpacked] = (tmp_path / "sdist").iterdir()
    for source in (ROOT, unpacked):
        run = [sys.executable, "-c", f"{build}print(build_wheel(sys.argv[1]))", str(tmp_path)]
        made = subprocess.run(
            run, cwd=source, capture_output=True, text=True, timeout=120, check=True
        )
        with zipfile.ZipFile(tmp_path / made.stdout.split()[-1]) as wheel:
            for name in FILES:
                packed = wheel.read(f"tollkeeper/service/files/{Path(name).name}")
                assert (ROOT / name).read_bytes() == packed
