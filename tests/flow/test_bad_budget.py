"""Odd budgets in an agent's environment: of one that can't be read the person hears, 0 is none."""

from proc import needs_proc

from .bounded import await_known, start_billed
from .keeper import Keeper

pytestmark = needs_proc


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


def test_a_budget_of_nothing_is_no_limit(keeper: Keeper) -> None:
    """0 is no limit, as in the settings: the agent has none of its own, and nobody is told of a mistake."""
    keeper.start()
    free, usual = start_billed(keeper, BUDGET_USD="0"), start_billed(keeper)
    await_known(keeper, free, usual)
    keeper.restart()
    await_known(keeper, free, usual)
    assert {free.pid: 0, usual.pid: 1} == {
        each.pid: len(each.limits) for each in keeper.toll.agents()
    }
    assert () == keeper.toll.status().alerts
