"""What was booked to nobody a moment ago, kept in case its agent is found a little later."""

from msgspec import Struct, field

from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.ledger.ledger import Posting
from tollkeeper_daemon.reading.scan import Scan, place_of

MOST_CONVERSATIONS = 500


class Waiting(Struct):
    """What waits of a conversation: groups, prompts, and the last scan of each of its logs. Mutable."""

    groups: set[str] = field(default_factory=set[str])
    prompts: set[str] = field(default_factory=set[str])
    scans: dict[str, Scan] = field(default_factory=dict[str, Scan])


class Unheld:
    """The conversations that no agent is known to hold, the latest of them."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._waiting: dict[str, Waiting] = {}

    def note(self, posting: Posting, scans: list[Scan]) -> None:
        """Remember what this posting booked to nobody."""
        for key, group in posting.groups.items():
            for conversation in {entry.conversation for entry in group.entries}:
                if not self._roster.is_held(conversation):
                    self._of(conversation).groups.add(key)
        for key, noted in posting.prompts.items():
            if not self._roster.is_held(noted.prompt.conversation):
                self._of(noted.prompt.conversation).prompts.add(key)
        for scan in scans:
            if waiting := self._waiting.get(place_of(scan.path)[0]):
                waiting.scans[scan.path] = scan
        while len(self._waiting) > MOST_CONVERSATIONS:
            del self._waiting[next(iter(self._waiting))]

    def waiting(self, conversation: str) -> Waiting | None:
        """What waits of this conversation."""
        return self._waiting.get(conversation)

    def forget(self, conversation: str) -> None:
        """What waited of this conversation is booked to its agent."""
        self._waiting.pop(conversation, None)

    def overdue(self) -> list[str]:
        """The conversations that are held by now, and wait all the same: booking them failed."""
        return [name for name in self._waiting if self._roster.is_held(name)]

    def _of(self, conversation: str) -> Waiting:
        return self._waiting.setdefault(conversation, Waiting())
