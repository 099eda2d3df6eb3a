"""The queue of comments on tasks of Beads: each is written once, however often bd or we ourselves fail."""

from collections.abc import Callable

from msgspec.structs import replace

from tollkeeper_daemon.config import BeadsSettings
from tollkeeper_daemon.exchange.issues import Issues
from tollkeeper_daemon.outlets.bd import BdError
from tollkeeper_daemon.store.errands import PendingComment
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

FIRST_RETRY_MS = 5_000
LAST_RETRY_MS = 15 * 60_000
GIVEN_UP_AFTER_MS = 7 * 24 * 3600 * 1000


class Comments:
    """Writes those that are due, one after the other. ``failing`` says why the last one could not be.

    ``tell`` is told what a person should know, once.
    """

    def __init__(
        self,
        store: Store,
        issues: Issues,
        settings: Callable[[], BeadsSettings],
        tell: Callable[[str], None],
    ) -> None:
        self.failing: str | None = None
        self._store = store
        self._issues = issues
        self._settings = settings
        self._tell = tell

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self._store.read(lambda transaction: transaction.count("comments"))

    async def write(self, now: int) -> None:
        """Write the comments that are due now."""
        if not self._settings().comment or not self.waiting:
            return
        found = self._store.read(lambda transaction: transaction.errands.comments())
        failed: set[str] = set()
        for comment in sorted(found, key=lambda each: (each.due, each.since)):
            is_due = comment.due <= now or comment.due > now + LAST_RETRY_MS
            # Where bd hangs it is waited for once, and then for what other projects have.
            if is_due and comment.folder not in failed and not await self._attend(comment, now):
                failed.add(comment.folder)

    async def _attend(self, comment: PendingComment, now: int) -> bool:
        """Try to write it; whether bd answered."""
        try:
            trouble = await self._write(comment)
        except BdError as error:
            self._fail(comment, str(error), now)
            return False
        self.failing = None
        self._store.write(lambda t: _done(comment, t, is_there=not trouble))
        if trouble:
            self._tell(trouble)
        return True

    async def _write(self, comment: PendingComment) -> str:
        """Write it, unless it is there; why it can't ever be, empty when it is there now."""
        task, folder = comment.task, comment.folder
        if await self._issues.find(task, folder) is None:
            return f"bd knows no issue {task} in {folder}: it got no comment"
        if await self._issues.is_commented(task, folder, comment.marker):
            return ""
        found = await self._issues.comment(task, folder, comment.text)
        return "" if found == task else f"bd put the comment on {task} on {found or 'something'}"

    def _fail(self, comment: PendingComment, error: str, now: int) -> None:
        if now - comment.since >= GIVEN_UP_AFTER_MS:
            self._store.write(lambda t: _done(comment, t, is_there=False))
            self._tell(f"{comment.task} got no comment within a week: {error}")
            return
        wait = min(FIRST_RETRY_MS << min(comment.tries, 20), LAST_RETRY_MS)
        later = replace(comment, tries=comment.tries + 1, due=now + wait)
        self._store.write(lambda t: t.errands.save_comment(later))
        self.failing = error
        self._tell(f"tasks get no comments yet ({error}): it is tried again")


def _done(comment: PendingComment, transaction: Transaction, is_there: bool) -> None:
    """It waits no more; the span knows whether its task has it."""
    transaction.errands.drop_comment(comment)
    span = transaction.work.span(comment.workflow, comment.span)
    if span and is_there:
        transaction.work.save_span(replace(span, commented=True))
