"""The checks of ``toll doctor`` beside the daemon's own word: what facts mean, and how they are found."""

import os
import stat
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tollkeeper.cli.doctor_beads import beads_findings
from tollkeeper.cli.doctor_ccflare import ccflare_findings
from tollkeeper.cli.doctor_ccusage import ccusage_findings
from tollkeeper.cli.doctor_clocks import clock_findings, judge_clocks
from tollkeeper.cli.doctor_notices import notice_findings
from tollkeeper.cli.doctor_sockets import SocketFacts, judge_sockets, socket_findings
from tollkeeper.cli.facts import Facts
from tollkeeper.cli.finding import Finding
from tollkeeper.paths import Paths

from .conftest import Run

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
NOTICES = {"desktop": True, "has_desktop": True, "command": False, "failing": None}
BEADS = {"comment": False, "command": "bd", "found": "/usr/bin/bd"}
PROXY = {
    "server": "127.0.0.1:8080",
    "asked_by": "agents",
    "generation": None,
    "trouble": None,
    "bad": 0,
}


def facts(paths: Paths, **health: Any) -> Facts:
    """What a check starts from, with a daemon that says this of itself."""
    return Facts(paths, NOW, 7, health)


def alone(findings: list[Finding]) -> Finding:
    """The one finding; what is not well says how to mend it."""
    [finding] = findings
    assert finding.well or finding.mend
    return finding


@pytest.mark.parametrize(
    ("found", "well", "said"),
    [
        (SocketFacts("/run/toll", 0o700, True), True, "calls are answered, updates come"),
        (SocketFacts("/run/toll", 0o700, True, "no update came"), False, "no update came"),
        (SocketFacts("/run/toll", 0o750, True), False, "open to others"),
        (SocketFacts("/run/toll", 0o700, False), False, "belongs to another user"),
    ],
)
def test_sockets(found: SocketFacts, well: bool, said: str) -> None:
    """The run directory is its owner's alone, and both sockets work."""
    finding = alone(judge_sockets(found, asked=True))
    assert (well, True) == (finding.well, said in finding.text)


def test_sockets_without_a_daemon(home: Paths) -> None:
    """Where none answers only the directory is looked at, if it is there."""
    idle = Facts(home, NOW)
    assert [] == socket_findings(idle)
    home.run.mkdir(parents=True, mode=0o700)
    assert [] == socket_findings(idle)
    home.run.chmod(0o755)
    assert "open to others" in alone(socket_findings(idle)).text
    assert 0o755 == stat.S_IMODE(home.run.stat().st_mode)


@pytest.mark.parametrize(
    ("told", "well", "said"),
    [
        ({}, True, "on the desktop"),
        ({"desktop": False}, True, "turned off"),
        ({"has_desktop": False}, True, "in no desktop session"),
        ({"has_desktop": False, "command": True}, True, "by the command"),
        ({"failing": "there is no notification service"}, False, "no notification service"),
    ],
)
def test_notices(home: Paths, told: dict[str, Any], well: bool, said: str) -> None:
    """Where notifications go; that there is no desktop is no fault."""
    finding = alone(notice_findings(facts(home, notifications={**NOTICES, **told})))
    assert (well, True) == (finding.well, said in finding.text)


@pytest.mark.parametrize(
    ("told", "failing", "well", "said"),
    [
        ({}, None, True, "/usr/bin/bd"),
        ({"found": None}, None, True, "not needed"),
        ({"found": None, "comment": True}, None, False, "the daemon finds no bd"),
        ({}, "bd ended with status 1", False, "bd ended with status 1"),
    ],
)
def test_beads(
    home: Paths, told: dict[str, Any], failing: str | None, well: bool, said: str
) -> None:
    """Beads is needed only where comments are asked for."""
    health = {"beads": {**BEADS, **told}, "exchange": {"comments_failing": failing}}
    finding = alone(beads_findings(facts(home, **health)))
    assert (well, True) == (finding.well, said in finding.text)


def test_older_daemon(home: Paths) -> None:
    """Of what an older daemon does not tell nothing is said."""
    assert [] == notice_findings(facts(home)) == beads_findings(facts(home))
    assert [] == ccusage_findings(facts(home))


