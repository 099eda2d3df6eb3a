"""Who pays for an agent that runs: what its home says and its client shows, also over a restart."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from tollkeeper_daemon.agents.followed import Followed
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.config import Accounts, PlanSettings
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.intake.payment import Payment
from tollkeeper_daemon.intake.whose import Whose
from tollkeeper_daemon.own.plans import load_plans
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.plan.accounts import Owner
from tollkeeper_daemon.plan.gauge import PlanGauge
from tollkeeper_daemon.plan.sums import PlanSums
from tollkeeper_daemon.sources.homes import Home, Homes
from tollkeeper_daemon.store.schema import AgentRecord
from tollkeeper_daemon.store.store import Store

from .lines import NINE_MS, NOW
from .machine import process, session
from .test_payers import MINUTE, booked, owner, reply
from .test_pipeline import pipeline, post

HELPER = {"apiKeyHelper": "x"}
BY_KEY = Accounts("api")
TOKEN = {"env": {"CLAUDE_CODE_OAUTH_TOKEN": "x"}}


class Told:
    """Stands in for the herald."""

    def agent(self, topic: str, agent: LiveAgent) -> None: ...


class Bench:
    """A home that names an account, and what a daemon knows of its agents."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.home = Home(folder / "claude")
        self.cwd = folder / "shop"
        self.home.path.mkdir()
        self.log_in("acc-1")
        self.begin()

    def begin(
        self, records: list[AgentRecord] | None = None, accounts: Accounts | None = None
    ) -> None:
        """A daemon begins with these settings, and finds these agents in its ledger."""
        self.roster = Roster()
        self.roster.restore(records or [], [], NOW)
        self.followed = Followed(Homes((self.home,), bounded=True), accounts or Accounts())
        self.river: Pipeline = pipeline(self.store, self.roster)
        self.payment = Payment(self.followed, self.roster, self.river, cast(Herald, Told()))
        self.river.restore()

    def restart(self, accounts: Accounts | None = None) -> LiveAgent:
        """Another daemon takes over from what was saved of the one agent."""
        [agent] = self.roster.alive()
        self.river.settle(NOW)
        self.store.write(lambda transaction: transaction.save_agent(agent.record))
        self.begin(self.store.read(lambda transaction: transaction.agents()), accounts)
        [agent] = self.roster.alive()
        return agent

    def agent(self, pays_by_key: bool = False, pays_by_token: bool = False) -> LiveAgent:
        """An agent starts in the home."""
        started = process(cwd=str(self.cwd), pays_by_key=pays_by_key)
        started = replace(started, has_token=pays_by_token)
        agent = self.roster.appear(started, session(startedAt=NINE_MS + 5_000), False, NOW)
        self.roster.lives_in(agent, str(self.home.path))
        self.payment.begin(agent)
        return agent

    def log_in(self, account: str) -> None:
        """The home names this account."""
        said = {"oauthAccount": {"accountUuid": account}}
        (self.home.path / ".claude.json").write_text(json.dumps(said))

    def set(self, settings: dict[str, Any]) -> None:
        """The home has these settings."""
        (self.home.path / "settings.json").write_text(json.dumps(settings))

    def owner(self) -> Owner:
        """Whose plan the conversation tells of."""
        whose = Whose(self.roster, self.river, self.followed)
        return whose.of("conv-1", f"{self.home.projects}/-p/conv-1.jsonl", NINE_MS + MINUTE)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Store(tmp_path / "ledger") as store:
        yield Bench(store, tmp_path)


def payer(agent: LiveAgent) -> tuple[str, str]:
    """Who pays for it."""
    return agent.record.source, agent.record.account


def test_windows_are_not_believed_again_after_a_restart(bench: Bench) -> None:
    """A client that goes on showing windows after it changed hands is not believed by a new daemon."""
    agent = bench.agent()
    bench.payment.shows_plan(agent, NOW)
    bench.set(HELPER)
    bench.payment.look(NOW)
    assert ("api", "") == payer(agent)
    agent = bench.restart()
    bench.payment.shows_plan(agent, NOW)
    bench.payment.look(NOW)
    assert ("api", "") == payer(agent)


