"""Shows alerts on the desktop where there is one; nothing waits for it, and it fails quietly."""

import asyncio
import logging
import os
import sys
from collections.abc import Mapping
from typing import Protocol

log = logging.getLogger(__name__)

TITLE = "Tollkeeper"
PATIENCE_SECONDS = 5.0


class Desktop(Protocol):
    """What can show a notification."""

    async def send(self, title: str, message: str) -> object:
        """Show it; returns when the desktop has it."""
        ...


class Notifier:
    """Hands each text to the desktop in the background; after a failure it stays silent."""

    def __init__(self, enabled: bool, desktop: Desktop | None = None) -> None:
        self._enabled = enabled
        self._desktop = desktop
        self._under_way: set[asyncio.Task[None]] = set()

    def show(self, text: str) -> None:
        """Show this text, some time soon."""
        if self._enabled:
            task = asyncio.get_running_loop().create_task(self._send(text))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _send(self, text: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                if self._desktop is None:
                    self._desktop = await asyncio.to_thread(_connect)
                await self._desktop.send(TITLE, text)
        except Exception as error:
            self._enabled = False
            log.info("notifications can't be shown here", exc_info=error)


def has_desktop(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether there is a place for notifications: on Linux, a session bus."""
    return sys.platform == "darwin" or bool(environment.get("DBUS_SESSION_BUS_ADDRESS"))


def _connect() -> Desktop:
    # Loaded late: it is large, and most daemons have nothing to show.
    from desktop_notifier import DesktopNotifier

    return DesktopNotifier(app_name=TITLE, app_icon=None)
