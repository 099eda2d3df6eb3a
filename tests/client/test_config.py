"""toll config in front of a made-up daemon: words, values, tables, JSON, the editor."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from tollkeeper import wire
from tollkeeper.cli.config_set import value_of
from tollkeeper.paths import Paths

from .conftest import Run
from .fake_daemon import FakeDaemon, reply

NUMBER = {"kind": "number"}
TABLE = {"kind": "table", "each": {"kind": "text"}}
LIST = {"kind": "list", "each": NUMBER}


def setting(name: str, value: Any, form: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A setting as the daemon tells it, at its default unless more is said."""
    return {
        "name": name,
        "about": "What it is",
        "value": value,
        "default": value,
        "in_file": False,
        "pending": None,
        "form": form,
        **more,
    }


SETTINGS = [
    setting("limits.daily", 70.0, NUMBER, default=50.0, in_file=True),
    setting("plan.warn_at", [80, 95], LIST),
    setting("workflow.stages", {"a b": "c\x1b"}, TABLE),
    setting("history.keep_requests_days", 400, NUMBER, in_file=True, pending=30),
]


def answer(call: wire.Request) -> list[wire.Reply]:
    """What a daemon would say."""
    return [reply(call, {"settings": SETTINGS, "file": "/c/config.toml", "broken": None})]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("5.50", 5.5),
        ("true", True),
        ("[80, 95]", [80, 95]),
        ('["waiting"]', ["waiting"]),
        ('{ a = "b" }', {"a": "b"}),
        ('"5"', "5"),
        ("max", "max"),
        ("", ""),
        ("a=b", "a=b"),
        ("22:00-07:00", "22:00-07:00"),
        ("2026-01-01", "2026-01-01"),
        ("inf", "inf"),
        ("nan", "nan"),
        ("[nan]", "[nan]"),
        ("jq -r .text | mail 'you' # x", "jq -r .text | mail 'you' # x"),
        ("1\nb = 2", "1\nb = 2"),
        ("[" * 5_000, "[" * 5_000),
    ],
)
def test_values(text: str, value: Any) -> None:
    """A value is read as TOML; what is none, or JSON could not carry, is text."""
    found = value_of(text)
    assert (type(value), value) == (type(found), found)


@pytest.mark.parametrize("arguments", [["config"], ["config", "get"]])
def test_table(home: Paths, run: Run, arguments: list[str]) -> None:
    """Settings are shown a line each, with the default where another value is set, and what waits."""
    with FakeDaemon(home, answer) as daemon:
        exit_status, out, err = run(*arguments)
    assert (0, "", {"names": []}) == (exit_status, err, daemon.calls[0].params)
    lines = out.splitlines()
    assert ["limits.daily", "70.0", "50.0", "What", "it", "is"] == lines[1].split()
    assert "[80, 95]" in lines[2] and "default" in lines[2]
    assert '{ "a b" = "c\\u001b" }' in lines[3]
    assert "history.keep_requests_days is 30 from the daemon's next start on." == lines[-1]


def test_get_as_json(home: Paths, run: Run) -> None:
    """As JSON it is the list of those that were asked for."""
    with FakeDaemon(home, answer) as daemon:
        _, out, _ = run("config", "get", "limits", "plan.name", "--json")
    assert SETTINGS == json.loads(out)
    assert {"names": ["limits", "plan.name"]} == daemon.calls[0].params


