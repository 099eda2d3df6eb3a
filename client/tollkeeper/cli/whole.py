"""Asks for a report, and waits for the history that it is to hold."""

from __future__ import annotations

import json
import sys
import time

from tollkeeper.cli import words
from tollkeeper.cli.context import Ask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.1
# How a report begins that is given while the history is read: see docs/protocol.md.
IMPORTING = b'{"importing":{'


def whole_report(ask: Ask, verb: str, params: dict[str, Any]) -> bytes:
    """The report as JSON. The first start reads the whole history: that is worth a moment.

    After a minute the report comes as it is, and a line on stderr says so.
    """
    report = ask.raw(verb, params)
    if not report.startswith(IMPORTING):
        return report
    deadline = time.monotonic() + PATIENCE_SECONDS
    while report.startswith(IMPORTING) and time.monotonic() < deadline:
        _tell(report)
        time.sleep(LOOK_SECONDS)
        report = ask.raw(verb, params)
    if report.startswith(IMPORTING):
        print(f"toll: {_progress(report)}: not all is counted yet", file=sys.stderr)
    elif sys.stderr.isatty():
        print("\x1b[K", end="", file=sys.stderr)
    return report


def _tell(report: bytes) -> None:
    if sys.stderr.isatty():
        print(f"\x1b[K{_progress(report)}", end="\r", file=sys.stderr, flush=True)


def _progress(report: bytes) -> str:
    """How far the reading has come, in words."""
    importing = json.loads(report)["importing"]
    return words.reading(importing["done_bytes"], importing["total_bytes"])
