"""``toll tag``: say which work an agent does, from now on or from an earlier time."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace

from tollkeeper.cli import words
from tollkeeper.cli.context import Ask, UsageError, print_raw
from tollkeeper.cli.moments import moment
from tollkeeper.cli.whom import agent_options, agent_params

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = (
    "Say which work agents do: it holds before all else that tells it. What they ask from now on is "
    "booked under it; with --since also what they asked from that time on, which moves the sums exactly. "
    "A task's id may tell workflow and stage by itself. What you leave out stays as you said it before."
)
LABELS = ("workflow", "task", "stage")


def options(parser: ArgumentParser) -> None:
    agent_options(parser, "every agent that runs")
    parser.add_argument("--workflow", metavar="ID", help="the workflow that it works for")
    parser.add_argument("--task", metavar="ID", help="the task")
    parser.add_argument("--stage", metavar="NAME", help="the stage")
    parser.add_argument(
        "--since",
        metavar="TIME",
        type=moment,
        help="from this time on: 30m (ago), 14:05, 2026-11-30, or start, for all that it did",
    )
    parser.add_argument(
        "--subagent", metavar="NAME", help="of one of its subagents alone, by its id or type"
    )
    parser.add_argument(
        "--clear", action="store_true", help="take back what was said before of what you leave out"
    )


def run(ask: Ask, options: Namespace) -> int:
    said = {name: value for name in LABELS if (value := getattr(options, name)) is not None}
    if not said and not options.clear:
        raise UsageError("say --workflow, --task or --stage, or take back what was said: --clear")
    params: dict[str, Any] = {**agent_params(ask, options), **said, "clear": options.clear}
    if options.since:
        params["since"] = options.since.isoformat()
    if options.subagent:
        params["subagent"] = options.subagent
    answer = ask.plain("tag", params)
    if ask.as_json:
        print_raw(json.dumps(answer["tagged"]).encode())
        return 0
    for tagged in answer["tagged"]:
        print(words.plain(_line(tagged)))
    if not answer["tagged"]:
        print("No agent is running.")
    sys.stdout.flush()
    return 0


def _line(tagged: dict[str, Any]) -> str:
    held = ", ".join(f"{name} {tagged[name]}" for name in LABELS if tagged[name])
    line = f"{tagged['agent']}: {held or 'no workflow, task or stage'}."
    moved = tagged["moved_requests"]
    if not moved:
        return line
    return f"{line} {moved:,} request{'s were' if moved > 1 else ' was'} booked anew."
