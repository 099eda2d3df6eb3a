"""Prices of the user's own, set, imported or edited by hand, and requests charged anew by them."""

import contextlib
import threading
import time
from typing import Any

import pytest

from tollkeeper.control import Toll
from tollkeeper.errors import CallError, TollError
from waiting import wait_until

from . import lines
from .claude_home import ClaudeHome
from .keeper import Keeper
from .lines import OPUS, USUAL_USD, Tokens

# 1,000 tokens in and 1,000 out: $0.024 by the built-in price of Opus.
THOUSAND = Tokens(1000, 1000, 0, 0, 0)
NEW = "claude-opus-9"


def value(keeper: Keeper) -> float:
    """The list price of everything."""
    return keeper.report("daily")["totals"]["valueUSD"]


def write_prices(keeper: Keeper, dollars: int, model: str = OPUS) -> None:
    """What a person puts into prices.toml: the same dollars for input and output."""
    keeper.paths.prices.write_text(
        f'# mine\n[[prices]]\nmodel = "{model}"\ninput = {dollars}\noutput = {dollars}\n'
        "cache_read = 0\ncache_write_5m = 0\ncache_write_1h = 0\n"
    )


def price_of(keeper: Keeper, model: str = OPUS) -> dict[str, Any]:
    """The price of the model as the daemon tells it."""
    [found] = [each for each in keeper.report("prices")["prices"] if each["model"] == model]
    return found


def test_set_price_is_in_force_at_once(daemon: Keeper, home: ClaudeHome) -> None:
    """The next request is charged by the price that was set; the ones before keep theirs."""
    log = home.log()
    log.reply(THOUSAND)
    daemon.wait_for_requests(1)
    answer = daemon.report("prices.set", model=OPUS, input="10", output="20.5")
    assert answer["price"] == price_of(daemon)
    assert (answer["before"]["input"], answer["kept"]) == (4.0, ["fast"])
    assert answer["assumed"] == ["cache_read", "cache_write_5m", "cache_write_1h"]
    assert price_of(daemon)["whose"] == "own"
    log.reply(THOUSAND)
    daemon.wait_for_requests(2)
    assert value(daemon) == pytest.approx(0.024 + 0.0305)
    assert daemon.restart().report("prices")["prices"]
    assert value(daemon) == pytest.approx(0.024 + 0.0305)


def test_set_keeps_what_a_person_wrote(daemon: Keeper) -> None:
    """Comments and other prices stay; a price of the same model and day is replaced."""
    write_prices(daemon, 7, NEW)
    daemon.report("prices.set", model="claude-opus-8", input=1, output=2, since="2026-01-01")
    daemon.report("prices.set", model=NEW, input=8, output=9, cache_read=1)
    text = daemon.paths.prices.read_text()
    assert text.startswith(f'# mine\n[[prices]]\nmodel = "{NEW}"\ninput = 8.0\noutput = 9.0\n')
    assert text.count("[[prices]]") == 2
    assert price_of(daemon, "claude-opus-8")["since"] == "2026-01-01"


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"model": "m", "input": 1},
        {"model": "", "input": 1, "output": 1},
        {"model": "m", "input": -1, "output": 1},
        {"model": "m", "input": "nan", "output": 1},
        {"model": "m", "input": "1e999999", "output": 1},
        {"model": "m", "input": 1, "output": 1, "since": "soon"},
        {"model": "m", "input": 1, "output": 1, "cache": 1},
        {"model": 5, "input": 1, "output": 1},
    ],
)
def test_price_that_is_none(daemon: Keeper, params: dict[str, Any]) -> None:
    """A call that names no price is refused, and writes nothing."""
    with pytest.raises(CallError) as refused:
        daemon.report("prices.set", **params)
    assert refused.value.code == "bad-params"
    assert not daemon.paths.prices.exists()


