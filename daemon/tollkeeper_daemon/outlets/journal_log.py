"""Logs to the system's journal, by way of stderr: each line with its severity, and no time of its own."""

import logging
import os
from collections.abc import Mapping

# The severities of sd-daemon(3), which the journal takes off the line.
SEVERITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3}
MOST_SEVERE = 2


def is_journal(descriptor: int, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this descriptor leads into the journal, as systemd.exec(5) tells ``$JOURNAL_STREAM``."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return False
    return environment.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def to_journal() -> logging.Handler:
    """What writes to stderr as the journal reads it."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Lines())
    return handler


class _Lines(logging.Formatter):
    """The severity is said of every line, or the journal would take all but the first for notices."""

    def format(self, record: logging.LogRecord) -> str:
        severity = SEVERITIES.get(record.levelno, MOST_SEVERE)
        lines = super().format(record).split("\n")
        return "\n".join(f"<{severity}>{line}" for line in lines)
