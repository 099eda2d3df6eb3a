"""Blocks as a terminal shows them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tollkeeper.cli.blocks_view import active_lines, block_lines
from tollkeeper.cli.table import cells

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def block(**more: Any) -> dict[str, Any]:
    """A block of five hours that runs now."""
    return {
        "id": "2026-11-22T09:00:00.000Z",
        "startTime": "2026-11-22T09:00:00.000Z",
        "endTime": "2026-11-22T14:00:00.000Z",
        "isActive": True,
        "isGap": False,
        "basis": "estimate",
        "entries": 12,
        "models": ["claude-opus-5-5"],
        "totalTokens": 330_000,
        "valueUSD": 1.25,
        "billedUSD": 0.5,
        "unpricedRequests": 0,
        "burnRate": {"tokensPerMinute": 2_000.0, "costPerHour": 0.6},
        "projection": {"totalTokens": 570_000, "totalCost": 2.45},
        **more,
    }


GAP = block(
    isGap=True,
    isActive=False,
    endTime="2026-11-22T15:30:00.000Z",
    entries=0,
    models=[],
    totalTokens=0,
    valueUSD=0.0,
    billedUSD=0.0,
)


def shown(*blocks: dict[str, Any], width: int = 150, money: bool = True) -> list[str]:
    """The lines of the table."""
    return [line for line, _ in block_lines([*blocks], UTC, width, width > 118, money)]


@pytest.mark.parametrize("width", [60, 80, 150])
def test_table(width: int) -> None:
    """A line a block, that fits the terminal: its span, what it rests on, and its figures."""
    head, first, gap, last = shown(block(isActive=False), GAP, block(basis="plan"), width=width)
    assert max(map(cells, (head, first, gap, last))) <= width
    assert ("estimate" in first) == ("plan" in last) == (width > 60)
    assert {"$0.5000", "$1.25", "330K" if width < 119 else "330,000"} <= {*last.split()}
    assert "$" not in gap
    assert "2026-11-22 09:00 idle 6h 30m" in gap
    assert "2026-11-22 09:00 – 14:00 now" in last


def test_no_money() -> None:
    """Without cost the table has no dollar in it, and shares are of tokens."""
    lines = shown(block(totalTokens=1), block(totalTokens=2), money=False)
    assert not any("$" in line for line in lines)
    assert [5, 10] == [line.count("█") for line in lines[1:]]


def test_splits_and_limit() -> None:
    """What a block is split into stands below it; of a limit the share is told."""
    part = {"by": {"model": "claude-opus-5-5"}, "requests": 7, "totalTokens": 1, "valueUSD": 0.1}
    part |= {"costUSD": 0.2, "unpricedRequests": 1}
    limit = {"limit": 660_000, "percentUsed": 86.4, "status": "warning"}
    lines = shown(block(breakdown=[part], tokenLimitStatus=limit))
    assert "50%" in lines[1]
    assert lines[2].startswith("  └ opus-5-5")
    assert {"7", "~$0.2000", "~$0.1000"} <= {*lines[2].split()}


def test_active() -> None:
    """The running block says what it rests on, when it ends, how fast it burns, what it comes to."""
    told = [line for line, _ in active_lines(block(), UTC, NOW)]
    assert [
        "Running since 09:00, estimated from its first request; ends 14:00, in 2h 00m.",
        "Burning 2.00K tokens a minute, $0.6000 an hour: 570K tokens, $2.45 by its end.",
    ] == told
    limit = {"limit": 660_000, "percentUsed": 86.4, "status": "warning"}
    quiet = block(basis="plan", burnRate=None, projection=None, tokenLimitStatus=limit)
    assert [
        ("Running since 09:00, the plan's own window; ends 14:00, in 2h 00m.", ""),
        ("At its end 86 % of 660K tokens: warning.", "yellow"),
    ] == active_lines(quiet, UTC, NOW)
    free = block(burnRate={"tokensPerMinute": 10.0}, projection={"totalTokens": 20})
    assert "Burning 10 tokens a minute: 20 tokens by its end." == active_lines(free, UTC, NOW)[1][0]
