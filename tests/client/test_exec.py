"""toll exec: which stage a command is, and how little is loaded before it."""

import subprocess
import sys

from tollkeeper.cli import exec as toll_exec
from tollkeeper.cli.main import parser_of


def stage(*arguments: str, **inherited: str) -> dict[str, object]:
    """The stage of a command that is started so, where these labels are inherited."""
    parser = parser_of("exec", toll_exec)
    options = parser.parse_args(parser.joined([*arguments, "--", "claude"]))
    labels = {f"TOLL_{name.upper()}": value for name, value in inherited.items()}
    found = toll_exec.stage_of(options, toll_exec.environment_of(options, labels))
    return {name: value for name, value in found.items() if name != "folder"}


def test_stage_of_a_workflow() -> None:
    """It takes a workflow and a stage, or a task that may tell the rest."""
    assert {"workflow": "w", "stage": "s", "role": "A"} == stage(
        "--workflow", "w", "--stage", "s", "--agent", "A"
    )
    assert {"task": "b-4nq.1-plan", "role": ""} == stage("--task", "b-4nq.1-plan")
    assert {} == stage("--workflow", "w")
    assert {} == stage("--stage", "s")
    assert {} == stage("--agent", "A")


def test_stage_within_another() -> None:
    """A stage within an inherited workflow is one of its own, and what is only inherited is none."""
    assert {"workflow": "w", "stage": "s", "role": ""} == stage("--stage", "s", workflow="w")
    assert {} == stage(workflow="w", task="t", stage="s")


def test_little_is_loaded() -> None:
    """Nobody waits for large libraries before the command starts."""
    code = "import sys, tollkeeper.cli.main, tollkeeper.cli.exec; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    heavy = {"zmq", "msgspec", "rich", "typing", "pathlib", "asyncio", "subprocess"}
    assert not heavy & {*loaded.stdout.split()}
