"""What ``toll doctor`` says of the run directory and the sockets in it."""

import os
import stat
import time

from msgspec import Struct

from tollkeeper.cli.facts import Facts
from tollkeeper.cli.finding import Finding
from tollkeeper.errors import TollError
from tollkeeper.feed import Feed
from tollkeeper.paths import Paths

# After a snapshot there is a beat within a third of a second; a busy daemon takes its time.
PATIENCE_SECONDS = 5.0
OTHERS = 0o077


class SocketFacts(Struct, frozen=True):
    """The run directory's mode and owner, and what was heard; None where nobody was asked.

    ``unheard`` is why no update came.
    """

    run: str
    mode: int
    own: bool
    unheard: str | None = None


def socket_findings(facts: Facts) -> list[Finding]:
    """Whether the run directory is closed to others, and updates come."""
    try:
        status = os.stat(facts.paths.run)
    except OSError:
        return []  # No daemon has run yet, which is told.
    unheard = _listen(facts.paths) if facts.health is not None else None
    mode, is_own = stat.S_IMODE(status.st_mode), status.st_uid == os.getuid()
    found = SocketFacts(str(facts.paths.run), mode, is_own, unheard)
    return judge_sockets(found, facts.health is not None)


def judge_sockets(facts: SocketFacts, asked: bool) -> list[Finding]:
    """What the facts mean. Pure."""
    if not facts.own:
        return [Finding(False, f"{facts.run} belongs to another user", "set TOLL_HOME")]
    if facts.mode & OTHERS:
        text = f"{facts.run} is open to others"
        return [Finding(False, text, f"toll down; chmod 700 {facts.run}; toll up")]
    if facts.unheard:
        return [Finding(False, f"sockets: {facts.unheard}", "toll down, then toll up")]
    return [Finding(True, "sockets: calls are answered, updates come")] if asked else []


def _listen(paths: Paths) -> str | None:
    """Why no update was heard; None when one was."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        with Feed(paths) as feed:
            while time.monotonic() < deadline:
                change = feed.next_change(0.5)
                if change is not None and change.update is not None:
                    return None
    except TollError as error:
        return error.message
    return f"no update came on {paths.updates_socket} within {PATIENCE_SECONDS:g} s"
