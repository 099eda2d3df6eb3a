"""Accounts as they are shown: what proxies and plans tell, beside what was counted today."""

from datetime import datetime
from typing import Any

from tollkeeper.accounts import account_rows
from tollkeeper.cli import account_screen
from tollkeeper.cli.accounts_view import lines
from tollkeeper.model import (
    AccountToday,
    DaemonInfo,
    Plan,
    Status,
    Today,
    Usage,
    Window,
)
from tollkeeper.proxies import AccountWindow, Proxy, ProxyAccount

NINE = "2026-11-22T09:00:00+00:00"
TEN = "2026-11-22T10:00:00+00:00"
NOW = datetime.fromisoformat(NINE)
SERVER = "127.0.0.1:8080"


def used(requests: int, dollars: float) -> Usage:
    return Usage(requests=requests, total_tokens=requests * 1_000, value_usd=dollars)


def behind(name: str, **more: Any) -> ProxyAccount:
    """An account of the proxy."""
    fields: dict[str, Any] = {"source": "subscription", "state": "ready", **more}
    return ProxyAccount(account=f"proxy {SERVER}/{name}", name=name, **fields)


def status(*accounts: ProxyAccount, **more: Any) -> Status:
    """A status with a proxy that has these accounts."""
    fields: dict[str, Any] = {
        "proxies": (Proxy(server=SERVER, generation="B", accounts=accounts),),
        "plan": Plan(),
        **more,
    }
    return Status(
        version="0",
        protocol=1,
        sequence=1,
        time=NINE,
        daemon=DaemonInfo(pid=1, started_at=NINE),
        agents=(),
        today=Today(subscription=Usage(), api=Usage(), total=Usage()),
        run=None,
        **fields,
    )


LIMITED = behind(
    "home", state="limited", limited_until=TEN, seven_day=AccountWindow(used_percent=63.9)
)
WORK = behind("work", provider="anthropic", tier="5")


def both() -> Status:
    """A limited account and one that works, and one without a proxy."""
    window = Window(used_percent=17.2, resets_at=TEN, observed_at=NINE)
    return status(
        LIMITED,
        WORK,
        accounts=(
            AccountToday(account="acc-1", source="subscription", home="/h/x", usage=used(3, 3.0)),
            AccountToday(account=WORK.account, source="subscription", usage=used(2, 2.0)),
            AccountToday(account=f"proxy {SERVER}", source="api", usage=Usage(messages=4)),
        ),
        plans=(Plan(account="acc-1", title="Max", five_hour=window),),
    )


def test_rows() -> None:
    """Each account is one row, with what it came to today; prompts alone are no account of a proxy."""
    rows = account_rows(both())
    assert [(row.name, row.account, row.usage.requests) for row in rows] == [
        ("home", LIMITED.account, 0),
        ("work", WORK.account, 2),
        (None, "acc-1", 3),
    ]
    assert rows[2].tier == "Max"
    assert rows[2].five_hour == AccountWindow(used_percent=17.2, resets_at=TEN)


def test_paid_in_two_ways() -> None:
    """An account that was paid in two ways today is one row, with the sum of both."""
    days = tuple(
        AccountToday(account=WORK.account, source=source, usage=used(2, 1.5))
        for source in ("api", "subscription")
    )
    [row] = account_rows(status(WORK, accounts=days))
    assert (row.usage.requests, row.usage.value_usd) == (4, 3.0)


def test_table() -> None:
    """The table says of each what it does, until when, its windows, and what it came to."""
    found = both()
    shown = [text for text, _ in lines(account_rows(found), found.proxies, NOW, 120)]
    assert [line.split() for line in shown[1:]] == [
        f"{SERVER}/home ⊘ limited 1h 00m 63 % 0 0 $0.00 [Sub]".split(),
        f"{SERVER}/work anthropic tier 5 ● ready 2 2.00K $2.00 [Sub]".split(),
        ["x", "Max", "●", "ready", "17", "%", "3", "3.00K", "$3.00", "[Sub]"],
    ]
    for width in (40, 60, 80):
        assert all(len(text) <= width for text, _ in lines(account_rows(found), (), NOW, width))


def test_troubles() -> None:
    """Below the table stands what is wrong with a proxy; without any account a line says so."""
    troubled = Proxy(server=SERVER, trouble="it does\x1b not answer")
    shown = list(lines([], (troubled, Proxy(server="other:1")), NOW, 80))
    assert shown == [
        ("No account was used today, and no proxy is followed.", ""),
        (f"! proxy {SERVER}: it does· not answer", "yellow"),
        ("proxy other:1: not heard of yet", "dim"),
    ]


def test_unheard_proxy() -> None:
    """Nobody says that an account is ready whose proxy does not answer, but how long ago it was heard of."""
    trouble = "it does not answer"
    earlier = "2026-11-22T08:57:30+00:00"
    silent = Proxy(server=SERVER, trouble=trouble, observed_at=earlier, accounts=(LIMITED, WORK))
    found = status(proxies=(silent,))
    assert [row.state for row in account_rows(found)] == ["limited", "unknown"]
    said = f"! proxy {SERVER}: {trouble}; its accounts were last heard of 2m 30s ago"
    shown = [text for text, _ in lines(account_rows(found), found.proxies, NOW, 120)]
    assert ("? unknown" in shown[2], shown[-1]) == (True, said)
    assert account_screen.lines(found)[-1].plain == said


def test_in_the_status() -> None:
    """Status and dashboard have a line for each account behind a proxy, and none where there is no proxy."""
    shown = [line.plain for line in account_screen.lines(both())]
    assert shown == [
        "ACCOUNTS",
        f"⊘ {SERVER}/home  limited 1h 00m  7 d 63 %  $0.00 [Sub]",
        f"● {SERVER}/work  ready  $2.00 [Sub]",
    ]
    assert account_screen.lines(status(proxies=())) == []
    many = status(*(behind(f"a{number}") for number in range(15)))
    assert account_screen.lines(many)[-1].plain == "and 3 more"
