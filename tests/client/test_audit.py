"""``toll audit``: how the comparison reads."""

from datetime import datetime
from typing import Any

import pytest

from tollkeeper.cli.audit import lines
from tollkeeper.cli.doctor import examine
from tollkeeper.cli.finding import Finding

NOTHING: dict[str, Any] = {
    "inputTokens": 0,
    "outputTokens": 0,
    "cacheReadTokens": 0,
    "cacheWrite5mTokens": 0,
    "cacheWrite1hTokens": 0,
    "webSearches": 0,
    "costUSD": 0.0,
}


def report(*rows: dict[str, Any], unexplained: int = 0) -> dict[str, Any]:
    """A report on twelve conversations, two of which differ."""
    return {
        "audited": 11,
        "agree": 9,
        "differ": 2,
        "withoutTotals": 1,
        "conversations": list(rows),
        "totals": {
            "ledgerUSD": 11.0,
            "clientUSD": 9.5,
            "differenceUSD": -1.5,
            "unexplained": unexplained,
        },
    }


def row(**more: Any) -> dict[str, Any]:
    """A conversation with a search in it."""
    return {
        "sessionId": "conv-1",
        "projectPath": "-home-dev-src-shop",
        "cwd": None,
        "title": None,
        "ledgerUSD": 0.05,
        "clientUSD": 1.0514,
        "differenceUSD": 1.0014,
        "cause": "unlogged",
        "causeText": "requests that no log holds",
        "explained": True,
        "models": [
            {
                "modelName": "claude-opus-5-5",
                "ledger": NOTHING,
                "client": {**NOTHING, "inputTokens": 12_345, "webSearches": 2, "costUSD": 1.0014},
            }
        ],
        **more,
    }


def shown(report: dict[str, Any], width: int = 80, breakdown: bool = False) -> list[str]:
    """What is printed, without its styles."""
    return [line for line, _ in lines(report, width, breakdown)]


def test_difference() -> None:
    """A difference is a line with its cause, whose meaning is told once below."""
    other = row(sessionId="fedcba98-7654", title="Agent-1", cwd="/home/dev/web", differenceUSD=2e-6)
    assert [
        "      Conversation      Project               Ledger   Client  Difference  Cause",
        "diff  conv-1            -home-dev-src-shop   $0.0500  $1.0514    +$1.0014  unlogged",
        "diff  fedcba98 Agent-1  web                  $0.0500  $1.0514  +$0.000002  unlogged",
        "      Total of 11                           $11.0000  $9.5000    -$1.5000",
        "",
        "unlogged: requests that no log holds",
        "9 agree to the token, 2 differ, 1 without the client's totals",
    ] == shown(report(row(), other), 100)


def test_breakdown() -> None:
    """Below a conversation stands, when asked for, by how much which model differs in what."""
    found = shown(report(row()), breakdown=True)
    assert "      opus-5-5: +12,345 input, +2 web searches, +$1.0014" == found[2]
    found = shown(report(row()), 40, breakdown=True)
    assert ["      opus-5-5: +12,345 input, +2 web", "        searches, +$1.0014"] == found[2:4]


@pytest.mark.parametrize("width", [72, 80, 140])
def test_widths(width: int) -> None:
    """No line is wider than the terminal, and the beginning of the id stays whole."""
    wide = row(sessionId="0123456789", title="A title of many words " * 9, cause="other-model")
    found = shown(report(wide, unexplained=1), width, breakdown=True)
    assert all(len(line) <= width for line in found)
    assert any(line.startswith("diff  01234567") for line in found)


def test_unexplained_difference() -> None:
    """What has no known cause stands out, and the last line counts it."""
    bad = row(explained=False, differenceUSD=-0.5)
    found = lines(report(bad, unexplained=1), 100)
    assert "red" == found[1][1]
    assert found[1][0].startswith("BAD   conv-1")
    assert "-$0.5000" in found[1][0]
    assert found[-1][0].startswith("9 agree to the token, 2 differ (1 for no known cause), ")


def test_agreement() -> None:
    """With --all those that agree have a line as well, and no cause to explain."""
    found = shown(report(row(cause="none", models=[])))
    assert found[1].split() == ["ok", "conv-1", "-home-dev-src-shop", "$0.0500", "$1.0514"]
    assert not any("they agree" in line for line in found)


def test_nothing_to_list() -> None:
    """Where all agree, one line says so."""
    assert ["9 agree to the token, 2 differ, 1 without the client's totals"] == shown(report())


def test_names_of_others_move_no_cursor() -> None:
    """A title is words of others, and so are folders and ids."""
    hostile = row(title="a\x1b[2Jb", cwd="/x\x1b[2J", sessionId="\x1b[2J")
    assert "\x1b" not in "".join(shown(report(hostile), breakdown=True))


def test_doctor() -> None:
    """The doctor says how many agree, and where to look when some do not."""
    health: dict[str, Any] = {
        "homes": [],
        "watcher": "inotify",
        "logs": 3,
        "bad_lines": 0,
        "bad_session_files": [],
        "bad_stats_caches": [],
        "unpriced_models": [],
    }
    ping = {"pid": 1, "version": "1"}

    def told(agree: int, differ: int, **audit: Any) -> list[Finding]:
        counts = {"audited": agree + differ, "agree": agree, "differ": differ, **audit}
        found = examine(ping, {**health, "audit": counts})
        return [each for each in found if each.text.startswith("audit")]

    text = "audit: 3 of 3 conversations agree with the client's totals"
    seen = datetime(2026, 11, 22, 9, 5).astimezone().isoformat()
    assert [] == told(0, 0, unexplained=0, time=None)
    assert [Finding(True, text)] == told(3, 0, unexplained=0, time=None)
    assert [Finding(True, f"{text} (as of 2026-11-22 09:05)")] == told(3, 0, time=seen)
    [found] = told(2, 1, unexplained=0)
    assert found.well
    assert found.text.endswith("totals, 1 differ: toll audit says why")
    [found] = told(2, 2, unexplained=1)
    assert (False, "toll audit") == (found.well, found.mend)
    assert found.text.endswith("totals, 2 differ, 1 of them for no known cause")
