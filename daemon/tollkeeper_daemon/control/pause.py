"""``pause``: freeze agents, until somebody resumes them."""

from typing import Any

from tollkeeper.model import Done
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.refusal import params_as
from tollkeeper_daemon.control.whom import Whom, find
from tollkeeper_daemon.daemon import Daemon


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, list[Done]]:
    """What came of it, agent by agent."""
    whom = params_as(Whom, params)
    agents = find(daemon, whom.agents, whom.all)
    return {"done": [daemon.budgets.agents.pause(agent, now_ms()) for agent in agents]}
