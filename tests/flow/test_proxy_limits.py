"""Limits on agents behind a proxy, in a real daemon beside a ccflare written by hand."""

import json

from proc import needs_proc
from waiting import wait_until

from .bounded import kinds, usual
from .fake_ccflare import FakeCcflare
from .keeper import Keeper
from .test_blocked import HOOK, is_denied
from .test_proxies import asking, follow, reply, settings, wait_for_accounts

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
