"""Who pays, told from what the real client does with a subscription, a key, and both."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from msgspec import Struct

from flow.claude_home import ClaudeHome
from flow.keeper import Keeper

from .client import Client
from .home import API_KEY, Subscription
from .interactive import Interactive
from .replies import say
from .stand_in import StandIn

ACCOUNT = Subscription().account
KEY = {"ANTHROPIC_API_KEY": API_KEY}

pytestmark = pytest.mark.e2e


@pytest.fixture
def keeper(subscriber: Client) -> Iterator[Keeper]:
    """A Tollkeeper that follows the home of the subscription; its daemon runs."""
    with Keeper(ClaudeHome(subscriber.config_dir, subscriber.cwd)) as running:
        running.limit()
        yield running.start()


class Case(Struct, frozen=True):
    """What a headless client is given beside its subscription, and who pays then."""

    environment: Mapping[str, str] = {}
    settings: Mapping[str, object] = {}
    source: str = "api"
    account: str = ""


CASES = {
    "nothing": Case(source="subscription", account=ACCOUNT),
    "key": Case(KEY),
    "token": Case({"ANTHROPIC_AUTH_TOKEN": "made-up"}),
    "helper": Case(settings={"apiKeyHelper": "echo made-up"}),
    "helper and token": Case({"CLAUDE_CODE_OAUTH_TOKEN": "x"}, {"apiKeyHelper": "echo x"}),
    "key in settings": Case(settings={"env": KEY}),
    "token of a subscription": Case({"CLAUDE_CODE_OAUTH_TOKEN": "x"}, source="subscription"),
    "key and token": Case({"CLAUDE_CODE_OAUTH_TOKEN": "x", **KEY}),
    "key that settings hide": Case(
        KEY, {"env": {"ANTHROPIC_API_KEY": ""}}, source="subscription", account=ACCOUNT
    ),
    "key that settings make null": Case(settings={"env": {"ANTHROPIC_API_KEY": None}}),
    "bedrock off": Case({"CLAUDE_CODE_USE_BEDROCK": "0"}, source="subscription", account=ACCOUNT),
}


@pytest.mark.parametrize("name", CASES)
def test_headless(stand_in: StandIn, subscriber: Client, keeper: Keeper, name: str) -> None:
    """Each client is booked to who pays by what it sends, a key to the server that it asks."""
    case = CASES[name]
    subscriber.configure(**case.settings)
    subscriber.run("hello", extra_env=case.environment)
    status = keeper.wait_for_requests(len(stand_in.served))
    host, port = stand_in.address
    expected = case.account if case.source == "subscription" else f"proxy {host}:{port}"
    [account] = status.accounts
    assert (account.source, account.account or "") == (case.source, expected)
    assert {asked.by_login for asked in stand_in.asked} == {case.source == "subscription"}


def test_resumed_with_a_key(stand_in: StandIn, subscriber: Client, keeper: Keeper) -> None:
    """A conversation that began on a subscription and is resumed with a key is paid by both."""
    first = subscriber.run("hello")
    subscriber.run("again", resume=first.session_id, extra_env=KEY)
    status = keeper.wait_for_requests(2)
    assert {each.source: each.usage.requests for each in status.accounts} == {
        "subscription": 1,
        "api": 1,
    }


@pytest.mark.usefixtures("tmux")
@pytest.mark.parametrize("approved", [True, False])
def test_typed_with_a_key(
    stand_in: StandIn, subscriber: Client, keeper: Keeper, approved: bool
) -> None:
    """A typed session uses the key in its environment only when the person approved of it."""
    answers = {"approved": [API_KEY[-20:]], "rejected": []}
    if not approved:
        answers = {"approved": [], "rejected": [API_KEY[-20:]]}
    _answer(subscriber.config_dir / ".claude.json", answers)
    stand_in.play("HELLO", say("Counted."))
    with Interactive(subscriber, extra_env=KEY) as running:
        running.send("HELLO")
        running.wait_for("Counted.")
        status = keeper.wait_for(lambda status: bool(status.accounts))
        [agent] = status.agents
    source = "api" if approved else "subscription"
    assert (agent.source, {each.source for each in status.accounts}) == (source, {source})
    assert approved or agent.account == ACCOUNT


def _answer(file: Path, answers: Mapping[str, list[str]]) -> None:
    state = json.loads(file.read_text())
    file.write_text(json.dumps({**state, "customApiKeyResponses": answers}))
