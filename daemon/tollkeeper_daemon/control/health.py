"""``health``: what ``toll doctor`` looks at."""

import asyncio
from typing import Any

from tollkeeper_daemon.ccusage.program import CcusageError, way_to
from tollkeeper_daemon.clock import FAR, iso
from tollkeeper_daemon.config import BeadsSettings, CcusageSettings, ConfigError, load_config
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.ledger.prices import PriceError, load_prices
from tollkeeper_daemon.outlets.children import ChildError, words_of
from tollkeeper_daemon.own.file import OwnFileError
from tollkeeper_daemon.own.plans import PlanError, load_plans
from tollkeeper_daemon.plan.table import PlanTable
from tollkeeper_daemon.store.transaction import Transaction


async def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """How the daemon hears and reads, and what it could not read."""
    own_files = await asyncio.to_thread(_own_files, daemon)
    beads = await asyncio.to_thread(_beads, daemon.settings.config.beads)
    ccusage = await asyncio.to_thread(_ccusage, daemon.settings.config.ccusage)
    latest = await asyncio.to_thread(daemon.store.read, _latest_request)
    prices, unpriced = daemon.pipeline.prices, daemon.pipeline.unpriced_models
    return {
        "homes": [
            {
                "path": str(home.path),
                "exists": home.path.is_dir(),
                "projects": home.projects.is_dir(),
                "sessions": home.sessions.is_dir(),
            }
            for home in daemon.followed.homes
        ],
        "watcher": daemon.watcher.kind,
        "logs": len(daemon.marks),
        "failing": daemon.failures.failing,
        "held": daemon.budgets.held(),
        "failing_commands": [
            {
                "name": each.name,
                "failures": each.failures,
                "time": iso(each.time),
                "error": each.error,
            }
            for each in daemon.commands.troubles.values()
        ],
        "bad_lines": daemon.pipeline.bad_lines,
        "bad_session_files": sorted(daemon.census.bad_files),
        "bad_stats_caches": sorted(daemon.stats_caches.bad),
        "own_files": own_files,
        "unknown_plan": await asyncio.to_thread(_unknown_plan, daemon),
        "unpriced_models": sorted(model for model in unpriced if not prices.knows(model)),
        "outdated_guesses": sorted(filter(prices.knows, unpriced)),
        "audit": daemon.auditor.counts(),
        "exchange": daemon.exchange.health(),
        "proxies": daemon.proxies.health(),
        "notifications": daemon.notifier.health(),
        "beads": beads,
        "ccusage": ccusage,
        "latest_request": None if latest is None else iso(latest),
    }


def _latest_request(transaction: Transaction) -> int | None:
    """The time (ms) of the latest request, by what its log says."""
    times = transaction.request_times(0, FAR)
    return None if times is None else times[1]


def _beads(settings: BeadsSettings) -> dict[str, Any]:
    """Whether comments are asked for, and the program that would write them; for a thread."""
    try:
        found = words_of(settings.command, "beads.command")[0]
    except ChildError:
        found = None
    return {"comment": settings.comment, "command": settings.command, "found": found}


def _ccusage(settings: CcusageSettings) -> dict[str, Any]:
    """How ccusage would be called, or why it can't be; for a thread."""
    found, failing = None, None
    try:
        found = " ".join(way_to(settings))
    except CcusageError as error:
        failing = str(error)
    is_wanted = bool(settings.command or settings.every_hours)
    return {"wanted": is_wanted, "found": found, "failing": failing}


def _unknown_plan(daemon: Daemon) -> str | None:
    """What config.toml calls the plan, where there is none of that name; for a thread."""
    name = daemon.settings.config.plan.name
    return name if name and name not in PlanTable(daemon.own_plans).plans() else None


def _own_files(daemon: Daemon) -> list[dict[str, Any]]:
    """The user's own files as they are now, and what is wrong with each; for a thread."""
    settings, prices, plans = daemon.settings.file, daemon.pricing.file, daemon.own_plans
    checks = {
        settings.path: lambda: load_config(settings.path),
        prices.path: lambda: load_prices(prices.read(), str(prices.path)),
        plans.path: lambda: load_plans(plans.read(), str(plans.path)),
    }
    found: list[dict[str, Any]] = []
    for path, check in checks.items():
        broken = None
        try:
            check()
        except (ConfigError, PriceError, PlanError, OwnFileError) as error:
            broken = str(error)
        found.append({"path": str(path), "broken": broken})
    return found
