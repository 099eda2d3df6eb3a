"""The command toll: options, exit statuses and one line of error, in front of a made-up daemon."""

import json
import os
import subprocess
import sys
import threading
from argparse import ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tollkeeper import __version__, wire
from tollkeeper.cli.context import UsageError
from tollkeeper.cli.main import VERBS, load, parser_of
from tollkeeper.cli.period import count, day, report_params
from tollkeeper.paths import Paths

from .conftest import Run
from .fake_daemon import FakeDaemon, reply
from .making import agent, beat_after, status
from .test_report import row
from .test_screen import HEALTH, PING

ANSWERS: dict[str, Any] = {
    "ping": PING,
    "health": HEALTH,
    "snapshot": status(agent("Agent-1")),
    "daily": {"daily": [{"date": "2026-11-22", **row()}], "totals": row()},
    "weekly": {"weekly": [{"week": "2026-11-22", **row()}], "totals": row()},
    "monthly": {"monthly": [{"month": "2026-11", **row()}], "totals": row()},
    "session": {
        "sessions": [
            {
                "sessionId": "0123456789",
                "projectPath": "-home-dev-src-shop",
                "cwd": "/home/dev/src/shop",
                "title": None,
                "firstActivity": None,
                "lastActivity": "2026-11-22T09:30:00+00:00",
                **row(),
            }
        ],
        "totals": row(),
    },
}


def answer(call: wire.Request) -> list[wire.Reply]:
    """What a daemon would say."""
    return [reply(call, ANSWERS[call.method])]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    "arguments",
    [
        ["--no-start"],
        ["--no-start", "status"],
        ["status", "--no-start"],
        ["status", "--no-start", "--json"],
        ["--json", "agents", "--no-start"],
        ["daily", "--no-start"],
        ["session", "--no-start"],
        ["watch", "--no-start"],
    ],
)
def test_no_daemon(run: Run, arguments: list[str]) -> None:
    """Without a daemon, and told not to start one, a verb ends with 3 and one line of error."""
    expected = (3, "", "toll: no daemon is running; start it with: toll up\n")
    assert expected == run(*arguments)


@pytest.mark.usefixtures("home")
def test_down_without_a_daemon(run: Run) -> None:
    """Stopping what does not run is no failure."""
    assert (0, "No daemon was running.\n", "") == run("down")
    assert (0, '{"pid":null,"stopped":false,"paused":[],"blocked":[]}\n', "") == run(
        "down", "--json"
    )


@pytest.mark.usefixtures("home")
def test_doctor_without_a_daemon(run: Run) -> None:
    """The doctor says that no daemon runs, and ends with 1."""
    exit_status, out, err = run("doctor", "--no-start")
    assert (1, "") == (exit_status, err)
    assert "BAD  no daemon is running\n     mend: toll up\n" in out
    exit_status, out, _ = run("doctor", "--no-start", "--json")
    assert exit_status == 1
    assert ["no daemon is running"] == [
        finding["text"] for finding in json.loads(out) if not finding["well"]
    ]


def test_doctor_of_a_healthy_daemon(home: Paths, run: Run) -> None:
    """With everything in order the doctor ends with 0."""

    def beat(daemon: FakeDaemon) -> None:
        daemon.wait_for_subscriber()
        daemon.publish("heartbeat", beat_after(ANSWERS["snapshot"]))

    with FakeDaemon(home, answer) as daemon:
        beating = threading.Thread(target=beat, args=(daemon,))
        beating.start()
        exit_status, out, err = run("doctor")
        beating.join()
    assert (0, "") == (exit_status, err), out
    assert "ok   sockets: calls are answered, updates come\n" in out
    assert all(line.startswith("ok   ") for line in out.splitlines())


@pytest.mark.parametrize(
    "arguments",
    [["nope"], ["--nope"], ["status", "--nope"], ["daily", "--since", "x"], ["status", "extra"]],
)
def test_wrong_usage(run: Run, arguments: list[str]) -> None:
    """Wrong usage ends with 2, and says so on stderr alone."""
    exit_status, out, err = run(*arguments)
    assert (2, "", 1) == (exit_status, out, err.count("\n"))
    assert err.startswith("toll: ")
    assert "--help" in err


