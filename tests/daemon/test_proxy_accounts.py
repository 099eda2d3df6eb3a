"""A proxy's accounts: when one is limited, who pays for it, and what of that is told, once."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper.proxies import Proxy, ProxyAccount
from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.places import place_asked, place_of
from tollkeeper_daemon.proxies.accounts import (
    MOST_GONE,
    Limited,
    account_view,
    limited_until,
    source_of,
)
from tollkeeper_daemon.proxies.answers import Account

from .lines import NOW

MINUTE = 60_000
SERVER = "127.0.0.1:8080"
# In UTC it is of a year that no calendar has.
LAST_STAMP = "9999-12-31T23:59:59-23:00"


def account(name: str = "work", **fields: Any) -> Account:
    """An account as a proxy tells of it."""
    return msgspec.convert({"id": name, "name": name, **fields}, Account)


@pytest.mark.parametrize(
    ("fields", "until"),
    [
        ({}, None),
        ({"rateLimitStatus": "OK"}, None),
        ({"rateLimitStatus": "allowed (60m)", "rateLimitReset": iso(NOW + MINUTE)}, None),
        ({"rateLimitStatus": "allowed_warning (5m)", "rateLimitReset": iso(NOW + MINUTE)}, None),
        ({"rateLimitStatus": "Rate limited (1m)", "rateLimitReset": iso(NOW + MINUTE)}, MINUTE),
        ({"rateLimitStatus": "rejected (1m)", "rateLimitReset": iso(NOW - MINUTE)}, None),
        ({"rateLimitStatus": "blocked"}, -NOW),
        ({"rateLimitedUntil": NOW + 5 * MINUTE}, 5 * MINUTE),
        ({"rateLimitedUntil": NOW - 1}, None),
        ({"rateLimitedUntil": 1e300}, -NOW),
        ({"rateLimitedUntil": 1e17}, -NOW),
        ({"rateLimitedUntil": 1e17, "rateLimitReset": iso(NOW + MINUTE)}, MINUTE),
        ({"rateLimitedUntil": -1e300}, None),
        ({"rateLimitStatus": "rejected", "rateLimitReset": LAST_STAMP}, -NOW),
        ({"rateLimitStatus": "OK", "rateLimitReset": LAST_STAMP}, None),
        ({"rateLimitStatus": "Rate limited", "rateLimitReset": "soon"}, -NOW),
    ],
)
def test_limited(fields: dict[str, Any], until: int | None) -> None:
    """An account is limited while its time lasts, or by a hard word without one; what is years away is none."""
    expected = None if until is None else NOW + until
    assert expected == limited_until(account(**fields), NOW)


def test_view() -> None:
    """The wire shows a window and a reset where there are any; a pause goes before a limit."""
    windows = {"five_hour": {"utilization": 42.5, "resets_at": iso(NOW)}, "seven_day": {}}
    found = account_view(
        Account(id="a", name="work", provider="anthropic", tier=5, usageData=msgspec.Raw(b"{}")),
        SERVER,
        {"work": 7},
        NOW,
    )
    assert found == ProxyAccount(
        account=f"proxy {SERVER}/work",
        name="work",
        provider="anthropic",
        tier="5",
        source="subscription",
        state="ready",
        proxy_requests=7,
    )
    raw = msgspec.Raw(msgspec.json.encode(windows))
    shown = account_view(
        Account(id="a", name="a", paused=True, rateLimitedUntil=NOW + 1, usageData=raw),
        SERVER,
        {},
        NOW,
    )
    assert shown.state == "paused"
    assert shown.five_hour is not None
    assert (shown.five_hour.used_percent, shown.five_hour.resets_at) == (42.5, iso(NOW))
    assert shown.seven_day is None


@pytest.mark.parametrize("stamp", [LAST_STAMP, "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:00"])
@pytest.mark.parametrize("until", [1e17, 1e300, -1e300, 253_402_300_799_999])
def test_absurd_times(stamp: str, until: float) -> None:
    """An account with times that nobody can mean is shown without them."""
    windows = {"five_hour": {"utilization": 1.5, "resets_at": stamp}}
    found = account_view(
        account(
            rateLimitedUntil=until,
            rateLimitReset=stamp,
            rateLimitStatus="blocked",
            usageData=msgspec.Raw(msgspec.json.encode(windows)),
        ),
        SERVER,
        {},
        NOW,
    )
    assert (found.state, found.limited_until) == ("limited", None)
    assert found.five_hour is not None
    assert found.five_hour.resets_at is None
    [news] = Limited({}).news(Proxy(server=SERVER, accounts=(found,)), NOW)
    assert news.text.endswith("is limited now")


def test_who_pays() -> None:
    """A row's own word goes first, then the account's, then its kind; of an unknown one nothing is known."""
    assert "subscription" == source_of(account(provider="anthropic"))
    assert "api" == source_of(account(provider="claude-console-api"))
    assert "api" == source_of(account(provider="anthropic", billingType="api"))
    assert "subscription" == source_of(account(billingType="api"), "plan")
    assert "" == source_of(None)
    assert "api" == source_of(None, "api")


def proxy(**until: int | None) -> Proxy:
    """A proxy with accounts that are limited until these times; None is not at all, -1 paused."""
    accounts = (
        ProxyAccount(
            account=f"proxy {SERVER}/{name}",
            name=name,
            source="api",
            state="paused" if end == -1 else "ready" if end is None else "limited",
            limited_until=iso(end) if end and end > 0 else None,
        )
        for name, end in until.items()
    )
    return Proxy(server=SERVER, accounts=tuple(accounts))


def kinds(limited: Limited, now: int, **until: int | None) -> list[str]:
    return [each.kind for each in limited.news(proxy(**until), now)]


def test_told_once() -> None:
    """Each limit is told once, though it is prolonged meanwhile, and anew after its reset or a recovery."""
    one, two = NOW + 10 * MINUTE, NOW + 20 * MINUTE
    limited = Limited({})
    assert ["account-limited"] == kinds(limited, NOW, a=one, b=None)
    assert [] == kinds(Limited(limited.told), NOW + MINUTE, a=one, b=None)
    assert [] == kinds(limited, NOW + MINUTE, a=two, b=None)
    assert ["account-limited", "accounts-limited"] == kinds(limited, NOW, a=two, b=0)
    assert [] == kinds(limited, NOW + MINUTE, a=two, b=0)
    assert [] == kinds(limited, NOW + MINUTE, a=two, b=None)
    assert ["account-limited"] == kinds(limited, two, a=two + MINUTE, b=None)


def test_names_without_end() -> None:
    """Of names that are listed no more the latest are remembered, and none whose limit is over."""
    limited = Limited({})
    kinds(limited, NOW, over=NOW + MINUTE)
    for number in range(MOST_GONE + 50):
        kinds(limited, NOW, **{"stays": 0, f"a{number}": NOW + 3 * MINUTE})
    later = NOW + 2 * MINUTE
    assert [] == kinds(limited, later, stays=0)
    assert len(limited.told) == MOST_GONE + 1
    names = {name.partition("/")[2] for name in limited.told}
    assert {"stays", f"a{MOST_GONE + 49}"} <= names
    assert not names & {"over", "a0"}


def test_all() -> None:
    """All are limited when those that are not paused are; one alone is told of as itself."""
    end = NOW + MINUTE
    assert kinds(Limited({}), NOW, a=end, b=end, c=-1).count("accounts-limited") == 1
    assert kinds(Limited({}), NOW, a=end, b=-1) == ["account-limited"]
    assert kinds(Limited({}), NOW) == []


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abc"), st.sampled_from([None, 0, -1, 1, 2])), max_size=6
    )
)
def test_nothing_is_told_twice(looks: list[dict[str, int | None]]) -> None:
    """The same look again is never news, whatever came before it."""
    limited = Limited({})
    for look in looks:
        until = {
            name: end if end in (None, 0, -1) else NOW + end * MINUTE for name, end in look.items()
        }
        limited.news(proxy(**until), NOW)
        assert [] == limited.news(proxy(**until), NOW)


@pytest.mark.parametrize(
    ("server", "name"),
    [
        ("localhost:8080", "127.0.0.1:8080"),
        ("LOCALHOST:8080", "127.0.0.1:8080"),
        ("127.0.0.1", "127.0.0.1:80"),
        ("[::1]:9000", "127.0.0.1:9000"),
        ("192.168.1.5:8080", "192.168.1.5:8080"),
        ("[fd00::7]:80", "[fd00::7]:80"),
    ],
)
def test_near(server: str, name: str) -> None:
    """A server of this machine, or of a private network by its number, may be asked what it is."""
    found = place_asked(server)
    assert found is not None
    assert name == found.name


@pytest.mark.parametrize(
    "server",
    [
        "api.example.com",
        "8.8.8.8:80",
        "0.0.0.0:80",
        "printer.local",
        "",
        "a b",
        "[:::",
        "169.254.169.254",
        "[fe80::1]:80",
        "198.18.0.1",
        "240.0.0.1",
        "0.0.0.1",
        "172.32.0.1",
        "[::ffff:8.8.8.8]:80",
        "[2001:db8::1]:80",
    ],
)
def test_far(server: str) -> None:
    """Anybody else is not asked: that would be impolite, and tell them that we are here."""
    assert place_asked(server) is None


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8080",
        "ftp://x",
        "http://",
        "http://u:p@h",
        "http://h/path",
        "http://h:99999",
        "http://a b",
    ],
)
def test_bad_url(url: str) -> None:
    """A setting that is no address of a server is refused in one line."""
    with pytest.raises(ValueError, match="^url: "):
        place_of(url)


@pytest.mark.parametrize("host", ["127.0.0.1:80x", "127.0.0.1", "ho_st!:80", "h/w@rd", "h℀"])
def test_no_password_in_a_report(host: str) -> None:
    """What is wrong with an address is told without the user and the password in it."""
    with pytest.raises(ValueError, match="^url: ") as caught:
        place_of(f"http://admin:hunter2@{host}")
    assert "hunter2" not in str(caught.value)
    assert "admin" not in str(caught.value)
