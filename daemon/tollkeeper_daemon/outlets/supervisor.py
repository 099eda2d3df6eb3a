"""Tells the service manager that the daemon is ready, lives, and ends: the protocol of sd_notify(3)."""

import asyncio
import logging
import os
import socket
from collections.abc import MutableMapping
from typing import Self

log = logging.getLogger(__name__)

# What a manager hands to the process that it started, and to nobody below it.
SOCKET, PERIOD, PID = VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
READY, ALIVE, STOPPING = b"READY=1", b"WATCHDOG=1", b"STOPPING=1"
# Two signs of life in the time that one is waited for, as sd_watchdog_enabled(3) recommends.
SIGNS_A_PERIOD = 2
MOST_DIGITS = 20  # Of a number of 64 bits.


class Supervisor:
    """Whoever started the daemon as a service; without one, telling it costs nothing.

    ``address`` is that of its socket, ``period`` the seconds within which it wants signs of life.
    """

    def __init__(self, address: str | None = None, period: float | None = None) -> None:
        self._address = address
        self._period = period
        self._task: asyncio.Task[None] | None = None

    @classmethod
    def taken_from(cls, environment: MutableMapping[str, str] = os.environ) -> Self:
        """The one that this environment names, which names it no more: no child speaks for us."""
        address, period, pid = (environment.pop(name, "") for name in VARIABLES)
        is_meant = not pid or pid == str(os.getpid())
        is_number = period.isdecimal() and len(period) <= MOST_DIGITS
        microseconds = int(period) if is_number and is_meant else 0
        return cls(address or None, microseconds / 1e6 or None)

    def ready(self) -> None:
        """The daemon answers; from now on there are signs of life for as long as its loop goes on."""
        self._tell(READY)
        if self._address and self._period:
            self._task = asyncio.create_task(self._live(self._period / SIGNS_A_PERIOD))

    async def stopping(self) -> None:
        """The daemon ends."""
        self._tell(STOPPING)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _live(self, pause: float) -> None:
        while True:
            self._tell(ALIVE)
            await asyncio.sleep(pause)

    def _tell(self, state: bytes) -> None:
        """Send it; a manager that is gone, or too busy to hear, is none to wait for."""
        if not self._address:
            return
        address = os.fsencode(self._address)
        if address.startswith(b"@"):  # An abstract one, which lies in no folder.
            address = b"\0" + address[1:]
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
                own.setblocking(False)
                own.sendto(state, address)
        except (OSError, ValueError) as error:
            log.warning("the service manager was not told %s: %s", state.decode(), error)
