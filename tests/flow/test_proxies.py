"""A real daemon beside a ccflare written by hand: what it finds, joins, books and tells, whatever that does."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args

import pytest

from tollkeeper.model import Status
from tollkeeper.proxies import ProxyAccount
from waiting import wait_until

from . import lines
from .agent_process import AgentProcess
from .claude_home import Log
from .fake_ccflare import FakeCcflare, Generation
from .keeper import Keeper
from .lines import USUAL, USUAL_USD, Tokens

WAIT_SECONDS = 2
QUIET = "[sources]\nprocesses = false\n[limits]\nper_agent = 0\nper_run = 0\ndaily = 0\n"


def settings(url: str = "", wait: int = WAIT_SECONDS, **more: str) -> str:
    """A config.toml with this proxy in it."""
    named = "".join(f"{name} = {json.dumps(value)}\n" for name, value in more.items())
    return f'{QUIET}[ccflare]\nurl = "{url}"\nwait_seconds = {wait}\n{named}'


def follow(keeper: Keeper, fake: FakeCcflare, wait: int = WAIT_SECONDS, **more: str) -> None:
    """Start the daemon, and wait until it knows the accounts of the proxy that its settings name."""
    keeper.configure(settings(fake.url, wait, **more))
    keeper.start()
    keeper.wait_for(lambda status: bool(accounts(status)))


def accounts(status: Status) -> dict[str, ProxyAccount]:
    """The proxy's accounts by name."""
    return {each.name: each for proxy in status.proxies for each in proxy.accounts}


def spent(keeper: Keeper) -> dict[str, int]:
    """Requests by account, of all time."""
    rows = keeper.report("daily", by=["account"])["daily"]
    found: dict[str, int] = {}
    for row in rows:
        for part in row["breakdown"]:
            account = part["by"]["account"] or ""
            found[account] = found.get(account, 0) + part["requests"]
    return {name.rpartition("/")[2]: count for name, count in found.items() if count}


def wait_for_accounts(keeper: Keeper, **expected: int) -> None:
    """Wait until each account has so many requests, and never any more in all."""

    def is_so() -> bool:
        found = spent(keeper)
        assert sum(found.values()) <= sum(expected.values()), found
        return found == expected

    wait_until(is_so, 15, f"{expected}")


def reply(log: Log, tokens: Tokens = USUAL) -> str:
    """Append a reply to the log; the API's id of its request."""
    line = lines.reply(log.writer, tokens)
    log.append(line)
    return json.loads(line)["requestId"]


def alerts(keeper: Keeper, kind: str) -> list[str]:
    """The texts of the alerts of this kind."""
    return [each.text for each in keeper.toll.status().alerts if each.kind == kind]


def asking(keeper: Keeper, fake: FakeCcflare) -> AgentProcess:
    """An agent whose environment names the proxy, once the daemon knows it."""
    labels = {"ANTHROPIC_BASE_URL": fake.url, "ANTHROPIC_API_KEY": "made-up"}
    agent = keeper.start_agent(labels=labels)
    agent.says("busy")
    keeper.wait_for(lambda status: agent.pid in {each.pid for each in status.agents})
    return agent


@pytest.mark.parametrize("generation", get_args(Generation))
def test_found_by_an_agent(keeper: Keeper, generation: Generation) -> None:
    """The proxy that an agent asks is found, of each generation, and nothing is asked that it has not."""
    with FakeCcflare(generation) as fake:
        keeper.configure(settings())
        keeper.start()
        log = asking(keeper, fake).log
        status = keeper.wait_for(lambda status: bool(accounts(status)))
        [proxy] = status.proxies
        assert (proxy.server, proxy.generation, proxy.trouble) == (fake.server, generation, None)
        fake.refused(1, "home")
        fake.served(2, "work", reply(log), log.writer.conversation)
        fake.served(3, "home", "req_unseen", "conv-unseen")
        wait_for_accounts(keeper, work=1, home=1)
        status = keeper.toll.status()
        assert accounts(status)["work"].source == "subscription"
        assert status.today.subscription.requests == 2
        # The log says of how many minutes the cache is written, the proxy does not: 5 are taken.
        only_proxy = USUAL_USD - 1_500 * (8 - 5) / 1e6
        assert status.today.total.value_usd == pytest.approx(USUAL_USD + only_proxy)
        assert fake.strays == set()
        assert fake.keys == set()
        if generation == "C":
            assert accounts(status)["work"].tier == "5"
        else:
            window = accounts(status)["work"].five_hour
            assert window is not None
            assert window.used_percent == 42


