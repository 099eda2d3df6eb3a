"""The sensors: what letters change on agents and plan, and what of it is told."""

from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from tollkeeper import letters, wire
from tollkeeper.model import Agent
from tollkeeper.paths import Paths, find_paths
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.failures import Failures
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.outlets.alive import Alive
from tollkeeper_daemon.plan_gauge import News
from tollkeeper_daemon.roster import LiveAgent, Roster
from tollkeeper_daemon.sensors import Sensors

from .machine import process, session


class Told:
    """Stands in for the herald: keeps which agents were told of, and what of the plan."""

    def __init__(self) -> None:
        self.agents: list[str] = []
        self.plan: list[News] = []

    def agent(self, topic: wire.Topic, agent: LiveAgent) -> None:
        assert topic == "agent.changed"
        self.agents.append(agent.record.name)