def test_hand_edit_is_followed(daemon: Keeper, home: ClaudeHome) -> None:
    """A file that a person saves is in force within seconds; so is its removal."""
    write_prices(daemon, 50)
    wait_until(lambda: price_of(daemon)["input"] == 50)
    home.log().reply(THOUSAND)
    daemon.wait_for_requests(1)
    assert value(daemon) == pytest.approx(0.1)
    daemon.paths.prices.unlink()
    wait_until(lambda: price_of(daemon)["whose"] == "built-in")


def test_broken_edit_is_told_once(daemon: Keeper, home: ClaudeHome) -> None:
    """A broken file makes one alert that says what is wrong and where; the prices from before the mistake stay."""
    write_prices(daemon, 50)
    wait_until(lambda: price_of(daemon)["input"] == 50)
    daemon.paths.prices.write_text("version = 1\nprices = nothing\n")
    told = daemon.wait_for(lambda status: bool(status.alerts)).alerts
    assert [alert.kind for alert in told] == ["prices"]
    assert told[0].text.startswith(f"{daemon.paths.prices}: ")
    assert "line 2" in told[0].text
    assert daemon.report("prices")["broken"] in told[0].text
    home.log().reply(THOUSAND)
    daemon.wait_for_requests(1)
    assert value(daemon) == pytest.approx(0.1)
    with pytest.raises(CallError) as refused:
        daemon.report("prices.set", model=OPUS, input=1, output=1)
    assert refused.value.code == "broken-file"
    assert daemon.paths.prices.read_text() == "version = 1\nprices = nothing\n"
    write_prices(daemon, 60)
    wait_until(lambda: price_of(daemon)["input"] == 60)
    assert len(daemon.toll.status().alerts) == 1
    assert daemon.report("prices")["broken"] is None


def test_reprice_first_shows_then_does(daemon: Keeper, home: ClaudeHome) -> None:
    """A look changes nothing; the run does what it said; a second one has nothing to do."""
    log = home.log()
    log.reply(THOUSAND)
    log.reply(THOUSAND, lines.HAIKU)
    daemon.wait_for_requests(2)
    daemon.report("prices.set", model=OPUS, input=10, output=20)
    before = daemon.report("daily")
    look = daemon.report("reprice")
    assert daemon.report("daily") == before
    assert (look["dry_run"], look["since"], look["total"]["requests"]) == (True, None, 1)
    [line] = look["models"]
    assert line["model"] == OPUS
    assert (line["value_before_usd"], line["value_after_usd"]) == (0.024, 0.03)
    assert line["value_difference_usd"] == line["cost_difference_usd"] == pytest.approx(0.006)
    done = daemon.report("reprice", dry_run=False)
    assert (done["dry_run"], done["total"]) == (False, look["total"])
    assert value(daemon) == pytest.approx(before["totals"]["valueUSD"] + 0.006)
    assert daemon.report("reprice")["total"]["requests"] == 0
    assert daemon.report("reprice", dry_run=False)["total"]["requests"] == 0


def test_reprice_from_a_day_on(daemon: Keeper, home: ClaudeHome) -> None:
    """Requests from before the local midnight of that day keep their price."""
    log = home.log()
    for days in (0, 3):
        log.append(lines.reply(log.writer, THOUSAND, when=lines.ago(days=days)))
    daemon.wait_for_requests(2)
    write_prices(daemon, 50)
    wait_until(lambda: price_of(daemon)["input"] == 50)
    today = daemon.report("daily")["daily"][-1]["date"]
    daemon.report("reprice", dry_run=False, since=today)
    assert [day["valueUSD"] for day in daemon.report("daily")["daily"]] == [0.024, 0.1]
    assert daemon.report("reprice")["total"]["requests"] == 1
    assert daemon.report("reprice", since="0001-01-01")["total"]["requests"] == 1


