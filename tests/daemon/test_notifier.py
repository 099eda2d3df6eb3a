"""Alerts on the desktop: shown in the background, and silent where there is none."""

import asyncio

from tollkeeper_daemon.outlets.notifier import TITLE, Notifier, has_desktop


class FakeDesktop:
    """Shows notifications in a list, or fails."""

    def __init__(self, fails: bool = False) -> None:
        self.asked = 0
        self.shown: list[tuple[str, str]] = []
        self._fails = fails

    async def send(self, title: str, message: str) -> object:
        self.asked += 1
        if self._fails:
            raise OSError("no notification service")
        self.shown.append((title, message))
        return None


def show(desktop: FakeDesktop, *texts: str, enabled: bool = True) -> None:
    """Show these one after the other, each to its end."""

    async def run() -> None:
        notifier = Notifier(enabled, desktop)
        for text in texts:
            notifier.show(text)
            await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    asyncio.run(run())


def test_alert_is_shown() -> None:
    """Each alert is one notification."""
    desktop = FakeDesktop()
    show(desktop, "one", "two")
    assert [(TITLE, "one"), (TITLE, "two")] == desktop.shown


def test_failure_is_quiet_and_final() -> None:
    """A desktop that can't show one is not asked again."""
    desktop = FakeDesktop(fails=True)
    show(desktop, "one", "two")
    assert 1 == desktop.asked


def test_switched_off() -> None:
    """Who wants no notifications gets none."""
    desktop = FakeDesktop()
    show(desktop, "one", enabled=False)
    assert 0 == desktop.asked


def test_no_session_bus() -> None:
    """Without a session bus there is no desktop on Linux; with one there may be."""
    assert has_desktop({"DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/bus"})
