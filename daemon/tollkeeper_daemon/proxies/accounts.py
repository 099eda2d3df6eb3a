"""What a proxy's accounts are, as the wire shows them, and what of it is news. Pure."""

from collections.abc import Container, Iterable, Mapping
from typing import TypeVar

from msgspec import Struct

from tollkeeper.model import AlertKind
from tollkeeper.proxies import AccountWindow, Proxy, ProxyAccount
from tollkeeper_daemon.clock import FAR, iso, local_time, ms_of
from tollkeeper_daemon.ledger.books import API, SUBSCRIPTION
from tollkeeper_daemon.paying.payers import account_behind
from tollkeeper_daemon.proxies.answers import Account, Used, windows_of

# Words of the proxies' own for accounts whose requests are refused; behind them stands for how long.
REFUSED = frozenset(
    {"rate limited", "rate_limited", "rejected", "blocked", "queueing_hard", "payment_required"}
)
# The provider whose accounts are subscriptions; those on a key bear another name, but in C.
SUBSCRIBED = "anthropic"
PLAN = "plan"
# What is told to begin anew later than this from now has no such time.
LONGEST_MS = 5 * 365 * 86_400_000


# So many names that a proxy lists no more are remembered.
MOST_GONE = 1_000

T = TypeVar("T")


class News(Struct, frozen=True):
    """Something to tell a person."""

    kind: AlertKind
    text: str


def source_of(account: Account | None, billing: str | None = None) -> str:
    """Who pays for what is sent by this account; ``billing`` is what the request's row says of it.

    Empty where nothing is said, and the account is not known.
    """
    if told := billing or (account and account.billingType):
        return SUBSCRIPTION if told == PLAN else API
    if account is None:
        return ""
    return SUBSCRIPTION if account.provider == SUBSCRIBED else API


def account_view(
    account: Account, server: str, counts: Mapping[str, int], now: int
) -> ProxyAccount:
    """The account as the wire shows it."""
    until = limited_until(account, now)
    windows = windows_of(account)
    return ProxyAccount(
        account=account_behind(server, account.name),
        name=account.name,
        provider=account.provider or None,
        tier=None if account.tier is None else str(account.tier),
        source=source_of(account),
        state="paused" if account.paused else "ready" if until is None else "limited",
        rate_limit=account.rateLimitStatus,
        limited_until=iso(until) if until else None,
        five_hour=_window(windows.five_hour, now),
        seven_day=_window(windows.seven_day, now),
        proxy_requests=counts.get(account.name),
    )


def limited_until(account: Account, now: int) -> int | None:
    """Until when (ms) the account's requests are refused, 0 where that is not known; None if they aren't."""
    word = (account.rateLimitStatus or "").partition(" (")[0].lower()
    until = max(_sensible(account.rateLimitedUntil or 0, now), _ms(account.rateLimitReset, now))
    if account.rateLimitedUntil and now < account.rateLimitedUntil:
        return until
    if word in REFUSED and (not until or until > now):
        return until
    return None


def _window(used: Used | None, now: int) -> AccountWindow | None:
    if used is None or used.utilization is None or not 0 <= used.utilization <= 1_000:
        return None
    resets = _ms(used.resets_at, now)
    return AccountWindow(used_percent=used.utilization, resets_at=iso(resets) if resets else None)


def _ms(stamp: str | None, now: int) -> int:
    """A time that the proxy tells; 0 for none."""
    try:
        return _sensible(ms_of(stamp), now) if stamp else 0
    except (ValueError, OverflowError):
        return 0


def _sensible(time: float, now: int) -> int:
    """The time (ms); 0 where it is years away, which nobody means, and no calendar may have."""
    return int(time) if 0 <= time < now + LONGEST_MS else 0


def remembered(known: Mapping[str, T], listed: Container[str]) -> dict[str, T]:
    """What is known by name: of all that are listed now, behind the latest of those that are no more."""
    gone = [each for each in known.items() if each[0] not in listed][-MOST_GONE:]
    return {**dict(gone), **{name: each for name, each in known.items() if name in listed}}


class Limited:
    """Which accounts were told to be limited, and until when (ms): each is told once for each reset.

    ``told`` is by account, or by the proxy's name for all of its accounts; what is to be kept over restarts.
    """

    def __init__(self, told: Mapping[str, int]) -> None:
        self.told = dict(told)

    def news(self, proxy: Proxy, now: int) -> list[News]:
        """What is to be told of this proxy now; ``told`` moves with it."""
        found: list[News] = []
        for each in proxy.accounts:
            until = _until([each])
            if self._is_news(each.account, until, now):
                word = f"until {local_time(until)}" if until != FAR else "now"
                found.append(News("account-limited", f"account {_named(each)} is limited {word}"))
        working = [each for each in proxy.accounts if each.state != "paused"]
        until = _until(working) if len(working) > 1 else 0
        if self._is_news(f"proxy {proxy.server}", until, now):
            word = f"the first is free at {local_time(until)}" if until != FAR else "wait for one"
            text = f"all {len(working)} accounts of the proxy {proxy.server} are limited: {word}"
            found.append(News("accounts-limited", text))
        listed = {f"proxy {proxy.server}", *(each.account for each in proxy.accounts)}
        lasting = {name: until for name, until in self.told.items() if until > now}
        self.told = remembered(lasting, listed)
        return found

    def _is_news(self, name: str, until: int, now: int) -> bool:
        if not until:
            self.told.pop(name, None)
            return False
        known = self.told.get(name)
        # While it lasts it may be prolonged.
        self.told[name] = until
        return known is None or known <= now


def _until(accounts: Iterable[ProxyAccount]) -> int:
    """When the first of these is free again (ms), FAR where that is not known, 0 if one is by now."""
    limited = [each.limited_until if each.state == "limited" else "" for each in accounts]
    ends = [FAR if until is None else ms_of(until) if until else 0 for until in limited]
    return min(ends, default=0)


def _named(account: ProxyAccount) -> str:
    return account.account.removeprefix("proxy ")
