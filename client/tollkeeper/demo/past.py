"""What the made-up fleet did before the demo: the logs of the last weeks, as Claude Code left them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

from msgspec import Struct

from tollkeeper.demo import lines
from tollkeeper.demo.home import append, log_path, now
from tollkeeper.demo.lines import Tokens, Writer
from tollkeeper.demo.place import Place
from tollkeeper.demo.story import HAIKU, OPUS, SONNET

DAYS: Final = 28
# Prompts of a day of work, and of one without; of today until now those of the story come on top.
PROMPTS_A_DAY: Final = (20, 50)
PROMPTS_A_DAY_OFF: Final = (0, 9)
# So much more was replied to each of those than to one of today: few lines are soon read.
MORE_A_PROMPT: Final = 4
SUBSCRIBED_TODAY: Final = 95
BY_KEY_TODAY: Final = 70
REPLIES_A_PROMPT: Final = 2
WORKDAY_HOURS: Final = (8, 19)
MODELS: Final = {OPUS: 3, SONNET: 5, HAIKU: 2}
# Whether an API key pays for a project.
PROJECTS: Final = {"shop": False, "docs": False, "web": True, "engine": True}


class Asked(Struct, frozen=True):
    """A prompt, in this project, which this model answers."""

    when: datetime
    project: str
    model: str
    tokens: tuple[Tokens, ...]


def write(place: Place) -> None:
    """Write the logs: a conversation for each project and day."""
    logs: dict[Writer, list[bytes]] = {}
    for asked in history(now().astimezone(), Random(7)):
        conversation = f"{asked.when:%Y%m%d}-0000-4000-8000-{[*PROJECTS].index(asked.project):012}"
        writer = Writer(conversation, str(place.cwd(asked.project)))
        said = logs.setdefault(writer, [])
        said.append(lines.prompt(writer, asked.when))
        for number, tokens in enumerate(asked.tokens, 1):
            when = asked.when + timedelta(seconds=number)
            said.append(lines.reply(writer, asked.model, tokens, when))
    for writer, said in logs.items():
        home = place.claude(PROJECTS[Path(writer.cwd).name])
        append(log_path(home, writer), b"".join(said))


def history(until: datetime, chance: Random) -> Iterator[Asked]:
    """All that was asked until then, in local time; of today as much of it as fits in."""
    midnight = until.replace(hour=0, minute=0, second=0, microsecond=0)
    for back in range(DAYS, 0, -1):
        day = midnight - timedelta(days=back)
        begin, end = (day + timedelta(hours=hour) for hour in WORKDAY_HOURS)
        prompts = PROMPTS_A_DAY if day.weekday() < 5 else PROMPTS_A_DAY_OFF
        count = chance.randint(*prompts)
        yield from _asked(begin, end, count, [*PROJECTS], chance, MORE_A_PROMPT)
    for count, by_key in ((SUBSCRIBED_TODAY, False), (BY_KEY_TODAY, True)):
        projects = [project for project, keyed in PROJECTS.items() if keyed == by_key]
        yield from _asked(midnight, until - timedelta(minutes=3), count, projects, chance)


def _asked(
    begin: datetime,
    end: datetime,
    count: int,
    projects: list[str],
    chance: Random,
    more: int = 1,
) -> Iterator[Asked]:
    """So many prompts between these times, in order, with so much more replied to each."""
    span = max((end - begin).total_seconds(), 0.0)
    for seconds in sorted(chance.uniform(0, span) for _ in range(count)):
        yield Asked(
            begin + timedelta(seconds=seconds),
            chance.choice(projects),
            chance.choices([*MODELS], [*MODELS.values()])[0],
            tuple(_tokens(chance, more) for _ in range(REPLIES_A_PROMPT)),
        )


def _tokens(chance: Random, more: int) -> Tokens:
    return Tokens(
        output=more * chance.randint(80, 900),
        cache_read=more * chance.randint(8_000, 70_000),
        cache_write=more * chance.randint(200, 2_500),
    )
