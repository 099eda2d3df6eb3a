"""The options that reports share: span, time zone, what to show, and how it is cut up."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import date, datetime

from tollkeeper.cli.context import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

DAY_FORMATS = ("%Y-%m-%d", "%Y%m%d")
DIMENSIONS = (
    "agent",
    "subagent",
    "source",
    "account",
    "workflow",
    "task",
    "stage",
    "model",
    "project",
)
SOURCES = ("subscription", "api")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def day(value: str) -> date:
    """A day, as 2026-11-22 or 20261122."""
    digits = value.replace("-", "")
    if len(digits) == 8 and len(value) in (8, 10):
        for form in DAY_FORMATS:
            try:
                return datetime.strptime(value, form).date()
            except ValueError:
                continue
    raise ArgumentTypeError(f"{value!r} is not a day like 2026-11-22 or 20261122")


def one_or_more_of(known: tuple[str, ...]) -> Callable[[str], list[str]]:
    """Reads one or more of the known names, with commas between them."""

    def read(value: str) -> list[str]:
        for name in (names := value.split(",")):
            if name not in known:
                raise ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return names

    return read


def count(value: str) -> int:
    """A number of at least one."""
    if not value.isdecimal() or not int(value):
        raise ArgumentTypeError(f"{value!r} is not a number above zero")
    return int(value)


def span_options(parser: ArgumentParser) -> None:
    """``--since``, ``--until`` and ``--timezone``."""
    parser.add_argument("-s", "--since", metavar="DAY", type=day, help="from this day on")
    parser.add_argument("-u", "--until", metavar="DAY", type=day, help="to this day, inclusive")
    parser.add_argument("-z", "--timezone", metavar="ZONE", help="days of this IANA time zone")


def work_since_option(parser: ArgumentParser) -> None:
    """``--since``, of workflows."""
    parser.add_argument(
        "-s",
        "--since",
        metavar="DAY",
        type=day,
        help="only workflows that were worked on since this day, each as a whole",
    )


def work_params(options: Namespace, **more: Any) -> dict[str, Any]:
    """The day since which, and whatever else was asked for, as parameters of a call."""
    return given(since=options.since and options.since.isoformat(), **more)


def payer_options(parser: ArgumentParser) -> None:
    """``--source`` and ``--account``."""
    parser.add_argument(
        "--source", choices=SOURCES, help="only what a subscription paid, or what the API billed"
    )
    parser.add_argument(
        "--account",
        metavar="NAME",
        help="only this account: its id or how that begins, '' for those that are not known",
    )


def report_options(parser: ArgumentParser) -> None:
    """What every report takes; the letters are ccusage's."""
    span_options(parser)
    payer_options(parser)
    parser.add_argument(
        "-p", "--project", metavar="NAME", help="only this project: its folder, path or slug"
    )
    parser.add_argument(
        "--by",
        action="extend",
        type=one_or_more_of(DIMENSIONS),
        metavar="WHAT",
        help=f"split each line by this, or by several: {', '.join(DIMENSIONS)}",
    )
    parser.add_argument("-b", "--breakdown", action="store_true", help="split each line by model")
    parser.add_argument("-o", "--order", choices=("asc", "desc"), help="oldest or newest first")
    parser.add_argument(
        "--last",
        metavar="N",
        type=count,
        help="only the N latest days, weeks, months…: 1 is the one of now",
    )
    parser.add_argument("--compact", action="store_true", help="the table for narrow terminals")
    parser.add_argument("--no-cost", action="store_true", help="tokens only, no money")
    parser.add_argument(
        "-O", "--offline", action="store_true", help="taken and passed over: it is always so"
    )


def period_options(parser: ArgumentParser) -> None:
    """What the reports by day, week and month take."""
    report_options(parser)
    parser.add_argument(
        "-i", "--instances", action="store_true", help="the projects one after the other"
    )


def span_params(options: Namespace) -> dict[str, Any]:
    """The span that was asked for, as parameters of a call; UsageError when it is none."""
    if options.since and options.until and options.since > options.until:
        raise UsageError(f"--since {options.since} is after --until {options.until}")
    return given(
        since=options.since and options.since.isoformat(),
        until=options.until and options.until.isoformat(),
        timezone=options.timezone,
    )


def payer_params(options: Namespace) -> dict[str, Any]:
    """Who is to pay, as parameters of a call."""
    return given(source=options.source, account=options.account)


def report_params(options: Namespace, **more: Any) -> dict[str, Any]:
    """All that was asked for, as parameters of a call; what was not is left out."""
    return (
        span_params(options)
        | payer_params(options)
        | given(
            project=options.project,
            by=options.by,
            order=options.order,
            last=options.last,
            cost=False if options.no_cost else None,
            brief=None if options.as_json or options.breakdown else True,
            **more,
        )
    )


def given(**values: Any) -> dict[str, Any]:
    """What was said, as parameters of a call: what was not is left out."""
    return {name: value for name, value in values.items() if value is not None}
