"""What all markers of workflows share: where they are called, by whom, and how a stage is told."""

from __future__ import annotations

import os
from argparse import ArgumentParser

from tollkeeper.cli import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STATUSES = ("completed", "failed")
# Deeper than processes are nested.
MOST_PIDS = 100


def add_status(parser: ArgumentParser) -> None:
    """``--status``: how it ended."""
    parser.add_argument("--status", choices=STATUSES, help="how it ended (default: completed)")


def folder() -> dict[str, str]:
    """The folder that the marker is called in, as a parameter; nothing where that is gone."""
    try:
        return {"folder": os.getcwd()}
    except OSError:
        return {}


def pids() -> list[int]:
    """This process and those above it, the nearest first, as far as the system tells."""
    from tollkeeper.kernel import read_stat

    found = [os.getpid(), os.getppid()]
    try:
        while len(found) < MOST_PIDS and (parent := read_stat(found[-1]).parent) > 0:
            found.append(parent)
    except (OSError, ValueError):
        pass  # Without /proc it is known of the parent alone.
    return found


def told(span: dict[str, Any]) -> str:
    """What became of the stage, in words: ``analyze of w-1 has ended: completed, after 2m 07s``."""
    of = span["workflow"] or span["task"]
    who = f" by {span['role']}" if span["role"] else ""
    name = f"{span['stage']} of {of}{who}"
    if not span["ended_at"]:
        return f"{name} has started"
    from datetime import datetime

    began, ended = (datetime.fromisoformat(span[key]) for key in ("started_at", "ended_at"))
    status = f": {span['status']}" if span["status"] else ""
    lasted = words.span((ended - began).total_seconds())
    return f"{name} has ended{status}, after {lasted}"
