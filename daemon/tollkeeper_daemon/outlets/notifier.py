"""Shows notices on the desktop where there is one, and hands them to the user's own command."""

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

import msgspec

from tollkeeper_daemon.clock import iso, now_ms
from tollkeeper_daemon.config import Notify
from tollkeeper_daemon.outlets.commands import Commands
from tollkeeper_daemon.outlets.notices import Notice, Rules

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 5.0
# A notification service may start after the daemon, or start again.
RETRY_SECONDS = 60.0
COMMAND = "notify.command"


class Desktop(Protocol):
    """What can show a notification."""

    async def show(self, notice: Notice, press: Callable[[str], None]) -> None:
        """Show it; returns when the desktop has it. Who presses a button has its id passed on."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...


class Notifier:
    """Shows what the settings let through, in the background.

    ``on_press`` is called in the loop, with the notice and the id of the button that was pressed.
    After a failure, of which ``failing`` tells, the desktop is left alone for a while.
    """

    def __init__(
        self,
        settings: Notify,
        commands: Commands,
        connect: "Callable[[], Desktop] | None" = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.commands = commands
        self.on_press: Callable[[Notice, str], None] | None = None
        self.waiting_after_seconds = settings.waiting_after_seconds
        self.failing: str | None = None
        self._rules = Rules(settings)
        self._settings = settings
        self._connect = connect
        self._clock = clock
        self._desktop: Desktop | None = None
        self._silent_until = 0.0
        self._turn = asyncio.Lock()
        self._under_way: set[asyncio.Task[None]] = set()

    def show(self, notice: Notice) -> None:
        """Show this notice some time soon, unless the settings say no."""
        now = now_ms()
        if not self._rules.admit(notice, now):
            return
        # A command that fails must not be told so by itself, again and again.
        if self._settings.command and notice.kind != "command":
            self.commands.run(COMMAND, self._settings.command, as_json(notice, now))
        if self._connect and self._settings.desktop and self._clock() >= self._silent_until:
            task = asyncio.get_running_loop().create_task(self._show(notice, self._connect))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    def health(self) -> dict[str, Any]:
        """Where notices go, and what went wrong with the last one."""
        return {
            "desktop": self._settings.desktop,
            "has_desktop": self._connect is not None,
            "command": bool(self._settings.command),
            "failing": self.failing,
        }

    def follow(self, settings: Notify) -> None:
        """The settings are these now."""
        self._settings = settings
        self._rules.settings = settings

    def close(self) -> None:
        """End the connection to the desktop."""
        self._connect = None
        self._let_go()

    async def _show(self, notice: Notice, connect: "Callable[[], Desktop]") -> None:
        """Show it on the desktop, one after the other: the first connects for all."""
        async with self._turn:
            if self._clock() < self._silent_until:
                return
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    if self._desktop is None:
                        self._desktop = await asyncio.to_thread(connect)
                    await self._desktop.show(notice, partial(self._pressed, notice))
                self.failing = None
            except Exception as error:
                self._silent_until = self._clock() + RETRY_SECONDS
                self.failing = str(error) or type(error).__name__
                log.info("notifications can't be shown now: %s", self.failing)
                log.debug("the notification service failed", exc_info=error)
                self._let_go()

    def _let_go(self) -> None:
        desktop, self._desktop = self._desktop, None
        if desktop is not None:
            with contextlib.suppress(Exception):
                desktop.close()

    def _pressed(self, notice: Notice, button: str) -> None:
        log.info("%r was pressed on: %s", button, notice.text)
        if self.on_press:
            self.on_press(notice, button)


def as_json(notice: Notice, now: int) -> bytes:
    """The notice as a command gets it."""
    return msgspec.json.encode(
        {
            "time": iso(now),
            "kind": notice.kind,
            "text": notice.text,
            "agent": notice.name or None,
            "agent_id": notice.agent or None,
        }
    )


def has_desktop(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether there is a place for notifications: on Linux, a session bus."""
    return sys.platform == "darwin" or bool(environment.get("DBUS_SESSION_BUS_ADDRESS"))


def connect_desktop() -> Desktop:
    """The desktop of this session."""
    # Loaded late: it is large, and most daemons have nothing to show.
    from tollkeeper_daemon.outlets.desktop import DesktopNotifications

    return DesktopNotifications()
