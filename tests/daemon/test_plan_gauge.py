"""The plan's windows: what is warned of, what is refused, and what time brings."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.config import PlanSettings
from tollkeeper_daemon.ledger.books import Book, quarter
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.own.plans import load_plans
from tollkeeper_daemon.plan.accounts import Owner
from tollkeeper_daemon.plan.gauge import LIMITED_UNTIL, News, PlanGauge
from tollkeeper_daemon.plan.sums import PlanSums
from tollkeeper_daemon.store.store import Store

NOW = 1_795_000_000_000
HOUR = 3_600_000
RESET = NOW + 5 * HOUR


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "ledger") as store:
        yield store


def gauge(store: Store, *warn_at: float, now: int = NOW, sums: PlanSums | None = None) -> PlanGauge:
    settings = PlanSettings(name="max", warn_at=warn_at or (80.0,))
    return PlanGauge(store, lambda: settings, now, sums or PlanSums(), load_plans().get)


def kinds(news: list[News] | None) -> list[str] | None:
    return None if news is None else [each.kind for each in news]


def test_a_window_is_warned_of_once(store: Store) -> None:
    """At 80 % it is told, with the window's name; more of the same window is only shown."""
    plan = gauge(store)
    assert kinds(plan.observed("five_hour", 79.9, RESET, NOW)) == []
    [told] = plan.observed("five_hour", 80.0, RESET, NOW) or []
    assert told.kind == "warned"
    assert told.text.startswith("80 % of the plan's five-hour window is used; it begins anew at ")
    assert kinds(plan.observed("five_hour", 93.0, RESET, NOW)) == []
    window = plan.view(NOW).five_hour
    assert window is not None
    assert window.used_percent == 93.0


def test_each_threshold_is_told(store: Store) -> None:
    """With several percentages each is told once, and those jumped over are not."""
    plan = gauge(store, 50, 80, 95)
    seen = [plan.observed("seven_day", percent, RESET, NOW) for percent in (51, 60, 96, 99)]
    assert [kinds(each) for each in seen] == [["warned"], [], ["warned"], []]


def test_the_windows_are_told_apart(store: Store) -> None:
    """A warning of one window says nothing of the other."""
    plan = gauge(store)
    assert kinds(plan.observed("five_hour", 85, RESET, NOW)) == ["warned"]
    assert kinds(plan.observed("seven_day", 85, NOW + 100 * HOUR, NOW)) == ["warned"]


def test_the_next_window_starts_anew(store: Store) -> None:
    """When a window that was warned of is over that is told, and the next one is warned of again."""
    plan = gauge(store)
    plan.observed("five_hour", 85, RESET, NOW)
    assert plan.look(RESET - 1) is None
    assert kinds(plan.look(RESET)) == ["reset"]
    assert plan.view(NOW).five_hour is None
    assert kinds(plan.observed("five_hour", 85, RESET + 5 * HOUR, RESET)) == ["warned"]


def test_a_window_without_a_warning_ends_silently(store: Store) -> None:
    """Nobody has to know that a window began anew which was never near its end."""
    plan = gauge(store)
    plan.observed("five_hour", 20, RESET, NOW)
    assert plan.look(RESET) == []


def test_a_warning_outlives_a_restart(store: Store) -> None:
    """What was told of a window is not told again by the next daemon, and its figure is kept."""
    gauge(store).observed("five_hour", 85, RESET, NOW)
    again = gauge(store)
    assert kinds(again.observed("five_hour", 86, RESET, NOW)) == []
    window = again.view(NOW).five_hour
    assert window is not None
    assert window.used_percent == 86


def test_a_refusal_fills_its_window(store: Store) -> None:
    """A refused request shows the window as spent and is told once, with the time of the reset."""
    plan = gauge(store)
    assert kinds(plan.refused("five_hour", RESET, NOW)) == ["limited"]
    assert plan.refused("five_hour", RESET, NOW + 1) is None
    view = plan.view(NOW)
    assert view.five_hour is not None
    assert view.five_hour.used_percent == 100
    assert view.limited_until is not None
    assert kinds(plan.look(RESET)) == ["reset"]
    assert plan.view(NOW).limited_until is None


