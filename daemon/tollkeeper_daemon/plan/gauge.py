"""The plans' windows: how much of each was used when it was last seen, and which plans refuse."""

from collections.abc import Callable

from msgspec import Struct, convert
from msgspec.structs import replace

from tollkeeper.model import AlertKind, Plan
from tollkeeper_daemon.clock import local_time
from tollkeeper_daemon.config import PlanSettings
from tollkeeper_daemon.own.plans import PlanTerms
from tollkeeper_daemon.plan.accounts import NOBODY, Account, Guess, Owner, plan_view
from tollkeeper_daemon.plan.sums import PlanSums
from tollkeeper_daemon.rules.judge import judge_window
from tollkeeper_daemon.rules.windows import (
    SPENT,
    Point,
    doubted,
    is_corrected,
    is_same_reset,
    is_stale,
    with_point,
)
from tollkeeper_daemon.store.schema import GaugeRecord
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.transcript.letters import WindowKind

NAMES: dict[str, str] = {"five_hour": "five-hour window", "seven_day": "seven-day window"}
LIMITED = "limited_accounts"
GUESSES = "guessed_refusals"
# Where an earlier version kept the time, of the only account that it knew.
LIMITED_UNTIL = "limited_until"
# What names a later reset than its window can have is broken. A refusal may name other windows.
HOUR_MS = 3_600_000
LONGEST_MS = {"five_hour": 6 * HOUR_MS, "seven_day": 8 * 24 * HOUR_MS}
LONGEST_WINDOW_MS = max(LONGEST_MS.values())
SHORTEST_WINDOW_MS = 5 * HOUR_MS
# The same figure is seen again and again; only so often it is saved that it was.
SAVED_EVERY_MS = 60_000


class News(Struct, frozen=True):
    """Something about a plan that a person should know."""

    kind: AlertKind
    text: str


