"""The desktop's tray behind one small class: what is peculiar to pystray and its backends."""

import importlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tollkeeper.errors import TollError
from tollkeeper.extras import install_with
from tollkeeper_tray.menu import Choice
from tollkeeper_tray.notices import Notifier
from tollkeeper_tray.shown_menu import GTK_BACKENDS, ShownMenu
from tollkeeper_tray.view import GONE, View

if TYPE_CHECKING:
    from PIL.Image import Image

CHOICES = "unset it, or choose appindicator, gtk or xorg: see docs/tray.md"
PACKAGES = (
    "it needs python3-gi and gir1.2-ayatanaappindicator3-0.1, which docs/tray.md says how to see from a "
    "virtual environment; for one without a menu: PYSTRAY_BACKEND=xorg"
)
# As pystray says it while it is homeless.
NO_PANEL, IN_WORDS = "Failed to dock icon", "no panel shows tray icons here; waiting for one"
# What somebody reads does not change more often than this, unless the icon does.
WORDS_SECONDS = 1.0
# Plain X shows titles in Latin-1.
LATIN = {"🤖 ": "", "⚠": "!", "‖": "||"}


class TrayError(TollError):
    """There is no tray to show anything in."""

    code = "no-tray"


class Tray:
    """An icon in the tray, with its title and menu; TrayError when the desktop has none."""

    def __init__(self, choose: Callable[[Choice], None]) -> None:
        self._pystray = _pystray()
        self._shown: View = GONE
        # Plain X: no menu, no transparency, and Latin-1 in the title.
        self._plain = self._pystray.Icon.__module__.endswith("._xorg")
        self._image = self._drawn(GONE)
        self._menu = ShownMenu(self._pystray, choose, GONE.menu)
        self._words_changed = -WORDS_SECONDS
        self._icon = self._pystray.Icon(
            "tollkeeper", icon=self._image, title=self._title(GONE), menu=self._menu.made()
        )
        if self._plain:
            self._ask_for_clicks()

    def run(self, ready: Callable[[], None]) -> None:
        """Show the icon until ``stop``, in the main thread; calls ``ready`` once it shows.

        TrayError when the backend fails.
        """
        if self._plain:
            # The backend notes its thread only after it has called back, which needs it.
            self._icon._thread = threading.main_thread()

        def begin(icon: Any) -> None:
            icon.visible = True
            ready()

        try:
            self._icon.run(begin)
        except Exception as error:  # noqa: BLE001 - a backend raises what its toolkit does
            raise TrayError(f"the tray failed: {_in_a_line(error)}") from None

    def stop(self) -> None:
        """Take the icon away and let ``run`` return; from any thread."""
        self._icon.stop()
        self._flush()

    def show(self, view: View) -> None:
        """Show this view; from any thread. Words that changed lately are left to the next one."""
        _in_its_thread(lambda: self._show(view))

    def tell(self, text: str) -> None:
        """Show this as a notification, where the backend can; from any thread."""
        if self._pystray.Icon.HAS_NOTIFICATION:
            _in_its_thread(lambda: self._icon.notify(text, "Tollkeeper"))

    def _show(self, view: View) -> None:
        now = time.monotonic()
        is_due = now - self._words_changed >= WORDS_SECONDS
        is_other = (view.mood, view.ring) != (self._shown.mood, self._shown.ring)
        if is_other:
            self._image = self._drawn(view)
        if is_other or (self._plain and self._is_homeless()):
            # For one that is homeless this asks for a place again.
            self._icon.icon = self._image
        if is_other or is_due:
            self._icon.title = self._title(view)
        if is_due and self._menu.show(self._icon, view.menu):
            self._words_changed = now
        self._shown = view
        self._flush()

    def _ask_for_clicks(self) -> None:
        """The library handles clicks on plain X, and does not ask for them."""
        x = importlib.import_module("Xlib.X")
        events = x.ExposureMask | x.StructureNotifyMask | x.ButtonPressMask
        self._icon._window.change_attributes(event_mask=events)
        self._icon._display.flush()

    def _is_homeless(self) -> bool:
        """Whether no panel holds the icon: one that starts later, or anew, is not asked of itself."""
        parent = self._icon._window.query_tree().parent
        return bool(parent == self._icon._display.screen().root)

    def _flush(self) -> None:
        """Send what python-xlib may have kept: two threads that flush at once leave a request behind."""
        if self._plain:
            self._icon._display.flush()

    def _drawn(self, view: View) -> "Image":
        from tollkeeper_tray.icon import draw

        return draw(view.mood, view.ring, opaque=self._plain)

    def _title(self, view: View) -> str:
        if not self._plain:
            return view.title
        title = view.title
        for letter, latin in LATIN.items():
            title = title.replace(letter, latin)
        return title.encode("latin-1", "replace").decode("latin-1")


def _pystray() -> Any:
    """The library, which looks for a desktop when it is imported."""
    if sys.platform != "darwin" and not _has_bus():
        # The other backends need one, and would start a bus that nobody else is on.
        os.environ.setdefault("PYSTRAY_BACKEND", "xorg")
    log = logging.getLogger("pystray")
    log.handlers, log.propagate = [_Complaints()], False
    try:
        importlib.import_module("PIL")
        library = importlib.import_module("pystray")
        if library.Icon.__module__.endswith(GTK_BACKENDS):
            theirs: Any = importlib.import_module("pystray._util.notify_dbus")
            theirs.Notifier = Notifier
        return library
    except ModuleNotFoundError as error:
        raise TrayError(f"the tray needs {error.name}", install_with("tray")) from None
    except Exception as error:  # noqa: BLE001 - a backend raises what its toolkit does
        raise _trouble(_in_a_line(error)) from None


def _trouble(words: str) -> TrayError:
    """What it means, and what to do, that the library found no way to show an icon, in its words."""
    if "unknown backend" in words:
        chosen = os.environ["PYSTRAY_BACKEND"]
        return TrayError(f"there is no PYSTRAY_BACKEND {chosen!r}", CHOICES)
    if "'gi'" in words or "Namespace" in words:
        return TrayError(f"an icon with a menu can't be shown ({words})", PACKAGES)
    return TrayError(f"no desktop to show the tray in: {words}")


def _has_bus() -> bool:
    """Whether this session has a D-Bus of its own."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return bool(
        os.environ.get("DBUS_SESSION_BUS_ADDRESS") or (runtime and Path(runtime, "bus").exists())
    )


def _in_its_thread(call: Callable[[], None]) -> None:
    """Call where the desktop allows it: AppKit only in the main thread; other backends hand over."""
    if sys.platform == "darwin":
        importlib.import_module("PyObjCTools.AppHelper").callAfter(call)
    else:
        call()


class _Complaints(logging.Handler):
    """Prints what the library complains of in one line each, and not twice in a row."""

    def __init__(self) -> None:
        super().__init__()
        self._last = ""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        reason = f": {_in_a_line(error)}" if str(error or "") else ""
        message = record.getMessage()
        line = f"toll-tray: {IN_WORDS if message == NO_PANEL else message}{reason}"
        if line != self._last:
            print(line, file=sys.stderr)
        self._last = line


def _in_a_line(error: BaseException | None) -> str:
    return " ".join(str(error).split()) or type(error).__name__
