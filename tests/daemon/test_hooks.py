"""Whether an agent asks us before each tool, by what its Claude Code settings say."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper.ours import is_ours
from tollkeeper_daemon.sources.hooks import LARGEST_SETTINGS, has_hook

OURS = {"type": "command", "command": "toll hook"}


class Agent:
    """An agent's Claude home and working directory, with the settings that are put there."""

    def __init__(self, top: Path) -> None:
        self.home = top / "home"
        self.cwd = top / "src" / "shop"
        self.user = self.home / "settings.json"
        self.project = self.cwd / ".claude" / "settings.json"
        self.local = self.cwd / ".claude" / "settings.local.json"
        for folder in (self.home, self.project.parent):
            folder.mkdir(parents=True)

    def has_hook(self) -> bool:
        return has_hook(self.home, str(self.cwd))


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent(tmp_path)


def before_tools(*hooks: Any, **more: Any) -> dict[str, Any]:
    """Settings that run these before the tools."""
    return {"hooks": {"PreToolUse": [{"hooks": list(hooks), **more}]}}


def put(file: Path, settings: Any) -> None:
    file.write_text(json.dumps(settings))


@pytest.mark.parametrize("place", ["user", "project", "local"])
def test_places(agent: Agent, place: str) -> None:
    """The hook may stand in the home, in the project, or in what a person has beside the project's."""
    assert not agent.has_hook()
    put(getattr(agent, place), before_tools(OURS))
    assert agent.has_hook()


def test_not_up_the_tree(agent: Agent) -> None:
    """A directory above the agent's own says nothing, as for the client."""
    (agent.cwd.parent / ".claude").mkdir()
    put(agent.cwd.parent / ".claude" / "settings.json", before_tools(OURS))
    put(agent.home / "settings.local.json", before_tools(OURS))
    assert not agent.has_hook()


@pytest.mark.parametrize("matcher", ["", "*"])
def test_every_tool(agent: Agent, matcher: str) -> None:
    """A matcher of every tool is as good as none."""
    put(agent.user, before_tools(OURS, matcher=matcher))
    assert agent.has_hook()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"hooks": {}},
        {"hooks": None},
        {"hooks": []},
        {"hooks": {"PreToolUse": OURS}},
        {"hooks": {"PreToolUse": [OURS]}},
        {"hooks": {"PostToolUse": [{"hooks": [OURS]}]}},
        before_tools(),
        before_tools("toll hook"),
        before_tools(OURS, matcher="Bash"),
        before_tools(OURS, matcher="*|Bash"),
        before_tools(OURS, matcher=None),
        before_tools({"command": "toll hook"}),
        before_tools({"type": "prompt", "command": "toll hook"}),
        before_tools({**OURS, "async": True}),
        before_tools({**OURS, "if": "Bash(rm *)"}),
        before_tools({"type": "command", "command": 5}),
        before_tools({"type": "command", "command": "toll status"}),
        {**before_tools(OURS), "disableAllHooks": True},
        {**before_tools(OURS), "disableAllHooks": "true"},
        [before_tools(OURS)],
    ],
    ids=json.dumps,
)
def test_no_hook(agent: Agent, settings: Any) -> None:
    """What runs no hook of ours before every tool, or is no settings, is no."""
    put(agent.user, settings)
    assert not agent.has_hook()


def test_beside_others(agent: Agent) -> None:
    """Hooks and settings of others beside ours change nothing, nor does a time limit on ours."""
    other = {"type": "command", "command": "echo hi"}
    settings = before_tools(other, {**OURS, "timeout": 5, "statusMessage": "asking"})
    settings["hooks"]["PreToolUse"].insert(0, {"matcher": "Bash", "hooks": [other]})
    put(agent.user, {"permissions": {"allow": ["Bash"]}, **settings})
    put(agent.project, {"hooks": {"Stop": [{"hooks": [other]}]}})
    assert agent.has_hook()


@pytest.mark.parametrize("place", ["user", "project", "local"])
def test_all_hooks_disabled(agent: Agent, place: str) -> None:
    """Where any of the files turns all hooks off, ours is not counted on."""
    for file in (agent.user, agent.project, agent.local):
        put(file, before_tools(OURS))
    put(getattr(agent, place), {"disableAllHooks": True})
    assert not agent.has_hook()


@pytest.mark.parametrize("place", ["project", "local"])
def test_hooks_that_are_on_again(agent: Agent, place: str) -> None:
    """What is nearer to the work decides whether hooks run, as for the client."""
    put(agent.user, {**before_tools(OURS), "disableAllHooks": True})
    put(getattr(agent, place), {"disableAllHooks": False})
    assert agent.has_hook()


MAIN, PART = "managed-settings.json", "managed-settings.d/10-hooks.json"


@pytest.mark.parametrize("name", [MAIN, PART])
def test_managed_hooks(agent: Agent, managed: Path, name: str) -> None:
    """An administrator's hook counts, also where the person turns all hooks off."""
    put(managed / name, before_tools(OURS))
    assert agent.has_hook()
    put(agent.user, {"disableAllHooks": True, "allowManagedHooksOnly": True})
    assert agent.has_hook()