class PlanGauge:
    """What is known of each account's plan, saved as it is seen.

    ``settings`` are those of ``[plan]`` now, ``terms`` looks a plan up by its name, and ``sums`` say
    what was used since. All times are in ms. What it is told it answers with the news in it; None is
    for no change.
    """

    def __init__(
        self,
        store: Store,
        settings: Callable[[], PlanSettings],
        now: int,
        sums: PlanSums,
        terms: Callable[[str], PlanTerms | None],
    ) -> None:
        self._store = store
        self._settings = settings
        self._sums = sums
        self._terms = terms
        self._accounts: dict[str, Account] = {}
        store.read(lambda transaction: self._restore(transaction, now))

    def refused(
        self,
        window: str,
        resets_at: int,
        now: int,
        owner: Owner = NOBODY,
    ) -> list[News] | None:
        """The plan of this owner refused a request because this window is spent, as a log says.

        What a hook's report was taken for gives way to it, and is not told again.
        """
        if not now < resets_at < now + LONGEST_MS.get(window, LONGEST_WINDOW_MS):
            return None
        of = self._account(owner, window, resets_at)
        is_told = self._take_back(of)
        if resets_at <= of.limited_until:
            return None
        news = self._limit(of, window, resets_at, now)
        return [] if is_told else news

    def reported(self, conversation: str, now: int, owner: Owner = NOBODY) -> list[News] | None:
        """A hook reports that this owner's plan refused the conversation a request.

        Hooks don't say until when: the fullest window that is known is taken to be spent.
        """
        of = self._account_of(owner)
        if of.limited_until > now:
            return None
        is_told = of.guess is not None
        lasting = [window for window in of.windows.values() if window.resets_at > now]
        if lasting:
            spent = max(lasting, key=lambda window: (window.used_percent, window.resets_at))
            of.guess = Guess(conversation, spent.resets_at, spent)
            news = self._limit(of, spent.kind, spent.resets_at, now)
        else:
            of.guess = Guess(conversation, now + SHORTEST_WINDOW_MS)
            self._store.write(self._save_refusals)
            news = [News("limited", f"the plan refuses requests{self._named(of)}")]
        return [] if is_told else news

    def not_refused(self, conversation: str, owner: Owner = NOBODY) -> list[News] | None:
        """It was no plan that refused this conversation a request, as a log says."""
        of = self._account_of(owner)
        if of.guess is None or of.guess.conversation != conversation:
            return None
        self._take_back(of)
        return [self._takes_again(of)]

    def _limit(self, of: Account, window: str, resets_at: int, now: int) -> list[News]:
        of.limited_until = resets_at
        of.seen = now
        self._store.write(self._save_refusals)
        if window in NAMES:
            known = of.windows.get(window)
            is_same = known is not None and is_same_reset(known.resets_at, resets_at)
            points = known.points if known and is_same else ()
            self._keep(of, GaugeRecord(window, SPENT, resets_at, now, SPENT), points)
        text = f"the plan refuses requests until {local_time(resets_at)}"
        return [News("limited", text + self._named(of))]

    def _take_back(self, of: Account) -> bool:
        """What a hook's report was taken for holds no more; whether there was any."""
        guess, of.guess = of.guess, None
        if guess and guess.spent:
            of.limited_until = 0
            before = replace(guess.spent, account=of.name)
            if _has(of, before.kind, before.resets_at):
                of.windows[before.kind] = before
                self._store.write(lambda transaction: transaction.bar.save_gauge(before))
        if guess:
            self._store.write(self._save_refusals)
        return guess is not None

    def observed(
        self,
        window: WindowKind,
        used_percent: float,
        resets_at: int,
        now: int,
        owner: Owner = NOBODY,
    ) -> list[News] | None:
        """So much of the owner's window is used.

        What is over already, or ends too late, is passed over, and so are figures that are older
        than the one known: a client that is idle still shows what it was last told.
        """
        if not now < resets_at < now + LONGEST_MS[window]:
            return None
        of = self._account(owner, window, resets_at)
        freed = self._disproved(of, window, used_percent, resets_at)
        known = of.windows.get(window)
        told, points = 0.0, ()
        if known:
            if is_same_reset(known.resets_at, resets_at):
                resets_at, told, points = known.resets_at, known.told, known.points
            if is_stale((known.resets_at, known.used_percent), (resets_at, used_percent)):
                doubt = doubted(of.doubts.get(window), (resets_at, used_percent), now)
                of.doubts[window] = doubt
                if not is_corrected(doubt, now):
                    return None
                told, points = min(told, used_percent), ()
        of.doubts.pop(window, None)
        of.seen = now
        passed = judge_window(used_percent, self._settings().warn_at, told)
        record = GaugeRecord(window, used_percent, resets_at, now, passed or told)
        freed += self._freed(of, used_percent, resets_at)
        if not self._keep(of, record, points):
            return freed or None
        if passed is None:
            return freed
        text = f"{used_percent:.0f} % of the plan's {NAMES[window]} is used"
        text += f"; it begins anew at {local_time(resets_at)}"
        return [*freed, News("warned", text + self._named(of))]

    def holds(
        self,
        window: WindowKind,
        used_percent: float,
        resets_at: int,
        owner: Owner = NOBODY,
    ) -> bool:
        """Whether this is the very figure that is known."""
        of = self._account(owner, window, resets_at)
        known = of.windows.get(window)
        return (
            known is not None
            and known.used_percent == used_percent
            and is_same_reset(known.resets_at, resets_at)
        )

    def is_limited(self, account: str, now: int) -> bool:
        """Whether the plan of this account, or of one that may be it, refuses requests."""
        return any(
            each.limited_until > now
            for each in self._accounts.values()
            if not (account and each.name) or each.name == account
        )

    def _disproved(
        self, of: Account, window: str, used_percent: float, resets_at: int
    ) -> list[News]:
        """The window that a hook's report was taken for goes on to fill: it was not spent."""
        spent = of.guess.spent if of.guess else None
        if spent is None or spent.kind != window or not is_same_reset(spent.resets_at, resets_at):
            return []
        if not spent.used_percent < used_percent < SPENT:
            return []
        self._take_back(of)
        return [self._takes_again(of)]

    def _freed(self, of: Account, used_percent: float, resets_at: int) -> list[News]:
        """A window that refused is not spent after all, as after a change of the plan."""
        if used_percent >= SPENT or not is_same_reset(of.limited_until, resets_at):
            return []
        of.limited_until, of.guess = 0, None
        self._store.write(self._save_refusals)
        return [self._takes_again(of)]

    def _takes_again(self, of: Account) -> News:
        return News("reset", f"the plan takes requests again{self._named(of)}")

    def look(self, now: int) -> list[News] | None:
        """See whether a refusal, or a window, is over."""
        news: list[News] = []
        changed = False
        for of in self._accounts.values():
            if of.guess and of.guess.until <= now:
                of.guess = None
            over = [window for window in of.windows.values() if window.resets_at <= now]
            freed = 0 < of.limited_until <= now
            if not (freed or over):
                continue
            changed, named = True, self._named(of)
            if freed:
                of.limited_until = 0
                news.append(News("reset", f"the plan takes requests again{named}"))
            for window in over:
                self._drop(of, window.kind)
                if window.told and not freed:
                    text = f"the plan's {NAMES[window.kind]} began anew"
                    news.append(News("reset", text + named))
                    freed = True
        return news if changed else None

    def view(self, now: int) -> Plan:
        """The plan that was seen last, or that of the only account, as the wire shows it."""
        known = self._known()
        latest = max(known, key=lambda account: account.seen, default=Account(""))
        return self._view_of(latest, len(known) < 2, now)

    def views(self, now: int) -> tuple[Plan, ...]:
        """The plan of each account that anything is known of, always in the same order."""
        known = self._known()
        return tuple(self._view_of(each, len(known) < 2, now) for each in known)

    def _view_of(self, account: Account, alone: bool, now: int) -> Plan:
        name = self._settings().name
        return plan_view(account, name, self._terms(name), self._sums, alone, now)

    def _known(self) -> list[Account]:
        """The accounts that a plan was seen of, and those that messages were sent on."""
        found = {each.name: each for each in self._accounts.values() if each.is_known}
        for name in self._sums.names:
            found.setdefault(name, self._accounts.get(name) or Account(name))
        return sorted(found.values(), key=lambda account: account.name)

    def _is_alone(self, account: Account) -> bool:
        """Whether no other account is known."""
        return all(each.name == account.name for each in self._known())

    def _named(self, account: Account) -> str:
        """Which account it is, for people, when there are several."""
        if self._is_alone(account):
            return ""
        name = f"account {account.name[:8]}" if account.name else "account not known"
        return f" ({name} in {account.home})" if account.home else f" ({name})"

    # Whose it is.

    def _account(self, owner: Owner, window: str, resets_at: int) -> Account:
        """The owner's account; where it is not known, the one that must be meant.

        That of a token may be any, and is taken for no other.
        """
        name = owner.account or ("" if owner.by_token else self._guess(window, resets_at))
        found = self._accounts.setdefault(name, Account(name))
        found.home = owner.home or found.home
        found.by_token = owner.by_token
        nameless = self._accounts.get("")
        if name and nameless and not nameless.by_token and _has(nameless, window, resets_at):
            self._adopt(found, nameless)
        return found

    def _account_of(self, owner: Owner) -> Account:
        """The owner's account; where it is not known, the only one that has a name."""
        named = [account.name for account in self._known() if account.name]
        is_only = len(named) == 1 and not owner.by_token
        name = owner.account or (named[0] if is_only else "")
        return self._accounts.setdefault(name, Account(name, owner.home, by_token=owner.by_token))

    def _guess(self, window: str, resets_at: int) -> str:
        """The name of the only account with this window, or without another of its kind."""
        named = [account for account in self._known() if account.name]
        found = [account for account in named if _has(account, window, resets_at)]
        if not found and len(named) == 1 and window not in named[0].windows:
            found = named
        return found[0].name if len(found) == 1 else ""

    def _adopt(self, account: Account, nameless: Account) -> None:
        """What was seen before anybody knew of whom was this account's."""
        del self._accounts[""]
        account.limited_until = max(account.limited_until, nameless.limited_until)
        account.guess = account.guess or nameless.guess
        mine = [each for each in nameless.windows.values() if each.kind not in account.windows]
        for each in mine:
            account.windows[each.kind] = replace(each, account=account.name)

        def move(transaction: Transaction) -> None:
            for kind in nameless.windows:
                transaction.bar.drop_gauge(kind)
            for each in mine:
                transaction.bar.save_gauge(account.windows[each.kind])
            self._save_refusals(transaction)

        self._store.write(move)

    # What is saved.

    def _restore(self, transaction: Transaction, now: int) -> None:
        """What an earlier daemon knew; what was over before this one came up is no news any more."""
        for each in transaction.bar.gauges():
            if each.resets_at > now:
                of = self._accounts.setdefault(each.account, Account(each.account))
                of.windows[each.kind] = each
                of.home = each.home or of.home
                of.by_token = of.by_token or each.by_token
                of.seen = max(of.seen, each.seen)
        limited: dict[str, int] = transaction.meta(LIMITED) or {}
        limited.setdefault("", transaction.meta(LIMITED_UNTIL) or 0)
        for name, until in limited.items():
            if until > now:
                self._accounts.setdefault(name, Account(name)).limited_until = until
        guesses = convert(transaction.meta(GUESSES) or {}, dict[str, Guess])
        for name, guess in guesses.items():
            if guess.until > now:
                self._accounts.setdefault(name, Account(name)).guess = guess

    def _save_refusals(self, transaction: Transaction) -> None:
        """Save which accounts refuse, and of which a hook alone says so."""
        each = self._accounts.items()
        transaction.set_meta(LIMITED, {n: of.limited_until for n, of in each if of.limited_until})
        transaction.set_meta(LIMITED_UNTIL, 0)
        transaction.set_meta(GUESSES, {n: of.guess for n, of in each if of.guess})

    def _keep(self, of: Account, seen: GaugeRecord, points: tuple[Point, ...]) -> bool:
        """Take this sighting in; whether that is news, and saved: the same whole percent rarely is."""
        booked = self._sums.booked(of.name, self._is_alone(of), seen.seen)
        point = Point(seen.seen, seen.used_percent, booked)
        whose = replace(seen, account=of.name, home=of.home, by_token=of.by_token)
        record = replace(whose, points=with_point(points, point))
        known = of.windows.get(seen.kind)
        of.windows[seen.kind] = record
        is_due = not 0 <= seen.seen - of.saved.get(seen.kind, 0) < SAVED_EVERY_MS
        if not is_due and known is not None and _figures(known) == _figures(record):
            return False
        of.saved[seen.kind] = seen.seen
        self._store.write(lambda transaction: transaction.bar.save_gauge(record))
        return True

    def _drop(self, of: Account, kind: str) -> None:
        del of.windows[kind]
        of.doubts.pop(kind, None)
        self._store.write(lambda transaction: transaction.bar.drop_gauge(kind, of.name))


def _figures(window: GaugeRecord) -> tuple[int, int, float, bool]:
    """What is saved, and told, at once when it changes."""
    return int(window.used_percent), window.resets_at, window.told, window.by_token


def _has(account: Account, kind: str, resets_at: int) -> bool:
    known = account.windows.get(kind)
    return known is not None and is_same_reset(known.resets_at, resets_at)
