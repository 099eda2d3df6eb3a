"""``toll admit``: is there budget and plan for one more agent now, and if not, when?"""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import datetime

from tollkeeper.cli import words
from tollkeeper.cli.amounts import dollars, tokens
from tollkeeper.cli.context import Ask, print_raw
from tollkeeper.cli.period import SOURCES, given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = (
    "Say whether there is budget and plan for one more agent now, and if not, why, and when there "
    "is again. Exit status 0 for yes, 4 for no: toll admit --workflow W --stage plan && claude -p … Nothing is set "
    "aside: agents that run already may use what is left."
)
# 1 is for what failed, so that a script can tell a no from a daemon that could not say.
NO = 4
LOOK_SECONDS = 5.0
LONGEST_LOOK_SECONDS = 30.0


def options(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--workflow", metavar="ID", help="the workflow that it is to work for")
    add("--stage", metavar="NAME", help="the stage of the workflow")
    add("--task", metavar="ID", help="the task; its id may tell workflow and stage")
    add("--source", choices=SOURCES, help="who pays; otherwise told from the Claude home")
    add("--account", metavar="NAME", help="the account: its id or how that begins")
    add("--home", metavar="DIR", help="the Claude home that it is to run in (default: the first)")
    add(
        "--cwd",
        metavar="DIR",
        help="the folder that it is to work in, whose settings may say who pays (default: this one)",
    )
    add("--usd", metavar="N", type=dollars, help="it is expected to cost so many dollars")
    add("--tokens", metavar="N", type=tokens, help="it is expected to use so many tokens")
    add("--budget", metavar="N", type=dollars, help="the TOLL_BUDGET_USD that it is to get")
    add(
        "--plan-percent",
        metavar="N",
        type=percent,
        help="no, when more of a window of the plan is used (default: 100)",
    )
    add(
        "--wait",
        action="store_true",
        help="ask again until the answer is yes, for ever if need be; the line says when only a raised limit helps",
    )


def percent(value: str) -> float:
    """A percentage above 0."""
    try:
        number = float(value.removesuffix("%"))
    except ValueError:
        number = 0.0
    if not 0 < number <= 100:
        raise ArgumentTypeError(f"{value!r} is not a percentage above 0")
    return number


def run(ask: Ask, options: Namespace) -> int:
    params = given(
        workflow=options.workflow,
        stage=options.stage,
        task=options.task,
        source=options.source,
        account=options.account,
        home=options.home,
        cwd=options.cwd or _here(),
        usd=options.usd,
        tokens=options.tokens,
        budget_usd=options.budget,
        plan_percent=options.plan_percent,
    )
    raw = ask.raw("admit", params)
    found = json.loads(raw)
    said = ""
    while options.wait and not found["admitted"]:
        if found["why"] != said and not ask.as_json:
            print(f"toll: waiting: {_no(found)}", file=sys.stderr, flush=True)
        said = found["why"]
        time.sleep(pause(found["retry_at"], time.time()))
        raw = ask.raw("admit", params)
        found = json.loads(raw)
    if ask.as_json:
        print_raw(raw)
    else:
        print(_yes(found) if found["admitted"] else _no(found))
    return 0 if found["admitted"] else NO


def pause(retry_at: str | None, now: float) -> float:
    """How long (s) to wait before asking again: people may raise a limit at any time."""
    if retry_at is None:
        return LOOK_SECONDS
    left = datetime.fromisoformat(retry_at).timestamp() - now
    return min(max(left, LOOK_SECONDS), LONGEST_LOOK_SECONDS)


def _here() -> str | None:
    """The folder that this is called in; None where that is gone."""
    try:
        return os.getcwd()
    except OSError:
        return None


def _yes(found: dict[str, Any]) -> str:
    left: list[str] = []
    if found["left_usd"] is not None:
        left.append(f"{words.money(found['left_usd'])} left")
    if found["left_tokens"] is not None:
        left.append(f"{found['left_tokens']:,} tokens left")
    windows = {"5 hours": "five_hour", "7 days": "seven_day"}
    for name, kind in windows.items() if found["plan"] else ():
        if window := found["plan"][kind]:
            left.append(f"{window['used_percent']:.0f} % of the plan's {name} used")
    return f"Yes: {', '.join(left) or 'nothing limits it'}."


def _no(found: dict[str, Any]) -> str:
    text = f"No: {words.plain(found['why'])}"
    if found["retry_at"] is None:
        lasting = {each["name"] for each in found["blockers"] if each["renews_at"] is None}
        # A run is over some time; of what else bounds it for good a person can say more.
        helps = "a raised limit, or the end of the run" if lasting == {"run"} else "a raised limit"
        return f"{text}; only {helps} helps."
    again = datetime.fromisoformat(found["retry_at"]).astimezone()
    return f"{text}; again from {again:%Y-%m-%d %H:%M} on."
