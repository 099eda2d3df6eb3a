"""The contract and the light client of Tollkeeper.

``Toll``, ``AsyncToll``, ``Feed`` and ``AsyncFeed`` are loaded when they are first asked for, since most commands
need only one of them.
"""

from __future__ import annotations

# Not from typing, which takes longer to load than a command needs to ask and answer.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tollkeeper.control import AsyncToll, Toll
    from tollkeeper.feed import AsyncFeed, Feed

__version__ = "0.1.0"

__all__ = ["AsyncFeed", "AsyncToll", "Feed", "Toll", "__version__"]

_HOMES = {"AsyncToll": "control", "Toll": "control", "Feed": "feed", "AsyncFeed": "feed"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