def test_version_and_help(run: Run) -> None:
    """Version and help end with 0; the help names every verb."""
    assert (0, f"toll, version {__version__}\n", "") == run("--version")
    exit_status, out, _ = run("--help")
    assert 0 == exit_status
    assert all(verb in out and short in out for verb, short in VERBS.items())


def test_help_of_a_verb(run: Run) -> None:
    """Help is a word, too: of all, of a verb, of what is below one."""
    assert run("--help") == run("help") == run("help", "help")
    assert run("daily", "--help") == run("help", "daily")
    assert run("prices", "set", "--help") == run("help", "prices", "set")
    assert 2 == run("help", "nope")[0]


@pytest.mark.parametrize(
    ("verb", "told"),
    [
        ("dayly", "no command 'dayly'; did you mean daily? see toll --help"),
        ("exprot", "no command 'exprot'; did you mean export? see toll --help"),
        ("zzz", "no command 'zzz'; see toll --help"),
    ],
)
def test_misspelt(run: Run, verb: str, told: str) -> None:
    """What is nearly a command is taken for it in the advice alone."""
    assert (2, "", f"toll: there is {told}\n") == run(verb)


@pytest.mark.parametrize("slug", ["-home-dev-src-shop", "-src-x", "--config-x", "-"])
def test_slugs(home: Paths, run: Run, slug: str) -> None:
    """A project's slug begins like an option, and is none."""
    with FakeDaemon(home, answer) as daemon:
        for arguments in (["-p", slug], ["--project", slug, "--compact"], [f"--project={slug}"]):
            assert 0 == run("daily", "--no-start", *arguments)[0]
    assert [slug] * 3 == [call.params["project"] for call in daemon.calls]


@pytest.mark.parametrize("arguments", [["-p"], ["-p", "--compact"], ["-p", "--order=asc"]])
def test_no_slug(run: Run, arguments: list[str]) -> None:
    """An option behind one that wants a name is no name."""
    exit_status, out, err = run("daily", *arguments)
    assert (2, "") == (exit_status, out)
    assert "expected one argument" in err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "ascii:strict"])
def test_narrow_encodings(home: Paths, encoding: str) -> None:
    """Where stdout lacks a letter it shows as ?, and JSON is UTF-8 all the same."""
    named = {**ANSWERS, "snapshot": status(agent("Ağent-✓"))}
    toll = [sys.executable, "-m", "tollkeeper.cli.main", "--no-start"]
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "80"}

    def printed(*arguments: str) -> bytes:
        return subprocess.check_output([*toll, *arguments], env=environment)

    with FakeDaemon(home, lambda call: [reply(call, named[call.method])]):
        assert b"A?ent-?" in printed("status")
        assert b"330K" in printed("daily")
        assert "Ağent-✓".encode() in printed("status", "--json")


@pytest.mark.parametrize("verb", list(VERBS))
def test_verbs(run: Run, verb: str) -> None:
    """Each verb has a help of its own that names the options that all have."""
    exit_status, out, _ = run(verb, "--help")
    assert 0 == exit_status
    assert out.startswith(f"usage: toll {verb}")
    assert " ".join(load(verb).HELP.split()) in " ".join(out.split())
    assert "--json" in out
    assert "--no-start" in out


def test_status(home: Paths, run: Run) -> None:
    """The status is the whole of it as JSON, and the agents for a person."""
    with FakeDaemon(home, answer):
        for arguments in ([], ["status"]):
            exit_status, out, err = run(*arguments)
            assert (0, "") == (exit_status, err)
            assert "Agent-1" in out
        for arguments in (["--json"], ["status", "-j"], ["--json", "status"]):
            _, out, _ = run(*arguments)
            assert json.loads(wire.encode(ANSWERS["snapshot"])) == json.loads(out)
            assert 1 == out.count("\n")


def test_agents(home: Paths, run: Run) -> None:
    """The agents are a line each, or a list as JSON."""
    with FakeDaemon(home, answer):
        assert "Agent-1" in run("agents")[1]
        assert ["Agent-1"] == [each["name"] for each in json.loads(run("agents", "--json")[1])]


