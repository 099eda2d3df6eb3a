"""Who pays, in a running daemon: several homes and accounts, and agents that change hands."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tollkeeper.letters import leave_status
from tollkeeper.model import AccountToday
from waiting import wait_until

from . import lines
from .agent_process import AgentProcess
from .bounded import BILLED
from .claude_home import ClaudeHome
from .keeper import Keeper
from .lines import USUAL_USD


@pytest.fixture
def work(keeper: Keeper) -> Iterator[ClaudeHome]:
    """A second home; both have an account of their own, and the daemon runs."""
    work = ClaudeHome(keeper.root / "claude-work", keeper.root / "work")
    for home, account in ((keeper.home, "acc-home"), (work, "acc-work")):
        home.projects.mkdir(parents=True, exist_ok=True)
        home.sessions.mkdir(parents=True, exist_ok=True)
        log_in(home, account)
    keeper.environment["CLAUDE_CONFIG_DIR"] = f"{keeper.home.path},{work.path}"
    keeper.start()
    yield work


def log_in(home: ClaudeHome, account: str) -> None:
    """The home names this account; empty is for none."""
    state = {"oauthAccount": {"accountUuid": account}} if account else {}
    aside = home.path / ".claude.json.new"
    aside.write_text(json.dumps(state))
    aside.replace(home.path / ".claude.json")


def started(keeper: Keeper, agent: AgentProcess) -> AgentProcess:
    """The agent, once the daemon knows it."""
    agent.says("busy")
    keeper.wait_for(lambda status: agent.pid in {each.pid for each in status.agents})
    return agent


def payer(keeper: Keeper, agent: AgentProcess) -> tuple[str, str | None]:
    """Who pays for it, by the daemon."""
    found = keeper.agent(agent)
    return found.source, found.account


def requests_of(accounts: tuple[AccountToday, ...]) -> dict[tuple[str, str | None], int]:
    """The requests of each account."""
    return {(each.source, each.account): each.usage.requests for each in accounts}


def test_homes_accounts_and_a_key(keeper: Keeper, work: ClaudeHome) -> None:
    """Two homes' accounts and an agent on a key are told apart everywhere, and add up."""
    agents = [
        started(keeper, keeper.start_agent("one")),
        started(keeper, keeper.start_agent("three", BILLED)),
    ]
    other = AgentProcess(work, "two")
    try:
        agents.append(started(keeper, other))
        assert [payer(keeper, agent) for agent in agents] == [
            ("subscription", "acc-home"),
            ("api", None),
            ("subscription", "acc-work"),
        ]
        for count, agent in enumerate(agents, 1):
            for _ in range(count):
                agent.log.reply()
        status = keeper.wait_for_requests(6)
    finally:
        other.exit()
    assert requests_of(status.accounts) == {
        ("subscription", "acc-home"): 1,
        ("api", None): 2,
        ("subscription", "acc-work"): 3,
    }
    homes = {each.account: each.home for each in status.accounts}
    assert (homes["acc-home"], homes["acc-work"]) == (str(keeper.home.path), str(work.path))
    assert (status.today.subscription.requests, status.today.api.requests) == (4, 2)
    assert status.today.total.cost_usd == pytest.approx(2 * USUAL_USD)
    shown = keeper.run("status").stdout
    assert "claude-work" in shown
    assert "[Sub]" in shown
    assert "[API]" in shown


@pytest.mark.parametrize("verb", ["daily", "weekly", "monthly", "session", "blocks"])
def test_reports_by_payer(keeper: Keeper, work: ClaudeHome, verb: str) -> None:
    """Each report shows one source or account alone, and the parts add up to the whole."""
    for agent in (keeper.start_agent("one"), keeper.start_agent("three", BILLED)):
        started(keeper, agent).log.reply()
    work.log("two").reply()
    keeper.wait_for_requests(3)

    def tokens(*filters: str) -> int:
        report = keeper.json(verb, *filters)
        return sum(
            each["totalTokens"]
            for each in report[next(iter(report.keys() - {"totals"}))]
            if not each.get("isGap")
        )

    whole = tokens()
    assert whole == 3 * tokens("--source", "api")
    assert whole * 2 == 3 * tokens("--source", "subscription")
    assert whole == 3 * tokens("--account", "acc-w")
    assert whole == 3 * tokens("--account", "")
    assert tokens("--source", "api", "--account", "acc-w") == 0
    assert "acc-none" in keeper.run(verb, "--account", "acc-none").stdout or verb == "blocks"
    assert keeper.run(verb, "--source", "mine").returncode == 2


