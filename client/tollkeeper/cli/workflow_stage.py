"""``toll workflow stage``: a stage of a workflow starts or ends."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from tollkeeper.cli import words
from tollkeeper.cli.context import Ask, UsageError, print_raw
from tollkeeper.cli.marking import add_status, folder, pids, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = (
    "Say that a stage of a workflow starts or ends. Whoever is at it is named with --agent: an agent, or a "
    "type of subagent. Else it is the agent that runs this command, or all agents of the workflow."
)


def options(parser: ArgumentParser) -> None:
    parser.add_argument("workflow", metavar="ID", help="the workflow")
    parser.add_argument("stage", metavar="STAGE", help="the stage, such as analyze")
    parser.add_argument("event", metavar="start|end", choices=("start", "end"), help="what happens")
    parser.add_argument(
        "--agent",
        metavar="NAME",
        help="an agent, by name, pid or conversation; or a subagent's type",
    )
    parser.add_argument("--task", metavar="ID", help="the task that is done there")
    add_status(parser)


def run(ask: Ask, options: Namespace) -> None:
    answer = ask.plain("workflow.stage", as_params(options))
    if ask.as_json:
        print_raw(json.dumps(answer).encode())
        return
    print(words.plain(f"Stage {told(answer)}."))


def as_params(options: Namespace) -> dict[str, Any]:
    """The marker, as parameters of the call. UsageError for a status of what only starts."""
    if options.status and options.event == "start":
        raise UsageError("--status says how a stage ended: this one starts")
    params = {
        "workflow": options.workflow,
        "stage": options.stage,
        "event": options.event,
        "pids": pids(),
        **folder(),
    }
    given = {"agent": options.agent, "task": options.task}
    if options.event == "end":
        given["status"] = options.status or "completed"
    return params | {name: value for name, value in given.items() if value is not None}
