"""At the end of ``toll setup``: the service, offered where there is none yet."""

from __future__ import annotations

import sys
from argparse import Namespace

from tollkeeper.cli import service_install, terminal
from tollkeeper.errors import TollError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tollkeeper.cli.context import Ask

QUESTION = "Start the daemon at login, and keep it running? [y/N] "
LATER = "To start the daemon at login: toll service install"


def offer_service(ask: Ask, unasked: bool) -> None:
    """Ask a person in a terminal, and install it if they agree; in a pipe nothing is said.

    ``unasked`` is ``--yes``, which spoke of the settings alone: then it is only said how.
    """
    if ask.as_json or not terminal.is_interactive() or not _is_to_be_had():
        return
    if not unasked:
        print(QUESTION, end="", flush=True)
        if sys.stdin.readline().strip().lower() in ("y", "yes"):
            service_install.run(ask, Namespace(tray=False, force=False, dry_run=False))
            return
    print(LATER)


def _is_to_be_had() -> bool:
    """Whether it is not installed, and somebody is there to start it."""
    from tollkeeper.service.parts import daemon_part

    try:
        part = daemon_part()
    except TollError:
        return False
    is_there = part.file.exists() or part.file.is_symlink()
    return not is_there and part.manager is not None and part.manager.unreachable() is None
