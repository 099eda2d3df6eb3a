"""Statuses for the tray to show, with as little in them as a test needs."""

from datetime import datetime
from typing import Any

from tollkeeper.model import (
    Agent,
    AgentState,
    DaemonInfo,
    Limit,
    Plan,
    Status,
    Today,
    Usage,
    Window,
)

NINE = "2026-11-22T09:00:00+00:00"
NOW = datetime.fromisoformat(NINE)


def spent(dollars: float, requests: int = 10, **more: Any) -> Usage:
    """Usage that is billed."""
    return Usage(
        requests=requests, total_tokens=12_300, cost_usd=dollars, value_usd=dollars, **more
    )


def agent(name: str, state: AgentState = "working", source: str = "api", **more: Any) -> Agent:
    """One agent."""
    fields: dict[str, Any] = {"started_at": NINE, "usage": Usage(), **more}
    return Agent(id=name, name=name, pid=1, state=state, source=source, **fields)


def limit(state: str, action: str) -> Limit:
    """A budget of ten dollars."""
    fields: dict[str, Any] = {"state": state, "action": action}
    return Limit(scope="daily", bound_usd=10.0, used=10.0, fraction=1.0, **fields)


def window(percent: float, resets_at: str = "2026-11-22T11:00:00+00:00") -> Window:
    """A window of the plan with so much used, as seen right now."""
    return Window(used_percent=percent, resets_at=resets_at, observed_at=NINE)


def status(
    *agents: Agent, api: Usage | None = None, subscription: Usage | None = None, **more: Any
) -> Status:
    """The state of everything, with these agents and what was used today."""
    api, subscription = api or Usage(), subscription or Usage()
    fields: dict[str, Any] = {
        "daemon": DaemonInfo(pid=1, started_at=NINE),
        "plan": Plan(),
        "run": None,
        **more,
    }
    return Status(
        version="0",
        protocol=1,
        sequence=1,
        time=NINE,
        agents=agents,
        today=Today(subscription=subscription, api=api, total=Usage()),
        **fields,
    )
