"""``toll stop``: end agents."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from threading import Timer

from tollkeeper.cli.context import Ask
from tollkeeper.cli.whom import agent_options, agent_params, tell

HELP = (
    "End agents, and wait until they have ended: SIGTERM, and for one that is still there after "
    "the grace period (grace_seconds in the settings, usually 10), SIGKILL."
)
# An agent may take an hour to end, and what it leaves behind another.
LONGEST_SECONDS = 2 * 3600 + 60.0
SAID_AFTER_SECONDS = 1.5
WAITING = (
    "toll: waiting until they have ended; what does not end by itself is killed after the grace "
    "period, also if you do not wait (Ctrl-C)"
)


def options(parser: ArgumentParser) -> None:
    agent_options(parser, "every agent that runs")


def run(ask: Ask, options: Namespace) -> int:
    params = agent_params(ask, options)
    patience = Timer(SAID_AFTER_SECONDS, lambda: print(WAITING, file=sys.stderr, flush=True))
    patience.daemon = True
    patience.start()
    try:
        answer = json.loads(ask.raw("stop", params, LONGEST_SECONDS))
    finally:
        patience.cancel()
    return tell(ask, answer, "No agent is running.")