@pytest.mark.parametrize("resets_at", [0, NOW, NOW - 1, NOW + 9 * 24 * HOUR])
def test_impossible_resets_change_nothing(store: Store, resets_at: int) -> None:
    """A window that is over, or ends later than any can, is neither kept nor told."""
    plan = gauge(store)
    assert plan.observed("five_hour", 99, resets_at, NOW) is None
    assert plan.refused("five_hour", resets_at, NOW) is None
    assert plan.view(NOW).five_hour is None


# Which figure holds.


def used(plan: PlanGauge, now: int = NOW, account: str | None = None) -> float | None:
    """What is told of the five-hour window."""
    found = [each for each in plan.views(now) if each.account == account] or [plan.view(now)]
    return found[0].five_hour.used_percent if found[0].five_hour else None


def test_the_same_figure_again_renews_its_age(store: Store) -> None:
    """A figure that is seen again was seen now; that alone is told and saved once a minute."""
    plan = gauge(store)
    assert plan.observed("five_hour", 42, RESET, NOW) == []
    assert plan.observed("five_hour", 42, RESET, NOW + 59_000) is None
    assert seen_at(plan) == iso(NOW + 59_000)
    assert seen_at(gauge(store)) == iso(NOW)
    assert plan.observed("five_hour", 42, RESET, NOW + 61_000) == []
    assert seen_at(gauge(store)) == iso(NOW + 61_000)


def seen_at(plan: PlanGauge) -> str | None:
    window = plan.view(NOW).five_hour
    return window and window.observed_at


def test_many_status_lines_cost_few_transactions(store: Store) -> None:
    """Figures that creep up three hundred times a second are saved at each whole percent."""
    plan = gauge(store)
    writes = 0
    write = store.write

    def counted(work: Any) -> Any:
        nonlocal writes
        writes += 1
        return write(work)

    store.write = counted  # pyright: ignore[reportAttributeAccessIssue]
    for step in range(3_000):
        plan.observed("five_hour", 40 + step / 1000, RESET, NOW + step * 3)
    assert writes == 3
    assert used(plan) == pytest.approx(42.999)


def test_an_older_figure_changes_nothing(store: Store) -> None:
    """A client that is idle goes on to show what it was told an hour ago; that is no sighting."""
    plan = gauge(store)
    plan.observed("five_hour", 50, RESET, NOW)
    for later in range(0, 3 * HOUR, 60_000):
        assert plan.observed("five_hour", 42, RESET, NOW + later) is None
    assert used(plan) == 50
    assert seen_at(plan) == iso(NOW)


def test_an_older_window_changes_nothing(store: Store) -> None:
    """Of two windows the one that ends later is the one of now."""
    plan = gauge(store)
    plan.observed("five_hour", 3, RESET, NOW)
    assert plan.observed("five_hour", 90, RESET - HOUR, NOW + 1) is None
    assert used(plan) == 3
    assert plan.observed("five_hour", 1, RESET + 60_000, NOW + 2) == []
    assert used(plan) == 1


def test_a_wrong_figure_is_corrected(store: Store) -> None:
    """Lower figures that rise three times within ten minutes come from one who works: they hold."""
    plan = gauge(store)
    assert kinds(plan.observed("five_hour", 95, RESET, NOW)) == ["warned"]
    assert plan.observed("five_hour", 10, RESET, NOW + 1) is None
    assert plan.observed("five_hour", 11, RESET, NOW + 300_000) is None
    assert plan.observed("five_hour", 12, RESET, NOW + 500_000) is None
    assert plan.observed("five_hour", 13, RESET, NOW + 600_001) == []
    assert used(plan) == 13
    assert kinds(plan.observed("five_hour", 81, RESET, NOW + HOUR)) == ["warned"]


def test_who_sees_the_known_figure_refutes_the_lower(store: Store) -> None:
    """Where one sees what is known, those who see less are behind, however they rise."""
    plan = gauge(store)
    plan.observed("five_hour", 95, RESET, NOW)
    for minute in range(1, 60):
        plan.observed("five_hour", min(minute, 94), RESET, NOW + minute * 60_000)
        if minute % 9 == 0:
            plan.observed("five_hour", 95, RESET, NOW + minute * 60_000)
    assert used(plan) == 95


class Client(Struct):
    """A client on the account: what it was told last."""

    shown: float = -1.0


