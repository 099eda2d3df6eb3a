"""``toll workflow start``: a workflow starts."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from tollkeeper.cli import words
from tollkeeper.cli.context import Ask, print_raw
from tollkeeper.cli.marking import folder

HELP = (
    "Say that a workflow starts. Again, it changes nothing, but may say the path that it takes; after "
    "the workflow's end it goes on."
)


def options(parser: ArgumentParser) -> None:
    parser.add_argument("workflow", metavar="ID", help="the workflow, such as .claude-4nq")
    parser.add_argument(
        "--path", metavar="NAME", help="the path that it takes, such as full or fast-track"
    )


def run(ask: Ask, options: Namespace) -> None:
    params = {"workflow": options.workflow, **folder()}
    if options.path is not None:
        params["path"] = options.path
    answer = ask.plain("workflow.start", params)
    if ask.as_json:
        print_raw(json.dumps(answer).encode())
        return
    path = f" ({answer['path']})" if answer["path"] else ""
    print(words.plain(f"Workflow {answer['workflow']} has started{path}."))
