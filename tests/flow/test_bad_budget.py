"""A budget in an agent's environment that can't be read: the person hears of it."""

import os

import pytest

from .bounded import await_known, start_billed
from .keeper import Keeper

pytestmark = pytest.mark.skipif(
    not os.path.exists("/proc/self/stat"), reason="environments are read as on Linux"
)


def test_bad_budget_is_told_once(keeper: Keeper) -> None:
    """A budget that was given and is not in force is an alert; the usual limit holds instead."""
    keeper.start()
    bad = start_billed(keeper, AGENT="worker", BUDGET_USD="5,00")
    good = start_billed(keeper, BUDGET_USD="2.50")
    await_known(keeper, bad, good)
    bad.says("idle")
    bad.says("busy")
    status = keeper.wait_for(lambda status: bool(status.alerts))
    [alert] = status.alerts
    assert "failed" == alert.kind
    assert "the budget of worker is not in force: TOLL_BUDGET_USD is '5,00'" in alert.text
    bounds = {agent.pid: agent.limits[0].bound_usd for agent in keeper.toll.agents()}
    assert {bad.pid: 5.0, good.pid: 2.5} == bounds
