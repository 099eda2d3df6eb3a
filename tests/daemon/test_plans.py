"""Plans: the built-in ones, the user's own on top, and files that are broken."""

import tomllib

import pytest

from tollkeeper_daemon.own.plan_toml import NEW_FILE, with_plan, without_plan
from tollkeeper_daemon.own.plans import PlanError, load_plans

DOLLAR = 10**9


def test_built_in_plans() -> None:
    """The three plans cost what they cost, and only the guess is marked as one."""
    plans = load_plans()
    assert {"pro": 20, "max": 100, "max-20x": 200} == {
        name: plan.monthly_price // DOLLAR for name, plan in plans.items()
    }
    assert (1000, None, 4000, 200) == (
        plans["pro"].approximate_messages,
        plans["pro"].opus_limit,
        plans["max"].approximate_messages,
        plans["max"].opus_limit,
    )
    assert ["max-20x"] == [name for name, plan in plans.items() if plan.approximate]
    assert ("claude-sonnet", "claude-haiku") == plans["pro"].models
    assert not any(plan.own for plan in plans.values())


def test_own_plans_go_on_top() -> None:
    """The user's plan takes the place of the built-in one of its name, and adds new ones."""
    plans = load_plans(
        "version = 1\n[plans.pro]\nmonthly_price = 21.5\n[plans.team]\nmonthly_price = 30\n"
        'title = "Team"\napproximate_messages = 5\nopus_limit = 1\nmodels = ["claude-opus"]\n'
    )
    assert (21_500_000_000, True, None, "pro") == (
        plans["pro"].monthly_price,
        plans["pro"].own,
        plans["pro"].approximate_messages,
        plans["pro"].title,
    )
    assert {
        "name": "team",
        "title": "Team",
        "monthly_price_usd": 30.0,
        "approximate_messages": 5,
        "opus_limit": 1,
        "models": ("claude-opus",),
        "approximate": False,
        "whose": "own",
    } == plans["team"].as_json()
    assert not plans["max"].own
    assert load_plans() == load_plans("")


@pytest.mark.parametrize(
    "text",
    [
        "plans = ",
        "plans = 5",
        "[[plans]]\nmonthly_price = 1",
        "version = 2",
        f"version = '{'9' * 500}'",
        "plan = 1",
        "[plans.x]",
        "[plans.x]\nmonthly_price = 'a'",
        "[plans.x]\nmonthly_price = nan",
        "[plans.x]\nmonthly_price = -1",
        "[plans.x]\nmonthly_price = 1e400000",
        "[plans.x]\nmonthly_price = 1\nprice = 2",
        "[plans.x]\nmonthly_price = 1\nopus_limit = -1",
        "[plans.x]\nmonthly_price = 1\nopus_limit = 1.5",
        "[plans.x]\nmonthly_price = 1\napproximate_messages = 99999999999999",
        "[plans.x]\nmonthly_price = 1\nmodels = 'claude-opus'",
        "[plans.x]\nmonthly_price = 1\nmodels = [1]",
        f"[plans.x]\nmonthly_price = 1\ntitle = '{'t' * 100}'",
        f"[plans.x]\nmonthly_price = 1\nmodels = {['claude'] * 21}",
        f"[plans.x]\nmonthly_price = 1\nmodels = ['{'m' * 61}']",
        "[plans.X]\nmonthly_price = 1",
        "[plans.'a b']\nmonthly_price = 1",
        f"[plans.{'x' * 300}]\nmonthly_price = 1",
        "a = " + "[" * 5_000,
    ],
)
def test_broken_files(text: str) -> None:
    """Whatever is wrong with the user's file is told in one line that names the file."""
    with pytest.raises(PlanError) as raised:
        load_plans(text)
    assert str(raised.value).startswith("plans.toml: ")
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 200


def test_edits_keep_everything_else() -> None:
    """A plan is set in its place, or behind the others, and removed with its table alone."""
    text = (
        NEW_FILE
        + "# the team's\n[plans.team] # ours\nmonthly_price = 30 # each\n\n[plans.pro]\n"
        + "monthly_price = 21\n"
    )
    changed = with_plan(text, "team", {"monthly_price": 31})
    assert text.replace("= 30", "= 31") == changed
    added = with_plan(changed, "solo", {"monthly_price": 5, "models": ["claude-opus"]})
    assert added.startswith(changed)
    assert changed.strip() == without_plan(added, "solo").strip()
    emptied = without_plan(without_plan(changed, "team"), "pro")
    assert {"version": 1} == tomllib.loads(emptied)
    assert load_plans(emptied) == load_plans()