@given(
    events=st.lists(
        st.tuples(st.integers(0, 1), st.booleans(), st.floats(0, 3), st.integers(0, 15 * 60_000)),
        min_size=5,
        max_size=60,
    )
)
def test_several_clients_on_one_account(
    events: list[tuple[int, bool, float, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """However two clients work or only repeat what they know, the highest that was seen is told."""
    with Store(tmp_path_factory.mktemp("any") / "ledger") as store:
        plan = gauge(store)
        clients = [Client(), Client()]
        truth, now, highest = 0.0, NOW, None
        for number, works, amount, pause in events:
            client = clients[number]
            now += pause
            if now >= RESET:
                break
            if works:
                truth = min(truth + amount, 100.0)
                client.shown = truth
            if client.shown >= 0:
                plan.observed("five_hour", client.shown, RESET, now)
                highest = max(client.shown, highest or 0.0)
            assert used(plan) == highest


# Several accounts.


def test_accounts_have_figures_of_their_own(store: Store) -> None:
    """Each account has its windows, its warnings and its refusals, and notices say whose they are."""
    plan = gauge(store)
    assert kinds(plan.observed("five_hour", 85, RESET, NOW, Owner("account-a", "/h/a"))) == [
        "warned"
    ]
    [told] = plan.observed("five_hour", 90, RESET, NOW, Owner("account-b", "/h/b")) or []
    assert told.text.endswith(" (account account- in /h/b)")
    assert kinds(plan.refused("five_hour", RESET, NOW, Owner("account-b"))) == ["limited"]
    assert [85, 100] == [used(plan, account="account-a"), used(plan, account="account-b")]
    first, second = plan.views(NOW)
    assert (first.limited_until, first.home) == (None, "/h/a")
    assert (second.limited_until, second.home) == (iso(RESET), "/h/b")
    assert plan.view(NOW) == second or plan.view(NOW) == first
    plan.observed("five_hour", 86, RESET, NOW + 1, Owner("account-a"))
    assert plan.view(NOW + 1).account == "account-a"
    assert gauge(store).views(NOW) == plan.views(NOW)


def test_who_is_limited(store: Store) -> None:
    """A refusal holds for its account, and for whoever may be of it."""
    plan = gauge(store)
    plan.refused("five_hour", RESET, NOW, Owner("account-a"))
    names = ("account-a", "account-b", "")
    assert [True, False, True] == [plan.is_limited(name, NOW) for name in names]
    assert [False] * 3 == [plan.is_limited(name, RESET) for name in names]


def test_one_account_is_not_named(store: Store) -> None:
    """Who has one account knows which it is."""
    [told] = gauge(store).observed("five_hour", 85, RESET, NOW, Owner("account-a", "/h/a")) or []
    assert "account" not in told.text


def test_what_was_seen_of_nobody_is_the_accounts(store: Store) -> None:
    """A window that was seen before its account was known is that account's, warnings and all."""
    plan = gauge(store)
    plan.observed("five_hour", 85, RESET, NOW)
    plan.refused("five_hour", RESET, NOW)
    plan.observed("seven_day", 20, NOW + 100 * HOUR, NOW)
    assert plan.observed("five_hour", 100, RESET, NOW + 1, Owner("account-a")) == []
    for each in (plan, gauge(store)):
        [only] = each.views(NOW)
        assert (only.account, only.limited_until) == ("account-a", iso(RESET))
        assert only.seven_day is not None
    assert plan.observed("five_hour", 100, RESET, NOW + 2) is None
    assert plan.refused("five_hour", RESET, NOW + 2) is None
    assert len(plan.views(NOW)) == 1


def test_a_refusal_that_an_earlier_version_kept(store: Store) -> None:
    """The time until which the plan refuses, kept before accounts were told apart, still holds."""
    store.write(lambda transaction: transaction.set_meta(LIMITED_UNTIL, RESET))
    plan = gauge(store)
    assert plan.view(NOW).limited_until == iso(RESET)
    assert plan.refused("five_hour", RESET, NOW) is None
    plan.refused("five_hour", RESET + HOUR // 2, NOW, Owner("account-a"))
    assert {iso(RESET), iso(RESET + HOUR // 2)} == {
        each.limited_until for each in gauge(store).views(NOW)
    }
    assert kinds(plan.look(RESET)) == ["reset"]
    assert gauge(store, now=RESET).view(RESET).limited_until == iso(RESET + HOUR // 2)


def test_a_window_that_can_not_be(store: Store) -> None:
    """A five-hour window that ends in days is a mistake, and hides no true one."""
    plan = gauge(store)
    assert plan.observed("five_hour", 20, NOW + 100 * HOUR, NOW) is None
    assert plan.refused("five_hour", NOW + 100 * HOUR, NOW) is None
    assert plan.observed("five_hour", 30, RESET, NOW) is not None
    window = plan.view(NOW).five_hour
    assert window is not None
    assert window.used_percent == 30


def test_not_spent_after_all(store: Store) -> None:
    """When lower figures are believed again, the plan takes requests again, and that is told."""
    plan = gauge(store)
    plan.refused("five_hour", RESET, NOW)
    minute = HOUR // 60
    found = [
        plan.observed("five_hour", percent, RESET, NOW + minute * 4 * step)
        for step, percent in enumerate((10, 11, 12, 13, 14))
    ]
    assert [kind for each in found for kind in kinds(each) or []] == ["reset"]
    assert plan.view(NOW).limited_until is None
    assert gauge(store).view(NOW).limited_until is None


# What hooks report.


def shown(plan: PlanGauge) -> tuple[float | None, float | None, str | None]:
    """How much is used of both windows, and until when the plan refuses."""
    view = plan.view(NOW)
    return (
        view.five_hour and view.five_hour.used_percent,
        view.seven_day and view.seven_day.used_percent,
        view.limited_until,
    )


LATER = NOW + 100 * HOUR


@pytest.mark.parametrize(
    ("five_hour", "seven_day", "spent"),
    [
        (90, 60, (100, 60, iso(RESET))),
        (60, 90, (60, 100, iso(LATER))),
        (None, 20, (None, 100, iso(LATER))),
        (100, 100, (100, 100, iso(LATER))),
    ],
)
def test_a_report_spends_the_fullest_window(
    store: Store, five_hour: float | None, seven_day: float, spent: tuple[object, ...]
) -> None:
    """A hook says that the plan refuses: so it does until the end of the fullest window known."""
    plan = gauge(store)
    if five_hour is not None:
        plan.observed("five_hour", five_hour, RESET, NOW)
    plan.observed("seven_day", seven_day, LATER, NOW)
    assert kinds(plan.reported("conv-1", NOW)) == ["limited"]
    assert spent == shown(plan) == shown(gauge(store))
    assert plan.reported("conv-2", NOW + 1) is None


@pytest.mark.parametrize("window", ["five_hour", "seven_day", "seven_day_opus"])
def test_the_log_corrects_a_report(store: Store, window: str) -> None:
    """The log's own line says which window was spent: that holds, and is not told a second time."""
    plan = gauge(store)
    plan.observed("five_hour", 40, RESET, NOW)
    plan.observed("seven_day", 50, LATER, NOW)
    plan.reported("conv-1", NOW)
    resets_at = {"five_hour": RESET, "seven_day": LATER}.get(window, NOW + 50 * HOUR)
    assert plan.refused(window, resets_at, NOW + 1) == []
    expected = {"five_hour": (100, 50), "seven_day": (40, 100)}.get(window, (40, 50))
    for each in (plan, gauge(store)):
        assert (*expected, iso(resets_at)) == shown(each)
    assert plan.refused(window, resets_at, NOW + 2) is None
    assert plan.reported("conv-1", NOW + 2) is None
    assert kinds(plan.look(resets_at)) == ["reset"]
    assert kinds(plan.refused("seven_day", LATER + HOUR, resets_at)) == ["limited"]


def test_a_report_without_windows(store: Store) -> None:
    """Where no window is known the refusal alone is told, once, and the log's line only adds its end."""
    plan = gauge(store)
    [told] = plan.reported("conv-1", NOW) or []
    assert (told.kind, told.text) == ("limited", "the plan refuses requests")
    assert plan.reported("conv-2", NOW + HOUR) == []
    assert shown(plan) == (None, None, None)
    assert plan.refused("five_hour", RESET, NOW + HOUR) == []
    assert shown(plan) == (100, None, iso(RESET))
    assert kinds(plan.look(RESET)) == ["reset"]
    assert kinds(plan.reported("conv-1", RESET)) == ["limited"]
    plan.look(RESET + 5 * HOUR)
    assert kinds(plan.reported("conv-1", RESET + 5 * HOUR)) == ["limited"]


def test_a_window_that_is_seen_after_a_report(store: Store) -> None:
    """Who is refused again when a window is known by then adds its end, and is not told again."""
    plan = gauge(store)
    plan.reported("conv-1", NOW)
    plan.observed("five_hour", 99, RESET, NOW)
    assert plan.reported("conv-1", NOW + 1) == []
    assert shown(plan) == (100, None, iso(RESET))


def test_no_plan_refused(store: Store) -> None:
    """When the log says that it was no plan, what the hook was taken for is taken back."""
    plan = gauge(store)
    plan.observed("five_hour", 20, RESET, NOW)
    assert plan.not_refused("conv-1") is None
    plan.reported("conv-1", NOW)
    assert plan.not_refused("conv-2") is None
    assert kinds(plan.not_refused("conv-1")) == ["reset"]
    for each in (plan, gauge(store)):
        assert shown(each) == (20, None, None)
    plan.refused("five_hour", RESET, NOW)
    assert plan.not_refused("conv-1") is None
    assert shown(plan) == (100, None, iso(RESET))


def test_a_report_that_a_sighting_disproves(store: Store) -> None:
    """More of the window that was taken for spent is used: it was not, unlike by what was known before."""
    plan = gauge(store)
    plan.observed("five_hour", 20, RESET, NOW)
    plan.reported("conv-1", NOW)
    assert plan.observed("five_hour", 20, RESET, NOW + 1) is None
    assert plan.observed("seven_day", 30, LATER, NOW + 1) == []
    assert shown(plan) == (100, 30, iso(RESET))
    assert kinds(plan.observed("five_hour", 21, RESET, NOW + 2)) == ["reset"]
    assert shown(plan) == (21, 30, None)
    plan.refused("five_hour", RESET, NOW + 3)
    assert plan.observed("five_hour", 22, RESET, NOW + 4) is None
    assert shown(plan) == (100, 30, iso(RESET))


@pytest.mark.parametrize("knows_window", [True, False])
def test_a_report_over_a_restart(store: Store, knows_window: bool) -> None:
    """What a hook reported is known as no more than that to the next daemon: the log corrects it still."""
    if knows_window:
        gauge(store).observed("seven_day", 60, LATER, NOW)
    assert kinds(gauge(store).reported("conv-1", NOW)) == ["limited"]
    plan = gauge(store)
    expected = (None, 100, iso(LATER)) if knows_window else (None, None, None)
    assert shown(plan) == expected
    assert plan.refused("five_hour", RESET, NOW + 1) == []
    for each in (plan, gauge(store)):
        assert shown(each) == (100, 60 if knows_window else None, iso(RESET))
        assert each.not_refused("conv-1") is None


@pytest.mark.parametrize("knows_window", [True, False])
def test_a_report_taken_back_after_a_restart(store: Store, knows_window: bool) -> None:
    """A later daemon takes back what was no plan's refusal, and the one after it knows nothing of it."""
    if knows_window:
        gauge(store).observed("five_hour", 20, RESET, NOW)
    gauge(store).reported("conv-1", NOW)
    assert gauge(store).not_refused("conv-2") is None
    assert kinds(gauge(store).not_refused("conv-1")) == ["reset"]
    assert shown(gauge(store)) == (20 if knows_window else None, None, None)
    assert gauge(store).not_refused("conv-1") is None


def test_whose_report(store: Store) -> None:
    """A report of nobody is the only account's; that of a token is of no account with a name."""
    plan = gauge(store)
    plan.observed("five_hour", 20, RESET, NOW, Owner("account-a"))
    assert kinds(plan.reported("conv-1", NOW, Owner(by_token=True))) == ["limited"]
    assert used(plan, account="account-a") == 20
    assert kinds(plan.reported("conv-2", NOW)) == ["limited"]
    assert used(plan, account="account-a") == 100
    [told] = plan.reported("conv-3", NOW, Owner("account-b", "/h/b")) or []
    assert told.text == "the plan refuses requests (account account- in /h/b)"


def test_a_report_before_the_account_was_known(store: Store) -> None:
    """What a report was taken for moves to the account that its window turns out to be of."""
    plan = gauge(store)
    plan.observed("five_hour", 30, RESET, NOW)
    plan.reported("conv-1", NOW)
    assert plan.observed("five_hour", 30, RESET, NOW + 1, Owner("account-a")) is None
    assert plan.refused("seven_day", LATER, NOW + 1, Owner("account-a")) == []
    for each in (plan, gauge(store)):
        assert (30, 100, iso(LATER)) == shown(each)
        assert ["account-a"] == [view.account for view in each.views(NOW)]


# What comes between sightings.

OPUS, SONNET = "claude-opus-5-5", "claude-sonnet-5-5"


def spend(sums: PlanSums, now: int, dollars: float, account: str = "account-a") -> None:
    """Requests of the account came to so much."""
    book = Book("c", OPUS, "subscription", account)
    sums.add(quarter(now), book, Totals(requests=1, value=int(dollars * 10**9)))


def test_what_was_spent_since(store: Store) -> None:
    """The list price of the account's own requests after a sighting is told with it."""
    sums = PlanSums()
    plan = gauge(store, sums=sums)
    spend(sums, NOW, 5)
    plan.observed("five_hour", 20, RESET, NOW, Owner("account-a"))
    spend(sums, NOW, 0.25)
    spend(sums, NOW + HOUR, 0.5)
    spend(sums, NOW + HOUR, 9, "account-b")
    window = plan.view(NOW + HOUR).five_hour
    assert window is not None
    assert (window.value_since_usd, window.estimated_percent) == (0.75, None)
    again = gauge(store, sums=sums).view(NOW + HOUR).five_hour
    assert again == window
    plan.observed("five_hour", 20, RESET, NOW + HOUR, Owner("account-a"))
    after = plan.view(NOW + HOUR).five_hour
    assert after is not None
    assert after.value_since_usd == 0


def test_the_estimate(store: Store) -> None:
    """When the figure rose with what was spent, it is told where it is by now, and when it ends."""
    sums = PlanSums()
    plan = gauge(store, sums=sums)
    for step in range(11):
        now = NOW + step * 360_000
        plan.observed("five_hour", 20 + step, RESET, now, Owner("account-a"))
        spend(sums, now, 2)
    window = plan.view(NOW + HOUR).five_hour
    assert window is not None
    assert window.estimated_percent == pytest.approx(31)
    assert window.percent_per_hour == pytest.approx(10)
    assert window.runs_out_at is None
    spend(sums, NOW + HOUR, 80)
    nearer = plan.view(NOW + HOUR).five_hour
    assert nearer is not None
    assert nearer.estimated_percent == pytest.approx(71)
    assert nearer.runs_out_at == iso(NOW + HOUR + int(2.9 * HOUR))
    spend(sums, NOW + HOUR, 10_000)
    full = plan.view(NOW + HOUR).five_hour
    assert full is not None
    assert (full.estimated_percent, full.runs_out_at) == (100, None)


def test_requests_of_nobody_are_the_only_accounts(store: Store) -> None:
    """Where a log does not say the account, the only one there is has paid; of two, neither."""
    sums = PlanSums()
    plan = gauge(store, sums=sums)
    plan.observed("five_hour", 20, RESET, NOW, Owner("account-a"))
    spend(sums, NOW, 1, "")
    assert [1] == [each.five_hour and each.five_hour.value_since_usd for each in plan.views(NOW)]
    plan.observed("five_hour", 20, RESET, NOW, Owner("account-b"))
    assert [0, 0] == [each.five_hour and each.five_hour.value_since_usd for each in plan.views(NOW)]


def test_the_plans_table(store: Store) -> None:
    """The plan of the settings is told by its title, with about how many messages it gives."""
    plan = gauge(store)
    plan.observed("five_hour", 20, RESET, NOW, Owner("account-a"))
    view = plan.view(NOW)
    assert ("max", "Claude Max", 4000, 200) == (
        view.name,
        view.title,
        view.approximate_messages,
        view.opus_limit,
    )