def test_those_who_listen_follow(daemon: Keeper, home: ClaudeHome) -> None:
    """Agent, day and run of a follower and of a new look agree after requests were charged anew."""
    agent = daemon.start_agent()
    agent.says("busy")
    agent.log.reply(THOUSAND)
    daemon.wait_for(lambda status: [each.usage.requests for each in status.agents] == [1])
    with daemon.feed() as feed:
        write_prices(daemon, 50)
        wait_until(lambda: price_of(daemon)["input"] == 50)
        daemon.report("reprice", dry_run=False)
        status = daemon.toll.status()
        assert status.agents[0].usage.value_usd == pytest.approx(0.1)
        assert status.run
        assert status.run.usage.value_usd == pytest.approx(0.1)
        assert status.today.total.value_usd == pytest.approx(0.1)

        def followed() -> bool:
            change = feed.next_change(0.5)
            return change is not None and change.status.today == status.today

        wait_until(followed)
    again = daemon.restart().toll.status()
    assert again.agents[0].usage == status.agents[0].usage
    assert again.today == status.today


def test_check_tells_guesses(daemon: Keeper, home: ClaudeHome) -> None:
    """Models without a price are named; once there is one, the requests charged at a guess are."""
    log = home.log()
    log.reply(THOUSAND, NEW)
    log.reply(THOUSAND, "claude-opus-8")
    log.reply(THOUSAND)
    daemon.wait_for_requests(3)
    check = daemon.report("prices.check")
    assert [line["model"] for line in check["without_price"]] == ["claude-opus-8", NEW]
    assert check["outdated"] == []
    daemon.report("prices.set", model=NEW, input=1, output=1)
    check = daemon.report("prices.check")
    [guess] = check["without_price"]
    assert (guess["model"], guess["requests"], guess["total_tokens"]) == ("claude-opus-8", 1, 2000)
    assert guess["charged_as"] == "claude-opus-4-1-20250805"
    [outdated] = check["outdated"]
    assert (outdated["model"], outdated["value_usd"]) == (NEW, 0.09)
    assert daemon.report("health")["unpriced_models"] == ["claude-opus-8"]
    assert daemon.report("health")["outdated_guesses"] == [NEW]
    daemon.report("reprice", dry_run=False)
    assert daemon.report("prices.check")["outdated"] == []
    assert daemon.report("health")["outdated_guesses"] == []
    assert daemon.restart().report("health")["unpriced_models"] == ["claude-opus-8"]
    assert daemon.report("daily")["totals"]["unpricedRequests"] == 1


def test_import_of_a_list(daemon: Keeper) -> None:
    """What LiteLLM's list says otherwise is written and in force; each entry's fate is told."""
    entry = {"input_cost_per_token": "4e-06", "output_cost_per_token": "2.5e-05"}
    answer = daemon.report(
        "prices.import",
        entries={NEW: entry, OPUS: entry, "claude-opus-8": {"input_cost_per_token": "x"}},
    )
    assert answer["counts"] == {"added": 1, "changed": 1, "broken": 1}
    assert (price_of(daemon, NEW)["output"], price_of(daemon)["output"]) == (25.0, 25.0)
    assert daemon.report("prices.import", entries={NEW: entry})["counts"] == {"same": 1}
    with pytest.raises(CallError, match="entries"):
        daemon.report("prices.import")


def test_plans(daemon: Keeper) -> None:
    """A plan is set over the built-in one, changed in part, and removed; then that one is back."""
    plan = daemon.report("plans.set", name="max", opus_limit=None)["plan"]
    assert (plan["monthly_price_usd"], plan["opus_limit"], plan["whose"]) == (100.0, None, "own")
    daemon.report("plans.set", name="team", monthly_price="30", models=["claude-opus"])
    names = [each["name"] for each in daemon.report("plans")["plans"]]
    assert names == ["pro", "team", "max", "max-20x"]
    removed = daemon.report("plans.remove", name="max")
    assert removed["built_in"]["opus_limit"] == 200
    for name in ("max", "none"):
        with pytest.raises(CallError) as refused:
            daemon.report("plans.remove", name=name)
        assert refused.value.code == "bad-params"
    for params in ({"name": "x"}, {"name": "A", "monthly_price": 1}, {"name": "x", "price": 1}):
        with pytest.raises(CallError) as refused:
            daemon.report("plans.set", **params)
        assert refused.value.code == "bad-params"
    daemon.paths.plans.write_text("plans = 5")
    with pytest.raises(CallError) as refused:
        daemon.report("plans")
    assert refused.value.code == "broken-file"