def test_late_line_and_kill(keeper: Keeper) -> None:
    """What was booked for the proxy alone survives a `kill -9` once, and gives way to a late log line."""
    with FakeCcflare() as fake:
        follow(keeper, fake)
        log = keeper.home.log()
        line = lines.reply(log.writer)
        fake.served(1, "work", json.loads(line)["requestId"], log.writer.conversation)
        wait_for_accounts(keeper, work=1)
        for _ in range(2):
            keeper.kill()
            keeper.start()
            keeper.wait_for(lambda status: bool(accounts(status)))
        wait_for_accounts(keeper, work=1)
        log.append(line)
        keeper.wait_for(lambda status: status.today.total.cache_write_1h_tokens == USUAL.write_1h)
        wait_for_accounts(keeper, work=1)
        assert keeper.toll.status().today.total.value_usd == pytest.approx(USUAL_USD)


def test_without_headers(keeper: Keeper) -> None:
    """A row whose headers are gone is joined by its tokens and its time."""
    with FakeCcflare("H") as fake:
        follow(keeper, fake)
        log = keeper.home.log()
        for number, output in enumerate((100, 200, 300), 1):
            tokens = Tokens(output=output)
            reply(log, tokens)
            fake.served(number, "home" if number == 2 else "work", tokens=tokens)
        wait_for_accounts(keeper, work=2, home=1)
        # No log tells of this one: once it was waited for, so were all before it, and none is booked again.
        fake.served(4, "home", "req_unseen", "conv-unseen")
        wait_for_accounts(keeper, work=2, home=2)


@pytest.mark.parametrize("ahead", [3_600.0, -3_600.0])
def test_clock_off(keeper: Keeper, ahead: float) -> None:
    """A row without headers is joined by our time, where the proxy's own clock is off."""
    with FakeCcflare("H") as fake:
        fake.ahead = ahead
        follow(keeper, fake)
        reply(keeper.home.log())
        fake.served(1, "work")
        wait_for_accounts(keeper, work=1)
        # Once this one was waited for, so was the one before it.
        fake.served(2, "home", "req_unseen", "conv-unseen")
        wait_for_accounts(keeper, work=1, home=1)


def test_two_addresses(keeper: Keeper) -> None:
    """A proxy that agents ask by two addresses tells of each request twice, and each counts once."""
    with FakeCcflare("H") as fake, FakeCcflare("H") as same:
        same.rows, same.details = fake.rows, fake.details
        keeper.configure(settings())
        keeper.start()
        log = asking(keeper, fake).log
        asking(keeper, same)
        keeper.wait_for(lambda status: sum(bool(each.accounts) for each in status.proxies) == 2)
        reply(log)
        fake.served(1, "work")
        fake.served(2, "work", tokens=Tokens(output=100))
        same.push("summary", {})
        wait_for_accounts(keeper, work=2)
        # Only the other address tells of this one: once it was waited for, so was all that it told before.
        same.rows = [*same.rows]
        same.details = [*same.details]
        same.served(3, "home", "req_unseen", "conv-unseen")
        wait_for_accounts(keeper, work=2, home=1)
        assert keeper.toll.status().today.total.requests == 3


