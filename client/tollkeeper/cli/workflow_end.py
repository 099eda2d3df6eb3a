"""``toll workflow end``: a workflow has ended."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from tollkeeper.cli import words
from tollkeeper.cli.context import Ask, print_raw
from tollkeeper.cli.marking import add_status

HELP = (
    "Say that a workflow has ended, and how. Its stages end with it, and what agents do from then on is "
    "theirs no more, unless their environment or toll tag says so."
)


def options(parser: ArgumentParser) -> None:
    parser.add_argument("workflow", metavar="ID", help="the workflow")
    add_status(parser)


def run(ask: Ask, options: Namespace) -> None:
    params = {"workflow": options.workflow, "status": options.status or "completed"}
    answer = ask.plain("workflow.end", params)
    if ask.as_json:
        print_raw(json.dumps(answer).encode())
        return
    print(words.plain(f"Workflow {answer['workflow']} has ended: {answer['status']}."))
