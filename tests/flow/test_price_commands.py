"""toll prices, toll reprice and toll plans, in front of a daemon: words, JSON, exit statuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from tollkeeper.control import is_listening

from .claude_home import ClaudeHome
from .keeper import Keeper
from .lines import OPUS, Tokens
from .terminal import Running

THOUSAND = Tokens(1000, 1000, 0, 0, 0)
NEW = "claude-opus-9"
SET = ("prices", "set", OPUS, "--input", "10", "--output", "20")


def said(keeper: Keeper, *arguments: str) -> str:
    """What the command says for people; it must have done what it was told."""
    result = keeper.run(*arguments, environment={"COLUMNS": "140"})
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def refused(keeper: Keeper, *arguments: str) -> tuple[int, str]:
    """The exit status, and the one line of error; nothing may stand on stdout."""
    result = keeper.run(*arguments)
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)
    return result.returncode, result.stderr


def test_prices_are_listed(daemon: Keeper) -> None:
    """Every price in a line for people, and as a list of objects; your own are marked."""
    said(daemon, *SET, "--since", "2026-01-01", "--fast", "3")
    shown = said(daemon, "prices").splitlines()
    assert any(
        line.split() == ["claude-haiku-5-5", "0.1", "0.5", "0.01", "0.125", "0.2", ">100k", "×5"]
        for line in shown
    )
    assert any(line.split()[1:5] == ["2026-01-01", "own", "10", "20"] for line in shown)
    listed = daemon.json("prices")
    [own] = [each for each in listed if each["whose"] == "own"]
    assert own == {
        "model": OPUS,
        "input": 10.0,
        "output": 20.0,
        "cache_read": 1.0,
        "cache_write_5m": 12.5,
        "cache_write_1h": 20.0,
        "fast": 3.0,
        "above_100k": 1.0,
        "since": "2026-01-01",
        "whose": "own",
    }
    assert len(listed) == 24


def test_set_says_what_it_assumed(daemon: Keeper, home: ClaudeHome) -> None:
    """Setting a price tells what was left out, where it stands, and which requests it concerns."""
    home.log().reply(THOUSAND)
    daemon.wait_for_requests(1)
    shown = said(daemon, *SET)
    assert "usual multiple of the input's rate: cache reads, 5-minute writes, 1-hour" in shown
    assert "Before: 4/20/0.2/5/8 (built-in)." in shown
    assert str(daemon.paths.prices) in shown
    assert "1 request is charged at other prices: toll reprice" in shown
    answer = daemon.json(*SET, "--cache-read", "1")
    assert (answer["assumed"], answer["requests_at_other_prices"]) == (
        ["cache_write_5m", "cache_write_1h"],
        1,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["prices", "set"],
        ["prices", "set", NEW],
        ["prices", "set", NEW, "--input", "1"],
        ["prices", "set", NEW, "--input", "-1", "--output", "1"],
        ["prices", "set", NEW, "--input", "nan", "--output", "1"],
        ["prices", "set", NEW, "--input", "one", "--output", "1"],
        ["prices", "set", NEW, "--input", "1", "--output", "1", "--since", "soon"],
        ["prices", "import"],
        ["prices", "set", NEW, "--input", "1", "--output", "1", "--fast", "0"],
        ["prices", "set", NEW, "--input", "1", "--output", "1", "--above-100k", "0.0"],
        ["prices", "remove"],
        ["prices", "remove", NEW, "--since", "soon"],
        ["prices", "drop"],
        ["reprice", "--since", "soon"],
        ["plans", "set"],
        ["plans", "set", "max", "--opus", "few"],
        ["plans", "set", "max", "--price", "free"],
        ["plans", "remove"],
    ],
)
def test_wrong_usage(keeper: Keeper, arguments: list[str]) -> None:
    """Wrong usage has exit status 2 and one line, and starts nothing."""
    assert refused(keeper, *arguments)[0] == 2
    assert not is_listening(keeper.paths)


def test_help_of_a_verb_below(keeper: Keeper) -> None:
    """What a verb below a verb does not know points to its own help."""
    told = refused(keeper, "prices", "check", "x")
    assert told == (2, "toll: unrecognized arguments: x; see toll prices check --help\n")


def test_short_name(daemon: Keeper, home: ClaudeHome) -> None:
    """A model may be named as reports name it, whether it has a price or only requests."""
    log = home.log()
    log.reply(THOUSAND)
    log.reply(THOUSAND, NEW)
    daemon.wait_for_requests(2)
    rates = ("--input", "10", "--output", "20")
    for short, model in (("opus-5-5", OPUS), ("opus-9", NEW), ("opus-4.1", None)):
        answer = daemon.json("prices", "set", short, *rates)
        assert answer["price"]["model"] == (model or "claude-opus-4-1-20250805")
    assert daemon.json("reprice")["total"]["requests"] == 2


def test_model_that_nobody_uses(daemon: Keeper) -> None:
    """A name of no price and no request is written, with a line that says so and what is known."""
    rates = ("--input", "1", "--output", "1")
    told = daemon.run("prices", "set", "opuss-5-5", *rates)
    assert told.returncode == 0
    assert told.stderr.startswith("toll: no request names opuss-5-5 yet; known are claude-opus-5-5")
    assert told.stderr.count("\n") == 1
    assert daemon.run("prices", "set", "zzzz", *rates).stderr.endswith("yet; see: toll prices\n")
    assert 'model = "opuss-5-5"' in daemon.paths.prices.read_text()
    said(daemon, "prices", "set", "opuss-5-5", *rates)


def test_remove(daemon: Keeper, home: ClaudeHome) -> None:
    """Prices of one's own are removed, by day or all of them; the built-in one holds again."""
    home.log().reply(THOUSAND)
    daemon.wait_for_requests(1)
    for since in ([], ["--since", "2025-01-01"], ["--since", "2026-01-01"]):
        said(daemon, *SET, *since)
    said(daemon, "reprice", "--yes")
    shown = said(daemon, "prices", "remove", "opus-5-5", "--since", "2025-01-01")
    assert f"Removed: {OPUS} since 2025-01-01, 10/20/" in shown
    assert "In force: 10/20/1/12.5/20 (own)." in shown
    assert "reprice" not in shown
    assert daemon.paths.prices.read_text().count("[[prices]]") == 2
    shown = said(daemon, "prices", "remove", OPUS)
    assert "In force: 4/20/0.2/5/8 (built-in)." in shown
    assert "1 request is charged at other prices: toll reprice" in shown
    assert "[[prices]]" not in daemon.paths.prices.read_text()
    for name in (OPUS, NEW):
        assert refused(daemon, "prices", "remove", name)[0] == 2
    said(daemon, *SET)
    assert refused(daemon, "prices", "remove", OPUS, "--since", "2025-01-01")[0] == 2
    removed = daemon.json("prices", "remove", OPUS)
    assert (removed["removed"][0]["model"], removed["counted_all"]) == (OPUS, True)


