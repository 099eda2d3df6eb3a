"""Made-up reports: some days, weeks or months that two models, agents and tasks were at work in."""

from collections.abc import Mapping, Sequence
from typing import Any

Figures = dict[str, Any]

KEYS = {"daily": "date", "weekly": "week", "monthly": "month"}
NAMES = {
    "daily": ["2026-11-22", "2026-11-21", "2026-11-19", "2026-11-18", "2026-11-12"],
    "weekly": ["2026-11-22", "2026-11-15", "2026-11-08"],
    "monthly": ["2026-11", "2026-10", "2026-08"],
}
PARTS: dict[str, tuple[str | None, str | None]] = {
    "model": ("claude-opus-5-5", "claude-haiku-5"),
    "agent": ("Agent-1", "[red]Agent-2"),
    "task": ("Fix auth bypass", None),
}


def sums(dollars: float) -> Figures:
    """Figures that cost so much, half of it billed."""
    tokens = round(dollars * 100_000)
    return {
        "inputTokens": tokens // 10,
        "outputTokens": tokens // 5,
        "cacheCreationTokens": tokens // 5,
        "cacheReadTokens": tokens // 2,
        "totalTokens": tokens,
        "costUSD": dollars / 2,
        "valueUSD": dollars,
        "unpricedRequests": 0,
    }


def line(dollars: float, by: str | None = None) -> Figures:
    """A line, split by this."""
    made = {**sums(dollars), "modelsUsed": PARTS["model"]}
    if by:
        shares = zip(PARTS[by], (0.75, 0.25), strict=True)
        made["breakdown"] = [{"by": {by: name}, **sums(dollars * share)} for name, share in shares]
    return made


def report(verb: str, params: Mapping[str, Any], names: Sequence[str] | None = None) -> Figures:
    """The answer to this verb, newest first; each period was dearer than the one before it."""
    [by] = params.get("by", [None])
    shown = NAMES[verb] if names is None else names
    rows: list[Figures] = [
        {KEYS[verb]: name, **line(2.0 * (len(shown) - at), by)} for at, name in enumerate(shown)
    ]
    total = sum(row["valueUSD"] for row in rows)
    return {verb: rows, "totals": line(total, by)}
