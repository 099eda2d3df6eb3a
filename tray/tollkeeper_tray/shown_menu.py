"""The menu as a backend shows it: made anew when its entries change, else only its words are.

A menu that is made anew closes, or flickers, before whoever has it open.
"""

import importlib
from collections.abc import Callable, Sequence
from typing import Any

from tollkeeper_tray.menu import Choice, Entry, Menu, shape_of

# Their menus are GTK's, and followed word by word by whatever shows them.
GTK_BACKENDS = ("_appindicator", "_gtk")


class ShownMenu:
    """The menu of an icon, shown by this library; ``show`` may be called from any thread."""

    def __init__(self, pystray: Any, choose: Callable[[Choice], None], menu: Menu) -> None:
        self._pystray = pystray
        self._choose = choose
        self._menu = menu
        self._is_in_place = pystray.Icon.__module__.endswith(GTK_BACKENDS)

    def show(self, icon: Any, menu: Menu) -> bool:
        """Show this one; whether anything of it has changed."""
        before, self._menu = self._menu, menu
        if menu == before:
            return False
        if self._is_in_place and shape_of(menu) == shape_of(before):
            glib = importlib.import_module("gi.repository.GLib")
            glib.idle_add(lambda: _reword(icon._menu_handle, _entries(menu)))
        else:
            icon.update_menu()
        return True

    def made(self) -> Any:
        """The library's menu: whenever it is made anew, of what is shown then."""
        return self._pystray.Menu(self._rows)

    def _rows(self) -> list[Any]:
        rows: list[Any] = []
        for group in self._menu:
            rows += [self._pystray.Menu.SEPARATOR, *map(self._item, group)]
        return rows[1:]

    def _item(self, entry: Entry) -> Any:
        choice = entry.choice
        under = self._pystray.Menu(*map(self._item, entry.under)) if entry.under else None
        return self._pystray.MenuItem(
            entry.label,
            under or (choice and (lambda: self._choose(choice))),
            enabled=entry.is_enabled,
            # What a click on the icon itself does, where that does not open the menu.
            default=choice == Choice("dashboard"),
        )


def _entries(menu: Menu) -> list[Entry]:
    return [entry for group in menu for entry in group]


def _reword(menu: Any, entries: Sequence[Entry]) -> None:
    """Change the words of a GTK menu, and what is open in it, where they differ."""
    items = [item for item in menu.get_children() if item.get_child()]  # Lines have none.
    for item, entry in zip(items, entries, strict=True):
        if item.get_child().get_text() != entry.label:
            # Over D-Bus an underscore marks a letter to press, and a changed label goes there as it is.
            item.set_use_underline(True)
            item.set_label(entry.label.replace("_", "__"))
        if item.get_sensitive() != entry.is_enabled:
            item.set_sensitive(entry.is_enabled)
        if entry.under:
            _reword(item.get_submenu(), entry.under)
