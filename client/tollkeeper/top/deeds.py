"""What keys do to agents: a call to the daemon, and what came of it in a line."""

from typing import Any

from msgspec import Struct

from tollkeeper.cli import words
from tollkeeper.control import AsyncToll
from tollkeeper.errors import TollError
from tollkeeper.model import Agent, Tagged
from tollkeeper.outcomes import CALL_SECONDS, STOP_SECONDS, Came, DoneAnswer, refused, told
from tollkeeper.paths import Paths


class TaggedAnswer(Struct, frozen=True):
    """The answer to ``tag``."""

    tagged: tuple[Tagged, ...]


class Deeds:
    """Does what a person wants done to an agent; never raises a TollError, but tells of it."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    async def pause(self, agent: Agent) -> Came:
        """Freeze it."""
        return await self._act("pause", agent)

    async def resume(self, agent: Agent, add_usd: float = 0.0) -> Came:
        """Let it go on, with so many dollars more of what holds it."""
        return await self._act("resume", agent, **({"add_usd": add_usd} if add_usd else {}))

    async def stop(self, agent: Agent) -> Came:
        """End it."""
        return await self._act("stop", agent, STOP_SECONDS)

    async def label(self, agent: Agent, labels: dict[str, str]) -> Came:
        """Say which work it does from now on; an empty label takes back what was said before."""
        said = {name: value for name, value in labels.items() if value}
        try:
            answer = await self._call(
                "tag", TaggedAnswer, CALL_SECONDS, agents=[agent.id], clear=True, **said
            )
        except TollError as error:
            return refused(error)
        [tagged] = answer.tagged
        if tagged.error:
            return Came(f"{tagged.agent}: {tagged.error}", is_error=True)
        known = (tagged.workflow, tagged.task, tagged.stage)
        labels_now = ", ".join(filter(None, known)) or "no workflow, task or stage"
        return Came(f"{words.plain(tagged.agent)}: {words.plain(labels_now)}")

    async def _act(
        self, verb: str, agent: Agent, timeout: float = CALL_SECONDS, **params: Any
    ) -> Came:
        try:
            answer = await self._call(verb, DoneAnswer, timeout, agents=[agent.id], **params)
        except TollError as error:
            return refused(error)
        return told(answer.done[0])

    async def _call(self, verb: str, kind: type[Any], timeout: float, **params: Any) -> Any:
        async with AsyncToll(self._paths, timeout) as toll:
            return await toll.call(verb, kind, **params)
