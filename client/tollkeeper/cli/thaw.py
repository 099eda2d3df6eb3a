"""Lets agents go on that are held with no daemon running, by the list that it keeps of them."""

from __future__ import annotations

import contextlib

from msgspec import to_builtins
from msgspec.structs import replace

from tollkeeper import frozen, signals
from tollkeeper.errors import CallError, NoDaemonError
from tollkeeper.frozen import FOREGROUND, FrozenAgent, FrozenFileError
from tollkeeper.model import Done
from tollkeeper.naming import named, near, several
from tollkeeper.paths import find_paths
from tollkeeper.signals import ProcessGone, SignalRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

GONE = "it has ended meanwhile"


def thaw(words: Sequence[str] | None) -> dict[str, Any]:
    """Free those that are named, or all; the answer that the daemon would give.

    NoDaemonError when one is not on the list, CallError when a word may be several of them,
    FrozenFileError when there is no reading it. Then nobody is freed.
    """
    paths = find_paths()
    path = paths.frozen
    known = frozen.read(path)
    meant = known if words is None else _meant(known, words)
    done = [_free(agent, paths.deny) for agent in meant]
    left = {each.id for each in done if each.error}
    freed = [*frozen.read_freed(path), *(each.id for each in done if each.kind == "resumed")]
    # Who is free must not be told so twice. If that fails, the next daemon mends it.
    with contextlib.suppress(FrozenFileError):
        if done:
            still = [each for each in known if each not in meant or each.id in left]
            frozen.write(path, still, freed)
    return {"done": to_builtins(done), "offered": []}


def _meant(known: Sequence[FrozenAgent], words: Sequence[str]) -> list[FrozenAgent]:
    untouched = "nothing was done to the others; " if len(words) > 1 else ""
    meant: dict[str, FrozenAgent] = {}
    for word in words:
        found = named(word, known)
        if not found:
            like = near(word, known)
            raise NoDaemonError(
                f"no agent {word[:80]!r} is known to be held, and no daemon is running",
                f"{untouched}{f'did you mean {like}?' if like else 'start it with: toll up'}",
            )
        if len(found) > 1:
            raise CallError("ambiguous", several(word, found), f"{untouched}name it by its pid")
        meant[found[0].id] = found[0]
    return list(meant.values())


def _free(agent: FrozenAgent, deny: Path) -> Done:
    done = Done(id=agent.id, agent=agent.name, pid=agent.pid)
    try:
        is_there = agent.id in frozen.thaw(agent) if agent.processes else _is_there(agent)
        frozen.allow(agent, deny)
    except (SignalRefused, FrozenFileError) as refused:
        return replace(done, error=refused.message)
    if not is_there:
        return replace(done, note=GONE)
    in_shell = agent.in_shell and agent.processes
    return replace(done, kind="resumed", note=FOREGROUND if in_shell else None)


def _is_there(agent: FrozenAgent) -> bool:
    """Whether the agent still runs; where the system does not tell, it is taken to."""
    try:
        signals.recognise(agent.id)
    except ProcessGone:
        return False
    except SignalRefused:
        return True
    return True
