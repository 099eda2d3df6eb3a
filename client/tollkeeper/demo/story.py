"""What happens at which second to which agent. Pure: it names no time of day, no process, no file."""

from collections.abc import Iterator
from itertools import count
from typing import Final, Literal

from msgspec import Struct

OPUS: Final = "claude-opus-5-5"
SONNET: Final = "claude-sonnet-5-5"
HAIKU: Final = "claude-haiku-5-5"
ROUND_SECONDS: Final = 60.0
# An orchestrator that nobody is: what is still held late in a round gets so much more.
GRANT_USD: Final = 1.0
HOUR: Final = 3600.0
DAY: Final = 24 * HOUR

# What can still be asked: nobody is to see a plan that is spent.
MOST_PERCENT: Final = 97.0

State = Literal["busy", "idle", "waiting"]


class Part(Struct, frozen=True):
    """One agent: what it is called and works on, and who pays for it; ``budget_usd`` 0 is the usual one.

    When the demo begins it was given so many ``prompts``, changed so many lines, and used so much of its ``context`` (percent).
    """

    name: str
    project: str
    task: str
    model: str
    by_key: bool
    context: float
    prompts: int = 0
    added: int = 0
    removed: int = 0
    budget_usd: float = 0.0


class Window(Struct, frozen=True):
    """How much of a window of the plan is used (percent), and the second at which it begins anew."""

    percent: float
    resets: float


class Filling(Struct, frozen=True):
    """A window of the plan, so many seconds long, and how it fills."""

    seconds: float
    first_percent: float
    first_reset: float
    percent_an_hour: float

    def window(self, at: float) -> Window:
        """How it stands at this second; when it is nearly full it fills no more."""
        if at < self.first_reset:
            percent, since, resets = self.first_percent, at, self.first_reset
        else:
            since = (at - self.first_reset) % self.seconds
            percent, resets = 0.0, at - since + self.seconds
        minutes = since // ROUND_SECONDS
        more = minutes * self.percent_an_hour / 60
        return Window(min(round(percent + more, 1), MOST_PERCENT), resets)


class Says(Struct, frozen=True):
    """The agent works, has nothing to do, or waits for a person, and for what."""

    at: float
    agent: str
    state: State
    waiting_for: str = ""


class Prompt(Struct, frozen=True):
    """A person tells the agent something."""

    at: float
    agent: str


class Reply(Struct, frozen=True):
    """The API answers the agent, or a subagent of it: tokens, and the lines that it changes."""

    at: float
    agent: str
    output: int
    cache_read: int
    cache_write: int = 2_000
    subagent: str = ""
    added: int = 0
    removed: int = 0


class Subagent(Struct, frozen=True):
    """A subagent of this type begins, or has finished."""

    at: float
    agent: str
    type: str
    description: str
    finished: bool = False


class Marker(Struct, frozen=True):
    """A workflow, or a stage of it, starts or ends."""

    at: float
    agent: str
    workflow: str
    stage: str
    event: Literal["start", "end"]


class Grant(Struct, frozen=True):
    """Whoever is held may spend so much more; an agent that was ended is there again."""

    at: float


Deed = Says | Prompt | Reply | Subagent | Marker | Grant

FIXER: Final = Part("Agent-1", "shop", "Fix auth bypass", OPUS, False, 33.0, 22, 138, 37)
CACHER: Final = Part("Agent-2", "shop", "Add caching layer", SONNET, True, 21.0, 6, 78, 10)
SPENDER: Final = Part("Agent-3", "web", "Port the checkout", OPUS, True, 46.0, 0, 310, 204, 0.6)
CONDUCTOR: Final = Part("Agent-4", "engine", "", SONNET, True, 12.0)
WRITER: Final = Part("Agent-5", "docs", "Translate the manual", HAIKU, False, 58.0, 9, 920, 411)
CAST: Final = (FIXER, CACHER, SPENDER, CONDUCTOR, WRITER)

FIVE_HOURS: Final = Filling(5 * HOUR, 67.0, 2 * HOUR + 600, 9.0)
SEVEN_DAYS: Final = Filling(7 * DAY, 23.0, 3 * DAY + 23 * HOUR, 1.2)

STAGES: Final = {
    "analyze": ("analyst", "Find what the change touches"),
    "plan": ("planner", "Put the steps in order"),
    "implement": ("implementer", "Write the change and its tests"),
    "review": ("reviewer", "Look for what was missed"),
}


