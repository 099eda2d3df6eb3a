"""The Python of docs/orchestrators.md, run as it stands there."""

import subprocess
import sys

from snippets import snippets

from .keeper import Keeper

# What the snippets only define is done as well.
ENDING = """
label(AGENT)
hold(AGENT)
go_on(AGENT)
import json
print(json.dumps([answer, cheapest, spent]))
toll.close()
"""


def test_python(keeper: Keeper) -> None:
    """Each snippet does what the words around it say."""
    keeper.start()
    agent = keeper.start_agent(labels={"TOLL_AGENT": "planner"})
    agent.says("idle")
    agent.log.reply()
    keeper.wait_for_requests(1)
    keeper.wait_for(lambda status: len(status.agents) == 1)
    program = f'AGENT = "{agent.pid}"\n{snippets("python")}{ENDING}'
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=keeper.environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert '"admitted": true' in done.stdout and '"planner": 0.' in done.stdout
    seen = keeper.agent(agent)
    assert (seen.workflow, seen.stage, seen.held) == (".claude-4nq", "plan", None)
    kinds = [each["kind"] for each in keeper.report("log")["entries"]]
    assert [each for each in kinds if each in ("limit-set", "paused", "resumed")] == [
        "limit-set",
        "paused",
        "resumed",
    ]