@pytest.mark.parametrize("columns", ["60", "80"])
def test_prices_in_a_narrow_terminal(daemon: Keeper, columns: str) -> None:
    """Two prices of one model are told apart by their day and whose they are; no line is too wide."""
    said(daemon, *SET)
    said(daemon, *SET, "--since", "2026-01-01")
    shown = daemon.run("prices", environment={"COLUMNS": columns}).stdout.split("\n\n")[0]
    lines = [line.split() for line in shown.splitlines() if line.startswith("opus-5-5 ")]
    assert [line[1:3] for line in lines] == [["own", "10"], ["2026-01-01", "own"]]
    assert max(map(len, shown.splitlines()[1:25])) <= int(columns)


def test_broken_file_is_told(daemon: Keeper) -> None:
    """A broken prices.toml refuses to be written to, with the way out, and the list says so."""
    daemon.paths.prices.write_text("prices = nothing")
    status, error = refused(daemon, *SET)
    assert status == 1
    assert "mend" in error
    for arguments in (["prices"], ["prices", "--json"]):
        listed = daemon.run(*arguments)
        assert listed.returncode == 0
        assert listed.stderr.startswith(f"toll: {daemon.paths.prices}: Invalid value (at line 1,")
        assert listed.stderr.count("\n") == 1


