"""Made-up workflows, and the stages of each."""

from collections.abc import Mapping
from typing import Any

Figures = dict[str, Any]

STARTED = {
    ".claude-4nq": ("2026-11-22T08:00:00+00:00", None, "running"),
    "[red]nightly": ("2026-11-20T02:00:00+00:00", "2026-11-20T03:30:00+00:00", "completed"),
    "release": ("2026-11-21T10:00:00+00:00", "2026-11-21T10:20:00+00:00", "failed"),
    None: (None, None, None),
}
STAGES = ("analyze", "review", None)


def sums(dollars: float) -> Figures:
    """Figures that cost so much, half of it billed."""
    return {
        "requests": round(dollars * 10),
        "messages": round(dollars),
        "total_tokens": round(dollars * 100_000),
        "cost_usd": dollars / 2,
        "value_usd": dollars,
        "unpriced_requests": 0,
        "duration_seconds": dollars * 600,
    }


def told(workflow: str | None) -> Figures:
    """What its markers told."""
    began, ended, status = STARTED[workflow]
    path = "feature" if workflow else None
    return {
        "workflow": workflow,
        "path": path,
        "status": status,
        "started_at": began,
        "ended_at": ended,
    }


def top(params: Mapping[str, Any]) -> Figures:
    """The answer to ``workflow.top``: each half as dear as the one before."""
    rows: list[Figures] = [
        {**told(name), **sums(8.0 / 2**at), "share": 8.0 / 2**at / 15.0}
        for at, name in enumerate(STARTED)
    ]
    return {
        "by": params["by"],
        "since": None,
        "workflows": rows,
        "stages": [],
        "roles": [],
        "totals": {"workflows": sum(1 for each in rows if each["workflow"]), **sums(15.0)},
    }


def stage(name: str | None, dollars: float, share: float) -> Figures:
    """What a stage took."""
    tokens = round(dollars * 100_000)
    return {
        **sums(dollars),
        "stage": name,
        "tasks": [],
        "roles": ["analyst", "[b]planner"],
        "models": ["claude-opus-5-5"],
        "input_tokens": tokens // 10,
        "output_tokens": tokens // 5,
        "cache_read_tokens": tokens // 2,
        "cache_write_5m_tokens": tokens // 10,
        "cache_write_1h_tokens": tokens // 10,
        "cache_hit_rate": 0.83,
        "cache_saved_usd": dollars,
        "share": share,
        "worked_seconds": None,
        "waited_seconds": None,
        "held_seconds": None,
        "runs": 2,
        "status": "completed",
    }


def shown(params: Mapping[str, Any]) -> Figures:
    """The answer to ``workflow.show``."""
    shares = zip(STAGES, (0.5, 0.25, 0.25), strict=True)
    total = {**stage(None, 8.0, 1.0), "status": None, "runs": None}
    return {
        **told(params["workflow"] or None),
        "share_of": "value",
        "stages": [stage(name, 8.0 * share, share) for name, share in shares],
        "totals": {name: value for name, value in total.items() if name != "stage"},
    }


WORKS = {"workflow.top": top, "workflow.show": shown}
