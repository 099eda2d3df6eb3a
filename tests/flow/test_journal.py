"""toll log: the journal in words and as JSON, read and followed."""

import json
import re

from waiting import wait_until

from .adopted import state_of
from .keeper import Keeper
from .terminal import INTERRUPTED, Running
from .test_words import SETTINGS, refused, said, start

MANY = 40


def set_daily(keeper: Keeper, dollars: int) -> None:
    """An entry of the journal that can be told from the others."""
    keeper.report("limit.set", daily=True, usd=dollars)


def test_log_in_words(daemon: Keeper) -> None:
    """A line per entry: its local time, what happened and why."""
    assert said(daemon, "log") == "Nothing was done yet.\n"
    start(daemon, "Ada")
    said(daemon, "pause", "Ada")
    said(daemon, "resume", "Ada")
    lines = said(daemon, "log").splitlines()
    assert [re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", line) for line in lines] == [
        "TIME  Ada is paused. Told so by a person.",
        "TIME  Ada goes on. Told so by a person.",
    ]
    assert said(daemon, "log", "-n", "1").splitlines() == lines[1:]


def test_log_in_the_zone_of_the_reader(daemon: Keeper) -> None:
    """Times are those of whoever reads, not the daemon's."""
    set_daily(daemon, 5)
    [entry] = daemon.report("log")["entries"]
    shown = daemon.run("log", environment={"TZ": "EAST-5"}).stdout
    hour = (int(entry["time"][11:13]) + 5) % 24
    assert shown[11:13] == f"{hour:02d}"


def test_log_as_json(daemon: Keeper) -> None:
    """With --json there is an object a line, with every field of an entry."""
    assert daemon.run("log", "--json").stdout == ""
    ada = start(daemon, "Ada")
    said(daemon, "pause", "Ada")
    set_daily(daemon, 7)
    pause, limit = (json.loads(line) for line in said(daemon, "log", "--json").splitlines())
    assert (pause["number"], pause["kind"], pause["cause"]) == (1, "paused", "person")
    assert (pause["agent"], pause["pid"], pause["conversation"]) == (
        *("Ada", ada.pid),
        ada.conversation,
    )
    assert (limit["number"], limit["kind"], limit["scope"], limit["bound_usd"]) == (
        *(2, "limit-set", "daily"),
        7.0,
    )
    assert pause.keys() == limit.keys()


def test_log_in_a_terminal(daemon: Keeper) -> None:
    """No line is wider than the terminal: an entry goes on below its own words."""
    ada = start(daemon, "Ada-with-a-name-that-is-quite-long-名前")
    ada.log.reply()
    daemon.wait_for_requests(1)
    said(daemon, "limit", "set", "--agent", str(ada.pid), "--usd", "0.01")
    for columns in (30, 80):
        with Running(daemon, "log", columns=columns, environment={"NO_COLOR": "1"}) as running:
            assert running.end() == (0, "")
            lines = running.shown.splitlines()
        assert max(map(len, lines)) <= columns
        words = [line.strip() for line in lines]
        assert "is reached: $0.02 of $0.01." in " ".join(words)
    assert any(line.startswith(" " * 21) for line in lines)


def test_log_is_followed(daemon: Keeper) -> None:
    """Following goes on after what was read, without losing or doubling an entry."""
    for dollars in range(1, MANY):
        set_daily(daemon, dollars)
    with Running(daemon, "log", "--follow", "--json", "-n", "5") as running:
        for dollars in range(MANY, 2 * MANY):  # While it reads, and while it follows.
            set_daily(daemon, dollars)
        entries = [json.loads(line) for line in running.wait_for_lines(5)]
        first = entries[0]["number"]
        running.wait_for_lines(2 * MANY - first)
        assert running.interrupt() == INTERRUPTED
        entries = [json.loads(line) for line in running.shown.splitlines()]
    assert [entry["number"] for entry in entries] == list(range(first, 2 * MANY))
    assert [entry["bound_usd"] for entry in entries] == list(range(first, 2 * MANY))
    assert entries == daemon.report("log", after=first - 1)["entries"]


def test_followed_over_a_restart(daemon: Keeper) -> None:
    """A daemon that goes away is waited for, and what it wrote meanwhile is not lost."""
    set_daily(daemon, 1)
    with Running(daemon, "log", "-f", "--json") as running:
        running.wait_for_lines(1)
        daemon.restart()
        set_daily(daemon, 2)
        running.wait_for_lines(2)
        daemon.kill()
        daemon.start()
        set_daily(daemon, 3)
        lines = [json.loads(line)["number"] for line in running.wait_for_lines(3)]
        status, _ = running.interrupt()
    assert (lines, status) == ([1, 2, 3], 130)


def test_followed_in_words(keeper: Keeper) -> None:
    """What limits do is told as it happens."""
    keeper.configure(SETTINGS + "per_agent = 0.01\n")
    keeper.start()
    ada = start(keeper, "Ada")
    with Running(keeper, "log", "-f") as running:
        ada.log.reply()
        running.wait_for("Ada is paused. The limit of Ada is reached: $0.02 of $0.01.")
        assert running.interrupt() == INTERRUPTED
    wait_until(lambda: state_of(ada.pid) == "T")


def test_wrong_numbers(keeper: Keeper) -> None:
    """A number of entries is above zero."""
    for value in ("0", "-1", "x"):
        refused(keeper, 2, "log", "-n", value)
