"""``plans``: the subscription plans that are known."""

from typing import Any

from tollkeeper_daemon.control.refusal import editing
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.own.plans import load_plans


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """The plans, the cheapest first, and the user's own file."""
    with editing(daemon.own_plans.path):
        plans = load_plans(daemon.own_plans.read(), str(daemon.own_plans.path))
    known = sorted(plans.values(), key=lambda plan: (plan.monthly_price, plan.name))
    return {"plans": [plan.as_json() for plan in known], "file": str(daemon.own_plans.path)}
