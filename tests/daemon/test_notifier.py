"""Notices: which are shown, on the desktop where there is one, and to the user's command in any case."""

import asyncio
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper.model import AlertKind
from tollkeeper_daemon.config import Config, ConfigError, Notify, load_config
from tollkeeper_daemon.outlets import notifier as module
from tollkeeper_daemon.outlets.commands import Commands
from tollkeeper_daemon.outlets.desktop import LONGEST_TEXT, body
from tollkeeper_daemon.outlets.notices import (
    MENDED_MS,
    MOST_TROUBLES,
    SPARE_MS,
    Notice,
    Rules,
    Throttle,
    Troubles,
    is_quiet,
)
from tollkeeper_daemon.outlets.notifier import RETRY_SECONDS, Desktop, Notifier, has_desktop

USUAL = Notify()
ONE = Notice(kind="warned", text="one", agent="7-1", name="shop-1")
OTHER = Notice(kind="paused", text="other", agent="7-1", name="shop-1")
ASKING = Notice(kind="reached", text="enough?", agent="7-1", buttons=(("add", "Add $5"),))


class FakeDesktop:
    """Shows notifications in a list, or fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.connected = 0
        self.shown: list[str] = []
        self.pressed: list[Callable[[str], None]] = []
        self._failures = failures

    def connect(self) -> Desktop:
        self.connected += 1
        return self

    async def show(self, notice: Notice, press: Callable[[str], None]) -> None:
        if self._failures:
            self._failures -= 1
            raise OSError("no notification service")
        self.shown.append(notice.text)
        self.pressed.append(press)

    def close(self) -> None:
        pass


class FakeCommands(Commands):
    """Keeps what it is to run."""

    def __init__(self) -> None:
        super().__init__(30)
        self.told: list[tuple[str, str, dict[str, object]]] = []

    def run(self, name: str, command: str, data: bytes) -> None:
        self.told.append((name, command, json.loads(data)))


def show(
    desktop: FakeDesktop,
    notices: Iterable[Notice],
    settings: Notify = USUAL,
    commands: Commands | None = None,
    seconds: Iterable[float] = (),
) -> Notifier:
    """Show these one after the other, each to its end; the clock is at these seconds meanwhile."""

    async def run() -> Notifier:
        times = iter(seconds)
        now = [0.0]
        made = Notifier(settings, commands or FakeCommands(), desktop.connect, lambda: now[0])
        for notice in notices:
            now[0] = next(times, now[0])
            made.show(notice)
            await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
        return made

    return asyncio.run(run())


def at(clock: str) -> int:
    """Today at this local time (ms)."""
    hour, minute = map(int, clock.split(":"))
    return int(datetime.now().replace(hour=hour, minute=minute, second=0).timestamp() * 1000)


def test_notice_is_shown() -> None:
    """Each notice is one notification, over one connection."""
    desktop = FakeDesktop()
    show(desktop, [ONE, OTHER])
    assert (["one", "other"], 1) == (desktop.shown, desktop.connected)


def test_failure_is_not_final() -> None:
    """A desktop that can't show one is left alone for a minute, and then connected to anew."""
    desktop = FakeDesktop(failures=1)
    third = Notice(kind="reset", text="third")
    seconds = (100, 100 + RETRY_SECONDS - 1, 100 + RETRY_SECONDS)
    show(desktop, [ONE, OTHER, third], seconds=seconds)
    assert (["third"], 2) == (desktop.shown, desktop.connected)


def test_switched_off() -> None:
    """Who wants no notifications on the desktop gets none, and the command is told all the same."""
    desktop, commands = FakeDesktop(), FakeCommands()
    show(desktop, [ONE], Notify(desktop=False, command="cat"), commands)
    assert (0, 1) == (desktop.connected, len(commands.told))


