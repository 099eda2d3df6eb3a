"""The toll command: every verb, its words and JSON, its exit status, and what it does to pipes."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tollkeeper import __version__
from tollkeeper.control import is_listening

from .keeper import TOLL, Keeper
from .lines import USUAL
from .terminal import Running

READING_VERBS = ["status", "agents", "daily", "weekly", "monthly", "session", "blocks", "doctor"]
ESCAPE = "\x1b"
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3|4|9|10)\d")


@pytest.fixture(scope="module")
def shared() -> Iterator[Keeper]:
    """A daemon with an agent and its requests, which these tests only ask."""
    with Keeper() as keeper:
        agent = keeper.start_agent(labels={"TOLL_AGENT": "Ada"})
        agent.says("waiting", waitingFor="permission prompt")
        agent.log.prompt()
        agent.log.reply()
        agent.log.subagent("analyst", "look at it").reply()
        keeper.start()
        keeper.wait_for(lambda status: [each.usage.requests for each in status.agents] == [2])
        yield keeper


@pytest.mark.parametrize(
    ("verb", "told"),
    [
        ("status", ["1 agent", "1 pending", "Ada", "waiting: permission prompt", "analyst"]),
        ("agents", ["Ada", "opus-5-5", "$0.0472 [API]"]),
        ("daily", ["Total", "34,632", "$0.0472"]),
        ("session", ["shop", "34,632"]),
        ("doctor", ["ok   daemon: pid", "ok   Claude home"]),
    ],
)
def test_verb_in_words(shared: Keeper, verb: str, told: list[str]) -> None:
    """Each verb shows its figures in words, without a single escape code in a pipe."""
    result = shared.run(verb, environment={"COLUMNS": "140"})
    assert (result.returncode, result.stderr) == (0, "")
    assert [text for text in told if text not in result.stdout] == []
    assert ESCAPE not in result.stdout


@pytest.mark.parametrize("arguments", [["{}", "--json"], ["--json", "{}"], ["{}", "-j"]])
@pytest.mark.parametrize("verb", READING_VERBS)
def test_verb_as_json(shared: Keeper, verb: str, arguments: list[str]) -> None:
    """With --json, before or after the verb, stdout is one JSON value on one line."""
    result = shared.run(*(argument.format(verb) for argument in arguments))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1
    json.loads(result.stdout)


def test_no_verb_is_status(shared: Keeper) -> None:
    """`toll` alone shows the state of things."""
    assert "Ada" in shared.run().stdout
    assert json.loads(shared.run("--json").stdout)["agents"][0]["name"] == "Ada"


def test_status_has_its_shape(shared: Keeper) -> None:
    """The keys of `toll status --json` are those that others rely on."""
    status = shared.json("status")
    assert status.keys() == {
        *("version", "protocol", "sequence", "time", "daemon", "agents"),
        *("plan", "today", "run", "limits", "alerts", "plans", "accounts", "proxies"),
    }
    [agent] = status["agents"]
    assert agent.keys() == {
        *(
            "id",
            "name",
            "pid",
            "state",
            "state_since",
            "waiting_for",
            "source",
            "account",
            "model",
            "cwd",
        ),
        *("project", "conversation", "started_at", "last_activity_at", "workflow", "task"),
        *("stage", "lines_added", "lines_removed", "context_used_percent", "usage"),
        *("subagents", "limits", "held"),
    }
    [subagent] = agent["subagents"]
    assert subagent.keys() == {"id", "type", "description", "state", "usage"}
    assert status["today"].keys() == {"subscription", "api", "total"}


def test_reports_have_ccusage_keys(shared: Keeper) -> None:
    """Reports bear ccusage's keys, so that its readers can read them."""
    daily, session = shared.json("daily"), shared.json("session")
    [day], [conversation] = daily["daily"], session["sessions"]
    for row in (day, conversation, daily["totals"]):
        assert {"inputTokens", "outputTokens", "cacheReadTokens", "totalCost"} <= row.keys()
    assert day["totalTokens"] == conversation["totalTokens"] == 2 * USUAL.total
    assert conversation["lastActivity"].endswith("+00:00")


@pytest.mark.parametrize("since", ["2026-01-31", "20260131"])
def test_period(shared: Keeper, since: str) -> None:
    """--since and --until take days in two forms, and bound what is reported."""
    assert len(shared.json("daily", "--since", since)["daily"]) == 1
    assert shared.json("daily", "--until", since)["daily"] == []
    assert shared.json("session", "-u", since)["sessions"] == []
    assert shared.run("daily", "--until", since).returncode == 0


