"""The agents that a verb is for: how they are named, and how what came of it is told."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace

from tollkeeper.cli import words
from tollkeeper.cli.context import MISREAD, Ask, UsageError, print_raw
from tollkeeper.errors import TollError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Literal

NAMED = "its name, pid or conversation, or the first letters (six or more) of the latter"
DONE = {"paused": "is paused", "resumed": "goes on", "stopped": "has ended"}
MOST_NAMED = 10


def agent_options(parser: ArgumentParser, everyone: str) -> None:
    """``AGENT…`` or ``--all``, which means these."""
    parser.add_argument("agents", nargs="*", metavar="AGENT", help=NAMED)
    parser.add_argument("--all", action="store_true", help=everyone)


def agent_params(
    ask: Ask, options: Namespace, those: Literal["running", "held"] = "running"
) -> dict[str, Any]:
    """Whom is meant, as parameters of a call; UsageError, which says whom there is, when nobody is.

    ``those`` are who may be meant.
    """
    if options.all and options.agents:
        raise UsageError("name agents, or --all: not both")
    if options.all:
        return {"all": True}
    if not options.agents:
        raise UsageError(f"which agents? name them, or --all; {_candidates(ask, those)}")
    return {"agents": options.agents}


def _candidates(ask: Ask, those: Literal["running", "held"]) -> str:
    """Who could be meant, if a daemon that runs says so; none is started for that."""
    try:
        agents = Ask(may_start=False).plain("snapshot")["agents"]
        alive = [agent for agent in agents if agent["state"] != "exited"]
        names = [agent["name"] for agent in alive if those == "running" or _is_held(agent)]
    except (TollError, *MISREAD):
        return "see: toll agents"
    shown = ", ".join(names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        shown += f" and {len(names) - MOST_NAMED} more"
    return f"{those} now: {shown or 'none'}"


def _is_held(agent: dict[str, Any]) -> bool:
    held = agent.get("held")
    return agent["state"] == "paused" or (held is not None and held["kind"] == "blocked")


def tell(ask: Ask, answer: dict[str, Any], nobody: str) -> int:
    """Say what came of it, a line for each agent; the exit status. ``nobody`` is for none at all."""
    failed = [done for done in answer["done"] if done["error"]]
    if ask.as_json:
        print_raw(json.dumps(answer).encode())
        return 1 if failed else 0
    for done in answer["done"]:
        if not done["error"]:
            print(words.plain(_line(done)))
    print_offered(answer.get("offered", ()))
    if not answer["done"]:
        print(nobody)
    sys.stdout.flush()
    for done in failed:
        print(words.plain(f"toll: {done['agent']}: {done['error']}"), file=sys.stderr)
    return 1 if failed else 0


def print_offered(names: Iterable[str]) -> None:
    """Who has room again and is still held."""
    for name in names:
        print(words.plain(f"{name} has room again: toll resume {words.typed(name)}"))


def _line(done: dict[str, Any]) -> str:
    note = done["note"] or ""
    end = "" if note.endswith((".", "!", "?")) else "."
    if not done["kind"]:
        return f"{done['agent']}: {note}{end}"
    line = f"{done['agent']} {DONE.get(done['kind'], done['kind'])}."
    return f"{line} {note[:1].upper()}{note[1:]}{end}" if note else line
