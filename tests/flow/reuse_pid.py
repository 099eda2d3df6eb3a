"""Run in a pid namespace of its own: what becomes of a process that gets a paused agent's pid.

Says ``frozen`` when the agent was, ``reused`` when another process has its pid, and ``untouched``
when that one runs after everything that was asked for.
"""

import subprocess
import time
from pathlib import Path

from freezing import is_frozen

from .bounded import overspend, start_bounded, usual
from .keeper import Keeper

LAST_PID = Path("/proc/sys/kernel/ns_last_pid")


def main() -> None:
    """Let the agent be paused, die, and its pid be taken; then ask for everything."""
    with Keeper() as keeper:
        [agent] = start_bounded(keeper, per_agent=usual(1))
        overspend(agent)
        print("frozen")
        with_pid = _take_over(agent.pid, agent.process)
        try:
            print("reused")
            keeper.wait_for(lambda status: status.agents[0].state == "exited")
            agent.log.reply()
            keeper.wait_for_requests(2)
            for verb in ("pause", "resume", "stop"):
                keeper.report(verb, all=True)
            keeper.kill()
            keeper.start()
            keeper.report("stop", all=True)
            assert with_pid.poll() is None and not is_frozen(with_pid.pid)
            print("untouched")
        finally:
            with_pid.kill()
            with_pid.wait()


def _take_over(pid: int, process: "subprocess.Popen[bytes]") -> "subprocess.Popen[bytes]":
    """End the process, and give its pid to a new one, whoever else starts processes meanwhile."""
    process.kill()
    process.wait()
    for _ in range(100):
        time.sleep(0.02)  # A tick has to pass: the clock of starts is no finer.
        LAST_PID.write_text(str(pid - 1))
        new = subprocess.Popen(["sleep", "600"])
        if new.pid == pid:
            return new
        new.kill()
        new.wait()
    raise AssertionError(f"pid {pid} was not to be had")


if __name__ == "__main__":
    main()