@pytest.mark.parametrize("verb", ["daily", "weekly", "monthly", "session"])
def test_reports(home: Paths, run: Run, verb: str) -> None:
    """A report asks for its period in days, and is told as it came or as a table."""
    period = ["--since", "20261101", "--until", "2026-11-22", "--timezone", "UTC"]
    with FakeDaemon(home, answer) as daemon:
        _, out, _ = run(verb, *period, "--json")
        assert ANSWERS[verb] == json.loads(out)
        exit_status, out, err = run(verb)
    assert (0, "") == (exit_status, err)
    assert "Total" in out
    assert "330,000" in out
    expected = {"since": "2026-11-01", "until": "2026-11-22", "timezone": "UTC"}
    assert [expected, {"brief": True}] == [
        call.params for call in daemon.calls if call.method == verb
    ]


def test_blocks(home: Paths, run: Run) -> None:
    """Blocks take ccusage's flags; a limit is a number of tokens, or max."""
    with FakeDaemon(home, lambda call: [reply(call, {"blocks": []})]) as daemon:
        assert (0, "No block is active.\n", "") == run("blocks", "-a")
        assert (0, "Nothing was used in this span.\n", "") == run("blocks", "-r", "-t", "5000")
        assert (0, '{"blocks":[]}\n', "") == run("blocks", "-j", "-t", "max", "-n", "3")
    assert [
        {"brief": True, "active": True},
        {"brief": True, "recent": True, "token_limit": 5000},
        {"token_limit": "max", "session_length": 3},
    ] == [call.params for call in daemon.calls]
    for value in ("0", "-5", "most"):
        assert 2 == run("blocks", f"--token-limit={value}")[0]


def test_refusal(home: Paths, run: Run) -> None:
    """What the daemon refuses is one line on stderr, with its hint; what was asked wrongly has status 2."""
    body = wire.ErrorBody("bad-params", "no time zone 'X'", "name one like UTC")
    with FakeDaemon(home, lambda call: [wire.Reply(call.id, error=body)]):
        found = run("daily", "--timezone", "X", "--no-start")
    assert (2, "", "toll: no time zone 'X'; name one like UTC\n") == found


def test_home_too_long(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """A place whose path is too long for a socket is one line on stderr, and status 1."""
    monkeypatch.setenv("TOLL_HOME", "/tmp/" + "x" * 200)
    exit_status, out, err = run("status")
    assert (1, "", 1) == (exit_status, out, err.count("\n"))
    assert "too long" in err


def test_home_that_cannot_be(
    monkeypatch: pytest.MonkeyPatch, run: Run, tmp_path: Path, home: Paths
) -> None:
    """A place that can't be made is one line on stderr, and status 1."""
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    link = home.config.parent / "link"
    link.symlink_to(tmp_path / "file")
    monkeypatch.setenv("TOLL_HOME", str(link))
    exit_status, out, err = run("status")
    assert (1, "", 1) == (exit_status, out, err.count("\n"))
    assert "can't write" in err


@pytest.mark.parametrize("value", ["2026-11-22", "20261122"])
def test_days(value: str) -> None:
    """A day is written with or without dashes."""
    assert date(2026, 11, 22) == day(value)


@pytest.mark.parametrize("value", ["", "22.11.2026", "2026-13-01", "today", "2026-11-22T00:00"])
def test_what_is_no_day(value: str) -> None:
    """Anything else is wrong usage."""
    with pytest.raises(ArgumentTypeError):
        day(value)


@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "many", "²"])
def test_what_is_no_count(value: str) -> None:
    """A count is a whole number above zero."""
    with pytest.raises((ArgumentTypeError, ValueError)):
        count(value)


def asked(*arguments: str) -> dict[str, Any]:
    """The parameters of the call that these options make of a report by day."""
    return report_params(parser_of("daily", load("daily")).parse_args(arguments))


def test_params() -> None:
    """Only what was asked for is passed on; a table needs no models that it does not show."""
    assert {"brief": True} == asked()
    assert {} == asked("--json")
    assert {} == asked("-b")
    assert {"until": "2026-11-22", "last": 2, "by": ["agent", "model"], "cost": False} == asked(
        *("-j", "-u", "20261122", "--last", "2", "--by", "agent", "--by", "model", "--no-cost")
    )


def test_span_that_is_none() -> None:
    """A span that ends before it begins is wrong usage."""
    with pytest.raises(UsageError):
        asked("-s", "20261122", "-u", "20261121")
