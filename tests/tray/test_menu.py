"""The tray's menu: what its entries say and stand for."""

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from tollkeeper.model import (
    AccountToday,
    Alert,
    DaemonInfo,
    Hold,
    Importing,
    Plan,
    Status,
    Usage,
)
from tollkeeper.proxies import Proxy, ProxyAccount
from tollkeeper_tray.menu import (
    COMMANDS,
    MOST_ACCOUNTS,
    MOST_AGENTS,
    MOST_ALERTS,
    Choice,
    Entry,
    menu_of,
    shape_of,
)

from .statuses import NINE, NOW, agent, limit, spent, status, window


def group_with(text: str, of: Status) -> tuple[Entry, ...]:
    """The group of the menu in which an entry begins like this."""
    groups = menu_of(of, NOW)
    [found] = [each for each in groups if any(entry.label.startswith(text) for entry in each)]
    return found


def words(group: tuple[Entry, ...]) -> list[str]:
    """What the entries of a group say."""
    return [entry.label for entry in group]


def choices(entry: Entry) -> dict[str, bool]:
    """Which verbs stand under an agent, however deep, and whether they can be chosen."""
    found: dict[str, bool] = {}
    for each in entry.under:
        if each.choice:
            assert "a" == each.choice.agent
            found[each.choice.verb] = each.is_enabled
        found |= choices(each)
    return found


def test_nothing_runs() -> None:
    """Without agents and requests the menu says so, and has its commands."""
    expected = ((Entry("Today: nothing used"),), (Entry("No agent is running"),), COMMANDS)
    assert expected == menu_of(status(), NOW)
    assert not Entry("No agent is running").is_enabled


def test_plan() -> None:
    """The plan's windows and until when it is limited stand first; of no plan nothing is said."""
    plan = Plan(five_hour=window(67), seven_day=window(23), limited_until="2026-11-22T10:30:00Z")
    expected = ["Plan: 67% · resets in 2h 00m", "Week: 23%", "Limited until 10:30"]
    assert expected == words(menu_of(status(plan=plan), NOW)[0])


def test_accounts_behind_a_proxy() -> None:
    """Each account of a proxy has a line: what it does, until when, what it came to; of many the first."""

    def named(name: str, **more: Any) -> ProxyAccount:
        fields: dict[str, Any] = {"source": "subscription", "state": "ready", **more}
        return ProxyAccount(account=f"proxy here:1/{name}", name=name, **fields)

    limited = named("home", state="limited", limited_until="2026-11-22T10:30:00Z")
    today = AccountToday(account="proxy here:1/work", source="subscription", usage=spent(2.0))
    proxies = (Proxy(server="here:1", accounts=(limited, named("work\n"))),)
    found = status(proxies=proxies, accounts=(today,))
    expected = ["⊘ home – limited 1h 30m – $0.00 [Sub]", "● work – ready – $0.00 [Sub]"]
    assert expected == words(group_with("⊘ home", found))
    many = tuple(named(f"a{number}") for number in range(MOST_ACCOUNTS + 2))
    group = group_with("● a0", status(proxies=(Proxy(server="here:1", accounts=many),)))
    assert "2 more accounts in the dashboard" == group[-1].label
    assert len(group) == MOST_ACCOUNTS + 1


def test_who_pays_is_told_apart() -> None:
    """A subscription's value and what is billed are two sums, never one; a guess bears a tilde."""
    used = status(api=spent(2.0, unpriced_requests=1), subscription=spent(3.0, requests=1))
    expected = [
        "Today: $3.00 [Sub], 1 request, 12.3K tokens",
        "Today: ~$2.00 [API], 10 requests, 12.3K tokens",
    ]
    assert expected == words(group_with("Today", used))


def test_budget_of_the_day() -> None:
    """The day's budget is told, in dollars or in tokens."""
    dollars = limit("warned", "pause")
    tokens = replace(dollars, bound_usd=None, bound_tokens=1_500_000, used=1_000_000.0)
    assert "Budget of the day: $10.00 of $10.00" in words(
        group_with("Budget", status(limits=(dollars,)))
    )
    assert "Budget of the day: 1.00M of 1.50M tokens" in words(
        group_with("Budget", status(limits=(tokens,)))
    )


def test_import_is_told() -> None:
    """While the history is read, the menu says how far it has come."""
    importing = Importing(done_bytes=10_000_000, total_bytes=2_000_000_000)
    daemon = DaemonInfo(pid=1, started_at=NINE, importing=importing)
    assert "Importing 10.0 MB of 2.00 GB" == group_with("Today", status(daemon=daemon))[-1].label


