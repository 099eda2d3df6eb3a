"""What the real client logs as sent by a person or an orchestrator, and which model it answers by."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from flow.claude_home import ClaudeHome
from flow.keeper import Keeper
from waiting import wait_until

from .client import RUN_TIMEOUT_S, Client
from .interactive import Interactive
from .replies import Reply, ToolUse, bash, say
from .stand_in import StandIn

pytestmark = pytest.mark.e2e

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
BACKGROUND = {"command": "sleep 0.5", "description": "wait", "run_in_background": True}


@pytest.fixture
def keeper(client: Client) -> Iterator[Keeper]:
    """A daemon that follows the client's home, and nothing else."""
    with Keeper(ClaudeHome(client.config_dir, client.cwd)) as running:
        running.limit()
        yield running.start()


def messages(keeper: Keeper) -> tuple[int, dict[str, int]]:
    """All messages, and those of each family of models."""
    totals = keeper.report("daily")["totals"]
    return totals["messages"], totals.get("messagesByFamily", {})


def settled(keeper: Keeper, stand_in: StandIn, asides: int = 0) -> tuple[int, dict[str, int]]:
    """The messages, once every reply is counted, but for those that the client does not log."""
    keeper.wait_for_requests(len(stand_in.served) - asides)
    return messages(keeper)


def add_command(client: Client) -> None:
    """Define a command of the project, and a skill."""
    commands = client.cwd / ".claude" / "commands"
    commands.mkdir(parents=True)
    (commands / "hello.md").write_text("---\ndescription: hello\n---\nSay hello to $ARGUMENTS\n")
    skill = client.cwd / ".claude" / "skills" / "greet"
    skill.mkdir(parents=True)
    (skill / "SKILL.md").write_text("---\nname: greet\ndescription: Greets.\n---\nGreet them.\n")


def test_headless_prompts(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """Prompts, resumed or as commands, count; tools, called skills and notices do not."""
    add_command(client)
    skill = ToolUse("Skill", {"skill": "greet"})
    stand_in.play("SKILLED", Reply(text="One moment.", tools=(skill,)), say("Greeted."))
    task = ToolUse("Bash", BACKGROUND)
    stand_in.play("WAITING", Reply(text="Waiting.", tools=(task,)), say("Started."), say("Over."))
    first = client.run("the first")
    client.run("the second", resume=first.session_id, args=["--model", "haiku"])
    client.run("/hello there", resume=first.session_id, args=["--model", "haiku"])
    client.run("SKILLED, please")
    client.run("WAITING, please")
    assert settled(keeper, stand_in) == (5, {"opus": 3, "haiku": 2})


def sent(content: Any) -> bytes:
    """A message as an orchestrator writes it to the client."""
    return json.dumps({"type": "user", "message": {"role": "user", "content": content}}).encode()


def test_orchestrator(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """What an orchestrator streams in counts: texts, pictures, and what comes while a tool runs."""
    stand_in.play("SLOWLY", bash("sleep 2"), say("Slow end."))
    words = ["-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"]
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    picture = [{"type": "image", "source": source}, {"type": "text", "text": "see"}]
    with subprocess.Popen(
        [client.binary, *words],
        cwd=client.cwd,
        env=client.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as process:
        assert process.stdin
        try:
            for number, content in enumerate(["one", [{"type": "text", "text": "two"}], picture]):
                process.stdin.write(sent(content) + b"\n")
                process.stdin.flush()
                wait_until(lambda number=number: len(stand_in.served) > number)
            process.stdin.write(sent("SLOWLY, please") + b"\n")
            process.stdin.flush()
            wait_until(lambda: len(stand_in.served) == 4)
            process.stdin.write(sent("and faster") + b"\n")
            process.stdin.close()
            process.wait(RUN_TIMEOUT_S)
        finally:
            process.kill()
    assert settled(keeper, stand_in) == (5, {"opus": 5})


@pytest.mark.usefixtures("tmux")
def test_typed(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """Typed and queued prompts and called commands count; what runs in the client does not."""
    add_command(client)
    client.configure(permissions={"allow": ["Bash"], "defaultMode": "default"})
    stand_in.play("SLOWLY", bash("sleep 2"), say("Slow end."))
    stand_in.play("ENDLESS", bash("tail -f /dev/null"), say("Never."))
    with Interactive(client) as session:
        session.send("the first")
        keeper.wait_for_requests(1)
        session.send("SLOWLY, please")
        keeper.wait_for_requests(2)
        session.send("queued")
        keeper.wait_for_requests(3)
        session.wait_for("Slow end.")
        session.send("/hello world")
        keeper.wait_for_requests(4)
        session.send("/greet")
        keeper.wait_for_requests(5)
        session.press("!")
        session.wait_for("! for shell mode")
        session.press("l", "s", "Enter")
        keeper.wait_for_requests(6)
        wait_until(lambda: messages(keeper) == (5, {"opus": 5}))
        session.send("ENDLESS, please")
        keeper.wait_for_requests(7)
        session.wait_for("Running")
        session.press("Escape")
        session.wait_for("Interrupted")
        session.send("/clear")
        wait_until(lambda: len(client.session_ids()) == 2)
        session.send("the last")
        keeper.wait_for_requests(8)
        wait_until(lambda: messages(keeper) == (7, {"opus": 7}))