def test_narrow_terminals(home: Paths, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """No line is wider than there is room; name, value and what is a default are there."""
    for width in (40, 60, 80, 120):
        with FakeDaemon(home, answer):
            monkeypatch.setenv("COLUMNS", str(width))
            lines = run("config")[1].splitlines()[: len(SETTINGS) + 1]
        assert max(map(len, lines)) <= width
        assert lines[1].startswith("limits.daily ")
        assert width == 40 or " default" in lines[2]
        assert ("What it is" in lines[0]) == (width >= 80)


def test_broken_file_is_told(home: Paths, run: Run) -> None:
    """What is wrong with the file is told beside what is in force."""
    told = {"settings": SETTINGS, "file": "/c/config.toml", "broken": "/c/config.toml: at line 3"}
    with FakeDaemon(home, lambda call: [reply(call, told)]):
        exit_status, out, err = run("config")
    assert exit_status == 0
    assert "limits.daily" in out
    assert err.startswith(
        "toll: /c/config.toml: at line 3; the settings from before the mistake are in force"
    )
    assert err.count("\n") == 1


def test_set(home: Paths, run: Run) -> None:
    """All that is set goes in one call; what is unset is null there."""
    words = ["limits.daily=7", "plan.name=max", "--unset", "beads.author", "--unset", "on.plan"]
    with FakeDaemon(home, answer) as daemon:
        exit_status, out, err = run("config", "set", *words)
        assert 0 == run("config", "set", "--unset=on.plan", "--json")[0]
    assert (0, "") == (exit_status, err)
    assert out.endswith("Written to /c/config.toml\n")
    values = {"limits.daily": 7, "plan.name": "max", "beads.author": None, "on.plan": None}
    assert ["config.set"] * 2 == [call.method for call in daemon.calls]
    assert [{"values": values}, {"values": {"on.plan": None}}] == [c.params for c in daemon.calls]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "there is nothing to set"),
        (["limits.daily"], "not written as NAME=VALUE"),
        (["=5"], "not written as NAME=VALUE"),
        (["limits.daily=5", "limits.daily=6"], "named twice"),
        (["limits.daily=5", "--unset", "limits.daily"], "named twice"),
    ],
)
def test_wrong_usage(run: Run, arguments: list[str], told: str) -> None:
    """What can't be meant is refused before any daemon is asked, with exit status 2."""
    exit_status, out, err = run("config", "set", *arguments)
    assert (2, "", 1) == (exit_status, out, err.count("\n"))
    assert told in err and "toll config set --help" in err


def test_path(home: Paths, run: Run) -> None:
    """The path needs no daemon, and no file."""
    assert (0, f"{home.settings}\n", "") == run("config", "path")
    told = {"file": str(home.settings), "exists": False}
    assert told == json.loads(run("config", "path", "--json")[1])


def editor(folder: Path, script: str) -> str:
    """A program that plays an editor."""
    file = folder / "my editor"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o700)
    return f"'{file}' --wait"


def test_edit(home: Paths, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The editor gets the file, made for the owner alone, and then the daemon is asked to take it."""
    script = 'test "$1" = --wait && stat -c %a "$2" && echo "[limits]" >> "$2"'
    monkeypatch.setenv("EDITOR", "false")
    monkeypatch.setenv("VISUAL", editor(home.run.parent, script))
    with FakeDaemon(home, answer) as daemon:
        exit_status, out, err = run("config", "edit")
    assert (0, "") == (exit_status, err)
    assert out.startswith("600\n") and out.endswith(f"{home.settings} is in force.\n")
    assert "limits.daily" in out and "plan.warn_at" not in out
    assert "[limits]\n" == home.settings.read_text()
    assert ["config.set", "config.get"] == [call.method for call in daemon.calls]
    assert {"values": {}} == daemon.calls[0].params


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("false", "the editor ended with status 1"),
        ("/no/such/editor", "can't open /no/such/editor: No such file"),
        ("'vi", "can't make out the editor"),
    ],
)
def test_editors_that_fail(
    home: Paths, run: Run, monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    """An editor that fails is told in one line, and leaves no file that was not there."""
    monkeypatch.setenv("VISUAL", " ")
    monkeypatch.setenv("EDITOR", name)
    exit_status, out, err = run("config", "edit", "--no-start")
    assert (1, "", 1) == (exit_status, out, err.count("\n"))
    assert told in err
    assert not home.settings.exists()


def test_edit_without_a_daemon(home: Paths, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a daemon it is told all the same when what was written is no TOML."""
    monkeypatch.setenv("EDITOR", editor(home.run.parent, 'echo "[limits" > "$2"'))
    monkeypatch.delenv("VISUAL", raising=False)
    exit_status, _, err = run("config", "edit", "--no-start")
    assert exit_status == 1
    assert err.startswith(f"toll: {home.settings}: ") and "line 1" in err
    assert stat.S_IMODE(os.stat(home.settings).st_mode) == 0o600
    monkeypatch.setenv("EDITOR", editor(home.run.parent, 'echo "[limits]" > "$2"'))
    assert 3 == run("config", "edit", "--no-start")[0]
