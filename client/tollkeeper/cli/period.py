"""The options that reports share: since, until, time zone."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

DAY_FORMATS = ("%Y-%m-%d", "%Y%m%d")


class Day(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]
    """A day, as 2026-11-22 or 20261122."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        for form in DAY_FORMATS:
            try:
                return datetime.strptime(value, form).date()
            except ValueError:
                continue
        self.fail(f"{value!r} is not a day like 2026-11-22 or 20261122", param, ctx)


def period_options(command: F) -> F:
    """``--since``, ``--until`` and ``--timezone``, as one argument ``period`` of a call."""
    for option in (
        click.option("-z", "--timezone", metavar="ZONE", help="Days of this IANA time zone."),
        click.option("-u", "--until", type=Day(), help="To this day, inclusive."),
        click.option("-s", "--since", type=Day(), help="From this day on."),
    ):
        command = option(command)
    return command


def as_params(since: date | None, until: date | None, timezone: str | None) -> dict[str, Any]:
    """What of the period was asked for, as parameters of a call."""
    if since and until and since > until:
        raise click.UsageError(f"--since {since} is after --until {until}")
    asked = {
        "since": since.isoformat() if since else None,
        "until": until.isoformat() if until else None,
        "timezone": timezone,
    }
    return {name: value for name, value in asked.items() if value is not None}