def write_list(folder: Path, **entries: Any) -> str:
    """A list in LiteLLM's form."""
    path = folder / "list.json"
    path.write_text(json.dumps({name.replace("_", "-"): each for name, each in entries.items()}))
    return str(path)


def test_import(daemon: Keeper, home: ClaudeHome, tmp_path: Path) -> None:
    """An import says of every entry what became of it, and why."""
    home.log().reply(THOUSAND, NEW)
    daemon.wait_for_requests(1)
    rates = {"input_cost_per_token": 5e-06, "output_cost_per_token": 2.5e-05}
    path = write_list(
        tmp_path,
        claude_opus_9={**rates, "litellm_provider": "anthropic"},
        claude_sonnet_5=rates,
        claude_opus_5={**rates, "provider_specific_entry": {"fast": 2.0, "us": 1.1}},
        claude_fable_5_2={"input_cost_per_token": "x", "output_cost_per_token": 1},
        claude_opus_8={**rates, "litellm_provider": "bedrock"},
        gpt_5=rates,
    )
    shown = said(daemon, "prices", "import", path)
    assert not [line for line in shown.splitlines() if line != line.rstrip()]
    assert f"added    {NEW}: 5/25/0.5/6.25/10 (assumed: cache reads" in shown
    assert "changed  claude-sonnet-5: 2/10/0.2/2.5/4 -> 5/25/0.5/6.25/10" in shown
    assert "broken   claude-fable-5-2: " in shown
    assert "passed   1: costs what is known already" in shown
    assert "passed   1: sold by another provider" in shown
    assert "1 added, 1 changed, 1 broken." in shown
    assert "1 request is charged at other prices: toll reprice" in shown
    answer = daemon.json("prices", "import", path, "--all")
    assert answer["counts"] == {"same": 3, "broken": 1, "skipped": 1}
    assert answer["requests_at_other_prices"] == 1
    text = daemon.paths.prices.read_text()
    assert text.count("[[prices]]") == 3
    assert f"same     {NEW}: 5/25/0.5/6.25/10" in said(daemon, "prices", "import", path, "--all")
    assert "gpt" not in text


@pytest.mark.parametrize("content", ["", "{", "[]", "5", "[" * 100_000, "\udc80"])
def test_file_that_is_no_list(daemon: Keeper, tmp_path: Path, content: str) -> None:
    """What is no list of prices is told in one line, and changes nothing."""
    path = tmp_path / "list.json"
    path.write_text(content, errors="surrogateescape")
    status, error = refused(daemon, "prices", "import", str(path))
    assert status == 1
    assert str(path) in error
    assert not daemon.paths.prices.exists()


def test_import_of_nothing(daemon: Keeper, tmp_path: Path) -> None:
    """A file that is not there is told; a list without Claude writes nothing."""
    assert refused(daemon, "prices", "import", str(tmp_path / "none"))[0] == 1
    shown = said(daemon, "prices", "import", write_list(tmp_path, gpt_5={}))
    assert shown.endswith("0 added, 0 changed, 0 broken.\n")
    assert not daemon.paths.prices.exists()


