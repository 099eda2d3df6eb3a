"""What goes on by the clock: pulses, looks around, sweeps, and signs of life."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tollkeeper_daemon.agents.census import Census
from tollkeeper_daemon.agents.registry import Registry
from tollkeeper_daemon.audit.auditor import Auditor
from tollkeeper_daemon.bar.build import Budgets
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.days import Days
from tollkeeper_daemon.exchange.exchange import Exchange
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.intake.agents import Agents
from tollkeeper_daemon.intake.failures import Failures
from tollkeeper_daemon.intake.lookout import Lookout
from tollkeeper_daemon.outlets.alive import Alive
from tollkeeper_daemon.own.settings import Settings
from tollkeeper_daemon.pricing import Pricing
from tollkeeper_daemon.proxies.proxies import Proxies
from tollkeeper_daemon.workflows.work import Work

GLANCE_SECONDS = 0.5
PULSE_SECONDS = 2.0
CLIENTS_SECONDS = 5.0
SWEEP_SECONDS = 60.0
HEARTBEAT_SECONDS = 10.0
# By then, those who begin to listen, or listened to the last daemon, are connected to this one.
FIRST_BEAT_SECONDS = 0.3


class Beats:
    """Does everything that is due again and again; what fails is tried at the next beat."""

    def __init__(
        self,
        census: Census,
        agents: Agents,
        registry: Registry,
        days: Days,
        budgets: Budgets,
        work: Work,
        exchange: Exchange,
        proxies: Proxies,
        settings: Settings,
        pricing: Pricing,
        lookout: Lookout,
        auditor: Auditor,
        herald: Herald,
        alive: Alive,
        failures: Failures,
    ) -> None:
        self._census = census
        self._agents = agents
        self._registry = registry
        self._days = days
        self._budgets = budgets
        self._work = work
        self._exchange = exchange
        self._proxies = proxies
        self._settings = settings
        self._pricing = pricing
        self._lookout = lookout
        self._auditor = auditor
        self._herald = herald
        self._alive = alive
        self._failures = failures
        self._newcomers = asyncio.Event()

    def all(self) -> list[Coroutine[Any, Any, None]]:
        """What is to run for as long as the daemon lives."""
        return [
            self._every(GLANCE_SECONDS, self._glance),
            self._every(PULSE_SECONDS, self._pulse),
            self._every(CLIENTS_SECONDS, self._lookout.look_around),
            self._every(SWEEP_SECONDS, self._sweep),
            self._beat_on(),
            self._beat_for_newcomers(),
        ]

    def greet(self) -> None:
        """Somebody asked for a snapshot, and may not be connected to the updates yet."""
        self._newcomers.set()

    async def _every(self, seconds: float, work: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(seconds)
            self._failures.attempt(work)

    async def _beat_on(self) -> None:
        self._alive.beat(now_ms())
        await asyncio.sleep(FIRST_BEAT_SECONDS)
        self._beat()
        await self._every(HEARTBEAT_SECONDS, self._beat)

    def _beat(self) -> None:
        self._alive.beat(now_ms())
        self._herald.beat()

    async def _beat_for_newcomers(self) -> None:
        """Who asked for a snapshot before they were connected to the updates sees the gap so."""
        while True:
            await self._newcomers.wait()
            await asyncio.sleep(FIRST_BEAT_SECONDS)
            self._newcomers.clear()
            self._herald.beat()

    def _glance(self) -> None:
        """What a person or a new client is to see the effect of at once; costs a few stats."""
        self._settings.look()
        self._pricing.glance()
        self._lookout.take_in_folders()

    def _pulse(self) -> None:
        now = now_ms()
        self._census.take_pulses(now)
        self._agents.look_at_payers(now)
        self._agents.claim_again(now)
        self._registry.tick(now)
        self._days.check(now)
        self._budgets.bar.look(now)
        self._work.look(now)
        self._exchange.look(now)
        self._proxies.look(now)
        self._herald.look_at_clock(now)
        self._auditor.look(now)

    def _sweep(self) -> None:
        """Find what was missed, and save when agents were last alive."""
        self._registry.save_run()
        self._lookout.sweep()
