"""How accounts are shown: a table, and below it what is wrong with a proxy. Pure."""

from __future__ import annotations

from datetime import datetime

from tollkeeper.cli import words
from tollkeeper.cli.table import Column, Row, lay_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tollkeeper.accounts import AccountRow
    from tollkeeper.proxies import AccountWindow, Proxy

COLUMNS = [
    Column("Account", cut=2, least=12),
    Column("Plan", cut=3, drop=2),
    Column("State"),
    Column("Resets", right=True),
    Column("5 h", right=True, drop=1),
    Column("7 d", right=True, drop=1),
    Column("Req", right=True, drop=3),
    Column("Tokens", right=True, drop=4),
    Column("Today", right=True),
]
STYLES = {"limited": "red", "paused": "dim", "unknown": "dim"}
MARKS = {"ready": "●", "limited": "⊘", "paused": "‖", "unknown": "?"}


def lines(
    rows: list[AccountRow], proxies: Iterable[Proxy], now: datetime, width: int
) -> Iterator[tuple[str, str]]:
    """The lines, each with its style."""
    if rows:
        yield from lay_out(COLUMNS, [_row(each, now) for each in rows], width)
    else:
        yield "No account was used today, and no proxy is followed.", ""
    for proxy in proxies:
        if proxy.trouble:
            yield trouble_line(proxy, now), "yellow"
        elif not proxy.generation:
            yield words.plain(f"proxy {proxy.server}: not heard of yet"), "dim"


def trouble_line(proxy: Proxy, now: datetime) -> str:
    """What is wrong with the proxy, and how long ago it said last how its accounts are."""
    heard = ""
    if proxy.observed_at:
        since = (now - datetime.fromisoformat(proxy.observed_at)).total_seconds()
        heard = f"; its accounts were last heard of {words.span(since)} ago"
    return words.plain(f"! proxy {proxy.server}: {proxy.trouble}{heard}")


def row_name(row: AccountRow) -> str:
    """What the account is called: by its proxy and its name there, else as everywhere."""
    if row.proxy is not None:
        return words.plain(f"{row.proxy}/{row.name}")
    from tollkeeper.model import AccountToday

    return words.account(
        AccountToday(account=row.account, source=row.source, home=row.home, usage=row.usage)
    )


def resets(row: AccountRow, now: datetime) -> str:
    """In how long a limited account is free again; nothing for others."""
    if not row.limited_until:
        return ""
    return words.span((datetime.fromisoformat(row.limited_until) - now).total_seconds())


def state_in_words(row: AccountRow, now: datetime) -> str:
    """What it does, and for how long."""
    left = resets(row, now)
    return words.plain(f"{row.state} {left}" if left else row.state)


def _row(row: AccountRow, now: datetime) -> Row:
    return Row(
        [
            row_name(row),
            _plan(row),
            f"{MARKS.get(row.state, ' ')} {words.plain(row.state)}",
            resets(row, now),
            _used(row.five_hour),
            _used(row.seven_day),
            f"{row.usage.requests:,}",
            words.tokens(row.usage.total_tokens),
            words.paid(row.usage, row.source),
        ],
        STYLES.get(row.state, ""),
    )


def _plan(row: AccountRow) -> str:
    tier = f"tier {row.tier}" if row.tier and row.tier.isdecimal() else row.tier
    return words.plain(" ".join(each for each in (row.provider, tier) if each))


def _used(window: AccountWindow | None) -> str:
    return f"{int(window.used_percent)} %" if window else ""