def test_command_gets_the_notice() -> None:
    """The command gets what is told as JSON: kind, text, time and whom it is about."""
    commands = FakeCommands()
    show(FakeDesktop(failures=9), [ONE], Notify(command="cat"), commands)
    [(name, command, notice)] = commands.told
    assert ("notify.command", "cat") == (name, command)
    datetime.fromisoformat(str(notice.pop("time")))
    assert {"kind": "warned", "text": "one", "agent": "shop-1", "agent_id": "7-1"} == notice


@pytest.mark.parametrize("settings", [Notify(off=("warned",)), Notify(quiet="00:00-23:59")])
def test_what_is_not_let_through(settings: Notify, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind that is off, and any in quiet hours, reaches neither desktop nor command."""
    monkeypatch.setattr(module, "now_ms", lambda: at("12:00"))
    desktop, commands = FakeDesktop(), FakeCommands()
    show(desktop, [ONE], msgspec.structs.replace(settings, command="cat"), commands)
    assert (0, []) == (desktop.connected, commands.told)


def test_trouble_with_commands_runs_none() -> None:
    """That a command failed is shown, and never handed to a command."""
    desktop, commands = FakeDesktop(), FakeCommands()
    show(desktop, [Notice(kind="command", text="failed")], Notify(command="false"), commands)
    assert (["failed"], []) == (desktop.shown, commands.told)


def test_button_is_passed_on() -> None:
    """Who answers a notice is heard, with the notice and the button; without a listener nothing is."""
    desktop = FakeDesktop()
    made = show(desktop, [ASKING])
    desktop.pressed[0]("add")
    heard: list[tuple[Notice, str]] = []
    made.on_press = lambda notice, button: heard.append((notice, button))
    desktop.pressed[0]("add")
    assert [(ASKING, "add")] == heard


def test_no_session_bus() -> None:
    """Without a session bus there is no desktop on Linux; with one there may be."""
    assert has_desktop({"DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/bus"})


@pytest.mark.parametrize(
    ("clock", "quiet"),
    [("21:59", False), ("22:00", True), ("23:59", True), ("00:00", True), ("06:59", True)]
    + [("07:00", False), ("12:00", False)],
)
def test_quiet_over_midnight(clock: str, quiet: bool) -> None:
    """Quiet hours may begin on one day and end on the next; the last minute named is loud."""
    assert quiet == is_quiet("22:00-07:00", at(clock))


@pytest.mark.parametrize(
    ("clock", "quiet"), [("11:59", False), ("12:00", True), ("13:29", True), ("13:30", False)]
)
def test_quiet_within_a_day(clock: str, quiet: bool) -> None:
    """They may also lie within a day; and none are set, none are quiet."""
    assert quiet == is_quiet("12:00-13:30", at(clock))
    assert not is_quiet("", at(clock))


@pytest.mark.parametrize("quiet", ["22-7", "24:00-07:00", "22:60-07:00", "22:00", "07:00-07:00"])
def test_quiet_that_is_none(quiet: str, tmp_path: Path) -> None:
    """Hours that are none are refused at once, with an example of how they are written."""
    path = tmp_path / "config.toml"
    path.write_text(f'[notify]\nquiet = "{quiet}"\n')
    with pytest.raises(ConfigError, match="22:00-07:00"):
        load_config(path)


def test_kind_that_is_none(tmp_path: Path) -> None:
    """A kind that there is not can't be off, and it is said which there are."""
    path = tmp_path / "config.toml"
    path.write_text('[notify]\noff = ["loud"]\n')
    with pytest.raises(
        ConfigError, match=r'each is "warned", "reached", "paused", .* and is \["loud"\]'
    ):
        load_config(path)


@pytest.mark.parametrize(
    "toml",
    ["[notify]\nwaiting_after_seconds = -1", '[on]\nstarted = "x"'] + ["[on]\ntimeout_seconds = 0"],
)
def test_settings_that_are_none(toml: str, tmp_path: Path) -> None:
    """Kinds and events that there are not, and times that make no sense, are refused."""
    path = tmp_path / "config.toml"
    path.write_text(toml)
    with pytest.raises(ConfigError):
        load_config(path)


def test_settings(tmp_path: Path) -> None:
    """Settings are read as they are written; the rest has its defaults."""
    path = tmp_path / "config.toml"
    path.write_text(
        '[notify]\noff = ["waiting"]\nquiet = "22:00-07:00"\ncommand = "c"\n[on]\nplan = "p"\n'
    )
    config = load_config(path)
    assert Notify(off=("waiting",), quiet="22:00-07:00", command="c") == config.notify
    assert ("p", "", 30) == (config.on.plan, config.on.alert, config.on.timeout_seconds)
    assert 120 == Config().notify.waiting_after_seconds


AGENTS = st.sampled_from(["", "7-1", "8-1"])
KINDS: st.SearchStrategy[AlertKind] = st.sampled_from(["warned", "paused", "failed"])


def test_trouble_is_told_until_it_was_well() -> None:
    """What goes on is told once; what comes again an hour after it was last seen is told again."""
    troubles, now = Troubles(), 10**12
    every_minute = range(now, now + 5 * MENDED_MS, 60_000)
    assert [each for each in every_minute if troubles.is_news("full", each)] == [now]
    last = every_minute[-1]
    assert troubles.is_news("other", last)
    assert not troubles.is_news("full", last + MENDED_MS - 1)
    assert troubles.is_news("full", last + 2 * MENDED_MS - 1)


def test_trouble_after_the_clock_was_set_back() -> None:
    """A clock that was ahead silences nothing for long."""
    troubles, now = Troubles(), 10**12
    assert troubles.is_news("full", now + 10**9)
    assert [troubles.is_news("full", now + each) for each in (0, 1)] == [True, False]


def test_many_troubles() -> None:
    """However many there are, few are remembered, and each new one is told."""
    troubles = Troubles()
    assert all(troubles.is_news(f"{number}", 10**12) for number in range(3 * MOST_TROUBLES))
    assert not troubles.is_news(f"{3 * MOST_TROUBLES - 1}", 10**12)
    assert troubles.is_news("0", 10**12)


@given(st.lists(st.tuples(st.integers(0, 40_000), AGENTS, KINDS)))
def test_throttle(steps: list[tuple[int, str, AlertKind]]) -> None:
    """Of one agent and kind one notice is shown, and then none for a minute, whatever comes between."""
    throttle, now = Throttle(), 10**12
    shown: dict[tuple[str, str], int] = {}
    for later, agent, kind in steps:
        now += later
        due = now - shown.get((agent, kind), 0) >= SPARE_MS
        assert due == throttle.admits(Notice(kind=kind, text="", agent=agent), now)
        if due:
            shown[agent, kind] = now


def test_throttle_and_a_clock_set_back() -> None:
    """A clock that is set back by an hour silences nothing for an hour."""
    throttle = Throttle()
    assert throttle.admits(ONE, 10**12)
    assert throttle.admits(ONE, 10**12 - 3_600_000)


def test_what_is_off_spends_no_turn() -> None:
    """A notice in quiet hours does not hold back the one after them."""
    rules = Rules(Notify(quiet="22:00-07:00"))
    assert not rules.admit(ONE, at("07:00") - 30_000)
    assert rules.admit(ONE, at("07:00") + 20_000)


def test_words_of_others_are_no_markup() -> None:
    """What is markup to a notification service is shown as it was written, on one line."""
    assert "&lt;b&gt;x&lt;/b&gt; &amp; y·" == body("<b>x</b> & y\n", "linux")
    assert "<b>x</b> & y" == body("<b>x</b> & y", "darwin")


def test_long_words_are_cut() -> None:
    """A notification is not longer than one can read, and no entity is cut in two."""
    assert "&lt;" * (LONGEST_TEXT - 1) + "…" == body("<" * 5000, "linux")
