"""Plays ``systemctl --user`` for one service, where no systemd runs: reads its unit, starts it, and waits.

It reads ``ExecStart``, ``Environment`` and ``WorkingDirectory`` as systemd.syntax(7) says, hands the
program a socket for READY=1, and keeps the pid in a file. It does not start again what fails.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

UNIT = "tollkeeper.service"
WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
STATE = Path(__file__).with_name("state")
PATIENCE_SECONDS = 20.0


def install(folder: Path) -> None:
    """Put it there as a program of the name ``systemctl``."""
    folder.mkdir()
    program = folder / "systemctl"
    program.write_text(f"#!{sys.executable}\n{Path(__file__).read_text()}")
    program.chmod(0o755)


def words(line: str) -> list[str]:
    """The words of a line of a unit, without quotes, escapes and specifiers."""
    found = (quoted or bare for quoted, bare in WORD.findall(line))
    return [re.sub(r"\\(.)", r"\1", word.replace("%%", "%")) for word in found]


def settings(unit: Path) -> dict[str, list[str]]:
    """What each setting of the unit says, line by line."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        name, is_setting, value = line.partition("=")
        if is_setting and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def unit_file() -> Path:
    """Where the unit lies; the manager may be of another home than who asks it."""
    home = os.environ.get("FRAGMENT_HOME") or os.environ["HOME"]
    return Path(home, ".config", "systemd", "user", UNIT)


def pid() -> int:
    """The pid of what runs, else 0."""
    with suppress(OSError, ValueError, IndexError):
        running = int(STATE.read_text().split()[0])
        stat = Path(f"/proc/{running}/stat").read_text()
        return 0 if stat.rpartition(") ")[2].startswith("Z") else running
    return 0


def show() -> None:
    """Print the properties."""
    is_there, said = unit_file().exists(), STATE.read_text() if STATE.exists() else ""
    state = "active" if pid() else "failed" if "failed" in said else "inactive"
    link = unit_file().parent / "default.target.wants" / UNIT
    print(f"LoadState={'loaded' if is_there else 'not-found'}")
    print(f"ActiveState={state}\nSubState={state}\nMainPID={pid()}\nNeedDaemonReload=no")
    print(f"Result={'exit-code' if state == 'failed' else 'success'}")
    print(f"UnitFileState={'enabled' if link.exists() else 'disabled'}")
    print(f"FragmentPath={unit_file() if is_there else ''}")


def start() -> int:
    """Start it unless it runs; wait until it says that it is ready, or has ended."""
    if pid():
        return 0
    said = settings(unit_file())
    [command], [folder] = said["ExecStart"], said["WorkingDirectory"]
    # systemd's own variables, and those of the unit: nothing of whoever calls systemctl.
    kept = ("HOME", "XDG_RUNTIME_DIR", "LANG", *filter(lambda n: "COVERAGE" in n, os.environ))
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    for line in said["Environment"]:
        for word in words(line):
            name, _, value = word.partition("=")
            environment[name] = value
    address = STATE.with_name("notify")
    address.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(0.05)
        process = subprocess.Popen(
            words(command.removeprefix(":")),
            env={**environment, "NOTIFY_SOCKET": str(address)},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            with suppress(TimeoutError):
                if manager.recv(4096) == b"READY=1":
                    STATE.write_text(str(process.pid))
                    return 0
    STATE.write_text("0 failed")
    print(f"Job for {UNIT} failed because the control process exited with error code.")
    return 1


def stop() -> int:
    """End it, and wait until it has ended."""
    if running := pid():
        os.kill(running, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while pid() and time.monotonic() < deadline:
            time.sleep(0.02)
        STATE.unlink(missing_ok=True)
    return 0


def main() -> int:
    """Do what the verb says."""
    verb = next(word for word in sys.argv[1:] if not word.startswith("-"))
    match verb:
        case "show":
            show()
            return 0
        case "start":
            return start()
        case "restart":
            return stop() or start()
        case "stop":
            return stop()
        case "reset-failed" if not pid():
            STATE.unlink(missing_ok=True)
            return 0
        case _:
            return 0


if __name__ == "__main__":
    sys.exit(main())