def test_under_way(keeper: Keeper) -> None:
    """A request whose row was there before its reply gets its account when that is over."""
    with FakeCcflare() as fake:
        follow(keeper, fake)
        fake.began(1, "work")
        fake.served(2, "home", "req_2", "conv-2")
        wait_for_accounts(keeper, home=1)
        log = keeper.home.log()
        fake.served(1, "work", reply(log), log.writer.conversation)
        wait_for_accounts(keeper, home=1, work=1)
        assert keeper.toll.status().today.total.value_usd > USUAL_USD


def test_many_rows(keeper: Keeper) -> None:
    """A proxy with more requests than it tells at once: what it tells is joined, and what is older is left."""
    with FakeCcflare() as fake:
        for number in range(1_100):
            fake.served(number, "work", f"req_{number}", "conv", when=time.time() - 60)
        follow(keeper, fake)
        wait_until(lambda: spent(keeper) == {"work": 1_000}, 30)
        assert {path for path in fake.asked if "detail" in path} == {
            "/api/requests/detail?limit=20"
        }
        assert {path for path in fake.asked if path.startswith("/api/requests?")} <= {
            "/api/requests?limit=50",
            "/api/requests?limit=1000",
        }


def test_limited_is_told_once(keeper: Keeper) -> None:
    """That an account is limited is told once for each reset, over a restart too, and that all are."""
    with FakeCcflare() as fake:
        fake.limit("work", 3600)
        follow(keeper, fake)
        wait_until(lambda: len(alerts(keeper, "account-limited")) == 1)
        [text] = alerts(keeper, "account-limited")
        assert text.startswith(f"account {fake.server}/work is limited until ")
        assert alerts(keeper, "accounts-limited") == []
        keeper.restart()
        keeper.wait_for(lambda status: bool(accounts(status)))
        fake.limit("home", 7200)
        fake.served(1, "work", "req_1", "conv-1")
        wait_until(lambda: len(alerts(keeper, "accounts-limited")) == 1)
        assert [text.split("/")[1][:4] for text in alerts(keeper, "account-limited")] == ["home"]
        shown = keeper.run("accounts").stdout
        assert shown.count("⊘ limited") == 2
        assert "59m" in shown


def test_key(keeper: Keeper, tmp_path: Path) -> None:
    """A proxy that wants a key gets the one of the environment or of a command, and nobody else sees it."""
    secret = "btr-very-secret-0123456789"
    with FakeCcflare() as fake, FakeCcflare() as found:
        fake.key = found.key = secret
        keeper.environment["TOLL_CCFLARE_KEY"] = "btr-wrong-9876543210"
        keeper.configure(settings(fake.url))
        keeper.start()
        asking(keeper, found)
        wait_until(lambda: any("refuses the key" in text for text in alerts(keeper, "failed")))
        wait_until(lambda: any("wants a key: set" in text for text in alerts(keeper, "failed")))
        assert found.keys == set()
        assert fake.keys == {"btr-wrong-9876543210"}
        assert keeper.stop() == 0
        del keeper.environment["TOLL_CCFLARE_KEY"]
        (tmp_path / "key").write_text(f"{secret}\n")
        follow(keeper, fake, key_command=f"cat {tmp_path}/key")
        keeper.run("accounts")
        keeper.run("export")
        assert keeper.stop() == 0
        assert secret in fake.keys
        assert found.keys == set()
    for file in keeper.root.rglob("*"):
        if file.is_file() and file != keeper.paths.settings:
            data = file.read_bytes()
            assert secret.encode() not in data, file
            assert b"btr-wrong" not in data, file


def test_another_server(keeper: Keeper) -> None:
    """A server that is no such proxy is asked for its health once, and nothing else."""
    with FakeCcflare() as fake, FakeCcflare() as proxy:
        fake.raw["/health"] = b'{"status": "healthy", "version": "1.0"}'
        keeper.configure(settings())
        keeper.start()
        asking(keeper, fake)
        wait_until(lambda: fake.asked)
        # The look that finds another agent's proxy looks at this server as well.
        asking(keeper, proxy)
        status = keeper.wait_for(lambda status: bool(accounts(status)))
        assert fake.asked == ["/health"]
        assert [proxy.server] == [each.server for each in status.proxies]