def test_export_by_payer(keeper: Keeper, work: ClaudeHome) -> None:
    """An export holds the requests of one source or account alone."""
    keeper.home.log("one").reply()
    work.log("two").reply()
    keeper.wait_for_requests(2)
    for filters, accounts in (
        ((), ["acc-home", "acc-work"]),
        (("--account", "acc-work"), ["acc-work"]),
        (("--source", "api"), []),
    ):
        rows = keeper.json("export", *filters)
        assert sorted(row["account"] for row in rows) == accounts


def test_change_of_hands(keeper: Keeper, work: ClaudeHome) -> None:
    """An agent whose home gets another account, then none, is booked to each from then on."""
    agent = started(keeper, keeper.start_agent("one"))
    agent.log.reply()
    keeper.wait_for_requests(1)
    for count, account in enumerate(("acc-new", ""), 2):
        log_in(keeper.home, account)
        keeper.wait_for(lambda status, wanted=account: (status.agents[0].account or "") == wanted)
        agent.log.reply()
        keeper.wait_for_requests(count)
    expected = {
        ("subscription", "acc-home"): 1,
        ("subscription", "acc-new"): 1,
        ("api", None): 1,
    }
    assert requests_of(keeper.toll.status().accounts) == expected
    keeper.restart()
    # A log that is read again from its start changes nothing.
    path = agent.log.path
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    agent.log.reply()
    keeper.wait_for_requests(4)
    expected[("api", None)] = 2
    assert requests_of(keeper.toll.status().accounts) == expected


def test_login_in_the_log(keeper: Keeper, work: ClaudeHome) -> None:
    """An account that the log of an agent on a key names pays from then on, and is told."""
    agent = started(keeper, keeper.start_agent("one", BILLED))
    agent.log.reply()
    keeper.wait_for_requests(1)
    agent.log.append(lines.session_owner(agent.log.writer, "acc-new"))
    agent.log.reply()
    keeper.wait_for_requests(2)
    assert payer(keeper, agent) == ("subscription", "acc-new")
    assert keeper.agent(agent).usage.cost_usd == pytest.approx(USUAL_USD)
    assert keeper.agent(agent).usage.value_usd == pytest.approx(2 * USUAL_USD)


def test_windows_of_a_plan_appear(keeper: Keeper, work: ClaudeHome) -> None:
    """An agent whose status line names windows of a plan ran on the home's subscription all along."""
    agent = started(keeper, keeper.start_agent("one", BILLED))
    agent.log.reply()
    keeper.wait_for_requests(1)
    assert keeper.toll.status().today.total.cost_usd == pytest.approx(USUAL_USD)
    show_windows(keeper, agent)
    keeper.wait_for(lambda status: status.agents[0].source == "subscription")
    agent.log.reply()
    keeper.wait_for_requests(2)
    status = keeper.wait_for(lambda status: status.today.total.cost_usd == 0)
    assert requests_of(status.accounts) == {("subscription", "acc-home"): 2}
    assert keeper.agent(agent).usage.cost_usd == 0


def test_key_while_no_daemon_ran(keeper: Keeper, work: ClaudeHome) -> None:
    """A home that gets a key while no daemon runs has its agents pay by it from then on."""
    agent = started(keeper, keeper.start_agent("one"))
    agent.log.reply()
    keeper.wait_for_requests(1)
    keeper.wait_for(lambda status: status.agents[0].account == "acc-home")
    assert keeper.stop() == 0
    (keeper.home.path / "settings.json").write_text('{"apiKeyHelper": "made-up"}')
    keeper.start()
    keeper.wait_for(lambda status: status.agents[0].source == "api")
    agent.log.reply()
    status = keeper.wait_for_requests(2)
    assert requests_of(status.accounts) == {
        ("subscription", "acc-home"): 1,
        ("api", None): 1,
    }


