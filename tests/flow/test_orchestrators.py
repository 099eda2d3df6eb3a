"""The orchestrators in examples/ while daemons are killed and restarted: each stage is there once, and sums agree."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from ending import end

from .chaos import Chaos
from .keeper import TOLL, Keeper
from .lines import USUAL_USD
from .test_workflows import spans

pytestmark = pytest.mark.skipif(
    not os.path.exists("/proc/self/stat"), reason="process starts are noted as Linux does"
)

TESTS = Path(__file__).parents[1]
EXAMPLES = TESTS.parent / "examples"
PYTHON = (sys.executable, str(EXAMPLES / "orchestrator.py"))
SHELL = ("sh", str(EXAMPLES / "orchestrate.sh"))
CLAUDE = f"""#!/bin/sh
PYTHONPATH={TESTS} exec {sys.executable} -m flow.play_claude
"""
STAGES = {"analyze", "plan", "implement", "review"}
WORKFLOWS = [f".claude-w{number}a" for number in range(6)]
AT_ONCE = 3
NO_DAEMON = 3


def orchestrate(keeper: Keeper, command: tuple[str, ...], workflow: str) -> str:
    """Lead one workflow to its end, with another try where no daemon was there to begin with."""
    while True:
        with subprocess.Popen(
            [*command, workflow, "let the shop take tips"],
            cwd=keeper.home.cwd(),
            env=keeper.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            try:
                output, _ = process.communicate(timeout=100)
            finally:
                end(process)
        words = output.decode()
        if process.returncode != NO_DAEMON or asked(keeper)[workflow]:
            assert process.returncode == 0, words
            return words


@pytest.fixture
def played(keeper: Keeper) -> Keeper:
    """A Tollkeeper with a client on the PATH that is played, and notes what it asked."""
    programs, played = keeper.root / "bin", keeper.root / "played"
    for folder in (programs, played):
        folder.mkdir()
    (programs / "claude").write_text(CLAUDE)
    (programs / "claude").chmod(0o755)
    keeper.environment["PATH"] = f"{programs}:{TOLL.parent}:{keeper.environment['PATH']}"
    keeper.environment["PLAYED"] = str(played)
    return keeper


def asked(keeper: Keeper) -> dict[str, dict[str, int]]:
    """How often was asked, by workflow and stage."""
    found: dict[str, dict[str, int]] = {workflow: {} for workflow in WORKFLOWS}
    for note in (keeper.root / "played").iterdir():
        workflow, stage, count = json.loads(note.read_text())
        assert stage not in found[workflow]
        found[workflow][stage] = count
    return found


@pytest.mark.timeout(180)
@pytest.mark.parametrize("command", [PYTHON, SHELL], ids=["python", "shell"])
def test_each_stage_once(played: Keeper, command: tuple[str, ...]) -> None:
    """Of 24 stages, gone through while daemons are killed in their midst, each is there once, with its sums."""
    keeper = played
    keeper.run("up")
    chaos = Chaos(keeper, seed=22, most=len(WORKFLOWS) * len(STAGES))
    chaos.start()
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            words = [*pool.map(partial(orchestrate, keeper, command), WORKFLOWS)]
    finally:
        chaos.finish()
    print(chaos.ends, *words, sep="\n")
    assert chaos.ends[signal.SIGKILL] > 2
    truth = asked(keeper)
    keeper.wait_for_requests(sum(sum(each.values()) for each in truth.values()))
    for workflow, counts in truth.items():
        assert STAGES == counts.keys()
        shown = keeper.report("workflow.show", workflow=workflow)
        stages = {each["stage"]: (each["requests"], each["runs"]) for each in shown["stages"]}
        assert {stage: (count, 1) for stage, count in counts.items()} == stages
        assert sum(counts.values()) == shown["totals"]["requests"]
        assert round(sum(counts.values()) * USUAL_USD, 9) == shown["totals"]["value_usd"]
    assert keeper.run("down").returncode == 0
    for workflow in WORKFLOWS:
        found = spans(keeper, workflow)
        assert STAGES == {span.labels.stage for span in found}
        assert (len(STAGES), True) == (len(found), all(span.ended for span in found))


def test_no_result(played: Keeper) -> None:
    """What the client prints that is no result of its is told in a line, and the stage has failed."""
    (played.root / "bin" / "claude").write_text("#!/bin/sh\necho 'Welcome to Claude!'\n")
    played.run("up")
    done = subprocess.run(
        [*PYTHON, ".claude-w0a", "let the shop take tips"],
        cwd=played.home.cwd(),
        env=played.environment,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    said = ["analyze: claude printed no result: 'Welcome to Claude!'", "analyze: failed"]
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[:2] == said
