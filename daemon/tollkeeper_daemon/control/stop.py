"""``stop``: end agents, SIGTERM first, SIGKILL after the grace period."""

import asyncio
from typing import Any

from tollkeeper.model import Done
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.refusal import params_as
from tollkeeper_daemon.control.whom import Whom, find
from tollkeeper_daemon.daemon import Daemon


async def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, list[Done]]:
    """What came of it, agent by agent, when the last has ended."""
    whom = params_as(Whom, params)
    now = now_ms()
    agents = find(daemon, whom.agents, whom.all)
    done = await asyncio.gather(*(daemon.budgets.agents.stop(agent, now) for agent in agents))
    return {"done": done}
