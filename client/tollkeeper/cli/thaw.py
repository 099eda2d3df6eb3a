"""Lets paused agents go on with no daemon running, by the list that it keeps of them."""

from __future__ import annotations

import contextlib

from msgspec import to_builtins
from msgspec.structs import replace

from tollkeeper import frozen
from tollkeeper.errors import NoDaemonError
from tollkeeper.frozen import FOREGROUND, FrozenAgent, FrozenFileError
from tollkeeper.model import Done
from tollkeeper.paths import find_paths
from tollkeeper.signals import SignalRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

GONE = "it has ended meanwhile"


def thaw(named: Sequence[str] | None) -> dict[str, Any]:
    """Free those that are named, or all; the answer that the daemon would give.

    NoDaemonError when one is not on the list, FrozenFileError when there is no reading it.
    """
    path = find_paths().frozen
    known = frozen.read(path)
    meant = known if named is None else _meant(known, named)
    done = [_free(agent) for agent in meant]
    left = {each.id for each in done if each.error}
    # Who is free must not be told so twice. If that fails, the next daemon mends it.
    with contextlib.suppress(FrozenFileError):
        if done:
            frozen.write(path, [each for each in known if each not in meant or each.id in left])
    return {"done": to_builtins(done), "offered": []}


def _meant(known: Sequence[FrozenAgent], named: Sequence[str]) -> list[FrozenAgent]:
    found: dict[str, FrozenAgent] = {}
    for word in named:
        of_it = [each for each in known if word in (each.name, str(each.pid), each.id)]
        if not of_it:
            raise NoDaemonError(
                f"no agent {word[:80]!r} is known to be paused, and no daemon is running",
                "by conversation only the daemon knows them; start it with: toll up",
            )
        found.update((each.id, each) for each in of_it)
    return list(found.values())


def _free(agent: FrozenAgent) -> Done:
    done = Done(id=agent.id, agent=agent.name, pid=agent.pid)
    try:
        freed = frozen.thaw(agent)
    except SignalRefused as refused:
        return replace(done, error=refused.message)
    if agent.id not in freed:
        return replace(done, note=GONE)
    return replace(done, kind="resumed", note=FOREGROUND if agent.in_shell else None)
