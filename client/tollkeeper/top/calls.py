"""Calls to the daemon for what a page shows besides the status."""

from typing import Any, Protocol

from tollkeeper.control import AsyncToll
from tollkeeper.paths import Paths

# A report over the whole history may take its time.
REPORT_SECONDS = 60.0


class Call(Protocol):
    """Asks for any verb of the protocol; the answer must be of this kind. TollError when none comes."""

    async def __call__(self, verb: str, kind: type[Any], **params: Any) -> Any: ...


class Calls:
    """Asks the daemon of these paths."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    async def __call__(self, verb: str, kind: type[Any], **params: Any) -> Any:
        async with AsyncToll(self._paths, REPORT_SECONDS) as toll:
            return await toll.call(verb, kind, **params)
