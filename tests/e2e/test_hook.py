"""The real client with our hook: a refused tool call ends the turn, and what is paid after it."""

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from msgspec import Struct

from tollkeeper.paths import find_paths
from tollkeeper_daemon.outlets.denials import Denials
from tollkeeper_daemon.sources.hooks import has_hook
from waiting import wait_until

from .client import Client, Result
from .home import Home
from .interactive import Interactive
from .replies import Reply, ToolUse, bash, delegate, say
from .stand_in import StandIn

pytestmark = pytest.mark.e2e

REASON = 'the "shop" budget of $5 is spent'
OURS = {"type": "command", "command": f"{shlex.quote(str(Path(sys.executable).parent))}/toll hook"}
HOOKS: dict[str, Any] = {"PreToolUse": [{"hooks": [OURS]}]}
# An MCP server in a line for each thing that it is asked; what it does can be seen in the cwd.
MCP_SERVER = """
import json, pathlib, sys
for line in sys.stdin:
    asked = json.loads(line)
    if "id" not in asked:
        continue
    result = {}
    if asked["method"] == "initialize":
        version = asked["params"]["protocolVersion"]
        about = {"name": "shop", "version": "1"}
        result = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": about}
    elif asked["method"] == "tools/list":
        schema = {"type": "object", "properties": {}}
        result = {"tools": [{"name": "sell", "description": "Sell.", "inputSchema": schema}]}
    elif asked["method"] == "tools/call":
        pathlib.Path("sold").touch()
        result = {"content": [{"type": "text", "text": "Sold."}]}
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
"""


class Guarded(Struct, frozen=True):
    """A client whose hooks ask the Tollkeeper in its home, in which no daemon runs."""

    client: Client
    denials: Denials

    def deny_all(self) -> None:
        """Refuse the tools of every conversation that has a log."""
        for conversation in self.client.session_ids():
            assert self.denials.deny(conversation, REASON)

    def made(self) -> set[str]:
        """What the agents' commands have left in their directory."""
        return {path.name for path in self.client.cwd.iterdir() if path.name != ".claude"}

    def logged(self) -> str:
        """All logs of the client, one behind the other."""
        logs = self.client.config_dir.glob("projects/**/*.jsonl")
        return "\n".join(path.read_text() for path in logs)


@pytest.fixture
def guarded(client: Client) -> Iterator[Guarded]:
    """The client with our hook in its settings, and a run directory without anybody refused."""
    toll_home = client.home.path / "toll"
    client.environment["TOLL_HOME"] = str(toll_home)
    client.configure(hooks=HOOKS, permissions={"allow": ["Bash", "Agent", "Read", "mcp__shop"]})
    paths = find_paths({"TOLL_HOME": str(toll_home)})
    paths.run.mkdir(parents=True)
    yield Guarded(client, Denials(paths.deny))


def denied_at(guarded: Guarded, stand_in: StandIn, replies: int, gate: Event, *args: str) -> Result:
    """Run GO, and refuse its tools when that many replies are asked for, the last behind the gate."""
    run = guarded.client.start("GO, please", args=args)
    wait_until(lambda: len(stand_in.asked) == replies and guarded.client.session_ids())
    guarded.deny_all()
    gate.set()
    return guarded.client.finish(run)


def held_back(reply: Reply) -> tuple[Reply, Event]:
    """The same reply, not served before the gate is set."""
    gate = Event()
    return Reply(text=reply.text, tools=reply.tools, gate=gate), gate


TOOLS = {
    "one": bash("touch second"),
    "many": bash("touch second", "touch third", "touch fourth"),
    "of the client": Reply(text="r", tools=(ToolUse("Read", {"file_path": "/etc/hosts"}),)),
    "subagent": delegate("SUBTASK: look", "analyst", background=False),
    "of a server": Reply(text="m", tools=(ToolUse("mcp__shop__sell", {}),)),
}


@pytest.mark.parametrize("tool", list(TOOLS))
def test_refused_in_mid_run(guarded: Guarded, stand_in: StandIn, tool: str) -> None:
    """No tool of the refused reply runs, the reason is logged, and nothing more is asked for."""
    guarded.client.home.add_agent("analyst", "haiku")
    last, gate = held_back(TOOLS[tool])
    stand_in.play("GO", bash("touch first"), last, say("Never said."))
    server = {"shop": {"command": sys.executable, "args": ["-c", MCP_SERVER]}}
    config = json.dumps({"mcpServers": server})
    result = denied_at(guarded, stand_in, 2, gate, "--mcp-config", config)
    assert len(stand_in.asked) == len(stand_in.served) == 2
    assert guarded.made() == {"first"}
    assert json.dumps(REASON)[1:-1] in guarded.logged()
    assert (result.is_error, result.text) == (False, "")


def test_goes_on_once_allowed(guarded: Guarded, stand_in: StandIn) -> None:
    """What was ended is resumed by a prompt, and its tools run again."""
    last, gate = held_back(bash("touch second"))
    stand_in.play("GO", bash("touch first"), last, say("Never said."))
    result = denied_at(guarded, stand_in, 2, gate)
    guarded.denials.allow(result.session_id)
    stand_in.play("AGAIN", bash("touch third"), say("At last."))
    assert guarded.client.run("AGAIN", resume=result.session_id).text == "At last."
    assert guarded.made() == {"first", "third"}


