"""What proxies tell of themselves and of the accounts behind them, as it crosses the wire; units as in ``model``."""

from typing import Literal

from msgspec import Struct


class AccountWindow(Struct, frozen=True, kw_only=True):
    """How much of a window of a proxy's account is used, as the proxy says, and when it begins anew."""

    used_percent: float
    resets_at: str | None = None


class ProxyAccount(Struct, frozen=True, kw_only=True):
    """An account behind a proxy, as the proxy tells of it.

    ``account`` is what it is called in ``accounts``, reports and exports, ``name`` what the proxy calls it.
    ``rate_limit`` is the proxy's own word for how its requests fare; ``limited_until`` is set while it
    refuses them, if it is known until when. ``proxy_requests`` are all that the proxy ever sent by it.
    """

    account: str
    name: str
    provider: str | None = None
    tier: str | None = None
    source: str
    state: Literal["ready", "limited", "paused"]
    rate_limit: str | None = None
    limited_until: str | None = None
    five_hour: AccountWindow | None = None
    seven_day: AccountWindow | None = None
    proxy_requests: int | None = None


class Proxy(Struct, frozen=True, kw_only=True):
    """A ccflare or better-ccflare that agents ask in the place of Anthropic's server.

    ``generation`` is ``C`` (ccflare), ``B`` (better-ccflare) or ``H`` (a later one of these), null while it has not
    answered. ``live`` says that it tells of each request as it comes; else it is asked for them.
    ``trouble`` is why nothing is heard of it now. What its accounts are is from ``observed_at``.
    """

    server: str
    generation: str | None = None
    live: bool = False
    trouble: str | None = None
    observed_at: str | None = None
    accounts: tuple[ProxyAccount, ...] = ()
