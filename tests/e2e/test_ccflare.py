"""The real client through the real better-ccflare: each request once, with its account."""

import os
import time
from collections.abc import Iterator

import pytest

from flow.claude_home import ClaudeHome
from flow.keeper import Keeper
from tollkeeper.model import Status

from .ccflare import Ccflare, installed
from .client import Client
from .replies import rate_limited, say
from .stand_in import StandIn

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

OPUS = "claude-opus-5-5"


@pytest.fixture
def ccflare() -> Iterator[Ccflare]:
    """A better-ccflare without accounts."""
    if not installed():
        reason = "no better-ccflare: run tests/e2e/ccflare.py"
        if os.environ.get("CI") or os.environ.get("TOLL_REQUIRE_E2E"):
            pytest.fail(reason)
        pytest.skip(reason)
    with Ccflare() as running:
        yield running


@pytest.fixture
def tired() -> Iterator[StandIn]:
    """The API of a second account."""
    with StandIn() as server:
        yield server


@pytest.fixture
def through(client: Client, ccflare: Ccflare) -> Iterator[Keeper]:
    """A Tollkeeper whose client asks the proxy; its daemon runs."""
    client.environment["ANTHROPIC_BASE_URL"] = ccflare.url
    with Keeper(ClaudeHome(client.config_dir, client.cwd)) as keeper:
        keeper.configure(
            "[sources]\nprocesses = false\n[limits]\nper_agent = 0\nper_run = 0\ndaily = 0\n"
            f'[ccflare]\nurl = "{ccflare.url}"\nwait_seconds = 20\n'
        )
        yield keeper.start()


def asked_by(status: Status) -> dict[str | None, int]:
    """How many requests each account has."""
    found = {each.account: each.usage.requests for each in status.accounts}
    return {account: count for account, count in found.items() if count}


def test_two_accounts(
    client: Client, stand_in: StandIn, tired: StandIn, ccflare: Ccflare, through: Keeper
) -> None:
    """Of two accounts one refuses: each request is counted once, under the account that answered it,

    the totals are the client's own, and the limited account shows with its reset.
    """
    ccflare.add("tired", tired.url, 0)
    ccflare.add("work", stand_in.url, 1)
    name = f"proxy 127.0.0.1:{ccflare.port}"
    first = client.run("hello")
    tired.play("SECOND", rate_limited(int(time.time()) + 3600))
    stand_in.play("SECOND", say("Done by the other."))
    second = client.run("SECOND")
    third = client.run("again")
    results = (first, second, third)

    through.wait_for(lambda status: asked_by(status) == {f"{name}/tired": 1, f"{name}/work": 2})
    assert through.requests() == 3
    assert [each.status for each in tired.served] == [200, 429]
    totals = through.report("daily")["totals"]
    spent = [result.model_usage[OPUS] for result in results]
    assert totals["totalCost"] == pytest.approx(sum(each.cost_usd for each in spent))
    assert totals["outputTokens"] == sum(each.output_tokens for each in spent)
    status = through.wait_for(
        lambda status: any(
            account.state == "limited" for proxy in status.proxies for account in proxy.accounts
        ),
        40,
    )
    [proxy] = status.proxies
    states = {account.name: account for account in proxy.accounts}
    assert (states["work"].state, states["tired"].state) == ("ready", "limited")
    assert states["tired"].limited_until is not None
    print(through.run("accounts").stdout)
