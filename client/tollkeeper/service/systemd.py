"""The service by systemd's user manager."""

from tollkeeper.service.manager import Result, RunCommand, State, run_command

UNIT = "tollkeeper.service"
SHOWN = (
    *("LoadState", "ActiveState", "SubState", "Result", "MainPID"),
    *("UnitFileState", "FragmentPath", "NeedDaemonReload"),
)
RUNNING = ("active", "activating", "reloading")


class Systemd:
    """Asked and told by ``systemctl --user``."""

    name = "systemd"
    logs = "journalctl --user -u tollkeeper"

    def __init__(self, run: RunCommand = run_command) -> None:
        self._run = run

    def unreachable(self) -> str | None:
        return self._call("show", "--property=Version").failure

    def state(self) -> State:
        told = self._call("show", f"--property={','.join(SHOWN)}", UNIT)
        return State(problem=told.failure) if told.failure else read_state(told.output)

    def reload(self) -> None:
        self._call("daemon-reload")

    def start(self) -> str | None:
        self._call("reset-failed", UNIT)  # It fails where there is nothing to be reset.
        return self._call("restart", UNIT).failure

    def resume(self) -> str | None:
        return self._call("start", UNIT).failure

    def stop(self) -> str | None:
        return self._call("stop", UNIT).failure

    def forget(self) -> None:
        self.reload()
        self._call("reset-failed", UNIT)

    def _call(self, *words: str) -> Result:
        return self._run("systemctl", "--user", "--no-ask-password", *words)


def read_state(output: str) -> State:
    """The state, of what ``systemctl show`` printed. Pure."""
    said = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    active, pid = said.get("ActiveState", ""), int(said.get("MainPID") or 0)
    return State(
        file=said.get("FragmentPath") or None,
        at_login=said.get("UnitFileState") == "enabled",
        running=active in RUNNING and said.get("SubState") != "auto-restart",
        pid=pid or None,
        problem=_problem(said),
        stale=said.get("NeedDaemonReload") == "yes",
    )


def _problem(said: dict[str, str]) -> str | None:
    if said.get("UnitFileState") == "masked":
        return "it is masked"
    if said.get("SubState") == "auto-restart" or said.get("ActiveState") == "failed":
        return f"it failed ({said.get('Result') or 'for no known reason'})"
    return None
