"""The accounts behind proxies on the screen, a line each. Pure."""

from datetime import datetime

from rich.text import Text

from tollkeeper.accounts import AccountRow, account_rows
from tollkeeper.cli import words
from tollkeeper.cli.accounts_view import MARKS, STYLES, row_name, state_in_words, trouble_line
from tollkeeper.model import Status
from tollkeeper.proxies import AccountWindow

MOST_SHOWN = 12


def lines(status: Status) -> list[Text]:
    """A title and a line for each; nothing where no proxy is followed."""
    rows = [row for row in account_rows(status) if row.proxy is not None]
    now = datetime.fromisoformat(status.time)
    troubles = [
        Text(trouble_line(proxy, now), style="yellow", no_wrap=True)
        for proxy in status.proxies
        if proxy.trouble
    ]
    if not rows:
        return troubles
    found = [Text("ACCOUNTS", style="bold"), *(_line(row, now) for row in rows[:MOST_SHOWN])]
    if (more := len(rows) - MOST_SHOWN) > 0:
        found.append(Text(f"and {more} more", style="dim"))
    return found + troubles


def _line(row: AccountRow, now: datetime) -> Text:
    mark = MARKS.get(row.state, " ")
    line = Text(f"{mark} {row_name(row)}  ", no_wrap=True, overflow="ellipsis")
    line.append(state_in_words(row, now), style=STYLES.get(row.state, ""))
    for name, window in (("5 h", row.five_hour), ("7 d", row.seven_day)):
        line.append(_used(name, window))
    return line.append(f"  {words.paid(row.usage, row.source)}")


def _used(name: str, window: AccountWindow | None) -> str:
    return f"  {name} {int(window.used_percent)} %" if window else ""
