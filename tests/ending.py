"""Ends what a test started, frozen or not, and all that this has started in turn."""

import contextlib
import subprocess

import psutil


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill the process and its descendants; SIGKILL reaches who is frozen, too."""
    family: list[psutil.Process] = []
    if process.poll() is None:  # Else its pid may be another process's.
        with contextlib.suppress(psutil.NoSuchProcess):
            family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    end_all(family)
    process.communicate()


def end_all(processes: list[psutil.Process]) -> None:
    """Kill these; psutil passes over those whose pid is another process's by now."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