def test_version_and_help(keeper: Keeper) -> None:
    """--version and every --help answer without starting a daemon."""
    assert keeper.run("--version").stdout == f"toll, version {__version__}\n"
    for verb in ("", *READING_VERBS, "up", "down", "watch"):
        result = keeper.run(*([verb] if verb else []), "--help")
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.startswith("usage: toll")
    assert not is_listening(keeper.paths)


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["--fly"],
        ["status", "--fly"],
        ["status", "now"],
        ["daily", "--since", "yesterday"],
        ["daily", "--since", "2026-02-30"],
        ["daily", "--since"],
        ["session", "--until", "99999999"],
    ],
)
def test_wrong_usage(keeper: Keeper, arguments: list[str]) -> None:
    """Wrong usage has exit status 2, says so on stderr, and starts nothing."""
    result = keeper.run(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert (result.stderr[:6], result.stderr.count("\n")) == ("toll: ", 1)
    assert not is_listening(keeper.paths)


def test_refused_call(shared: Keeper) -> None:
    """A time zone that there is none of is wrong usage: exit status 2 and one line."""
    result = shared.run("daily", "--timezone", "Mars/Olympus", "--json")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("toll: no time zone 'Mars/Olympus'; ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("form", [[], ["--json"]])
@pytest.mark.parametrize("verb", ["status", "agents", "daily", "blocks", "session", "watch"])
def test_no_start(keeper: Keeper, verb: str, form: list[str]) -> None:
    """With --no-start and no daemon a verb has exit status 3, one line, and starts nothing."""
    for arguments in ([verb, "--no-start"], ["--no-start", verb]):
        result = keeper.run(*arguments, *form)
        assert (result.returncode, result.stdout) == (3, "")
        assert result.stderr == "toll: no daemon is running; start it with: toll up\n"
    assert not keeper.paths.data.exists()


def test_no_start_of_others(keeper: Keeper) -> None:
    """Without a daemon `toll down` has nothing to do, and `toll doctor` says how to mend it."""
    assert keeper.json("down") == {"pid": None, "stopped": False, "paused": [], "blocked": []}
    result = keeper.run("doctor", "--no-start")
    assert result.returncode == 1
    assert "BAD  no daemon is running\n     mend: toll up\n" in result.stdout


def test_up_and_down(keeper: Keeper) -> None:
    """`up` starts one daemon, again is no harm; `down` stops it, again is no harm."""
    up = keeper.json("up")
    assert up["started"] is True
    assert keeper.json("up") == {"pid": up["pid"], "started": False}
    assert keeper.run("up").stdout == f"The daemon was up already, with pid {up['pid']}.\n"
    assert keeper.run("down").stdout == f"The daemon (pid {up['pid']}) is down.\n"
    assert not is_listening(keeper.paths)
    assert keeper.run("down").stdout == "No daemon was running.\n"
    assert keeper.run("up").stdout.startswith("The daemon is up, with pid ")


@pytest.mark.parametrize("verb", READING_VERBS)
def test_any_verb_starts_the_daemon(keeper: Keeper, verb: str) -> None:
    """A verb that finds no daemon starts one, and answers as ever."""
    keeper.home.log().reply()
    result = keeper.run(verb)
    assert (result.returncode, result.stderr) == (0, "")
    assert is_listening(keeper.paths)


def test_daemon_outlives_its_terminal(keeper: Keeper) -> None:
    """The daemon that a command started holds none of its pipes, and none of its directory."""
    assert keeper.run("up").returncode == 0
    pid: int = keeper.report("ping")["pid"]
    assert os.getsid(pid) == pid
    if os.path.exists(f"/proc/{pid}/cwd"):
        assert os.readlink(f"/proc/{pid}/cwd") == "/"


@pytest.mark.parametrize("verb", READING_VERBS)
def test_terminal_of_any_width(shared: Keeper, verb: str) -> None:
    """In a terminal no line is wider than it is, from forty columns on."""
    for columns in (40, 80, 200):
        with Running(shared, verb, columns=columns) as running:
            assert running.end() == (0, "")
            if verb != "doctor":
                plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", running.shown)
                assert max(map(len, plain.splitlines())) <= columns


def test_colours(shared: Keeper) -> None:
    """A terminal gets colours; with NO_COLOR it gets none, and a dumb one no codes at all."""
    shown: dict[str, str] = {}
    for name, environment in {
        "colours": {},
        "none": {"NO_COLOR": "1"},
        "dumb": {"TERM": "dumb"},
    }.items():
        with Running(shared, "status", columns=120, environment=environment) as running:
            assert running.end() == (0, "")
            shown[name] = running.shown
    assert COLOUR.search(shown["colours"])
    assert not COLOUR.search(shown["none"])
    assert ESCAPE not in shown["dumb"]


@pytest.mark.parametrize("arguments", [[verb] for verb in READING_VERBS] + [["daily", "--json"]])
def test_broken_pipe_is_quiet(shared: Keeper, arguments: list[str]) -> None:
    """A reader that went away is no error worth a word."""
    mine, its = os.pipe()
    os.close(mine)
    result = subprocess.run(
        [TOLL, *arguments],
        env=shared.environment,
        stdout=its,
        stderr=subprocess.PIPE,
        timeout=20,
        check=False,
    )
    os.close(its)
    assert result.stderr == b""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full device")
@pytest.mark.parametrize("arguments", [[verb] for verb in READING_VERBS] + [["daily", "--json"]])
def test_full_disk_is_told(shared: Keeper, arguments: list[str]) -> None:
    """An answer that can't be written has exit status 1 and one line, no traceback."""
    with open("/dev/full", "wb") as full:
        result = subprocess.run(
            [TOLL, *arguments],
            env=shared.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=20,
            check=False,
        )
    assert result.returncode == 1
    assert result.stderr == b"toll: No space left on device\n"


def test_doctor_finds_what_is_wrong(daemon: Keeper) -> None:
    """What the doctor finds amiss has exit status 1, and a way to mend it, in JSON as well."""
    (daemon.home.sessions / "77.json").write_text("{")
    daemon.home.log().reply(model="claude-novel-9")
    daemon.wait_for_requests(1)
    result = daemon.run("doctor", "--json")
    assert result.returncode == 1
    findings: list[dict[str, Any]] = json.loads(result.stdout)
    mends = [finding["mend"] for finding in findings if not finding["well"]]
    assert mends == ["remove it", "see: toll prices check"]