def test_row_of_an_agent() -> None:
    """An agent's row has its mark, name, state and cost, with what it waits for."""
    agents = (
        agent("shop-1", "waiting", waiting_for="permission prompt", usage=spent(1.5)),
        agent("shop-2", "paused", "subscription", usage=spent(0.25)),
    )
    expected = [
        "⚠ shop-1 – waiting: permission prompt – $1.50 [API]",
        "‖ shop-2 – paused – $0.2500 [Sub]",
    ]
    assert expected == words(group_with("⚠", status(*agents)))


def test_deeds_of_an_agent() -> None:
    """Who works can be paused, who is held can go on, with more budget too; both can be stopped."""
    hold = Hold(kind="blocked", since=NINE, reason="It is reached.")
    working, paused, blocked = (
        choices(group_with(mark, status(each))[0])
        for mark, each in (
            ("●", agent("a")),
            ("‖", agent("a", "paused")),
            ("⊘", agent("a", "waiting", held=hold)),
        )
    )
    assert {"pause": True, "resume": False, "add": False, "stop": True} == working
    assert {"pause": False, "resume": True, "add": True, "stop": True} == paused
    assert {"pause": True, "resume": True, "add": True, "stop": True} == blocked


def test_stop_takes_two_steps() -> None:
    """Stopping stands a level deeper, and names whom it ends."""
    [row] = group_with("●", status(agent("a")))
    stop = row.under[-1]
    assert ("Stop", None) == (stop.label, stop.choice)
    assert (Entry("Really stop a", Choice("stop", "a")),) == stop.under


def test_agents_keep_their_order() -> None:
    """Agents stand in the order in which they started; those that exited are not shown."""
    early, late = "2026-11-22T08:00:00+00:00", "2026-11-22T10:00:00+00:00"
    agents = [agent("late", started_at=late), agent("early", started_at=early)]
    rows = words(group_with("●", status(*agents, agent("dead", "exited"))))
    assert ["early", "late"] == [row.split()[1] for row in rows]


def test_many_agents() -> None:
    """A menu has room for some agents; how many more there are is told."""
    rows = group_with("●", status(*(agent(f"a{number:02}") for number in range(50))))
    assert MOST_AGENTS + 1 == len(rows)
    assert Entry("30 more in the dashboard") == rows[-1]


def test_alerts() -> None:
    """The latest alerts stand under one entry, newest first, with the day where it is another."""
    alerts = [
        Alert(
            time=(NOW + timedelta(minutes=number)).isoformat(), kind="warned", text=f"No {number}"
        )
        for number in range(20)
    ]
    old = Alert(time="2026-11-20T07:05:00Z", kind="reset", text="The plan\nbegins anew.")
    [entry] = group_with("Alerts", status(alerts=(old,)))
    assert ["Fri 07:05 The plan begins anew."] == words(entry.under)
    [entry] = group_with("Alerts", status(alerts=tuple(alerts)))
    assert MOST_ALERTS == len(entry.under)
    assert "09:19 No 19" == entry.under[0].label


def test_shape_is_of_choices_alone() -> None:
    """Other words, and what can be chosen now, are the same shape; another agent is not."""
    before = shape_of(menu_of(status(agent("a")), NOW))
    assert before == shape_of(menu_of(status(agent("a", "paused", usage=spent(5))), NOW))
    assert before != shape_of(menu_of(status(agent("b")), NOW))
    assert before != shape_of(menu_of(status(agent("a"), agent("b")), NOW))


def test_names_stay_on_their_line() -> None:
    """A name with line breaks, control characters or no end stays on one short line."""
    name = "a\nb\x00\x1b[31m" + "x" * 999
    [row] = words(group_with("●", status(agent(name, usage=Usage()))))
    assert row.isprintable()
    assert row.startswith("● a b [31mxxx")
    assert row.endswith("x… – working – $0.00 [API]")
    assert len(row) < 80


def test_times_are_of_the_zone() -> None:
    """Times are told in the zone of now."""
    east = NOW.astimezone(datetime.fromisoformat("2026-01-01T00:00:00+05:00").tzinfo)
    plan = Plan(limited_until="2026-11-22T10:30:00Z")
    assert "Limited until 15:30" == menu_of(status(plan=plan), east)[0][0].label