@pytest.mark.parametrize("models", [["claude-opus"] * 21, ["m" * 61], ["x"] * 50_000])
def test_plan_of_too_many_models(daemon: Keeper, models: list[str]) -> None:
    """A plan with more models, or longer names, than any has is refused at once."""
    start = time.monotonic()
    with pytest.raises(CallError, match="its models are more than 20") as refused:
        daemon.report("plans.set", name="team", monthly_price=30, models=models)
    assert refused.value.code == "bad-params"
    assert time.monotonic() - start < 3
    assert not daemon.paths.plans.exists()


def test_import_of_too_many(daemon: Keeper) -> None:
    """An import that would write hundreds of prices is refused whole, with the number."""
    entry = {"input_cost_per_token": "4e-06", "output_cost_per_token": "2.5e-05"}
    entries = {f"claude-opus-{number}": entry for number in range(100, 401)}
    with pytest.raises(CallError, match="301 prices would be written") as refused:
        daemon.report("prices.import", entries=entries)
    assert refused.value.hint
    assert not daemon.paths.prices.exists()
    entries.pop("claude-opus-100")
    assert daemon.report("prices.import", entries=entries)["counts"] == {"added": 300}
    assert daemon.report("prices.import", entries=entries)["counts"] == {"same": 300}


def test_look_holds_no_reader_up(daemon: Keeper, home: ClaudeHome) -> None:
    """A look that may not take any time says that it is not complete."""
    home.log().reply(THOUSAND)
    daemon.wait_for_requests(1)
    daemon.report("prices.set", model=OPUS, input=10, output=20)
    assert not daemon.report("reprice", most_seconds=0)["complete"]
    look = daemon.report("reprice", most_seconds=60)
    assert (look["complete"], look["total"]["requests"]) == (True, 1)
    with pytest.raises(CallError):
        daemon.report("reprice", most_seconds=-1)


