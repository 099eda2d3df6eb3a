"""The toll command left running: in a pseudo-terminal, or with a pipe for its words."""

import fcntl
import os
import select
import signal
import struct
import subprocess
import termios
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from waiting import wait_until

from .keeper import TOLL, Keeper

# The exit status after Ctrl-C, and on stderr no more than the end of the line that shows ^C.
INTERRUPTED = (130, "\n")
# Ctrl-C is how one leaves the live view.
LEFT = (0, "")


class Running:
    """A toll command that goes on until it is interrupted; what it wrote is in ``shown``."""

    def __init__(
        self,
        keeper: Keeper,
        *arguments: str,
        columns: int = 0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """With ``columns`` it runs in a terminal of that width, else its stdout is a pipe."""
        self._mine, its = os.openpty() if columns else os.pipe()
        if columns:
            fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        self.shown = ""
        self.process = subprocess.Popen(
            [TOLL, *arguments],
            env={**keeper.environment, **(environment or {})},
            stdin=its if columns else subprocess.DEVNULL,
            stdout=its,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        os.close(its)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        if self.process.stderr:
            self.process.stderr.close()
        os.close(self._mine)

    def wait_for(self, text: str, times: int = 1) -> str:
        """All that was shown, once it holds this text so many times."""
        wait_until(lambda: self._read().count(text) >= times, what=f"{text!r} in {self.shown!r}")
        return self.shown

    def wait_for_lines(self, count: int) -> list[str]:
        """The lines shown, once there are so many."""
        return self.wait_for("\n", count).splitlines()

    def say(self, line: str) -> None:
        """Type this line; it must run in a terminal."""
        os.write(self._mine, line.encode() + b"\n")

    def hang_up(self) -> None:
        """Read no more of what it writes."""
        os.close(self._mine)
        self._mine = os.open(os.devnull, os.O_RDONLY)

    def interrupt(self) -> tuple[int, str]:
        """Do as Ctrl-C does; the exit status, and what stands on stderr."""
        self.process.send_signal(signal.SIGINT)
        return self.end()

    def end(self) -> tuple[int, str]:
        """Wait until it ends by itself; the exit status, and what stands on stderr."""

        def ended() -> bool:
            self._read()
            return self.process.poll() is not None

        wait_until(ended)
        self._read()
        assert self.process.stderr
        return self.process.returncode, self.process.stderr.read().decode()

    def _read(self) -> str:
        while select.select([self._mine], [], [], 0)[0]:
            try:
                data = os.read(self._mine, 1 << 16)
            except OSError:  # a terminal that nobody holds any more
                break
            if not data:
                break
            self.shown += data.decode("utf-8", "replace")
        return self.shown
