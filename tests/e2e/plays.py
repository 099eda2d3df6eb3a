"""Which reply a request gets."""

from collections.abc import Callable

from .asked import Asked
from .replies import Reply, say

Script = Callable[[Asked], Reply | None]


class Plays:
    """Replies by keyword; `script`, when it is set, is asked first.

    A play is a keyword and the replies to a prompt that bears it, in turn; the last one stays.
    Of several keywords in a prompt the first one counts. A prompt without any is passed over for
    the one before it, so that what the client itself puts between leaves the play where it was.
    Without a play, the reply is a short text.
    """

    def __init__(self) -> None:
        self.script: Script | None = None
        self._replies: dict[str, tuple[Reply, ...]] = {}

    def play(self, keyword: str, *replies: Reply) -> None:
        self._replies[keyword] = replies

    def decide(self, asked: Asked) -> Reply:
        scripted = self.script(asked) if self.script else None
        return scripted or self._played(asked) or say("Done.")

    def _played(self, asked: Asked) -> Reply | None:
        for prompt in asked.prompts:
            if keyword := self._keyword_in(prompt.text):
                replies = self._replies[keyword]
                return replies[min(prompt.replies, len(replies) - 1)]
        return None

    def _keyword_in(self, text: str) -> str | None:
        found = [keyword for keyword in self._replies if keyword in text]
        return min(found, key=lambda keyword: (text.find(keyword), -len(keyword)), default=None)