def test_absent_and_restarted(keeper: Keeper) -> None:
    """A proxy that is away is told of once and asked again; back as a later version it goes on."""
    with FakeCcflare("C") as fake:
        port = fake.port
        follow(keeper, fake)
        fake.served(1, "work", "req_1", "conv-1")
        wait_for_accounts(keeper, work=1)
        rows, details = fake.rows, fake.details
    status = keeper.wait_for(lambda status: bool(status.proxies[0].trouble))
    assert accounts(status).keys() == {"work", "home"}
    with FakeCcflare("H", port) as fake:
        fake.rows, fake.details = rows, details
        fake.served(2, "home", "req_2", "conv-1")
        keeper.wait_for(lambda status: status.proxies[0].generation == "H", 20)
        wait_for_accounts(keeper, work=1, home=1)
        assert fake.strays == set()
    [text] = [text for text in alerts(keeper, "failed") if "can't be followed" in text][:1]
    assert fake.server in text


@pytest.mark.parametrize(
    "raw",
    {
        "no JSON": b"<html>hello</html>",
        "huge": b'["' + b"x" * (17 << 20) + b'"]',
    }.items(),
    ids=lambda item: item[0],
)
def test_garbage(keeper: Keeper, raw: tuple[str, bytes]) -> None:
    """Answers that are none are told of, once, cost no one else anything, and are over when they are over."""
    with FakeCcflare() as fake:
        fake.raw["/api/requests"] = raw[1]
        keeper.configure(settings(fake.url))
        keeper.start()
        wait_until(lambda: any("can't be followed" in each for each in alerts(keeper, "failed")))
        keeper.home.log().reply()
        keeper.wait_for_requests(1)
        del fake.raw["/api/requests"]
        fake.served(1, "work", "req_1", "conv-1")
        wait_until(lambda: spent(keeper).get("work") == 1, 20)


def test_bad_entries(keeper: Keeper) -> None:
    """A row or an account that can't be read is counted, and those beside it are taken."""
    with FakeCcflare() as fake:
        bad = [{"id": 7}, None, {"id": "x", "timestamp": "never", "inputTokens": -1}]
        timeless = {"id": "t", "timestamp": "never", "accountUsed": "work", "model": "m"}
        fake.rows += [*bad, {**timeless, "inputTokens": 5}]
        fake.accounts.append({"id": "nameless"})
        fake.served(1, "work", "req_1", "conv-1")
        follow(keeper, fake)
        wait_for_accounts(keeper, work=1)
        [proxy] = keeper.report("health")["proxies"]
        assert proxy["bad"] >= 5


def test_slow(keeper: Keeper) -> None:
    """A proxy that takes its time keeps nobody waiting, neither calls nor the daemon's end."""
    with FakeCcflare() as fake:
        fake.delay = 30.0
        keeper.configure(settings(fake.url))
        keeper.start()
        wait_until(lambda: fake.asked)
        began = time.monotonic()
        keeper.home.log().reply()
        keeper.wait_for_requests(1)
        assert keeper.stop() == 0
        assert time.monotonic() - began < 8


def test_history_is_no_news(keeper: Keeper) -> None:
    """What a proxy knew before it was followed is counted, and no limit acts on it; what comes later counts."""
    with FakeCcflare("C") as fake:
        for account in fake.accounts:
            account["provider"] = "claude-console-api"
        fake.served(1, "work", "req_1", "conv-1", when=time.time() - 5)
        limited = settings(fake.url).replace("daily = 0", 'daily = 0.01\naction = "warn"')
        keeper.configure(limited)
        keeper.start()
        wait_for_accounts(keeper, work=1)
        [limit] = [each for each in keeper.toll.status().limits if each.scope == "daily"]
        assert (limit.state, limit.used) == ("under", 0)
        fake.served(2, "work", "req_2", "conv-1")
        wait_for_accounts(keeper, work=2)
        keeper.wait_for(lambda status: status.limits[0].state == "reached")


