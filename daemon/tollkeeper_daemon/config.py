"""The settings in config.toml: what they are, their defaults, and what is wrong with a file."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from tollkeeper_daemon.rules.settings import Limits

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class ConfigError(Exception):
    """The settings can't be read; the text names file and reason."""


class Sources(Struct, frozen=True, forbid_unknown_fields=True):
    """``[sources]``: where agents are looked for.

    ``processes`` also looks for clients among the user's processes, which finds the versions
    that write no session file.
    """

    processes: bool = True


class Accounts(Struct, frozen=True, forbid_unknown_fields=True):
    """``[accounts]``: who pays. ``auto`` tells it from the client's environment and settings."""

    source: Literal["auto", "subscription", "api"] = "auto"


class Notify(Struct, frozen=True, forbid_unknown_fields=True):
    """``[notify]``: whether alerts are shown on the desktop as well."""

    desktop: bool = True


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


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings; each has a default, so that no file is needed."""

    sources: Sources = Sources()
    accounts: Accounts = Accounts()
    notify: Notify = Notify()
    reports: Reports = Reports()
    history: History = History()
    limits: Limits = Limits()
    plan: PlanSettings = PlanSettings()


def load_config(path: Path) -> Config:
    """The settings in this file, the defaults when there is none; ConfigError when it is broken."""
    if path.exists() and not path.is_file():
        raise ConfigError(f"{path}: not a regular file")
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Config)
    except FileNotFoundError:
        return Config()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OSError) as error:
        raise ConfigError(f"{path}: {error}") from None
