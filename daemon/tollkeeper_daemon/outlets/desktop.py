"""The desktop's own notifications, with buttons; loaded only when there is something to show."""

import asyncio
import logging
import sys
from collections.abc import Callable
from html import escape
from typing import Any

from desktop_notifier import Button, DesktopNotifier, Urgency

from tollkeeper.cli.words import plain
from tollkeeper_daemon.outlets.notices import Notice

TITLE = "Tollkeeper"
# Longer words are no notice any more; all of them are in the status.
LONGEST_TEXT = 300

# It logs a traceback of its own for each failure, which is told here as an exception.
logging.getLogger("desktop_notifier").setLevel(logging.CRITICAL)


class NotShown(Exception):
    """The desktop did not take the notification."""


class DesktopNotifications:
    """The connection to the notification service."""

    def __init__(self) -> None:
        self._service = _connect()

    async def show(self, notice: Notice, press: Callable[[str], None]) -> None:
        """Show it; NotShown when that fails. A button's id is given to ``press``, in this loop."""
        # On some systems a button is heard of in another thread.
        call = asyncio.get_running_loop().call_soon_threadsafe
        taken: list[bool] = []
        bus = self._bus()
        if bus and not bus.connected:  # The session has ended, and another one may have begun.
            self._service = _connect()
        await self._service.send(
            TITLE,
            body(notice.text),
            # What wants an answer stays until it has one.
            urgency=Urgency.Critical if notice.buttons else Urgency.Normal,
            buttons=[
                Button(label, lambda name=name: call(press, name), name)
                for name, label in notice.buttons
            ],
            on_dispatched=lambda: taken.append(True),
        )
        if not taken:
            raise NotShown("there is no notification service")

    def close(self) -> None:
        """End the connection."""
        if (bus := self._bus()) and bus.connected:
            bus.disconnect()

    def _bus(self) -> Any:
        """The library's connection to the session bus, None where there is none (yet).

        It keeps the connection to itself, uses it when it is lost, and never ends it.
        """
        return getattr(getattr(self._service, "_backend", None), "bus", None)


def _connect() -> DesktopNotifier:
    return DesktopNotifier(app_name=TITLE, app_icon=None)


def body(text: str, platform: str = sys.platform) -> str:
    """The text as notification services take it: not too long, and on Linux without markup in it."""
    words = plain(text)
    if len(words) > LONGEST_TEXT:
        words = words[: LONGEST_TEXT - 1] + "…"
    return words if platform == "darwin" else escape(words, quote=False)