@pytest.mark.parametrize("is_helper", [True, False])
def test_change_while_no_daemon_ran(bench: Bench, is_helper: bool) -> None:
    """A key or a login that a home got while no daemon ran pays from when a daemon looks again."""
    agent = bench.agent()
    bench.payment.look(NOW)
    post(bench.river, reply(1))
    if is_helper:
        bench.set(HELPER)
    else:
        bench.log_in("acc-two")
    agent = bench.restart()
    bench.payment.look(NINE_MS + 2 * MINUTE)
    post(bench.river, reply(3))
    expected = ("api", "") if is_helper else ("subscription", "acc-two")
    assert expected == payer(agent)
    assert {("subscription", "acc-1"): 1, expected: 1} == booked(bench.store)


def test_agent_of_an_older_ledger(bench: Bench) -> None:
    """Of an agent whose home's word was never saved the first look changes nothing, the next may."""
    agent = bench.agent()
    agent.record = replace(agent.record, source="api", account="", home_said=None)
    agent = bench.restart()
    bench.payment.look(NOW)
    assert ("api", "") == payer(agent)
    bench.log_in("acc-two")
    bench.payment.look(NOW)
    assert ("subscription", "acc-two") == payer(agent)


@pytest.mark.parametrize("restarts", [True, False])
@pytest.mark.parametrize("told_by", ["log", "client", "nobody"])
def test_other_accounts(bench: Bench, told_by: str, restarts: bool) -> None:
    """What ``[accounts]`` says anew, also while no daemon ran, counts where no log and no client told."""
    agent = bench.agent()
    bench.payment.look(NOW)
    post(bench.river, *([owner("acc-1")] if told_by == "log" else []), reply(1))
    if told_by == "client":
        bench.payment.shows_plan(agent, NOW)
    if restarts:
        agent = bench.restart(BY_KEY)
    bench.followed.accounts = BY_KEY
    for minute in (2, 4):
        bench.payment.look(NINE_MS + minute * MINUTE)
        bench.river.settle(NOW)
        post(bench.river, reply(minute + 1))
    expected = ("api", "") if told_by == "nobody" else ("subscription", "acc-1")
    assert expected == payer(agent)
    assert booked(bench.store)[expected] == (2 if told_by == "nobody" else 3)


def test_login_after_other_accounts(bench: Bench) -> None:
    """Another account in the home pays from then on, also where ``[accounts]`` was passed over before."""
    bench.agent()
    bench.payment.look(NOW)
    post(bench.river, owner("acc-1"), reply(1))
    agent = bench.restart(Accounts("subscription"))
    bench.payment.look(NOW)
    bench.log_in("acc-two")
    bench.payment.look(NOW)
    assert ("subscription", "acc-two") == payer(agent)


@pytest.mark.parametrize("restarts", [True, False])
def test_key_that_settings_hide(bench: Bench, restarts: bool) -> None:
    """A key in the environment pays nothing where settings set its name to nothing, while they do."""
    bench.set({"env": {"ANTHROPIC_API_KEY": ""}})
    agent = bench.agent(pays_by_key=True)
    post(bench.river, reply(1))
    assert ("subscription", "acc-1") == payer(agent)
    bench.set({})
    if restarts:
        agent = bench.restart()
    bench.payment.look(NINE_MS + 2 * MINUTE)
    bench.river.settle(NOW)
    post(bench.river, reply(3))
    assert ("api", "") == payer(agent)
    assert {("subscription", "acc-1"): 1, ("api", ""): 1} == booked(bench.store)


def test_token_that_settings_hide(bench: Bench) -> None:
    """A token that settings hide tells of no other plan than that of the home's account."""
    bench.set({"env": {"CLAUDE_CODE_OAUTH_TOKEN": ""}})
    agent = bench.agent(pays_by_token=True)
    assert ("subscription", "acc-1") == payer(agent)
    assert Owner("acc-1", str(bench.home.path)) == bench.owner()


@pytest.mark.parametrize("restarts", [True, False])
def test_proof_counts_since_the_start(bench: Bench, restarts: bool) -> None:
    """An agent on a refused key cost nothing from its start, once its client shows a plan."""
    agent = bench.agent(pays_by_key=True)
    post(bench.river, reply(1), reply(2))
    assert {("api", ""): 2} == booked(bench.store)
    if restarts:
        agent = bench.restart()
    bench.payment.shows_plan(agent, NINE_MS + 3 * MINUTE)
    bench.river.settle(NOW)
    post(bench.river, reply(4))
    assert {("subscription", "acc-1"): 3} == booked(bench.store)
    assert 0 == agent.tally.cost == bench.river.today["api"].cost
    agent = bench.restart()
    post(bench.river, reply(5))
    assert {("subscription", "acc-1"): 4} == booked(bench.store)