def test_managed_settings(keeper: Keeper, work: ClaudeHome) -> None:
    """A key of managed settings pays for the agents of all homes, from when it is there."""
    agent = started(keeper, keeper.start_agent("one"))
    agent.log.reply()
    keeper.wait_for_requests(1)
    keeper.managed.mkdir()
    (keeper.managed / "managed-settings.json").write_text('{"apiKeyHelper": "made-up"}')
    keeper.wait_for(lambda status: status.agents[0].source == "api")
    agent.log.reply()
    work.log("two").reply()
    status = keeper.wait_for_requests(3)
    assert requests_of(status.accounts) == {("subscription", "acc-home"): 1, ("api", None): 2}


def test_proxy_is_named_without_its_password(keeper: Keeper) -> None:
    """An agent on a key that asks another server is of the account that this stands for."""
    url = "http://somebody:secret-word@127.0.0.1:8080/v1"
    keeper.start()
    agent = keeper.start_agent("one", {**BILLED, "ANTHROPIC_BASE_URL": url})
    started(keeper, agent).log.reply()
    status = keeper.wait_for_requests(1)
    assert payer(keeper, agent) == ("api", "proxy 127.0.0.1:8080")
    assert requests_of(status.accounts) == {("api", "proxy 127.0.0.1:8080"): 1}
    keeper.stop()
    for file in keeper.paths.data.rglob("*"):
        assert not file.is_file() or b"secret-word" not in file.read_bytes()


@pytest.mark.parametrize("runs", [True, False])
def test_setting_that_changes(keeper: Keeper, runs: bool) -> None:
    """What config.toml says of who pays holds from when it is saved, where no agent and no log tells.

    It is the same where no daemon runs as it is saved.
    """
    home = keeper.home
    log_in(home, "acc-home")
    keeper.start()
    agents = [started(keeper, keeper.start_agent(name)) for name in ("one", "named", "shows")]
    logs = [*(agent.log for agent in agents), home.log("alone")]
    logs[1].append(lines.session_owner(logs[1].writer, "acc-home"))
    show_windows(keeper, agents[2])
    for log in logs:
        log.reply()
    keeper.wait_for_requests(4)
    keeper.wait_for(lambda status: bool(status.plan.five_hour))
    if not runs:
        keeper.stop()
    keeper.configure('[sources]\nprocesses = false\n[accounts]\nsource = "api"\n')
    if not runs:
        keeper.start()
    keeper.wait_for(lambda status: "api" in {each.source for each in status.agents})
    for log in logs:
        log.reply()
    status = keeper.wait_for_requests(8)
    assert requests_of(status.accounts) == {("subscription", "acc-home"): 6, ("api", None): 2}
    assert [payer(keeper, agent)[0] for agent in agents] == ["api", "subscription", "subscription"]
    home.log("new").reply()
    assert keeper.wait_for_requests(9).today.api.requests == 3
    keeper.configure("[sources]\nprocesses = false\n")
    keeper.wait_for(lambda status: {each.source for each in status.agents} == {"subscription"})
    for log in logs:
        log.reply()
    assert keeper.wait_for_requests(13).today.api.requests == 3


def show_windows(keeper: Keeper, agent: AgentProcess) -> None:
    """The agent's status line names a window of a plan."""
    window = {"used_percentage": 25, "resets_at": lines.ago(hours=-1).timestamp()}
    handed = {
        "session_id": agent.conversation,
        "transcript_path": str(agent.log.path),
        "rate_limits": {"five_hour": window},
    }
    wait_until(Path(keeper.paths.alive).exists)
    leave_status(str(keeper.paths.run), agent.conversation, json.dumps(handed).encode())


def test_setting_for_a_home(keeper: Keeper) -> None:
    """What config.toml says of a home holds where neither agents nor logs tell."""
    keeper.configure(
        f'[sources]\nprocesses = false\n[accounts.homes]\n"{keeper.home.path}" = "subscription"\n'
    )
    keeper.start()
    keeper.home.log("one").reply()
    assert keeper.wait_for_requests(1).today.subscription.requests == 1