def story() -> Iterator[Deed]:
    """All that happens, in order, for ever; the seconds count from the moment that a daemon listens."""
    for number in count():
        yield from round_of(number)


def round_of(number: int) -> list[Deed]:
    """What happens in the round of this number; the first one is in a hurry."""
    start = number * ROUND_SECONDS
    pace = 2.2 if number == 0 else 11.0
    deeds: list[Deed] = [
        *_fixing(start),
        *_caching(start),
        *_spending(start),
        *_conducting(start + 0.4, pace, f".claude-4n{number + 1}"),
        *_writing(start),
        Grant(start + 50.0),
    ]
    return sorted(deeds, key=lambda deed: deed.at)


def _fixing(start: float) -> Iterator[Deed]:
    """On the subscription: works all the time, with a subagent that looks over its shoulder."""
    name = FIXER.name
    yield Prompt(start + 0.1, name)
    yield Says(start + 0.1, name, "busy")
    yield Subagent(start + 1.5, name, "security-reviewer", "Try to get in without a token")
    for second in range(1, 56, 3):
        yield Reply(start + second, name, 420 + 35 * (second % 7), 48_000, added=4, removed=1)
    for second in range(2, 20, 4):
        yield Reply(start + second, name, 260, 22_000, subagent="security-reviewer")
    yield Subagent(
        start + 22, name, "security-reviewer", "Try to get in without a token", finished=True
    )


def _caching(start: float) -> Iterator[Deed]:
    """By key: soon needs a permission, gets it half a minute later."""
    name = CACHER.name
    yield Prompt(start + 0.2, name)
    yield Says(start + 0.2, name, "busy")
    yield Reply(start + 0.6, name, 800, 40_000, 3_000, added=11, removed=2)
    yield Reply(start + 1.6, name, 650, 43_000, 3_000)
    yield Says(start + 2.0, name, "waiting", "permission prompt")
    yield Says(start + 32.0, name, "busy")
    for second in range(33, 57, 4):
        yield Reply(start + second, name, 900, 46_000, 3_000, added=6, removed=2)


def _spending(start: float) -> Iterator[Deed]:
    """By key, with a small budget, which it crosses within seconds, and so in every round."""
    name = SPENDER.name
    yield Prompt(start + 0.3, name)
    yield Says(start + 0.3, name, "busy")
    for number in range(45):
        second = 0.9 + 0.9 * number
        yield Reply(start + second, name, 4_200, 60_000, 5_000, added=22, removed=9)


def _conducting(start: float, pace: float, workflow: str) -> Iterator[Deed]:
    """By key: a workflow of four stages, each the work of a subagent, so many seconds (``pace``) long."""
    name = CONDUCTOR.name
    yield Marker(start, name, workflow, "", "start")
    yield Prompt(start, name)
    yield Says(start, name, "busy")
    for place, (stage, (kind, description)) in enumerate(STAGES.items()):
        begin = start + 0.1 + place * pace
        yield Marker(begin, name, workflow, stage, "start")
        yield Subagent(begin + 0.1, name, kind, description)
        for part in range(1, 4):
            second = begin + 0.1 + part * pace / 4
            yield Reply(second, name, 700 + 300 * place, 30_000, subagent=kind, added=9 * place)
        yield Subagent(begin + pace * 0.85, name, kind, description, finished=True)
        yield Reply(begin + pace * 0.9, name, 180, 26_000, added=place)
        yield Marker(begin + pace * 0.97, name, workflow, stage, "end")
    end = start + 0.1 + len(STAGES) * pace
    yield Marker(end, name, workflow, "", "end")
    yield Says(end + 0.1, name, "idle")


def _writing(start: float) -> Iterator[Deed]:
    """On the subscription, with the smallest model: works a little, and has nothing to do."""
    name = WRITER.name
    yield Says(start + 0.2, name, "idle")
    yield Prompt(start + 25.0, name)
    yield Says(start + 25.0, name, "busy")
    for second in range(26, 40, 2):
        yield Reply(start + second, name, 1_400, 70_000, 1_000, added=31, removed=17)
    yield Says(start + 41.0, name, "idle")


def windows(at: float) -> tuple[Window, Window]:
    """How the plan's windows stand at this second: that of five hours, and that of seven days."""
    return FIVE_HOURS.window(at), SEVEN_DAYS.window(at)
