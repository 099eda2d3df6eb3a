"""The settings in config.toml: what they are, their defaults, and what is wrong with a file."""

import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from tollkeeper.display import Display
from tollkeeper.model import AlertKind
from tollkeeper.segment import BRIEF, check
from tollkeeper_daemon import misfits
from tollkeeper_daemon.places import place_of
from tollkeeper_daemon.rules.settings import Limits

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

# What some editors put before UTF-8.
MARK = "\ufeff"
QUIET = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d)")


class ConfigError(Exception):
    """The settings can't be read; the text names file and reason."""


class Sources(Struct, frozen=True, forbid_unknown_fields=True):
    """``[sources]``: where agents are looked for."""

    processes: Annotated[
        bool,
        Meta(description="Also look among your processes for clients that write no session file"),
    ] = True


Source = Literal["auto", "both", "subscription", "api"]


class Accounts(Struct, frozen=True, forbid_unknown_fields=True):
    """``[accounts]``: who pays where no agent and no log tells it.

    ``auto``, which ``both`` says as well, tells it from the client's settings.
    """

    source: Annotated[
        Source,
        Meta(description="Who pays where no agent and no log tells it; auto and both find it out"),
    ] = "auto"
    homes: Annotated[
        dict[str, Source],
        Meta(description="Claude homes, by their paths, for which something else holds"),
    ] = {}

    def of_home(self, path: str) -> Source:
        """The setting for the home at this path, links followed."""
        for home, source in self.homes.items():
            if os.path.realpath(os.path.expanduser(home)) == path:
                return source
        return self.source


class Notify(Struct, frozen=True, forbid_unknown_fields=True):
    """``[notify]``: which notices are shown, when, and where."""

    desktop: Annotated[
        bool, Meta(description="Show notices on the desktop, where there is one")
    ] = True
    off: Annotated[tuple[AlertKind, ...], Meta(description="Kinds of notices not shown")] = ()
    quiet: Annotated[
        str,
        Meta(description="Hours of local time in which no notice is shown, such as 22:00-07:00"),
    ] = ""
    command: Annotated[
        str, Meta(description="A shell command line that gets each notice as JSON; empty for none")
    ] = ""
    waiting_after_seconds: Annotated[
        int,
        Meta(ge=0, description="An agent that waits for a person so long is a notice; 0 for never"),
    ] = 120

    def __post_init__(self) -> None:
        """ValueError for hours that are none."""
        hours = QUIET.fullmatch(self.quiet)
        if self.quiet and (not hours or hours[1] == hours[2]):
            raise ValueError('quiet must be written as two times of the day, such as "22:00-07:00"')


class On(Struct, frozen=True, forbid_unknown_fields=True):
    """``[on]``: a shell command line for each event, which gets it as JSON; empty for none."""

    agent_started: Annotated[str, Meta(description="Runs when an agent started")] = ""
    agent_exited: Annotated[str, Meta(description="Runs when an agent ended")] = ""
    limit_warned: Annotated[str, Meta(description="Runs when a limit is nearly spent")] = ""
    limit_reached: Annotated[str, Meta(description="Runs when a limit is spent")] = ""
    action: Annotated[
        str, Meta(description="Runs when anything was done because of a limit or by a person")
    ] = ""
    alert: Annotated[str, Meta(description="Runs for each notice, shown or not")] = ""
    plan: Annotated[
        str, Meta(description="Runs when another figure of the plan was seen, or it refuses")
    ] = ""
    run_ended: Annotated[str, Meta(description="Runs when a run has ended, with its report")] = ""
    day_ended: Annotated[str, Meta(description="Runs when a day has ended, with its report")] = ""
    week_ended: Annotated[str, Meta(description="Runs when a week has ended, with its report")] = ""
    workflow_ended: Annotated[str, Meta(description="Runs when a marked workflow has ended")] = ""
    stage_ended: Annotated[str, Meta(description="Runs when a stage of a workflow has ended")] = ""
    timeout_seconds: Annotated[
        float, Meta(gt=0, description="A command that runs so long is killed")
    ] = 30


class Reports(Struct, frozen=True, forbid_unknown_fields=True):
    """``[reports]``: how reports are made."""

    start_of_week: Annotated[
        Weekday, Meta(description="The day on which weeks begin, in the report by week")
    ] = "sunday"


class History(Struct, frozen=True, forbid_unknown_fields=True):
    """``[history]``: what is kept; sums always are."""

    keep_requests_days: Annotated[
        int, Meta(ge=0, description="Days for which each single request is kept; 0 for ever")
    ] = 400


Percent = Annotated[float, Meta(gt=0, le=100)]


class PlanSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """``[plan]``: the subscription's name, and when to warn."""

    name: Annotated[str, Meta(description="The subscription's plan, as in toll plans")] = ""
    warn_at: Annotated[
        tuple[Percent, ...],
        Meta(description="Percentages of the plan's windows at which to warn"),
    ] = (80.0,)


class SegmentSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """``[segments]``: presets or formats of what is kept ready for prompts and status lines."""

    format: Annotated[
        str, Meta(description="The line about everything: a preset, or a format with fields in {}")
    ] = "brief"
    statusline: Annotated[str, Meta(description="The line about one conversation, likewise")] = (
        "statusline"
    )

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

    A subagent's type that ``stages`` does not name is a stage of its own name where its agent has none.
    """

    write_metrics: Annotated[
        bool,
        Meta(
            description="Write a line into the project's workflow-metrics.jsonl when a stage ends"
        ),
    ] = False
    projects: Annotated[
        dict[str, bool],
        Meta(description="The same for single folders, with all below them"),
    ] = {}
    task_patterns: Annotated[
        tuple[str, ...],
        Meta(description="Regular expressions that find task ids beside those built in"),
    ] = ()
    stages: Annotated[
        dict[str, str],
        Meta(description="Which stage of a workflow each type of subagent stands for"),
    ] = field(default_factory=lambda: dict(STAGES))

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
    """``[beads]``: what is told to the tracker of tasks."""

    comment: Annotated[
        bool, Meta(description="Comment on a task in Beads when a stage of it ends")
    ] = False
    command: Annotated[str, Meta(description="How Beads' own command is called")] = "bd"
    author: Annotated[str, Meta(description="In whose name it comments")] = "tollkeeper"


class CcflareSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """``[ccflare]``: the proxy over several accounts, and what is asked of it."""

    url: Annotated[
        str,
        Meta(description="Where ccflare or better-ccflare answers, such as http://127.0.0.1:8080"),
    ] = ""
    find: Annotated[
        bool,
        Meta(description="Look on this machine for the proxies that agents ask, too"),
    ] = True
    key_command: Annotated[
        str,
        Meta(description="A shell command line that prints the proxy's key, such as a keyring's"),
    ] = ""
    wait_seconds: Annotated[
        int,
        Meta(ge=0, description="So long the log line of a request is waited for that a proxy saw"),
    ] = 90

    def __post_init__(self) -> None:
        """ValueError for an address that is none."""
        if self.url:
            place_of(self.url)


class CcusageSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """``[ccusage]``: how ccusage is called, and how often."""

    command: Annotated[
        str,
        Meta(
            description="How ccusage is called; empty for the one that is found, else bunx or npx"
        ),
    ] = ""
    every_hours: Annotated[
        float,
        Meta(ge=0, le=8760, description="Set ccusage beside the ledger so often; 0 for never"),
    ] = 0
    online: Annotated[
        bool, Meta(description="Let it fetch prices, and npx what it lacks, over the network")
    ] = False


class UsageSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """``[usage]``: the usage files for people and orchestrators."""

    files: Annotated[
        bool, Meta(description="Keep a file for each run and each day in the data folder")
    ] = True
    mirror: Annotated[
        bool,
        Meta(
            description="Keep them in .opus-orchestra/usage of repositories that have that folder"
        ),
    ] = True


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
    display: Display = Display()
    workflow: WorkflowSettings = WorkflowSettings()
    beads: BeadsSettings = BeadsSettings()
    ccflare: CcflareSettings = CcflareSettings()
    ccusage: CcusageSettings = CcusageSettings()
    usage: UsageSettings = UsageSettings()

    @property
    def lines(self) -> SegmentSettings:
        """The formats in force: ``brief`` is what ``[display]`` makes of it."""
        if self.segments.format != BRIEF:
            return self.segments
        return msgspec.structs.replace(self.segments, format=self.display.line)


# Read once, when the daemon starts; the others hold as soon as the file is saved.
AT_START = ("sources", "history")


def load_config(path: Path) -> Config:
    """The settings in this file, the defaults when there is none; ConfigError when it is broken."""
    if path.exists() and not path.is_file():
        raise ConfigError(f"{path}: not a regular file")
    try:
        return config_of(found_in(path.read_bytes().decode()))
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: {misfits.of_syntax(error)}") from None
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def found_in(text: str) -> dict[str, Any]:
    """What this text says; ConfigError when it is no TOML."""
    try:
        return tomllib.loads(text.removeprefix(MARK))
    except RecursionError:
        raise ConfigError("it is nested too deep") from None
    except ValueError as error:
        raise ConfigError(misfits.of_syntax(error)) from None


def config_of(found: dict[str, Any]) -> Config:
    """The settings that a file says so; ConfigError for what can't be one."""
    try:
        return msgspec.convert(found, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(misfits.misfit(Config, found) or str(error)) from None