def test_not_refused(guarded: Guarded, stand_in: StandIn) -> None:
    """With the hook, without a daemon and without a refusal of theirs, tools run as ever."""
    assert guarded.denials.deny("another-conversation", REASON)
    stand_in.play("GO", bash("touch first", "touch second"), say("All done."))
    assert guarded.client.run("GO").text == "All done."
    assert guarded.made() == {"first", "second"}
    assert len(stand_in.served) == 2


@pytest.mark.parametrize(
    ("background", "asked"),
    [(False, ["main", "sub", "main"]), (True, ["main", "main", "sub", "main"])],
)
def test_refused_within_a_subagent(
    guarded: Guarded, stand_in: StandIn, background: bool, asked: list[str]
) -> None:
    """It ends the subagent, by its parent's id; the parent answers once more, and uses no tool."""
    guarded.client.home.add_agent("analyst", "haiku")
    last, gate = held_back(bash("touch second"))
    afterwards = [say("Waiting.")] if background else []
    stand_in.play(
        "GO",
        delegate("SUBTASK: look", "analyst", background=background),
        *afterwards,
        bash("touch third"),
        say("Never said."),
    )
    stand_in.play("SUBTASK", last, say("Never said."))
    denied_at(guarded, stand_in, len(asked) - 1, gate)
    assert sorted("sub" if served.agent_id else "main" for served in stand_in.served) == sorted(
        asked
    )
    assert guarded.made() == set()


@pytest.mark.usefixtures("tmux")
def test_typed(guarded: Guarded, stand_in: StandIn) -> None:
    """A typed session shows the reason, and stands idle after it; a new prompt gets one reply."""
    last, gate = held_back(bash("touch second"))
    stand_in.play("GO", bash("touch first"), last, say("Never said."))
    stand_in.play("MORE", bash("touch third"), say("Never said."))

    def is_idle() -> bool:
        return [file.status for file in guarded.client.session_files().values()] == ["idle"]

    with Interactive(guarded.client) as session:
        session.send("GO, please")
        wait_until(lambda: len(stand_in.asked) == 2 and guarded.client.session_ids())
        guarded.deny_all()
        gate.set()
        session.wait_for(REASON)
        wait_until(is_idle)
        assert len(stand_in.asked) == 2
        session.send("MORE, please")
        wait_until(lambda: len(stand_in.served) == 3)
        wait_until(is_idle)
    assert len(stand_in.asked) == 3
    assert guarded.made() == {"first"}


def in_project(home: Home, name: str, settings: Any) -> None:
    folder = home.cwd / ".claude"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(settings))


def below_the_project(home: Home) -> None:
    """Let the agent work in a directory of the project that has the hook."""
    in_project(home, "settings.json", {"hooks": HOOKS})
    home.cwd = home.cwd / "below"
    home.cwd.mkdir()


SETTINGS: dict[str, tuple[bool, Callable[[Home], None]]] = {
    "home": (True, lambda home: home.configure({"hooks": HOOKS})),
    "project": (True, lambda home: in_project(home, "settings.json", {"hooks": HOOKS})),
    "local": (True, lambda home: in_project(home, "settings.local.json", {"hooks": HOOKS})),
    "above": (False, below_the_project),
    "disabled": (
        False,
        lambda home: (
            home.configure({"hooks": HOOKS}),
            in_project(home, "settings.json", {"disableAllHooks": True}),
        )[0],
    ),
    "one tool": (
        False,
        lambda home: home.configure(
            {"hooks": {"PreToolUse": [{"matcher": "Read", "hooks": [OURS]}]}}
        ),
    ),
    "aside": (
        False,
        lambda home: home.configure(
            {"hooks": {"PreToolUse": [{"hooks": [{**OURS, "async": True}]}]}}
        ),
    ),
    "invalid": (
        False,
        lambda home: home.configure(
            {"hooks": {"PreToolUse": [{"matcher": None, "hooks": [OURS]}]}}
        ),
    ),
}


@pytest.mark.parametrize("name", list(SETTINGS))
def test_which_settings_count(guarded: Guarded, stand_in: StandIn, name: str) -> None:
    """Whether the hook is said to be in force is what the client does."""
    expected, lay_out = SETTINGS[name]
    guarded.client.configure(hooks={})
    lay_out(guarded.client.home)
    last, gate = held_back(bash("touch first"))
    stand_in.play("GO", last, say("Said."))
    denied_at(guarded, stand_in, 1, gate)
    assert has_hook(guarded.client.config_dir, str(guarded.client.cwd)) == expected
    assert len(stand_in.served) == (1 if expected else 2)


def test_hook_set_up_while_the_agent_runs(guarded: Guarded, stand_in: StandIn) -> None:
    """A running client takes up a hook that is put into its settings, within some seconds."""
    guarded.client.configure(hooks={})
    stand_in.play("GO", bash("sleep 0.2"))
    run = guarded.client.start("GO, please")
    wait_until(lambda: len(stand_in.served) == 2 and guarded.client.session_ids())
    guarded.deny_all()
    guarded.client.configure(hooks=HOOKS)
    assert guarded.client.finish(run).text == ""
