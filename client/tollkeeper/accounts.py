"""Every account of which anything is known: what proxies and plans tell of it, and what it came to today. Pure."""

from msgspec import Struct

from tollkeeper.model import AccountToday, Plan, Status, Usage, Window
from tollkeeper.proxies import AccountWindow, Proxy, ProxyAccount


class AccountRow(Struct, frozen=True, kw_only=True):
    """One account. ``usage`` is what we counted of it since local midnight; ``proxy`` is None for one without.

    ``account`` is None where it is not known which. ``state`` is ``unknown`` where the proxy, which does not answer
    now, said ``ready`` last. The rest is as in ``ProxyAccount``.
    """

    account: str | None
    name: str | None = None
    proxy: str | None = None
    home: str | None = None
    provider: str | None = None
    tier: str | None = None
    source: str
    state: str = "ready"
    rate_limit: str | None = None
    limited_until: str | None = None
    five_hour: AccountWindow | None = None
    seven_day: AccountWindow | None = None
    proxy_requests: int | None = None
    usage: Usage = Usage()


def account_rows(status: Status) -> list[AccountRow]:
    """The accounts of each proxy by their names, then those of today without one, the dearest first."""
    today: dict[str | None, list[AccountToday]] = {}
    for each in status.accounts:
        today.setdefault(each.account, []).append(each)
    rows: list[AccountRow] = []
    for proxy in status.proxies:
        for account in proxy.accounts:
            used = today.pop(account.account, [])
            rows.append(_behind(proxy, account, _together(used)))
    plans = {plan.account: plan for plan in status.plans}
    # Prompts alone may stand under a proxy as a whole.
    left = (each for each in status.accounts if each.account in today and each.usage.requests)
    return rows + [_without(each, plans.get(each.account)) for each in left]


def _behind(proxy: Proxy, account: ProxyAccount, usage: Usage) -> AccountRow:
    is_unknown = account.state == "ready" and proxy.trouble
    return AccountRow(
        account=account.account,
        name=account.name,
        proxy=proxy.server,
        provider=account.provider,
        tier=account.tier,
        source=account.source,
        state="unknown" if is_unknown else account.state,
        rate_limit=account.rate_limit,
        limited_until=account.limited_until,
        five_hour=account.five_hour,
        seven_day=account.seven_day,
        proxy_requests=account.proxy_requests,
        usage=usage,
    )


def _without(each: AccountToday, plan: Plan | None) -> AccountRow:
    plan = plan if each.source == "subscription" else None
    return AccountRow(
        account=each.account,
        home=each.home,
        tier=plan.title if plan else None,
        source=each.source,
        state="limited" if plan and plan.limited_until else "ready",
        limited_until=plan.limited_until if plan else None,
        five_hour=_window(plan.five_hour) if plan else None,
        seven_day=_window(plan.seven_day) if plan else None,
        usage=each.usage,
    )


def _window(window: Window | None) -> AccountWindow | None:
    if window is None:
        return None
    return AccountWindow(used_percent=window.used_percent, resets_at=window.resets_at)


def _together(days: list[AccountToday]) -> Usage:
    """One account may be paid in two ways over a day, as when its plan changes."""
    if len(days) == 1:
        return days[0].usage
    names = Usage.__struct_fields__
    return Usage(**{name: sum(getattr(each.usage, name) for each in days) for name in names})
