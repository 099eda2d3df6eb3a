"""The real client through the real better-ccflare: each request once, with its account."""

import os
import re
import time
from collections.abc import Iterator

import pytest

from flow.claude_home import ClaudeHome
from flow.keeper import Keeper
from tollkeeper.model import Status

from .ccflare import Ccflare, installed
from .client import Client, Result
from .replies import SEARCHING, Tokens, rate_limited, say, search
from .stand_in import StandIn

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

# Without cache writes, of which a proxy does not tell the kinds.
HIDDEN = Tokens(input=100, output=50)


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
            f'[ccflare]\nurl = "{ccflare.url}"\nwait_seconds = 5\n'
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
    through.wait_for(lambda status: asked_by(status) == {f"{name}/tired": 1, f"{name}/work": 2})
    assert [each.status for each in tired.served] == [200, 429]
    expect_totals(through, first, second, third)

    status = through.wait_for(lambda status: "limited" in states(status).values(), 40)
    assert states(status) == {"tired": "limited", "work": "ready"}
    [limited] = [each for each in status.proxies[0].accounts if each.state == "limited"]
    assert limited.limited_until is not None
    shown = through.run("accounts").stdout
    [line] = [line for line in shown.splitlines() if "limited" in line]
    assert line.split()[0] == f"127.0.0.1:{ccflare.port}/tired"
    assert re.search(r"limited +\d+(s|m \d\ds)", line), shown
    assert [each.kind for each in status.alerts] == ["account-limited"]


def test_what_no_log_tells(
    client: Client, stand_in: StandIn, ccflare: Ccflare, through: Keeper
) -> None:
    """A request that the client logs nowhere is counted by what the proxy saw, once: the totals are then

    the client's own, also after daemon and proxy were killed.
    """
    ccflare.add("work", stand_in.url, 0)
    client.configure(permissions={"allow": ["WebSearch"]})
    stand_in.play("LOOKUP", search("the news"), say("Found."))
    stand_in.play(SEARCHING, say("Some results.", tokens=HIDDEN))
    result = client.run("LOOKUP")
    assert len(stand_in.served) == 3
    name = f"proxy 127.0.0.1:{ccflare.port}/work"
    through.wait_for(lambda status: asked_by(status) == {name: 3}, 40)
    expect_totals(through, result)
    through.kill()
    ccflare.stop()
    through.start()
    ccflare.start()
    again = client.run("again")
    through.wait_for(lambda status: asked_by(status) == {name: 4}, 60)
    expect_totals(through, result, again)
    assert through.report("audit")["differ"] == 0


def expect_totals(keeper: Keeper, *results: Result) -> None:
    """The ledger's totals are those that the client names at the end of its runs."""
    totals = keeper.report("daily")["totals"]
    spent = [usage for result in results for usage in result.model_usage.values()]
    assert totals["totalCost"] == pytest.approx(sum(each.cost_usd for each in spent))
    for ours, theirs in (
        ("inputTokens", "input_tokens"),
        ("outputTokens", "output_tokens"),
        ("cacheReadTokens", "cache_read"),
        ("cacheWrite5mTokens", "cache_write_5m"),
        ("cacheWrite1hTokens", "cache_write_1h"),
    ):
        assert totals[ours] == sum(getattr(each, theirs) for each in spent), ours


def states(status: Status) -> dict[str, str]:
    """What each of the proxy's accounts does."""
    return {each.name: each.state for proxy in status.proxies for each in proxy.accounts}
