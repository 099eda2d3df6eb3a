"""``toll pause``: freeze agents, until somebody resumes them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask
from tollkeeper.cli.whom import agent_options, agent_params, tell

HELP = (
    "Freeze agents, with all that they started, until toll resume lets them go on. They spend "
    "nothing meanwhile, and stay paused when the daemon ends."
)


def options(parser: ArgumentParser) -> None:
    agent_options(parser, "every agent that runs")


def run(ask: Ask, options: Namespace) -> int:
    answer = ask.plain("pause", agent_params(ask, options))
    return tell(ask, answer, "No agent is running.")