@pytest.mark.parametrize("name", [MAIN, PART])
@pytest.mark.parametrize("word", ["disableAllHooks", "allowManagedHooksOnly"])
def test_own_hooks_that_managed_settings_turn_off(
    agent: Agent, managed: Path, name: str, word: str
) -> None:
    """Where managed settings have no other hooks run, those of the person don't count."""
    put(
        agent.user, {**before_tools(OURS), "disableAllHooks": False, "allowManagedHooksOnly": False}
    )
    assert agent.has_hook()
    put(managed / name, {word: True})
    assert not agent.has_hook()
    put(managed / "managed-settings.d" / "20-hooks.json", {word: False})
    assert agent.has_hook()


@pytest.mark.parametrize(
    ("lock", "expected"),
    [(True, False), (False, True), (["hooks"], False), (["skills"], True), ([], True)],
)
def test_hooks_that_managed_settings_lock(
    agent: Agent, managed: Path, lock: object, expected: bool
) -> None:
    """A lock on hooks leaves those of managed settings alone; a person's own word locks nothing."""
    put(agent.user, {**before_tools(OURS), "strictPluginOnlyCustomization": True})
    assert agent.has_hook()
    put(managed / MAIN, {"strictPluginOnlyCustomization": lock})
    assert agent.has_hook() == expected
    put(managed / PART, before_tools(OURS))
    assert agent.has_hook()


@pytest.mark.parametrize(
    ("word", "expected"), [("disableAllHooks", False), ("allowManagedHooksOnly", True)]
)
def test_managed_hooks_alone(agent: Agent, managed: Path, word: str, expected: bool) -> None:
    """Managed settings can turn off their own hooks, or have none but them run."""
    put(managed / MAIN, {**before_tools(OURS), word: True})
    assert agent.has_hook() == expected


def test_managed_settings_have_hooks_run(agent: Agent, managed: Path) -> None:
    """A person can't turn off what managed settings say is on."""
    put(agent.user, {**before_tools(OURS), "disableAllHooks": True})
    put(managed / MAIN, {"disableAllHooks": False})
    assert agent.has_hook()


def test_files_that_are_no_managed_settings(agent: Agent, managed: Path) -> None:
    """Hidden files, and those of another kind, are none; a broken one means no."""
    put(managed / "managed-settings.d" / ".10.json", before_tools(OURS))
    put(managed / "managed-settings.d" / "10.txt", before_tools(OURS))
    assert not agent.has_hook()
    put(agent.user, before_tools(OURS))
    assert agent.has_hook()
    (managed / PART).write_text("{")
    assert not agent.has_hook()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"// x\n{}",
        b"\xff\xfe",
        b'{"x":' + b"[" * 100_000,
        b" " * (LARGEST_SETTINGS + 1) + b"{}",
    ],
    ids=["empty", "half", "comment", "bytes", "deep", "huge"],
)
def test_broken(agent: Agent, content: bytes) -> None:
    """A file that can't be read means no, whatever the others say: the client may not read it."""
    put(agent.user, before_tools(OURS))
    agent.project.write_bytes(content)
    assert not agent.has_hook()


def test_byte_order_mark(agent: Agent) -> None:
    """A byte order mark before the settings is passed over, as by the client."""
    agent.user.write_bytes(b"\xef\xbb\xbf" + json.dumps(before_tools(OURS)).encode())
    assert agent.has_hook()


def test_as_large_as_may_be(agent: Agent) -> None:
    """A file of the greatest size is read."""
    text = json.dumps(before_tools(OURS))
    agent.user.write_text(text + " " * (LARGEST_SETTINGS - len(text)))
    assert agent.has_hook()


def test_no_file(agent: Agent) -> None:
    """A pipe or a directory of that name holds nobody up."""
    put(agent.user, before_tools(OURS))
    os.mkfifo(agent.project)
    agent.local.mkdir()
    assert not agent.has_hook()


@pytest.mark.parametrize("cwd", ["", "shop", "/none", "/etc/passwd"])
def test_odd_directories(agent: Agent, cwd: str) -> None:
    """Without a directory that is there, the home alone says it."""
    assert not has_hook(agent.home, cwd)
    put(agent.user, before_tools(OURS))
    assert has_hook(agent.home, cwd)


@pytest.mark.parametrize("cwd", ["/a\0b", "/a\ud800b"])
def test_impossible_directories(agent: Agent, cwd: str) -> None:
    """A directory that no system can have is no."""
    put(agent.user, before_tools(OURS))
    assert not has_hook(agent.home, cwd)


@pytest.mark.parametrize(
    "command",
    [
        "toll hook",
        " toll  hook ",
        "/usr/local/bin/toll hook",
        "'/home/dev/my tools/toll' hook",
        "/opt/tollkeeper/toll-hook",
        "'/home/dev/my data/toll-hook'",
        "sh /opt/tollkeeper/toll-hook",
        "toll-hook",
    ],
)
def test_ours(command: str) -> None:
    """Our hook is known by its name, with a path before it or without."""
    assert is_ours(command)


@pytest.mark.parametrize(
    "command",
    [
        None,
        5,
        "",
        "toll",
        "toll hooks",
        "toll status hook",
        "./toll hook",
        "/bin/atoll hook",
        "toll hook; true",
        "toll hook | cat",
        "toll hook || true",
        "echo toll hook",
        "TOLL_HOME=/x toll hook",
        "toll-hook.sh",
        "echo toll-hook",
        "toll 'hook",
    ],
)
def test_not_ours(command: object) -> None:
    """What only looks like it, or does more than that, is not."""
    assert not is_ours(command)


@given(st.text())
def test_any_command(command: str) -> None:
    """Whatever the command, there is an answer."""
    assert is_ours(command) in (True, False)
