"""The journal as it is shown, and as it is followed over gaps and restarts."""

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper import wire
from tollkeeper.cli import log_follow, log_view
from tollkeeper.cli.context import Ask
from tollkeeper.cli.table import cells
from tollkeeper.errors import NoDaemonError
from tollkeeper.model import Action
from tollkeeper.paths import Paths
from waiting import wait_until

from .conftest import Run
from .fake_daemon import FakeDaemon, reply
from .making import TIME, status

ENTRY = {"time": TIME, "kind": "paused", "text": "Ada is paused. Told so by a person."}
WORDS = st.text(st.sampled_from("ab c名́é"), max_size=80)


def entry(number: int) -> Action:
    """An entry of the journal."""
    return Action(number=number, time=TIME, kind="paused", text=f"n{number}", cause="person")


@given(WORDS, st.integers(min_value=2, max_value=40))
def test_wrapping(text: str, room: int) -> None:
    """Wrapped lines fit, and hold all that was said, in its order."""
    lines = log_view.wrapped(text, room)
    assert max(map(cells, lines)) <= room
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_entry_in_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time stands before the first line; where little room is left, above it."""
    assert len(log_view.entry_lines(ENTRY, 0)) == 1
    first, second = log_view.entry_lines(ENTRY, 45)
    assert (first[19:], second) == ("  Ada is paused. Told so", " " * 21 + "by a person.")
    time, *rest = log_view.entry_lines(ENTRY, 30)
    assert (len(time), rest) == (19, ["Ada is paused. Told so by a", "person."])


def test_hostile_entry() -> None:
    """What others named can't move the cursor."""
    [line] = log_view.entry_lines({**ENTRY, "text": "\x1b[2J\n"}, 0)
    assert line.endswith("  ·[2J·")


class Followed:
    """A daemon whose journal grows, and what a follower shows of it."""

    def __init__(self) -> None:
        self.entries: list[Action] = []
        self.shown: list[int] = []
        self.failed: list[NoDaemonError] = []

    def answer(self, call: wire.Request) -> list[wire.Reply]:
        """The snapshot, or the journal behind a number."""
        if call.method == "snapshot":
            return [reply(call, status())]
        found = [each for each in self.entries if each.number > call.params["after"]]
        return [reply(call, {"entries": found[-call.params["last"] :]})]

    def show(self, entries: list[dict[str, Any]]) -> None:
        """Note what is shown."""
        self.shown += [each["number"] for each in entries]

    def follow(self) -> None:
        """Follow, for a thread."""
        try:
            log_follow.follow(Ask(may_start=False), 2, self.show)
        except NoDaemonError as error:
            self.failed.append(error)


def test_following(
    home: Paths, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Entries come once each: read, told, missed, told twice; a daemon that is gone is waited for."""
    monkeypatch.setattr(log_follow, "SILENCE_SECONDS", 0.2)
    monkeypatch.setattr(log_follow, "PATIENCE_SECONDS", 1.0)
    followed = Followed()
    followed.entries = [entry(number) for number in range(1, 5)]
    thread = threading.Thread(target=followed.follow)
    with FakeDaemon(home, followed.answer) as daemon:
        thread.start()
        daemon.wait_for_subscriber()
        wait_until(lambda: followed.shown == [3, 4])
        followed.entries += [entry(5), entry(6), entry(7)]
        for sequence, number in enumerate((7, 6, 7), 8):  # 5 and 6 were missed.
            update = wire.ActionUpdate(sequence=sequence, time=TIME, action=entry(number))
            daemon.publish("action", update)
        wait_until(lambda: followed.shown == [3, 4, 5, 6, 7])
        followed.entries.append(entry(8))  # Its update never comes.
        wait_until(lambda: followed.shown[-1] == 8)
    thread.join(20)
    assert not thread.is_alive()
    assert [3, 4, 5, 6, 7, 8] == followed.shown
    assert ["no daemon is running"] == [error.message for error in followed.failed]
    assert "toll: no daemon is running; waiting for it\n" in capfd.readouterr().err


def test_log_of_nothing(home: Paths, run: Run) -> None:
    """An empty journal is told to people, and is nothing to programs."""
    with FakeDaemon(home, lambda call: [reply(call, {"entries": []})]) as daemon:
        assert (0, "Nothing was done yet.\n", "") == run("log", "-n", "9")
        assert (0, "", "") == run("log", "--json", "-n", "99999")
    assert [{"last": 9}, {"last": 20_000}] == [call.params for call in daemon.calls]
