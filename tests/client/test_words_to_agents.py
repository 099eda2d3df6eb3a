"""pause, resume, stop and limit on the command line: what they ask for, and how it is told."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tollkeeper import wire
from tollkeeper.paths import Paths

from .conftest import Run
from .fake_daemon import FakeDaemon, reply
from .making import agent, held, status

STRANGE: list[Any] = [{}, [], None, {"done": [{}], "limits": [{}], "entries": [{}]}]


def done(name: str, kind: str | None = None, note: str | None = None, error: str | None = None):
    """What came of a word to an agent."""
    return {"id": "1-1", "agent": name, "pid": 1, "kind": kind, "note": note, "error": error}


@pytest.mark.parametrize(
    ("arguments", "method", "params"),
    [
        (["pause", "a", "b"], "pause", {"agents": ["a", "b"]}),
        (["pause", "--all"], "pause", {"all": True}),
        (["stop", "a"], "stop", {"agents": ["a"]}),
        (["resume", "--all"], "resume", {"all": True}),
        (["resume", "a", "--add-usd", "2.5"], "resume", {"agents": ["a"], "add_usd": 2.5}),
        (["resume", "a", "--add-tokens", "7"], "resume", {"agents": ["a"], "add_tokens": 7}),
        (["resume", "--", "-a"], "resume", {"agents": ["-a"]}),
        (["limit"], "limit", {}),
        (
            ["limit", "set", "--agent", "-a", "--usd", "5"],
            "limit.set",
            {"agent": "-a", "usd": 5.0, "dry_run": False},
        ),
        (
            ["limit", "set", "--daily", "--tokens", "0", "--action", "stop", "--dry-run"],
            "limit.set",
            {"daily": True, "tokens": 0, "action": "stop", "dry_run": True},
        ),
        (["limit", "clear", "--task", "t"], "limit.clear", {"task": "t", "dry_run": False}),
        (
            ["limit", "clear", "--run", "--usd", "--dry-run"],
            "limit.clear",
            {"run": True, "unit": "usd", "dry_run": True},
        ),
    ],
)
def test_calls(
    home: Paths, run: Run, arguments: list[str], method: str, params: dict[str, Any]
) -> None:
    """Each word is one call with what was asked for; the answer goes to programs as it came."""
    answer: dict[str, Any] = {"done": [], "offered": [], "limits": [], "by_hand": []}
    with FakeDaemon(home, lambda call: [reply(call, answer)]) as daemon:
        status, out, err = run("--json", *arguments)
    assert (0, answer, "") == (status, json.loads(out), err)
    [call] = daemon.calls
    assert (method, params) == (call.method, call.params)


@pytest.mark.parametrize(
    "arguments",
    [
        ["resume", "a", "--add-usd", "0"],
        ["resume", "a", "--add-usd", "-1"],
        ["resume", "a", "--add-usd", "inf"],
        ["resume", "a", "--add-tokens", "0"],
        ["resume", "a", "--add-tokens", "1e3"],
        ["resume", "a", "--add-tokens", "9" * 5000],
        ["resume", "a", "--add-usd", "1", "--add-tokens", "1"],
        ["pause", "a", "--all"],
        ["pause", "a", "--add-usd", "1"],
        ["pause"],
        ["stop"],
        ["resume"],
        ["log", "now"],
        ["log", "-n", "0"],
    ],
)
@pytest.mark.usefixtures("home")
def test_wrong_usage(run: Run, arguments: list[str]) -> None:
    """Wrong usage ends with 2 and one line; no daemon is started for it."""
    exit_status, out, err = run(*arguments)
    assert (2, "", 1) == (exit_status, out, err.count("\n"))
    assert err.startswith("toll: ")


def test_candidates(home: Paths, run: Run) -> None:
    """Whoever names nobody is told whom there is, but not a hundred of them."""
    agents = [agent(f"a{number}") for number in range(12)]
    agents += [agent("p\x1b", state="paused"), agent("gone", state="exited")]
    agents += [held("b", "blocked"), held("s", "stopping"), held("x", "blocked", state="exited")]
    with FakeDaemon(home, lambda call: [reply(call, status(*agents))]):
        assert run("resume")[2].endswith("; held now: p·, b\n")
        assert run("pause")[2].endswith(
            "; running now: a0, a1, a2, a3, a4, a5, a6, a7, a8, a9 and 5 more\n"
        )


def test_told(home: Paths, run: Run) -> None:
    """Every agent has a line: what was done, with its note, or on stderr why not."""
    answer = {
        "done": [
            done("a\n", "paused", "its terminal goes back: type fg"),
            done("a", "resumed", "it is reached. That limit holds it no more."),
            done("a", None, "it was not held. The limit was raised."),
            done("b", None, "it is paused already"),
            done("c", error="process 1 is\x1b gone"),
            done("d", "later-kind"),
        ],
        "offered": ["e f"],
    }
    with FakeDaemon(home, lambda call: [reply(call, answer)]):
        exit_status, out, err = run("pause", "--all")
        assert 1 == run("pause", "--all", "--json")[0]
    assert (1, "toll: c: process 1 is· gone\n") == (exit_status, err)
    assert [
        "a· is paused. Its terminal goes back: type fg.",
        "a goes on. It is reached. That limit holds it no more.",
        "a: it was not held. The limit was raised.",
        "b: it is paused already.",
        "d later-kind.",
        "e f has room again: toll resume 'e f'",
    ] == out.splitlines()


@pytest.mark.parametrize("arguments", [["pause", "a"], ["limit"], ["log"], ["resume", "--all"]])
@pytest.mark.parametrize("answer", STRANGE)
def test_answers_of_another_kind(home: Paths, run: Run, arguments: list[str], answer: Any) -> None:
    """An answer that is built otherwise is one line of error, never a traceback."""
    with FakeDaemon(home, lambda call: [reply(call, answer)]):
        exit_status, out, err = run(*arguments)
    assert (1, "", 1) == (exit_status, out, err.count("\n"))


def test_refusals(home: Paths, run: Run) -> None:
    """What the daemon refuses is one line with its hint, and status 1."""
    body = wire.ErrorBody("ambiguous", "'a' may be b or c", "name it by its pid")
    with FakeDaemon(home, lambda call: [wire.Reply(call.id, error=body)]):
        found = run("stop", "a")
    assert (1, "", "toll: 'a' may be b or c; name it by its pid\n") == found


@pytest.mark.parametrize("verb", ["pause", "resume", "stop", "limit", "log"])
def test_little_is_loaded(verb: str) -> None:
    """A word to agents waits for no library that takes longer to load than the daemon to answer."""
    views = ", tollkeeper.cli.limit_view, tollkeeper.cli.log_view"
    code = f"import sys, tollkeeper.cli.main, tollkeeper.cli.{verb}{views}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"zmq", "msgspec", "rich", "typing", "pathlib", "asyncio"} & {*loaded.stdout.split()}
