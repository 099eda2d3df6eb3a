"""How figures read: money, tokens, spans of time. Pure."""

from __future__ import annotations

from datetime import datetime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tollkeeper.model import AccountToday, Agent, Usage


def money(dollars: float, guessed: bool = False) -> str:
    """Dollars to the cent, small sums to the hundredth of one; ``~`` marks a guessed price."""
    places = 2 if dollars == 0 or dollars >= 1 else 4
    return f"{'~' if guessed else ''}${dollars:,.{places}f}"


def tokens(count: int) -> str:
    """A count with at most four digits: 999, 12.3K, 4.56M."""
    for size, letter in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if count >= size:
            value = count / size
            places = 2 if value < 10 else 1 if value < 100 else 0
            return f"{value:.{places}f}{letter}"
    return str(count)


def size(count: int) -> str:
    """Bytes, in MB or GB."""
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def reading(done: int, total: int) -> str:
    """How far the history is read, in bytes of logs."""
    return f"the history is being read, {size(done)} of {size(total)}"


def span(seconds: float) -> str:
    """A span of time by its two largest units: 42s, 12m 05s, 3h 20m, 2d 4h."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d {whole % 86400 // 3600}h"


def since(moment: str | None, now: datetime) -> str:
    """How long ago this ISO time was; nothing for None."""
    return span((now - datetime.fromisoformat(moment)).total_seconds()) if moment else ""


def ago(seconds: float) -> str:
    """How long ago that was, by its largest unit: just now, 2 min ago, 3 h ago, 1 day ago."""
    whole = int(seconds)
    if whole < 60:
        return "just now"
    if whole < 3600:
        return f"{whole // 60} min ago"
    if whole < 86400:
        return f"{whole // 3600} h ago"
    return f"{whole // 86400} day{'' if whole < 2 * 86400 else 's'} ago"


def state_of(agent: Agent) -> str:
    """What the agent does; one whose tool calls are refused is ``blocked``, whatever it does."""
    is_blocked = agent.held is not None and agent.held.kind == "blocked"
    return "blocked" if is_blocked and agent.state not in ("paused", "exited") else agent.state


def limit_state(state: str, waived: bool) -> str:
    """How a limit stands; one that is reached and acts on nobody any more is waived."""
    return "waived" if waived else state


def model_name(model: str | None) -> str:
    """A model's name as people say it: ``claude-opus-5-5`` is ``opus-5-5``."""
    return plain((model or "").removeprefix("claude-"))


def plain(text: str) -> str:
    """Words of others without what could move a terminal's cursor or more: a dot for each."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else "·" for letter in text)


def bound(dollars: float | None, count: int | None) -> str:
    """The bound of a limit, in dollars or else in tokens: ``$5.00``, ``1.50M tokens``."""
    if dollars is None:
        return f"{tokens(count or 0)} tokens"
    return f"${dollars:,.2f}" if round(dollars, 2) == dollars else money(dollars)


def typed(name: str, pid: int | None = None) -> str:
    """How the agent is typed behind a command: by its name, quoted where a shell needs that.

    By its pid, if that is known, where the name is one that is hard to type.
    """
    import shlex

    if pid is not None and (name.startswith("-") or not name.isprintable()):
        return str(pid)
    quoted = shlex.quote(plain(name))
    return f"-- {quoted}" if name.startswith("-") else quoted


def paid(usage: Usage, source: str) -> str:
    """What was spent, and by whom: dollars billed, or a subscription's list-price value."""
    guessed = usage.unpriced_requests > 0
    if source == "subscription":
        return f"{money(usage.value_usd, guessed)} [Sub]"
    return f"{money(usage.cost_usd, guessed)} [{'API' if source == 'api' else plain(source)}]"


def account(each: AccountToday) -> str:
    """What an account is called: its Claude home, else what it is named, else not known."""
    import os

    if each.home:
        folder, _, name = each.home.rstrip("/").rpartition("/")
        return plain(f"~/{name}" if folder == os.path.expanduser("~") else name)
    name = plain(each.account or "")
    return name if name.startswith("proxy ") else name[:8] or "account not known"
