"""Start the daemon when none runs, as tmux does with its server."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tollkeeper.control import Toll, is_listening
from tollkeeper.errors import NoAnswerError, NoDaemonError, PlaceError, StartError
from tollkeeper.paths import Paths, absolute_homes

PATIENCE_SECONDS = 20.0
# What sd_notify(3) and systemd.exec(5) hand to a service: this daemon would not be meant.
OF_A_SERVICE = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM")


def ensure_daemon(paths: Paths, first: Callable[[], None] | None = None) -> bool:
    """Make sure that a daemon answers; whether it had to be started. StartError when it can't.

    Where a service is installed for it, that starts it. One that is started here does this ``first``.
    """
    if is_listening(paths):
        return False
    from tollkeeper.service.starting import start_service

    if first is None and start_service(paths) and answers_in_time(paths):
        return True
    process = spawn_daemon(paths, first)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if _answers(paths):
            return True
        if process.poll() is not None and not (_is_starting(paths) or is_listening(paths)):
            raise StartError(f"the daemon did not start: {_last_words(process, paths)}")
        time.sleep(0.02)
    raise StartError("the daemon does not answer", f"its log is {paths.log}")


def spawn_daemon(
    paths: Paths, first: Callable[[], None] | None = None
) -> "subprocess.Popen[bytes]":
    """Start the daemon in a session of its own, so that it outlives this terminal."""
    try:
        paths.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(_errors(paths), "wb") as errors:
            return subprocess.Popen(
                [sys.executable, "-m", "tollkeeper_daemon"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                cwd="/",
                env=_environment(paths),
                start_new_session=True,
                preexec_fn=first,  # noqa: PLW1509 - that of the demo only calls prctl
            )
    except OSError as error:
        raise PlaceError(
            f"can't write to {paths.data}: {error.strerror}", "set TOLL_HOME to another place"
        ) from None


def _environment(paths: Paths) -> dict[str, str]:
    """This environment for a daemon that runs elsewhere.

    The homes named in it are made absolute; what a service manager said to a process above is left out.
    """
    environment = {name: value for name, value in os.environ.items() if name not in OF_A_SERVICE}
    if homes := environment.get("CLAUDE_CONFIG_DIR"):
        environment["CLAUDE_CONFIG_DIR"] = absolute_homes(homes)
    if environment.get("TOLL_HOME"):
        environment["TOLL_HOME"] = str(paths.own_home)
    return environment


def answers_in_time(paths: Paths) -> bool:
    """Whether a daemon that was started answers before patience ends."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _answers(paths):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _answers(paths: Paths) -> bool:
    try:
        with Toll(paths, timeout=PATIENCE_SECONDS) as toll:
            toll.call("ping", dict)
    except (NoDaemonError, NoAnswerError):
        return False
    return True


def _is_starting(paths: Paths) -> bool:
    """Whether a daemon that somebody else started at the same time holds the lock."""
    try:
        os.kill(int(paths.lock.read_text("ascii")), 0)
    except (OSError, ValueError):
        return False
    return True


def refusal(paths: Paths) -> str | None:
    """Why the last daemon that was started from here did not run.

    None if it did, if a later one ran, or if the settings were changed since.
    """
    outdated_by = (paths.log, paths.config, paths.settings, paths.prices, paths.plans)
    told = _changed(_errors(paths))
    return None if any(_changed(path) > told for path in outdated_by) else _read_errors(paths)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _last_words(process: "subprocess.Popen[bytes]", paths: Paths) -> str:
    return _read_errors(paths) or f"exit status {process.returncode}"


def _read_errors(paths: Paths) -> str | None:
    try:
        words = _errors(paths).read_text("utf-8", "replace").strip()
    except OSError:
        return None
    return words.rpartition("\n")[2].removeprefix("tolld: ") or None


def _errors(paths: Paths) -> Path:
    return paths.data / "tolld.err"
