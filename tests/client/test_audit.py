"""``toll audit``: how the comparison reads."""

from typing import Any

from tollkeeper.cli.audit import lines
from tollkeeper.cli.doctor import examine

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
        "unknown": 1,
        "conversations": list(rows),
        "totals": {"unexplained": unexplained},
    }


def row(**more: Any) -> dict[str, Any]:
    """A conversation with a search in it."""
    return {
        "sessionId": "conv-1",
        "projectPath": "-home-dev-src-shop",
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


def test_difference() -> None:
    """A difference is told with its cause, and by model and kind of token."""
    assert [
        "diff conv-1: ledger $0.050000, client $1.051400, +$1.001400",
        "     cause: requests that no log holds",
        "     opus-5-5: +12,345 input, +2 web searches, +$1.001400",
        "9 agree to the token, 2 differ, 1 without the client's totals",
    ] == lines(report(row()))


def test_unexplained_difference() -> None:
    """What has no known cause stands out, and the last line counts it."""
    found = lines(report(row(explained=False, differenceUSD=-0.5, title="Agent-1"), unexplained=1))
    assert found[0].startswith("BAD  conv-1  Agent-1: ledger")
    assert found[0].endswith(", -$0.500000")
    assert found[-1].startswith("9 agree to the token, 2 differ (1 for no known cause), ")


def test_agreement() -> None:
    """With --all those that agree have a line as well."""
    assert "ok   conv-1: $0.0500" == lines(report(row(cause="none", models=[])))[0]


def test_names_of_others_move_no_cursor() -> None:
    """A title is words of others."""
    assert "\x1b" not in "".join(lines(report(row(title="a\x1b[2Jb"))))


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

    def told(**audit: int) -> list[str]:
        found = examine(ping, {**health, "audit": audit})
        return [each.text for each in found if each.text.startswith("audit")]

    assert [] == told(audited=0, agree=0, differ=0)
    assert ["audit: 3 of 3 conversations agree with the client's totals"] == told(
        audited=3, agree=3, differ=0
    )
    [text] = told(audited=3, agree=2, differ=1)
    assert text.endswith("totals, 1 differ: toll audit says why")
