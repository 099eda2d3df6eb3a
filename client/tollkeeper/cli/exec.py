"""``toll exec``: starts a command with the labels of its work, and marks the stage that it is."""

from __future__ import annotations

import os
import sys
import time
from argparse import ArgumentParser, Namespace

from tollkeeper.cli import child, link, words
from tollkeeper.cli.amounts import more_dollars
from tollkeeper.cli.context import Ask, UsageError
from tollkeeper.cli.marking import folder
from tollkeeper.errors import CallError, NoDaemonError, TollError
from tollkeeper.places import find_places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Marked = Mapping[str, Any]

HELP = (
    "Start a command, such as claude, with the labels of its work: all that it spends is booked under "
    "them, and its stage begins and ends with it. Put -- before the command. It has your terminal, gets "
    "every signal, and its exit status is that of toll exec."
)
LABELS = ("agent", "workflow", "task", "stage")
# The command waits no longer for a daemon.
PATIENCE_SECONDS = 1.0
# When the command has ended, a daemon may be busy with what it wrote.
END_SECONDS = 5.0
STEP_SECONDS = 0.05


def options(parser: ArgumentParser) -> None:
    parser.add_argument("--agent", metavar="NAME", help="what the agent is called")
    parser.add_argument("--workflow", metavar="ID", help="the workflow that it works for")
    parser.add_argument(
        "--task", metavar="ID", help="the task; its id may tell workflow and stage by itself"
    )
    parser.add_argument("--stage", metavar="NAME", help="the stage that it is at")
    parser.add_argument(
        "--budget", metavar="USD", type=more_dollars, help="the most that it may spend"
    )
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="the command, behind --")


def run(ask: Ask, options: Namespace) -> int:
    if not options.command:
        raise UsageError("which command? name it behind --, as in: toll exec -- claude")
    environment = environment_of(options, os.environ)
    is_there = _finds_daemon(ask)
    with child.hearing() as held_back:
        marked = _begin(stage_of(options, environment)) if is_there else None
        if number := child.told_to_end():
            _end(marked, "failed")
            return 128 + number
        try:
            status, was_told = child.run(options.command, environment, held_back)
        except OSError as error:
            _end(marked, "failed")
            return _not_started(options.command[0], error)
        # Claude Code's own status after ^C is 0.
        _end(marked, "failed" if status or was_told else "completed")
        return status


def environment_of(options: Namespace, inherited: Mapping[str, str]) -> dict[str, str]:
    """The command's environment: ours with the labels that are given.

    A label that is given takes the narrower ones that are not from an environment that we inherit:
    another workflow has other tasks, and another task is at a stage of its own.
    """
    given = {name: getattr(options, name) for name in LABELS}
    environment = dict(inherited)
    if given["workflow"] is not None:
        environment.pop("TOLL_TASK", None)
    if given["workflow"] is not None or given["task"] is not None:
        environment.pop("TOLL_STAGE", None)
    environment |= {f"TOLL_{name.upper()}": value for name, value in given.items() if value}
    if options.budget is not None:
        environment["TOLL_BUDGET_USD"] = f"{options.budget:.9f}".rstrip("0").rstrip(".")
    return environment


def stage_of(options: Namespace, environment: Mapping[str, str]) -> dict[str, Any]:
    """The stage that the command is, as parameters of a call; nothing when it is no stage of its own.

    Labels that are only inherited are those of a stage that somebody else has marked.
    """
    if not (options.workflow or options.task or options.stage):
        return {}
    named = {name: environment.get(f"TOLL_{name.upper()}") for name in LABELS[1:]}
    params = {name: value for name, value in named.items() if value}
    if not ("task" in params or {"workflow", "stage"} <= params.keys()):
        return {}
    return {**params, "role": environment.get("TOLL_AGENT", ""), **folder()}


def _finds_daemon(ask: Ask) -> bool:
    """Whether a daemon answers within a second; one is started when none runs."""
    run, deadline = find_places()[2], time.monotonic() + PATIENCE_SECONDS
    try:
        try:
            link.ask(run, "ping", {}, PATIENCE_SECONDS)
        except NoDaemonError:
            if not ask.may_start:
                raise
            _start_daemon(run, deadline)
    except TollError as error:
        _warn(f"{error.message}: the command runs all the same, and is counted once a daemon does")
        return False
    return True


def _start_daemon(run: str, deadline: float) -> None:
    """Start a daemon; NoDaemonError or NoAnswerError when it does not answer in time."""
    from tollkeeper.paths import find_paths
    from tollkeeper.start import spawn_daemon

    spawn_daemon(find_paths())
    while True:
        time.sleep(STEP_SECONDS)
        left = deadline - time.monotonic()
        try:
            link.ask(run, "ping", {}, max(left, STEP_SECONDS))
        except NoDaemonError:
            if left <= 0:
                raise
        else:
            return


def _begin(stage: dict[str, Any]) -> Marked | None:
    """Mark that the stage begins; what it takes to end it, None when there is nothing to end.

    It has an id of our own, by which it is ended also where no answer came.
    """
    if not stage:
        return None
    marked = {**stage, "id": f"{os.getpid()}-{time.time_ns()}"}
    try:
        _mark({**marked, "event": "start"}, PATIENCE_SECONDS)
    except CallError as error:
        if error.code != "no-stage":
            _warn(f"this stage is not marked: {error.message}")
        return None
    except TollError as error:
        _warn(f"this stage may not be marked: {error.message}")
    return marked


def _end(marked: Marked | None, status: str) -> None:
    """Mark that the stage has ended."""
    if marked is None:
        return
    try:
        _mark({**marked, "event": "end", "status": status}, END_SECONDS)
    except TollError as error:
        if error.code != "not-found":  # Else its start was not heard, which was said.
            _warn(f"that the stage has ended is not marked: {error.message}")


def _mark(call: dict[str, Any], timeout: float) -> None:
    """Tell the daemon; where it is gone, or goes away, the next one is told, if that comes within a second."""
    run, deadline = find_places()[2], time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            link.ask(run, "workflow.stage", call, timeout)
            return
        except NoDaemonError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(STEP_SECONDS)


def _not_started(command: str, error: OSError) -> int:
    """Say why the command was not started; the exit status that shells have for it."""
    _warn(f"{command}: {error.strerror or error}")
    return 127 if isinstance(error, FileNotFoundError) else 126


def _warn(text: str) -> None:
    print(f"toll: {words.plain(text)}", file=sys.stderr, flush=True)
