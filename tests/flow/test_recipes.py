"""The command lines in docs/notifications.md do what is written beside them."""

import asyncio
import json
import os
import re
import shutil
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tollkeeper_daemon.outlets.commands import Commands

DOCS = Path(__file__).parents[2] / "docs" / "notifications.md"
FENCES = re.compile(r"^(````?)toml\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
NOTICE = {"kind": "waiting", "text": 'a <!channel> & "b" waits'}
REPORT = {"topic": "day_ended", "markdown": "**Sunday**\n\n| Model |\n| ----- |\n"}

GOT: list[tuple[str, dict[str, str], bytes]] = []

pytestmark = pytest.mark.skipif(
    not (shutil.which("jq") and shutil.which("curl")), reason="jq and curl are not installed"
)


class Post(BaseHTTPRequestHandler):
    """Keeps what is posted in ``GOT``."""

    def do_POST(self) -> None:
        """One message."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        GOT.append((self.path, dict(self.headers), body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a server that stands in for those of the recipes."""
    GOT.clear()
    with HTTPServer(("127.0.0.1", 0), Post) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()
        thread.join()


@pytest.fixture
def post_box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for what the programs of the recipes, which are stood in for, are given."""
    for name in ("mail", "paplay"):
        program = tmp_path / name
        program.write_text(
            f'#!/bin/sh\necho "$@" > {tmp_path}/{name}.words; cat > {tmp_path}/{name}.in\n'
        )
        program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def recipe(setting: str, holding: str) -> str:
    """The recipe for this setting that holds these words."""
    section, _, key = setting.partition(".")
    found: list[dict[str, Any]] = [
        tomllib.loads(text) for _, text in FENCES.findall(DOCS.read_text())
    ]
    [line] = [each[section][key] for each in found if holding in each.get(section, {}).get(key, "")]
    return line


def run(command: str, data: dict[str, Any]) -> None:
    """Run the command as the daemon does, to its end; it must succeed."""
    told: list[str] = []

    async def live() -> None:
        commands = Commands(20)
        commands.on_trouble = told.append
        commands.run("recipe", command, json.dumps(data).encode())
        while commands.busy:
            await asyncio.sleep(0.01)
        await commands.stop()

    asyncio.run(live())
    assert [] == told


def test_ntfy(server: str) -> None:
    """The text of a notice is a message of the topic, with a title."""
    run(recipe("notify.command", "ntfy").replace("https://ntfy.sh", server), NOTICE)
    [(path, headers, body)] = GOT
    assert ("/a-topic-that-nobody-guesses", "Tollkeeper") == (path, headers["Title"])
    assert NOTICE["text"] == body.decode()


def test_slack(server: str) -> None:
    """The text of a notice is a message, in which nobody is called by an agent's name."""
    line = recipe("notify.command", "slack").replace("https://hooks.slack.com", server)
    run(line, NOTICE)
    [(path, headers, body)] = GOT
    assert ("/services/T000/B000/XXXX", "application/json") == (path, headers["Content-Type"])
    assert {"text": 'a &lt;!channel&gt; &amp; "b" waits'} == json.loads(body)


def test_slack_week(server: str) -> None:
    """The table of a week is shown in letters of one width."""
    run(recipe("on.week_ended", "slack").replace("https://hooks.slack.com", server), REPORT)
    [(_, _, body)] = GOT
    assert {"text": f"```\n{REPORT['markdown']}```"} == json.loads(body)


def test_mail(post_box: Path) -> None:
    """The text of a notice is a mail, and so is the table of a day."""
    run(recipe("notify.command", "mail"), NOTICE)
    assert "-s Tollkeeper you@example.com\n" == (post_box / "mail.words").read_text()
    assert NOTICE["text"] + "\n" == (post_box / "mail.in").read_text()
    run(recipe("on.day_ended", "mail"), REPORT)
    assert REPORT["markdown"] + "\n" == (post_box / "mail.in").read_text()


def test_sound(post_box: Path) -> None:
    """An agent's end is heard, and noted in a file."""
    run(recipe("on.agent_exited", "paplay"), {"time": "now", "agent": {"name": "shop-1"}})
    assert "now shop-1\n" == (post_box / "agents.log").read_text()
    assert (post_box / "paplay.words").read_text().endswith(".oga\n")
