"""Notifications for GTK's backends, in the place of the library's own.

Those keep the tray from starting, and from ending well, where nothing shows notifications.
"""

import importlib
from typing import Any

DESTINATION = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"


class Notifier:
    """Shows notifications where something does, and is silent elsewhere."""

    def notify(self, title: str, message: str, icon: str) -> None:
        """Show this one; nobody waits for it."""
        gio, glib = self._library("Gio"), self._library("GLib")
        text = glib.markup_escape_text(message)
        said: tuple[Any, ...] = ("Tollkeeper", 0, icon, title, text, [], {}, -1)
        gio.bus_get_sync(gio.BusType.SESSION, None).call(
            DESTINATION,
            PATH,
            DESTINATION,
            "Notify",
            glib.Variant("(susssasa{sv}i)", said),
            None,
            gio.DBusCallFlags.NONE,
            -1,
            None,
            None,
        )

    def hide(self) -> None:
        """They go by themselves."""

    def _library(self, name: str) -> Any:
        return importlib.import_module(f"gi.repository.{name}")