BROKEN = {
    "config.toml": ("[sources]\nprocess = 1\n", "process"),
    "prices.toml": ("version = 1\nprices = nothing\n", "at line 2"),
    "plans.toml": ("version = 1\n[plans.x\n", "at line 2"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_doctor_tells_broken_files(daemon: Keeper, name: str) -> None:
    """A file that was edited into nonsense is told by its path while the daemon still runs."""
    text, said = BROKEN[name]
    path = daemon.paths.config / name
    path.write_text(text)
    files = {file["path"]: file["broken"] for file in daemon.report("health")["own_files"]}
    assert [each for each, broken in files.items() if broken] == [str(path)]
    told = daemon.run("doctor")
    assert (told.returncode, told.stderr) == (1, "")
    [bad] = [line for line in told.stdout.splitlines() if line.startswith("BAD")]
    assert f"{path}: " in bad
    assert said in bad
    assert f"mend it{' at line 2' if 'line' in said else ''}, or move it away" in told.stdout
    path.unlink()
    assert daemon.run("doctor").returncode == 0


@pytest.mark.parametrize("name", ["config.toml", "prices.toml"])
def test_doctor_of_a_daemon_that_can_not_start(keeper: Keeper, name: str) -> None:
    """The doctor says what keeps the daemon from starting, where, and ends with 1."""
    text, said = BROKEN[name]
    path = keeper.paths.config / name
    path.write_text(text)
    told = keeper.run("doctor")
    assert (told.returncode, told.stderr) == (1, "")
    ok, bad, mend, *_ = told.stdout.splitlines()
    assert ok.startswith("ok   directories: ")
    assert bad.startswith(f"BAD  the daemon did not start: {path}: ")
    assert said in bad
    assert "mend it" in mend
    assert keeper.run("up").stderr.startswith(f"toll: the daemon did not start: {path}: ")
    without = keeper.run("doctor", "--no-start").stdout
    assert f"BAD  the last start failed: {path}: " in without
    path.unlink()
    assert "failed" not in keeper.run("doctor", "--no-start").stdout
    assert keeper.run("doctor").returncode == 0


def test_doctor_without_start_reads_the_files(keeper: Keeper) -> None:
    """Without a daemon, and none started, what is no TOML is told all the same."""
    for name, (text, _) in BROKEN.items():
        (keeper.paths.config / name).write_text(text)
    shown = keeper.run("doctor", "--no-start")
    assert shown.returncode == 1
    assert f"BAD  {keeper.paths.prices}: Invalid value (at line 2" in shown.stdout
    assert f"BAD  {keeper.paths.plans}: " in shown.stdout
    keeper.paths.plans.unlink()
    keeper.paths.plans.mkdir()
    assert f"BAD  {keeper.paths.plans}: not a reg" in keeper.run("doctor", "--no-start").stdout


# A large ledger.

MANY = 24_000


@pytest.fixture
def large(keeper: Keeper, home: ClaudeHome) -> Keeper:
    """A daemon that has read many requests."""
    log = home.log()
    log.append(b"".join(lines.reply(log.writer, when=lines.ago(days=3)) for _ in range(MANY)))
    keeper.start()
    keeper.wait_for(lambda status: status.daemon.importing is None, 60)
    keeper.wait_for_requests(MANY)
    return keeper


def make_dearer(keeper: Keeper) -> None:
    """Set a price of $50 for input and output, and nothing for the cache."""
    free = {"cache_read": 0, "cache_write_5m": 0, "cache_write_1h": 0}
    keeper.report("prices.set", model=OPUS, input=50, output=50, **free)


def _reprice(keeper: Keeper) -> threading.Thread:
    """Charge everything anew, and do not wait."""

    def ask() -> None:
        with contextlib.suppress(TollError), Toll(keeper.paths, timeout=20) as toll:
            toll.call("reprice", dict[str, Any], dry_run=False)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


@pytest.mark.timeout(120)
def test_daemon_goes_on_while_it_charges_anew(large: Keeper, home: ClaudeHome) -> None:
    """While many requests are charged anew the daemon answers and posts, and all is right after."""
    make_dearer(large)
    thread = _reprice(large)
    answered, slowest, log = 0, 0.0, home.log()
    while thread.is_alive():
        start = time.monotonic()
        large.toll.status()
        slowest = max(slowest, time.monotonic() - start)
        answered += 1
        log.reply()
    log.reply()
    assert answered > 5
    assert slowest < 2
    large.wait_for_requests(MANY + answered + 1)
    new = 50 * (13 + 303) / 1e6
    assert value(large) == pytest.approx((MANY + answered + 1) * new)
    assert large.report("reprice")["total"]["requests"] == 0


@pytest.mark.timeout(120)
def test_killed_while_it_charges_anew(large: Keeper) -> None:
    """A kill in the midst leaves each request at its old or its new price, and the sums at both."""
    make_dearer(large)
    before = value(large)
    _reprice(large)
    wait_until(lambda: value(large) != before)
    large.kill()
    large.start()
    left = large.report("reprice")["total"]["requests"]
    assert 0 < left < MANY
    new = 50 * (13 + 303) / 1e6
    assert value(large) == pytest.approx(left * USUAL_USD + (MANY - left) * new)
    done = large.report("reprice", dry_run=False)["total"]
    assert done["requests"] == left
    assert value(large) == pytest.approx(MANY * new)


@pytest.mark.timeout(120)
def test_stopped_while_it_charges_anew(large: Keeper) -> None:
    """A daemon that is told to end does not wait for all requests; what is left is done later."""
    make_dearer(large)
    before = value(large)
    _reprice(large)
    wait_until(lambda: value(large) != before)
    start = time.monotonic()
    assert large.stop() == 0
    assert time.monotonic() - start < 5
    large.start()
    assert large.report("reprice", dry_run=False)["total"]["requests"] > 0
    assert large.report("reprice")["total"]["requests"] == 0
