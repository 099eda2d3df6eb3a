"""What fails costs nothing but its own piece of work, and is told."""

import logging
from collections.abc import Callable

from tollkeeper_daemon.failing import Failing
from tollkeeper_daemon.herald import Herald

log = logging.getLogger(__name__)


class Failures:
    """Tries pieces of work. ``failing`` says what went wrong, until something is saved again."""

    def __init__(self, herald: Herald) -> None:
        self.failing: str | None = None
        self._herald = herald
        self._failing = Failing()

    def attempt(self, work: Callable[..., object], *of: object) -> bool:
        """Whether the work succeeded; a failure is told, logged where it is news, and goes no further."""
        name = getattr(work, "__qualname__", repr(work))
        try:
            work(*of)
        except Exception as error:
            if self._failing.is_news(name, error):
                log.exception("something failed; the daemon goes on")
            self.failing = f"something failed ({error}): look at the disk's room, and at the log"
            self._herald.alert_once("failed", self.failing)
            return False
        self._failing.is_over(name)
        return True

    def are_over(self) -> None:
        """Something was saved."""
        self.failing = None
