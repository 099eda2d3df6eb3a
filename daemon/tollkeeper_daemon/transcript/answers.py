"""Which model answers a prompt, and whose it is: the first reply that follows it tells both."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from tollkeeper_daemon.records import Prompt

# So many prompts may wait for one reply; who sent more before it gets no answer to the oldest.
MOST_OPEN = 16


class Answer(Struct, frozen=True, gc=False):
    """A line of a reply: when it came (ms), and which model replied.

    ``owner`` is the conversation that made the request, as a fork's copy of the line names it.
    """

    time: int
    model: str
    owner: str = ""


class Prompts:
    """The prompts of a log as its lines are read, each with its answer once that is known.

    Only copied replies name their owner. A fork copied the prompts with the reply that follows
    them, so they are given back to it; a fork of a fork holds those of both.
    ``open`` are those that an earlier reading found, and that no reply had followed by its end.
    """

    def __init__(self, open: Iterable[Prompt]) -> None:
        self._open = list(open)
        self._known = len(self._open)
        self._news: list[Prompt] = []

    def add(self, prompt: Prompt) -> None:
        """This prompt comes next."""
        self._open.append(prompt)
        if len(self._open) > MOST_OPEN:
            oldest = self._open.pop(0)
            if self._known:
                self._known -= 1
            else:
                self._news.append(oldest)

    def answer(self, answer: Answer | None) -> None:
        """This reply, if any, comes next."""
        if answer is None:
            return
        for prompt in self._open:
            answered = replace(prompt, answered=answer.time, model=answer.model)
            if answer.owner:
                answered = replace(answered, conversation=answer.owner, owned=True)
            self._news.append(answered)
        self._open.clear()
        self._known = 0

    @property
    def news(self) -> list[Prompt]:
        """What the lines say of prompts: those that are new, and those that are answered now."""
        return [*self._news, *self._open[self._known :]]

    @property
    def open(self) -> tuple[Prompt, ...]:
        """Those that wait for a reply."""
        return tuple(self._open)
