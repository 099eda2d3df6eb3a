"""Plays ``claude -p`` as a program: writes its session file and a log, and prints a result at its end.

It works for a while, and no shorter than until a daemon has seen it. What it has asked is noted in the
folder that PLAYED names, in a file of its own: the workflow, the stage, and how many requests, which are
PLAYED_REQUESTS if that is set.
"""

import json
import os
import random
import sys
import time
from pathlib import Path

from tollkeeper.cli import link
from tollkeeper.errors import TollError
from tollkeeper.places import find_places

from .adopted import Adopted
from .claude_home import ClaudeHome
from .lines import USUAL_USD

LONGEST_PAUSE_SECONDS = 0.3
PATIENCE_SECONDS = 30


def main() -> None:
    """One run."""
    chance = random.Random()
    agent = Adopted(ClaudeHome(Path(os.environ["CLAUDE_CONFIG_DIR"]), Path.cwd()), os.getpid())
    session = agent.says("busy")
    agent.log.prompt()
    count = int(os.environ.get("PLAYED_REQUESTS") or chance.randint(1, 5))
    for _ in range(count):
        time.sleep(chance.uniform(0, LONGEST_PAUSE_SECONDS))
        agent.log.reply()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_seen() and time.monotonic() < deadline:
        time.sleep(LONGEST_PAUSE_SECONDS / 3)
    session.unlink()
    note = [os.environ["TOLL_WORKFLOW"], os.environ["TOLL_STAGE"], count]
    (Path(os.environ["PLAYED"]) / agent.conversation).write_text(json.dumps(note))
    print(json.dumps({"result": "Done.", "total_cost_usd": count * USUAL_USD}))


def is_seen() -> bool:
    """Whether a daemon has us among its agents."""
    try:
        status = json.loads(link.ask(find_places()[2], "snapshot", {}, 1.0))
    except TollError:
        return False
    return os.getpid() in [each["pid"] for each in status["agents"]]


if __name__ == "__main__":
    main()
    sys.exit(0)
