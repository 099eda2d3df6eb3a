"""Issues of Beads: found by their exact ids, listened to, and commented on."""

from collections.abc import Callable
from pathlib import Path

from tollkeeper_daemon.config import BeadsSettings
from tollkeeper_daemon.exchange import beads
from tollkeeper_daemon.exchange.beads import Issue
from tollkeeper_daemon.outlets.bd import Bd, BdError


class Issues:
    """What bd knows. BdError when it can't be asked, refuses or is not understood.

    ``settings`` are those in force now, ``draft`` is a file that is ours.
    """

    def __init__(self, bd: Bd, settings: Callable[[], BeadsSettings], draft: Path) -> None:
        self._bd = bd
        self._settings = settings
        self._draft = draft

    async def find(self, task: str, folder: str) -> Issue | None:
        """The issue with exactly this id in the project of this folder; None when there is none."""
        words = ("list", "--id", task, "--all", "--json")
        answer = await self._bd.call(self._settings().command, words, folder)
        if beads.is_not_found(answer.out):
            return None
        return beads.issue_in(answer.checked, task)

    async def is_commented(self, task: str, folder: str, marker: str) -> bool:
        """Whether the issue has the comment with this marker."""
        words = ("comments", task, "--json")
        answer = await self._bd.call(self._settings().command, words, folder)
        return beads.is_commented(answer.checked, task, marker)

    async def comment(self, task: str, folder: str, text: str) -> str:
        """Comment on the issue; the id of the one that bd says it has put it on."""
        settings = self._settings()
        file = str(self._draft)
        words = ("comments", "add", task, "-f", file, "-a", settings.author, "--json")
        try:
            self._draft.write_text(text, "utf-8")
            answer = await self._bd.call(settings.command, words, folder)
            self._draft.unlink(missing_ok=True)
        except OSError as error:
            raise BdError(f"{file} can't be written: {error.strerror}") from None
        return beads.commented_on(answer.checked)
