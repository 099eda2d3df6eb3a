"""The talk with Beads (``bd``), once a second: stages are asked for, comments written."""

import asyncio
import logging
from collections.abc import Callable

from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.exchange.bead_stages import BeadStages
from tollkeeper_daemon.exchange.comments import Comments
from tollkeeper_daemon.failing import Failing

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
WORK = "talking to bd"


class Talk:
    """What fails is tried again, and logged where it is news. ``tell`` is told what a person should know, once."""

    def __init__(self, stages: BeadStages, comments: Comments, tell: Callable[[str], None]) -> None:
        self._stages = stages
        self._comments = comments
        self._tell = tell
        self._failing = Failing()

    async def keep_up(self) -> None:
        """Go on for as long as the daemon lives."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.take_turn(now_ms())

    async def take_turn(self, now: int) -> None:
        """Ask and write what is due now (ms)."""
        try:
            await self._stages.ask(now)
            await self._comments.write(now)
        except Exception as error:
            if self._failing.is_news(WORK, error):
                log.exception("%s failed; it is tried again", WORK)
            self._tell("something failed while bd was asked: see tolld.log")
        else:
            self._failing.is_over(WORK)
