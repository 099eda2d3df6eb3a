"""The settings in config.toml: what they are, their defaults, and what is wrong with a file."""

import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta, Struct, field

from tollkeeper.model import AlertKind
from tollkeeper.segment import check
from tollkeeper_daemon import misfits
from tollkeeper_daemon.rules.settings import Limits

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
KINDS: tuple[AlertKind, ...] = get_args(AlertKind)

QUIET = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d)")


class ConfigError(Exception):
    """The settings can't be read; the text names file and reason."""


class Sources(Struct, frozen=True, forbid_unknown_fields=True):
    """``[sources]``: where agents are looked for.

    ``processes`` also looks for clients among the user's processes, which finds the versions
    that write no session file.
    """

    processes: bool = True


Source = Literal["auto", "both", "subscription", "api"]


class Accounts(Struct, frozen=True, forbid_unknown_fields=True):
    """``[accounts]``: who pays where no agent and no log tells it.

    ``auto``, which ``both`` says as well, tells it from the client's settings. ``homes`` are single
    Claude homes, by their paths, for which something else holds.
    """

    source: Source = "auto"
    homes: dict[str, Source] = {}

    def of_home(self, path: str) -> Source:
        """The setting for the home at this path, links followed."""
        for home, source in self.homes.items():
            if os.path.realpath(os.path.expanduser(home)) == path:
                return source
        return self.source


class Notify(Struct, frozen=True, forbid_unknown_fields=True):
    """``[notify]``: which notices are shown, when, and where.

    ``off`` are kinds that are not shown, ``quiet`` the hours (local time) in which none is, such as
    ``22:00-07:00``. ``command`` is a shell command line that gets each notice as JSON. An agent that
    waits for a person so long is a notice; 0 is for never.
    """

    desktop: bool = True
    off: tuple[str, ...] = ()
    quiet: str = ""
    command: str = ""
    waiting_after_seconds: Annotated[int, Meta(ge=0)] = 120

    def __post_init__(self) -> None:
        """ValueError for hours and kinds that are none."""
        hours = QUIET.fullmatch(self.quiet)
        if self.quiet and (not hours or hours[1] == hours[2]):
            raise ValueError('quiet must be written as two times of the day, such as "22:00-07:00"')
        if unknown := set(self.off) - set(KINDS):
            raise ValueError(f"off has no kind {min(unknown)!r}; there are {', '.join(KINDS)}")


class On(Struct, frozen=True, forbid_unknown_fields=True):
    """``[on]``: a shell command line for each event, which gets it as JSON; empty for none."""

    agent_started: str = ""
    agent_exited: str = ""
    limit_warned: str = ""
    limit_reached: str = ""
    action: str = ""
    alert: str = ""
    plan: str = ""
    run_ended: str = ""
    day_ended: str = ""
    week_ended: str = ""
    workflow_ended: str = ""
    stage_ended: str = ""
    timeout_seconds: Annotated[float, Meta(gt=0)] = 30


class Reports(Struct, frozen=True, forbid_unknown_fields=True):
    """``[reports]``: on which day weeks begin, in the report by week."""

    start_of_week: Weekday = "sunday"


class History(Struct, frozen=True, forbid_unknown_fields=True):
    """``[history]``: how many days each single request is kept, 0 for ever; sums always are."""

    keep_requests_days: Annotated[int, Meta(ge=0)] = 400


Percent = Annotated[float, Meta(gt=0, le=100)]


class PlanSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """``[plan]``: the subscription's name, and at which percentages of its windows to warn."""

    name: str = ""
    warn_at: tuple[Percent, ...] = (80.0,)


class SegmentSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """``[segments]``: presets or formats of what is kept ready for prompts and status lines.

    ``format`` is that of everything, ``statusline`` that of each conversation.
    """

    format: str = "brief"
    statusline: str = "statusline"

    def __post_init__(self) -> None:
        """ValueError for formats that can't be shown."""
        for name, format in (("format", self.format), ("statusline", self.statusline)):
            try:
                check(format)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None


STAGES = {
    "analyst": "analyze",
    "planner": "plan",
    "implementer": "implement",
    "reviewer": "review",
}


class WorkflowSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """``[workflow]``: what tells the work that requests belong to, and who hears of it.

    ``write_metrics`` writes a line about each stage that ends into ``.claude/workflow-metrics.jsonl`` of
    its project; ``projects`` are folders, with all below them, for which something else holds.
    ``task_patterns`` are regular expressions that find task ids beside those built in, ``stages`` says
    which stage a subagent's type stands for; another type is a stage of its own name where its agent
    has none.
    """

    write_metrics: bool = False
    projects: dict[str, bool] = {}
    task_patterns: tuple[str, ...] = ()
    stages: dict[str, str] = field(default_factory=lambda: dict(STAGES))

    def __post_init__(self) -> None:
        """ValueError for patterns that are none."""
        for pattern in self.task_patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"task_patterns: {pattern!r} is no pattern: {error}") from None

    def writes_metrics(self, folder: str) -> bool:
        """Whether the project in this folder gets its lines: the nearest that is set says so."""
        known = {
            os.path.realpath(os.path.expanduser(project)): is_on
            for project, is_on in self.projects.items()
        }
        place = Path(os.path.realpath(folder))
        above = (str(each) for each in (place, *place.parents))
        return next((known[each] for each in above if each in known), self.write_metrics)

    def stage_of(self, subagent_type: str) -> str:
        """The stage that a subagent of this type works at; empty where nothing says so."""
        return self.stages.get(subagent_type, "")


class BeadsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """``[beads]``: whether a stage that ends is commented on in its task, and how ``bd`` is called."""

    comment: bool = False
    command: str = "bd"
    author: str = "tollkeeper"


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings; each has a default, so that no file is needed."""

    sources: Sources = Sources()
    accounts: Accounts = Accounts()
    notify: Notify = Notify()
    on: On = On()
    reports: Reports = Reports()
    history: History = History()
    limits: Limits = Limits()
    plan: PlanSettings = PlanSettings()
    segments: SegmentSettings = SegmentSettings()
    workflow: WorkflowSettings = WorkflowSettings()
    beads: BeadsSettings = BeadsSettings()


def load_config(path: Path) -> Config:
    """The settings in this file, the defaults when there is none; ConfigError when it is broken."""
    if path.exists() and not path.is_file():
        raise ConfigError(f"{path}: not a regular file")
    try:
        found = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except RecursionError:
        raise ConfigError(f"{path}: it is nested too deep") from None
    except ValueError as error:
        raise ConfigError(f"{path}: {misfits.of_syntax(error)}") from None
    try:
        return msgspec.convert(found, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {misfits.misfit(Config, found) or error}") from None
