"""At the end of ``toll setup``: the service, offered where there is none yet."""

from __future__ import annotations

import sys
from argparse import Namespace

from tollkeeper.cli import service_install, terminal
from tollkeeper.errors import TollError
from tollkeeper.service.manager import no_session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tollkeeper.cli.context import Ask

QUESTION = "Start the daemon at login, and keep it running? [y/N] "
LATER = "To start the daemon at login: toll service install"
NOT_OFFERED = "That the daemon starts at login is not offered"


def offer_service(ask: Ask, unasked: bool) -> None:
    """Ask a person in a terminal, and install it if they agree; in a pipe nothing is said.

    ``unasked`` is ``--yes``, which spoke of the settings alone: then it is only said how. Where nobody
    is there to start it, that is said.
    """
    if ask.as_json or not terminal.is_interactive():
        return
    from tollkeeper.service.parts import daemon_part

    try:
        part = daemon_part()
    except TollError as error:
        print(f"{NOT_OFFERED}: {error.message}")
        return
    assert part.manager is not None
    if part.file.exists() or part.file.is_symlink():
        return
    if part.manager.unreachable():
        print(f"{NOT_OFFERED}: {no_session(part.manager.name)}")
    elif unasked or not _agrees():
        print(LATER)
    else:
        service_install.run(ask, Namespace(tray=False, force=False, dry_run=False))


def _agrees() -> bool:
    print(QUESTION, end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
