"""Limits on agents behind a proxy, in a real daemon beside a ccflare written by hand."""

import json

import pytest

from freezing import await_frozen
from proc import needs_proc
from waiting import wait_until

from .adopted import state_of
from .bounded import await_known, kinds, usual
from .fake_ccflare import FakeCcflare
from .keeper import Keeper
from .test_blocked import HOOK, is_denied
from .test_proxies import accounts, asking, follow, reply, settings, wait_for_accounts

pytestmark = needs_proc


def test_rows_are_no_replies(keeper: Keeper) -> None:
    """The row of the reply that blocked an agent, and a title asked before, do not freeze it: a reply does."""
    (keeper.home.path / "settings.json").write_text(json.dumps(HOOK))
    with FakeCcflare("C") as fake:
        for account in fake.accounts:
            account["provider"] = "claude-console-api"
        follow(keeper, fake)
        agent = asking(keeper, fake)
        limits = f'per_agent = {usual(1)}\naction = "block"'
        keeper.configure(settings(fake.url).replace("per_agent = 0", limits))
        keeper.wait_for(lambda status: bool(status.agents[0].limits))
        request = reply(agent.log)
        wait_until(lambda: is_denied(keeper, agent))
        fake.served(1, "work", request, agent.conversation)
        wait_for_accounts(keeper, work=1)
        fake.served(2, "work", "req_title", agent.conversation)
        wait_for_accounts(keeper, work=2)
        assert kinds(keeper) == ["reached", "blocked"]
        agent.log.reply()
        wait_until(lambda: kinds(keeper)[-1] == "paused")


@pytest.mark.parametrize("is_plan", [True, False], ids=["history comes in", "history goes out"])
def test_moved_history(keeper: Keeper, is_plan: bool) -> None:
    """No limit acts on history that a proxy bills, nor is it blind to as much when a plan pays history after all."""
    if is_plan:
        keeper.home.subscribe()
    with FakeCcflare("C") as fake:
        for account in fake.accounts:
            account["provider"] = "claude-console-api" if is_plan else "anthropic"
        log = keeper.home.log()
        fake.served(1, "work", reply(log), log.conversation)
        limited = settings().replace("daily = 0", f'daily = {usual(1)}\naction = "warn"')
        keeper.configure(limited)
        keeper.start()
        keeper.wait_for_requests(1)
        keeper.configure(limited.replace('url = ""', f'url = "{fake.url}"'))
        wait_for_accounts(keeper, work=1)
        [limit] = keeper.toll.status().limits
        assert (limit.state, limit.used) == ("under", 0)
        request = reply(log)
        if is_plan:
            fake.served(2, "work", request, log.conversation)
        keeper.wait_for(lambda status: status.limits[0].state == "reached")
        assert keeper.toll.status().limits[0].used == pytest.approx(usual(1))
        assert kinds(keeper) == ["reached"]


def test_proxy_says_who_is_billed(keeper: Keeper) -> None:
    """The day's dollars hold whom a billed account serves, whatever its login is, and not a key that a plan serves."""
    keeper.home.subscribe()
    with FakeCcflare("C") as fake:
        fake.accounts[0]["provider"] = "claude-console-api"
        limits = f'daily = {usual(1)}\naction = "pause"'
        keeper.configure(settings(fake.url).replace("daily = 0", limits))
        keeper.start()
        keeper.wait_for(lambda status: bool(accounts(status)))
        by_key = asking(keeper, fake)
        by_login = keeper.start_agent(labels={"ANTHROPIC_BASE_URL": fake.url})
        by_login.says("busy")
        await_known(keeper, by_login)
        sources = [keeper.agent(each).source for each in (by_key, by_login)]
        assert sources == ["api", "subscription"]
        fake.served(1, "home", "req_title", by_key.conversation)
        wait_for_accounts(keeper, home=1)
        fake.served(2, "work", reply(by_login.log), by_login.conversation)
        await_frozen(by_login.pid)
        wait_for_accounts(keeper, home=1, work=1)
        assert kinds(keeper, by_login) == ["paused"]
        assert kinds(keeper, by_key) == []
        assert state_of(by_key.pid) != "T"


def test_key_on_plans_before_the_first_word(keeper: Keeper) -> None:
    """The day's dollars hold a key, and not one that is shown to a proxy with plans alone, told of or not."""
    with FakeCcflare() as fake:
        limits = f'daily = {usual(1)}\naction = "pause"'
        keeper.configure(settings(fake.url).replace("daily = 0", limits))
        keeper.start()
        keeper.wait_for(lambda status: bool(accounts(status)))
        behind = asking(keeper, fake)
        plain = keeper.start_agent(labels={"ANTHROPIC_API_KEY": "made-up"})
        plain.says("busy")
        await_known(keeper, plain)
        assert [keeper.agent(each).source for each in (behind, plain)] == ["api", "api"]
        plain.log.reply()
        await_frozen(plain.pid)
        behind.log.reply()
        keeper.wait_for_requests(2)
        assert kinds(keeper, behind) == []
        assert state_of(behind.pid) != "T"
        admitted = keeper.report("admit", account=f"proxy {fake.server}", source="api")
        assert admitted["admitted"]
        assert not keeper.report("admit", source="api")["admitted"]
