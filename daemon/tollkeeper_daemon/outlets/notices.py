"""What a person is told, and when it is not worth to be shown. Pure."""

from datetime import datetime

from msgspec import Struct

from tollkeeper.model import AlertKind
from tollkeeper_daemon.config import QUIET, Notify

# At most one of a kind and an agent in so long a time.
SPARE_MS = 60_000
# Longer than anybody waits before what failed is tried again.
MENDED_MS = 3_600_000
MOST_TROUBLES = 500

Button = tuple[str, str]
"""A button's id and its label."""


class Notice(Struct, frozen=True, kw_only=True):
    """One thing to tell. ``agent`` is the id of whom it is about, ``name`` its name; of a limit that
    agents share ``limit`` is the scope. All may be empty.

    Whoever gets it on a desktop may answer it with one of the buttons.
    """

    kind: AlertKind
    text: str
    agent: str = ""
    name: str = ""
    limit: str = ""
    buttons: tuple[Button, ...] = ()


class Throttle:
    """Lets through one notice per agent (or limit), kind and minute; times in ms."""

    def __init__(self) -> None:
        self._shown: dict[tuple[str, AlertKind], int] = {}

    def admits(self, notice: Notice, now: int) -> bool:
        """Whether to show this one; then the next of its kind and agent has to wait."""
        # Set back, the clock must not silence anything for long.
        self._shown = {key: at for key, at in self._shown.items() if 0 <= now - at < SPARE_MS}
        key = notice.agent or notice.limit, notice.kind
        if key in self._shown:
            return False
        self._shown[key] = now
        return True


class Troubles:
    """What goes wrong again and again is told once, until it was well for an hour; times in ms."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def is_news(self, text: str, now: int) -> bool:
        """Whether what goes wrong now, in these words, is to be told."""
        self._last = {each: at for each, at in self._last.items() if 0 <= now - at < MENDED_MS}
        is_news = text not in self._last
        if is_news and len(self._last) >= MOST_TROUBLES:
            self._last.clear()
        self._last[text] = now
        return is_news


class Rules:
    """What the settings say of notices, and the throttle."""

    def __init__(self, settings: Notify) -> None:
        self.settings = settings
        self._throttle = Throttle()

    def admit(self, notice: Notice, now: int) -> bool:
        """Whether to show this notice now (ms); only one that is shown makes others wait."""
        return (
            notice.kind not in self.settings.off
            and not is_quiet(self.settings.quiet, now)
            and self._throttle.admits(notice, now)
        )


def is_quiet(quiet: str, now: int) -> bool:
    """Whether these hours, as ``[notify] quiet`` has them, hold this time (ms); they may span midnight."""
    hours = QUIET.fullmatch(quiet)
    if hours is None:
        return False
    since, until = hours.groups()
    clock = datetime.fromtimestamp(now / 1000).strftime("%H:%M")
    if since < until:
        return since <= clock < until
    return clock >= since or clock < until