def test_check(daemon: Keeper, home: ClaudeHome) -> None:
    """A model without a price is named with what it was charged, and what mends it."""
    assert "Every model has a price" in said(daemon, "prices", "check")
    home.log().reply(THOUSAND, NEW)
    daemon.wait_for_requests(1)
    shown = said(daemon, "prices", "check")
    assert [
        word for word in (NEW, "2.00K", "~$0.0900", "claude-opus-4-1-2025") if word not in shown
    ] == []
    said(daemon, "prices", "set", NEW, "--input", "1", "--output", "1")
    shown = said(daemon, "prices", "check")
    assert "though there is a price by now" in shown
    assert "toll reprice" in shown
    assert [line["model"] for line in daemon.json("prices", "check")["outdated"]] == [NEW]


@pytest.fixture
def dearer(daemon: Keeper, home: ClaudeHome) -> Keeper:
    """A daemon with a request that is charged at $0.024, and comes to $0.03."""
    home.log().reply(THOUSAND)
    daemon.wait_for_requests(1)
    said(daemon, *SET)
    return daemon


def value(keeper: Keeper) -> float:
    """The list price of everything."""
    return keeper.report("daily")["totals"]["valueUSD"]


def test_reprice_without_a_terminal(dearer: Keeper) -> None:
    """Where nobody can be asked the difference is shown, and how to go on; --yes does it."""
    shown = said(dearer, "reprice")
    row = [OPUS, "1", "$0.0240", "$0.0300", "+$0.0060", "+$0.0060"]
    assert row in [line.split() for line in shown.splitlines()]
    assert "toll reprice --yes" in shown
    assert "Nothing" not in said(dearer, "reprice", "--dry-run")
    said(dearer, "reprice", "--yes", "--dry-run")
    assert dearer.json("reprice")["dry_run"]
    assert value(dearer) == 0.024
    assert "1 request was charged anew: list price +$0.0060" in said(dearer, "reprice", "--yes")
    assert value(dearer) == 0.03
    assert "Every request is charged by the prices in force" in said(dearer, "reprice", "--yes")


def test_reprice_as_json(dearer: Keeper) -> None:
    """With --json the difference is told, and with --yes what was done."""
    look = dearer.json("reprice", "--since", "2020-01-01")
    assert (look["dry_run"], look["since"]) == (True, "2020-01-01")
    done = dearer.json("reprice", "--yes")
    assert done == {**look, "dry_run": False, "since": None}
    assert value(dearer) == 0.03


@pytest.mark.parametrize(("answer", "becomes"), [("", 0.024), ("no", 0.024), ("y", 0.03)])
def test_reprice_asks(dearer: Keeper, answer: str, becomes: float) -> None:
    """At a terminal it asks, and only a yes changes anything."""
    with Running(dearer, "reprice", columns=100) as running:
        running.wait_for("Charge them anew? [y/N] ")
        assert value(dearer) == 0.024
        running.say(answer)
        assert running.end() == (0, "")
    assert value(dearer) == becomes


def test_plans(daemon: Keeper) -> None:
    """Plans are listed, set in part, and removed; what is built in stays."""
    assert "max-20x  Claude Max 20x  $200.00   ~16,000  ~800  opus, sonnet, haiku" in said(
        daemon, "plans"
    )
    shown = said(daemon, "plans", "set", "max", "--opus", "none", "--messages", "5000")
    assert [each for each in ("$100.00", "~5,000", "own") if each not in shown] == []
    made = ("--price", "30", "--models", "claude-opus, claude-haiku", "--title", "The Team")
    plan = daemon.json("plans", "set", "team", *made)["plan"]
    assert (plan["models"], plan["title"]) == (["claude-opus", "claude-haiku"], "The Team")
    assert [each["name"] for each in daemon.json("plans")] == ["pro", "team", "max", "max-20x"]
    assert "built-in one holds again" in said(daemon, "plans", "remove", "max")
    assert daemon.json("plans", "remove", "team")["built_in"] is None
    assert refused(daemon, "plans", "remove", "max")[0] == 2
    assert [each["whose"] for each in daemon.json("plans")] == ["built-in"] * 3