def test_first_requests_count(keeper: Keeper) -> None:
    """The first requests ever through a proxy are news when it was followed before, by an earlier daemon, too."""
    with FakeCcflare("C") as fake:
        for account in fake.accounts:
            account["provider"] = "claude-console-api"
        limited = settings(fake.url).replace("daily = 0", 'daily = 0.01\naction = "warn"')
        keeper.configure(limited)
        keeper.start()
        keeper.wait_for(lambda status: bool(accounts(status)))
        keeper.kill()
        fake.served(1, "work", "req_1", "conv-1")
        keeper.start()
        keeper.wait_for(lambda status: status.limits[0].state == "reached")
        wait_for_accounts(keeper, work=1)


def test_nothing_without_a_proxy(keeper: Keeper) -> None:
    """Where no agent asks a proxy and none is named, none is looked for, and nothing of HTTP is loaded."""
    keeper.start()
    keeper.start_agent().says("busy")
    status = keeper.wait_for(lambda status: bool(status.agents))
    assert status.proxies == ()
    loads = "import sys, tollkeeper_daemon.app; sys.exit('http.client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loads], check=False).returncode == 0


def test_stopped_with_its_agents(keeper: Keeper) -> None:
    """A proxy that no agent asks any more, since the settings say not to look, is asked nothing more."""
    with FakeCcflare() as fake, FakeCcflare() as named:
        keeper.configure(settings())
        keeper.start()
        asking(keeper, fake)
        keeper.wait_for(lambda status: bool(accounts(status)))
        keeper.configure(settings(named.url, find="no").replace('"no"', "false"))
        keeper.wait_for(lambda status: [named.server] == [each.server for each in status.proxies])
        fake.served(1, "home", "req_1", "conv-1")
        named.served(1, "work", "req_2", "conv-2")
        wait_for_accounts(keeper, work=1)
        before = len(fake.asked)
        fake.served(2, "home", "req_3", "conv-1")
        named.served(2, "work", "req_4", "conv-2")
        wait_for_accounts(keeper, work=2)
        assert len(fake.asked) == before


def test_named_server_is_another(keeper: Keeper) -> None:
    """Where something else answers at the address that a person named, that is told, and asked again."""
    with FakeCcflare() as fake:
        fake.raw["/health"] = b"<html>hello</html>"
        keeper.configure(settings(fake.url))
        keeper.start()
        wait_until(lambda: any("neither ccflare" in text for text in alerts(keeper, "failed")))
        assert "neither ccflare" in keeper.run("accounts").stdout
        del fake.raw["/health"]
        keeper.wait_for(lambda status: bool(accounts(status)))


def test_gone_with_its_agent(keeper: Keeper) -> None:
    """A proxy that went after its only agent is no trouble for the doctor, and nobody says that its accounts are ready."""
    keeper.configure(settings())
    keeper.start()
    with FakeCcflare() as fake:
        agent = asking(keeper, fake)
        keeper.wait_for(lambda status: bool(accounts(status)))
        agent.exit()
        keeper.wait_for(lambda status: status.agents[0].state == "exited")
    keeper.wait_for(lambda status: bool(status.proxies[0].trouble))
    [line] = [each for each in keeper.run("doctor").stdout.splitlines() if fake.server in each]
    assert line.startswith("ok ") and line.endswith("; no agent that runs asks it")
    assert alerts(keeper, "failed") == []
    shown = keeper.run("accounts").stdout
    assert ("ready" in shown, shown.count("? unknown")) == (False, len(fake.accounts))