@pytest.mark.parametrize(
    ("now", "latest", "synced", "well", "said"),
    [
        (NOW, None, None, True, "clock: "),
        (NOW, NOW - timedelta(days=3), True, True, "no log is ahead of it"),
        (NOW, NOW + timedelta(seconds=90), None, True, "no log is ahead of it"),
        (NOW, None, False, True, "not set by NTP"),
        (NOW, NOW + timedelta(hours=3), True, False, "a request 3h 00m ahead of it"),
        (NOW.replace(year=1970), None, None, False, "long ago"),
    ],
)
def test_clocks(
    now: datetime, latest: datetime | None, synced: bool | None, well: bool, said: str
) -> None:
    """A clock that logs are ahead of, or that shows a time before this program was written, is wrong."""
    finding = alone(judge_clocks(now, latest, synced))
    assert (well, True) == (finding.well, said in finding.text)


def test_clock_by_the_daemon(home: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest request is the daemon's word; without timedatectl nothing is said of NTP."""
    monkeypatch.setenv("PATH", "/nowhere")
    late = facts(home, latest_request="2026-12-01T09:00:00.000+00:00")
    assert not alone(clock_findings(late)).well
    assert alone(clock_findings(facts(home, latest_request=None))).well


@pytest.mark.parametrize(
    ("wanted", "found", "well", "said"),
    [
        (False, "/usr/bin/ccusage", True, "by /usr/bin/ccusage"),
        (
            False,
            "/bin/npx --no -- ccusage",
            True,
            "ccusage; whether that has one says: toll ccusage",
        ),
        (False, None, True, "not needed"),
        (True, None, False, "it is not there"),
    ],
)
def test_ccusage(home: Paths, wanted: bool, found: str | None, well: bool, said: str) -> None:
    """ccusage is by what the daemon would run it; only who asked for it needs it."""
    told = {"wanted": wanted, "found": found, "failing": None if found else "it is not there"}
    finding = alone(ccusage_findings(facts(home, ccusage=told)))
    assert (well, True) == (finding.well, said in finding.text)


@pytest.mark.parametrize(
    ("told", "well", "said"),
    [
        ({"generation": "H"}, True, "127.0.0.1:8080: better-ccflare"),
        ({"generation": "C", "bad": 2}, True, "ccflare, 2 of its entries can't be read"),
        ({}, True, "not heard of yet"),
        ({"generation": "B", "trouble": "it asks for a key"}, False, "it asks for a key"),
        ({"trouble": "it is away", "asked_by": None}, True, "away; no agent that runs asks it"),
    ],
)
def test_ccflare(home: Paths, told: dict[str, object], well: bool, said: str) -> None:
    """A proxy has a line by what the daemon says of it, which alone asks it anything."""
    finding = alone(ccflare_findings(facts(home, proxies=[{**PROXY, **told}])))
    assert (well, True) == (finding.well, said in finding.text)


@pytest.mark.parametrize(
    ("asked_by", "mend"),
    [("settings", "toll config set ccflare.url="), ("agents", "ANTHROPIC_BASE_URL")],
)
def test_ccflare_mend(home: Paths, asked_by: str, mend: str) -> None:
    """What to do about a proxy that is away depends on who wants it to be asked."""
    told = {**PROXY, "asked_by": asked_by, "trouble": "it does not answer"}
    assert mend in (alone(ccflare_findings(facts(home, proxies=[told]))).mend or "")


def test_no_ccflare(home: Paths) -> None:
    """Where no agent asks a proxy it is not needed; without a daemon nobody knows."""
    assert alone(ccflare_findings(facts(home, proxies=[]))).well
    assert not ccflare_findings(facts(home))


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="there are no services")
def test_all_of_them(home: Paths, run: Run) -> None:
    """In an empty home each thing has its line, and all that has to be done is to start the daemon."""
    status, out, err = run("doctor", "--no-start")
    assert (1, "") == (status, err)
    lines = [line for line in out.splitlines() if not line.startswith("     mend: ")]
    for word in ("directories", "status line and hooks", "service", "tray icon", "clock"):
        assert any(line.startswith(f"ok   {word}: ") for line in lines), word
    assert ["BAD  no daemon is running"] == [line for line in lines if line.startswith("BAD")]
    assert not os.path.exists(home.data)
