"""``toll top``: the live dashboard in the terminal."""

from __future__ import annotations

import gc
import os
import sys
from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask, UsageError
from tollkeeper.errors import TollError
from tollkeeper.extras import install_with

HELP = (
    "Show everything live: a card for each agent, the plan's windows, what is billed and how fast, "
    "history, workflows, the journal, the settings. Keys pause, resume and stop agents; ? lists them."
)
# What Textual reads: after how many ms an Escape is no beginning of another key, where a terminal does not
# tell them apart, and how often in a second it draws. Its own are 100 and 60.
HASTE = {"ESCDELAY": "10", "TEXTUAL_FPS": "120"}


class NoDashboardError(TollError):
    """What the dashboard is drawn with is not installed."""

    code = "no-dashboard"


def options(parser: ArgumentParser) -> None:
    """None: what is shown is chosen in the dashboard."""


def run(ask: Ask, options: Namespace) -> None:
    if ask.as_json:
        raise UsageError("toll top is for people; as JSON there is toll status --live --json")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("toll top needs a terminal; there is toll status --live for pipes")
    for name, value in HASTE.items():
        os.environ.setdefault(name, value)
    try:
        from tollkeeper.top.app import Dashboard
    except ModuleNotFoundError as error:
        raise NoDashboardError(f"the dashboard needs {error.name}", install_with("top")) from None
    # Else a key now and then waits for the collector. The dashboard calls it itself, and not for what was imported.
    gc.freeze()
    gc.disable()
    Dashboard(ask.paths()).run()
