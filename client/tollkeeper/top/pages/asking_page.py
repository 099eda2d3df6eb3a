"""What pages have in common that ask the daemon for more than the status."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from rich.text import Text
from textual.timer import Timer
from textual.worker import Worker

from tollkeeper.cli import words
from tollkeeper.errors import TollError
from tollkeeper.model import Importing, Status
from tollkeeper.top.calls import Call
from tollkeeper.top.pages.page import Page

# When an answer is awaited that was refused, or was not whole yet.
SOON_SECONDS = 1.0


class AskingPage(Page):
    """Asks while it is seen: when it is opened, and anew after a while, or once another daemon is there.

    What goes wrong is told in ``trouble``, with what was known before still in sight.
    """

    anew_seconds = 30.0

    def __init__(self, call: Call, now: Callable[[], datetime]) -> None:
        super().__init__()
        self.call = call
        self.now = now
        self.trouble: Text | None = None
        self._asking: Worker[Any] | None = None
        self._asked_at: datetime | None = None
        self._pause = 0.0
        self._later: Timer | None = None
        self._daemon: str | None = None

    # Textual's own metaclass leaves no room for abstract methods.

    async def fetch(self) -> Importing | None:
        """Ask, and keep the answer; how far the history is read, where not all of it is. TollError."""
        raise NotImplementedError

    def draw(self) -> None:
        """Show what is known."""
        raise NotImplementedError

    async def open(self) -> None:
        self._look_if_due()

    async def show(self, status: Status) -> None:
        before, self._daemon = self._daemon, status.daemon.started_at
        if before not in (None, self._daemon):
            self._asked_at = None
        self._look_if_due()

    def on_resize(self) -> None:
        self.draw()

    def look(self) -> None:
        """Ask at once, and no longer for what was asked before."""
        self._asking = self.run_worker(self._look(), exclusive=True)

    def _look_if_due(self) -> None:
        if self._asking and not self._asking.is_finished:
            return
        wait = self._wait()
        if wait <= 0:
            self.look()
        elif self._later is None:
            # Nothing else may come that would remind us.
            self._later = self.set_timer(wait, self._look_later)

    def _wait(self) -> float:
        """Seconds until it is time to ask anew."""
        if self._asked_at is None:
            return 0.0
        # A clock that was set back must not keep the page as it is.
        return self._pause - abs((self.now() - self._asked_at).total_seconds())

    def _look_later(self) -> None:
        self._later = None
        if self.is_seen:
            self._look_if_due()

    async def _look(self) -> None:
        self._pause, trouble = SOON_SECONDS, None
        try:
            importing = await self.fetch()
        except TollError as error:
            told = f"{error.message}; {error.hint}" if error.hint else error.message
            trouble = Text(words.plain(told), style="red")
        else:
            if importing:
                told = words.reading(importing.done_bytes, importing.total_bytes)
                trouble = Text(f"{told}: not all is counted yet", style="yellow")
            else:
                self._pause = self.anew_seconds
        self.trouble = trouble
        self._asked_at = self.now()
        self.draw()
