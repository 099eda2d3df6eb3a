"""The plan's windows on the screen: what was seen of them, and what is only an estimate. Pure."""

from collections.abc import Iterable
from datetime import datetime

from rich.text import Text

from tollkeeper.cli import words
from tollkeeper.model import Plan, Status, Window

WIDE = 80
BAR, NARROW_BAR = 20, 10
GAP = "  "
NEAR = 80.0
SPENT = 100.0
Piece = tuple[str, str]
"""Words that stay together, and their style."""


def lines(status: Status, width: int) -> list[Text]:
    """A block for each account that anything is known of; nothing where nobody has a plan."""
    plans = [plan for plan in status.plans or (status.plan,) if _is_known(plan)]
    now = datetime.fromisoformat(status.time)
    return [line for plan in plans for line in _block(plan, now, width, len(plans) > 1)]


def _is_known(plan: Plan) -> bool:
    seen = plan.five_hour or plan.seven_day or plan.limited_until
    return bool(seen or plan.messages_today or plan.opus_messages)


def _block(plan: Plan, now: datetime, width: int, several: bool) -> list[Text]:
    title = f"SUBSCRIPTION ({words.plain(plan.title)})" if plan.title else "SUBSCRIPTION"
    pieces: list[Piece] = [(title, "bold")]
    if several:
        account = words.plain(plan.account or "")[:8]
        pieces.append((f"account {account or 'not known'}", ""))
        pieces += [(words.plain(plan.home), "dim")] if plan.home else []
    if plan.limited_until:
        until = datetime.fromisoformat(plan.limited_until)
        pieces.append((f"limited until {_clock(until, now)}", "red"))
    found = _packed(pieces, width, "")
    for name, window in (("5 hours", plan.five_hour), ("7 days ", plan.seven_day)):
        if window:
            found += _packed(_window(name, window, now, width), width, GAP)
    return found + _packed(_messages(plan), width, GAP)


def _window(name: str, window: Window, now: datetime, width: int) -> list[Piece]:
    used, estimated = window.used_percent, window.estimated_percent
    bar = _bar(used, estimated or used, BAR if width >= WIDE else NARROW_BAR)
    resets = datetime.fromisoformat(window.resets_at)
    pieces: list[Piece] = [
        (f"{name}  {bar} {int(used):3d} %", _style(used)),
        (f"seen {words.since(window.observed_at, now)} ago", "dim"),
    ]
    if estimated is not None and int(estimated) > int(used):
        pieces.insert(1, (f"~{int(estimated)} % now", _style(estimated)))
    elif window.value_since_usd >= 0.01:
        pieces.append((f"{words.money(window.value_since_usd)} since", ""))
    pieces.append((f"resets in {words.span((resets - now).total_seconds())}", ""))
    if window.percent_per_hour:
        pieces.append((f"~{window.percent_per_hour:.3g} %/h", ""))
    if window.runs_out_at:
        out = datetime.fromisoformat(window.runs_out_at)
        pieces.append((f"runs out ~{_clock(out, now)}", "yellow"))
    return pieces


def _messages(plan: Plan) -> list[Piece]:
    """What was counted, against numbers that nobody publishes: those bear a ``~``."""
    today = f"messages today {plan.messages_today:,}"
    if plan.approximate_messages:
        today += f" (~{plan.approximate_messages:,} a month)"
    pieces: list[Piece] = [(today, "")]
    if plan.opus_limit:
        part = 100 * plan.opus_messages // plan.opus_limit
        opus = f"{plan.opus_messages:,}/~{plan.opus_limit:,} ({part} %)"
        pieces += [(f"opus messages {opus}", _style(part)), ("approximate", "dim")]
    elif plan.opus_messages:
        pieces.append((f"opus messages this month {plan.opus_messages:,}", ""))
    return pieces


def _bar(used: float, estimated: float, width: int) -> str:
    """What was seen to be used, and what was estimated since."""
    full = max(min(int(used * width / SPENT), width), 0)
    more = max(min(int(estimated * width / SPENT), width) - full, 0)
    return "█" * full + "▒" * more + "░" * (width - full - more)


def _style(percent: float) -> str:
    return "red" if percent >= SPENT else "yellow" if percent >= NEAR else ""


def _clock(moment: datetime, now: datetime) -> str:
    """A time here, with its day when that is not today."""
    here = moment.astimezone()
    return f"{here:%H:%M}" if here.date() == now.astimezone().date() else f"{here:%a %H:%M}"


def _packed(pieces: Iterable[Piece], width: int, indent: str) -> list[Text]:
    """As many pieces to a line as there is room for; none is torn, the last lines begin further in."""
    found: list[Text] = []
    for text, style in pieces:
        if found and len(found[-1]) + len(GAP) + len(text) <= width:
            found[-1].append(GAP).append(text, style)
        else:
            line = Text(indent + (GAP if found else ""), no_wrap=True, overflow="ellipsis")
            found.append(line.append(text, style))
    return found
