"""The TypeScript orchestrator in examples/, built by its own compiler and run by node against a real daemon."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ending import end
from flow.keeper import TOLL, Keeper
from flow.lines import HAIKU, USUAL_USD
from flow.test_orchestrators import CLAUDE
from snippets import snippets
from waiting import wait_until

from .conftest import unavailable

EXAMPLE = Path(__file__).parents[2] / "examples" / "typescript"
MODULES = Path(__file__).parents[2] / ".cache" / "typescript" / "node_modules"
WORKFLOW, STAGE = ".claude-4nq", "plan"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The orchestrator as JavaScript; its types are right."""
    node = shutil.which("node")
    if node is None or not MODULES.is_dir():
        unavailable("no node, or not what the example needs: make .cache/typescript/.ready")
    folder = tmp_path_factory.mktemp("typescript")
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    (folder / "node_modules").symlink_to(MODULES)
    compiler = folder / "node_modules" / "typescript" / "bin" / "tsc"
    done = subprocess.run(
        [node, compiler], cwd=folder, capture_output=True, text=True, timeout=50, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
    return folder / "dist" / "orchestrator.js"


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    """A daemon, and a client on the PATH that is played."""
    with Keeper() as keeper:
        programs, played = keeper.root / "bin", keeper.root / "played"
        for folder in (programs, played):
            folder.mkdir()
        (programs / "claude").write_text(f'{CLAUDE.rstrip()} "$@"\n')
        (programs / "claude").chmod(0o755)
        path = f"{programs}:{TOLL.parent}:{os.path.dirname(shutil.which('node') or '')}"
        keeper.environment["PATH"] = f"{path}:{keeper.environment['PATH']}"
        keeper.environment["PLAYED"] = str(played)
        keeper.limit()
        keeper.start()
        yield keeper


def start(
    keeper: Keeper, built: Path, stage: str, *options: str, output: Path
) -> "subprocess.Popen[bytes]":
    """Start it, with its output in a file."""
    with open(output, "wb") as file:
        return subprocess.Popen(
            ["node", built, WORKFLOW, stage, "Plan it.", *options],
            cwd=keeper.home.cwd(),
            env=keeper.environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def ended(process: "subprocess.Popen[bytes]", output: Path) -> tuple[int, list[str]]:
    """Its exit status, and the lines that it printed."""
    try:
        status = process.wait(50)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"it does not end: {output.read_text()}") from None
    finally:
        end(process)
    return status, output.read_text().splitlines()


def stages(keeper: Keeper) -> list[dict[str, Any]]:
    return keeper.report("workflow.show", workflow=WORKFLOW)["stages"]


def run(keeper: Keeper, built: Path, *options: str) -> tuple[int, list[str]]:
    output = keeper.root / "output"
    return ended(start(keeper, built, STAGE, *options, output=output), output)


def test_a_stage(keeper: Keeper, built: Path) -> None:
    """It asks for room, runs its agent with its labels, marks the stage, and tells what it took."""
    status, lines = run(keeper, built)
    assert status == 0, lines
    assert lines[:2] == ["there is room: $2.00 left", "model: the client's own"]
    [stage] = stages(keeper)
    assert (stage["stage"], stage["status"]) == (STAGE, "completed")
    assert lines[-1] == f"plan: {stage['requests']} requests, ${stage['cost_usd']:.4f}, completed"
    assert stage["requests"] > 0
    [row] = keeper.report("daily", by=["workflow", "stage"])["totals"]["breakdown"]
    assert row["by"] == {"workflow": WORKFLOW, "stage": STAGE}


def test_a_budget_that_is_spent(keeper: Keeper, built: Path) -> None:
    """An agent that is paused at its stage's budget gets more, once, and ends well with it."""
    status, lines = run(keeper, built, "--usd", str(USUAL_USD / 2), "--extra", "1")
    assert status == 0, lines
    assert "plan is paused at the stage's budget: $1 more, once" in lines
    kinds = [each["kind"] for each in keeper.report("log")["entries"]]
    assert kinds.count("paused") == kinds.count("resumed") == 1


def test_stopped_in_the_end(keeper: Keeper, built: Path) -> None:
    """When that is spent as well, the agent is stopped, and the stage has failed."""
    keeper.environment["PLAYED_REQUESTS"] = "40"
    options = ("--usd", str(USUAL_USD / 2), "--extra", str(USUAL_USD / 2))
    status, lines = run(keeper, built, *options)
    assert status == 1, lines
    assert "plan is paused at the stage's budget again: stopped" in lines
    assert [stage["status"] for stage in stages(keeper)] == ["failed"]


def test_no_room(keeper: Keeper, built: Path) -> None:
    """While there is no room it waits and says why, and begins as soon as there is."""
    keeper.report("limit.set", task="t", usd=1)
    keeper.report("limit.set", workflow=WORKFLOW, usd=0.001)
    output = keeper.root / "output"
    process = start(keeper, built, STAGE, output=output)
    try:
        wait_until(lambda: b"\n" in output.read_bytes())
        assert re.match(r"not now: the limit of workflow \.claude-4nq leaves ", output.read_text())
        assert stages_so_far(keeper) == []
        keeper.report("limit.clear", workflow=WORKFLOW)
    finally:
        status, lines = ended(process, output)
    assert status == 0, lines
    assert lines[1] == "there is room: $2.00 left"


def stages_so_far(keeper: Keeper) -> Sequence[object]:
    return keeper.report("workflow.stages")["stages"]


def test_the_cheapest_model(keeper: Keeper, built: Path) -> None:
    """It takes the model that has been the cheapest for this stage so far."""
    agent = keeper.start_agent(labels={"TOLL_WORKFLOW": "w-1", "TOLL_STAGE": STAGE})
    agent.says("busy")
    agent.log.reply(model=HAIKU)
    keeper.wait_for_requests(1)
    agent.exit()
    wait_until(lambda: keeper.report("workflow.models")["stages"])
    status, lines = run(keeper, built)
    assert (status, lines[1]) == (0, f"model: {HAIKU}")


def test_no_daemon(keeper: Keeper, built: Path) -> None:
    """Without a daemon it says so at once."""
    keeper.stop()
    assert run(keeper, built) == (3, ["orchestrator: no daemon is running: toll up"])


def test_no_client(keeper: Keeper, built: Path) -> None:
    """Without a client it says so, before it asks for anything."""
    tools = keeper.root / "tools"
    tools.mkdir()
    (tools / "node").symlink_to(str(shutil.which("node")))
    keeper.environment["PATH"] = str(tools)
    assert run(keeper, built) == (127, ["orchestrator: claude is not on the PATH"])
    assert stages_so_far(keeper) == []


def test_the_docs(keeper: Keeper, built: Path) -> None:
    """Each snippet of docs/orchestrators.md is TypeScript, and does what the words around it say."""
    agent = keeper.start_agent(labels={"TOLL_AGENT": "planner"})
    agent.says("idle")
    keeper.wait_for(lambda status: len(status.agents) == 1)
    folder = built.parents[1]
    ending = (
        "await label(pid)\nawait hold(pid)\nawait goOn(pid)\nconsole.log(cheapest)\ntoll.close()\n"
    )
    snippet = f'const pid = "{agent.pid}"\n{ending}'
    (folder / "docs.ts").write_text(f"{snippets('ts')}{snippet}")
    config = folder / "docs.json"
    config.write_text('{"extends": "./tsconfig.json", "files": ["docs.ts"]}')
    compiler = folder / "node_modules" / "typescript" / "bin" / "tsc"
    for command in ((compiler, "-p", config), (folder / "dist" / "docs.js",)):
        done = subprocess.run(
            ["node", *command],
            env=keeper.environment,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "null\n"
    seen = keeper.agent(agent)
    assert (seen.workflow, seen.stage, seen.held) == (".claude-4nq", "plan", None)