def test_proof_spares_who_held_the_conversation_later(bench: Bench) -> None:
    """What another agent on a key asked in the same conversation afterwards stays billed."""
    first = bench.agent(pays_by_key=True)
    post(bench.river, reply(1))
    later = process(pid=101, started=NINE_MS + 2 * MINUTE)
    bench.roster.appear(later, session(pid=101), False, NOW)
    post(bench.river, reply(3))
    bench.payment.shows_plan(first, NINE_MS + 4 * MINUTE)
    bench.river.settle(NOW)
    assert {("subscription", "acc-1"): 1, ("api", ""): 1} == booked(bench.store)


def test_proof_after_a_change_of_hands(bench: Bench) -> None:
    """Of an agent that changed hands before, only what is asked from then on is the plan's."""
    agent = bench.agent()
    bench.set(HELPER)
    bench.payment.look(NINE_MS + MINUTE // 2)
    post(bench.river, reply(1))
    bench.payment.shows_plan(agent, NINE_MS + 2 * MINUTE)
    post(bench.river, reply(3))
    assert {("api", ""): 1, ("subscription", "acc-1"): 1} == booked(bench.store)


def test_plan_of_a_token(bench: Bench) -> None:
    """An agent on a token tells of the plan of an unknown account, not of that of its home."""
    agent = bench.agent(pays_by_token=True)
    post(bench.river, reply(1))
    assert ("subscription", "") == payer(agent)
    assert Owner("", str(bench.home.path), by_token=True) == bench.owner()


@pytest.mark.parametrize("runs", [True, False])
def test_plan_of_a_token_in_settings(bench: Bench, runs: bool) -> None:
    """The same holds where the settings have the token, also when no agent is known."""
    log = f"{bench.home.projects}/-p/conv-1.jsonl"
    assert ("acc-1", "acc-1") == (bench.owner().account, bench.followed.payer_of_log(log)[1])
    bench.set(TOKEN)
    if runs:
        bench.agent()
    assert Owner("", str(bench.home.path), by_token=True) == bench.owner()
    assert "" == bench.followed.payer_of_log(log)[1]


def test_figure_that_turns_out_to_be_a_tokens(bench: Bench) -> None:
    """That an unnamed account is a token's is saved at once, also where its figure is known already."""
    plan = PlanGauge(bench.store, PlanSettings, NOW, PlanSums(), load_plans().get)
    plan.observed("five_hour", 90.0, NOW + 60 * MINUTE, NOW)
    plan.observed("five_hour", 90.0, NOW + 60 * MINUTE, NOW + 1, Owner(by_token=True))
    [saved] = bench.store.read(lambda transaction: transaction.bar.gauges())
    assert saved.by_token


def test_proof_of_a_token(bench: Bench) -> None:
    """A refused key and a token together are a subscription whose account nobody names."""
    agent = bench.agent(pays_by_key=True, pays_by_token=True)
    bench.payment.shows_plan(agent, NOW)
    assert ("subscription", "") == payer(agent)


@pytest.mark.parametrize("restarts", [True, False])
def test_gauge_of_a_token(bench: Bench, restarts: bool) -> None:
    """What a token's plan shows is of no account with a name, whatever that one showed or shows."""

    def gauge() -> PlanGauge:
        return PlanGauge(bench.store, PlanSettings, NOW, PlanSums(), load_plans().get)

    plan = gauge()
    ends = NOW + 60 * MINUTE
    plan.observed("seven_day", 10.0, ends, NOW, Owner("acc-1"))
    plan.observed("five_hour", 90.0, ends, NOW, Owner(by_token=True))
    if restarts:
        plan = gauge()
    plan.observed("five_hour", 20.0, ends, NOW, Owner("acc-1"))
    plan.observed("five_hour", 95.0, ends, NOW, Owner(by_token=True))
    other, named = plan.views(NOW)
    assert ("", "acc-1") == (other.account or "", named.account)
    assert other.five_hour and named.five_hour and named.seven_day
    assert other.seven_day is None
    assert (95.0, 20.0, 10.0) == (
        other.five_hour.used_percent,
        named.five_hour.used_percent,
        named.seven_day.used_percent,
    )
