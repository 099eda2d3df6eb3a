"""What is left of a dropped request, so that it is not counted again when its lines come back.

A tombstone is a name. A dropped group leaves its own key, and one for each request id in it, since
a line may come back that has no message id; a prompt leaves its line's.
"""

from tollkeeper_daemon.ledger.requests import stray_key
from tollkeeper_daemon.records import Reply


def tombstones_of(key: str, entries: tuple[Reply, ...]) -> set[str]:
    """What this group leaves when it is dropped."""
    if not key.startswith("m:"):
        return {key}
    return {key, *(_link(stray_key(entry.request)) for entry in entries if entry.request)}


def tombstones_of_request(key: str, request: str) -> tuple[str, ...]:
    """Where a new request of this group would be found if it was dropped before."""
    if key.startswith("r:"):
        return key, _link(key)
    return (key, stray_key(request)) if request else (key,)


def tombstone_of_prompt(line: str) -> str:
    """What the prompt with this line id leaves."""
    return f"p:{line}"


def _link(stray: str) -> str:
    """That the request of this stray key stood in a message: not the stray itself, since another
    message under the same request id is none of it."""
    return f"in-{stray}"
