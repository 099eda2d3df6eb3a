"""The proxies that are followed: which, what is known of each, and what becomes of what they tell."""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Literal, Protocol

from msgspec import Struct, field

from tollkeeper.proxies import Proxy, ProxyAccount
from tollkeeper_daemon.agents.followed import Followed
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.bar.bar import Bar
from tollkeeper_daemon.clock import iso, now_ms
from tollkeeper_daemon.config import CcflareSettings
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.ledger.books import SUBSCRIPTION
from tollkeeper_daemon.names import id_of
from tollkeeper_daemon.pipeline import Outcome, Pipeline
from tollkeeper_daemon.places import Place, names_of, place_asked, place_of
from tollkeeper_daemon.proxies.accounts import account_view, remembered
from tollkeeper_daemon.proxies.answers import Account
from tollkeeper_daemon.proxies.notes import Notes
from tollkeeper_daemon.proxies.rows import rows_of
from tollkeeper_daemon.proxies.told import Told
from tollkeeper_daemon.retention import FORGOTTEN
from tollkeeper_daemon.store.proxy_shelf import ProxyRow
from tollkeeper_daemon.store.store import Store, is_out_of_room

log = logging.getLogger(__name__)

KEY = "TOLL_CCFLARE_KEY"
DAY_MS = 86_400_000
TAKEN_AT_ONCE = 50
RETRY_SECONDS = 10.0
# Accounts are asked for about twice a minute: those of before then may be limited by now.
STALE_MS = 120_000
# The generations in which an account on a key is told from one on a plan.
TELLING_KEYS = "BH"

# Who wants a proxy to be asked: None where only agents asked it that have exited.
Asker = Literal["settings", "agents"] | None


class Following(Protocol):
    """Whoever asks a proxy."""

    def stop(self) -> None:
        """Ask no more."""
        ...


class Known(Struct):
    """What is known of a proxy that is followed; ``raw`` has the latest accounts that it lists no more as well.

    ``is_first`` says that it was never followed before.
    """

    follower: Following
    server: str
    is_first: bool
    generation: str = ""
    live: bool = False
    trouble: str = ""
    observed: int = 0
    bad: int = 0
    bad_accounts: int = 0
    raw: dict[str, Account] = field(default_factory=dict[str, Account])
    accounts: tuple[ProxyAccount, ...] = ()

    def view(self) -> Proxy:
        """The proxy as the wire shows it."""
        return Proxy(
            server=self.server,
            generation=self.generation or None,
            live=self.live,
            trouble=self.trouble or None,
            observed_at=iso(self.observed) if self.observed else None,
            accounts=self.accounts,
        )

    def serves_plans(self, now: int) -> bool:
        """Whether a subscription surely pays for what it is asked now (ms).

        With no account ready it passes requests on by the key that the client shows.
        """
        is_told = bool(self.generation) and self.generation in TELLING_KEYS
        is_fresh = 0 <= now - self.observed < STALE_MS
        if not is_told or not is_fresh or self.trouble or self.bad_accounts:
            return False
        is_ready = any(each.state == "ready" for each in self.accounts)
        return is_ready and all(each.source == SUBSCRIPTION for each in self.accounts)


class Proxies:
    """The loop's part. ``settings`` are those in force, ``keep_days`` how long requests are kept (0: for ever).

    ``charged`` is told of everything that is booked, but of history.
    """

    def __init__(
        self,
        store: Store,
        roster: Roster,
        followed: Followed,
        pipeline: Pipeline,
        bar: Bar,
        herald: Herald,
        settings: Callable[[], CcflareSettings],
        keep_days: int,
        charged: Callable[[Outcome, int], None],
        attempt: Callable[..., bool],
    ) -> None:
        self._store = store
        self._roster = roster
        self._followed = followed
        self._pipeline = pipeline
        self._bar = bar
        self._herald = herald
        self._settings = settings
        self._keep_days = keep_days
        self._charged = charged
        self._attempt = attempt
        self._known: dict[Place, Known] = {}
        # Those that answer otherwise: they are asked no more.
        self._others: set[Place] = set()
        self._rows: deque[ProxyRow] = deque()
        self._in_force: CcflareSettings | None = None
        self._may_wait = True
        self._notes = Notes(store)
        herald.proxies = self.views
        self._loop = asyncio.get_running_loop()

    def views(self) -> tuple[Proxy, ...]:
        """The proxies that are known to be some, and the one that the settings name."""
        named = self._named()
        found = (
            known for place, known in self._known.items() if known.generation or place == named
        )
        return tuple(known.view() for known in found)

    def serves_plans(self, account: str) -> bool:
        """Whether this account stands for a proxy that is followed, and sends all by subscriptions now."""
        names, now = names_of(account.removeprefix("proxy ")), now_ms()
        found = [known for known in self._known.values() if known.server in names]
        return bool(found) and all(known.serves_plans(now) for known in found)

    def look(self, now: int) -> None:
        """Follow who is asked by agents now, and book what only a proxy saw and no log tells of."""
        self._follow(self._wanted(), now)
        self._attempt(self._notes.save)
        if self._may_wait and self._herald.importing is None:
            self._book_overdue(now)

    def stop(self) -> None:
        """Ask nothing more."""
        self._leave(self._known)

    # Who is followed.

    def _named(self) -> Place | None:
        url = self._settings().url
        return place_of(url) if url else None

    def _wanted(self) -> list[Place]:
        """The places to follow; of agents that exited lately some rows may be to come."""
        settings = self._settings()
        if settings != self._in_force:
            self._in_force = settings
            self._others.clear()
            self._leave(self._known)
        agents = list(self._roster.agents.values()) if settings.find else []
        asked = [place for place in map(self._place_asked_by, agents) if place not in self._others]
        return list(filter(None, dict.fromkeys([self._named(), *asked])))

    def _place_asked_by(self, agent: LiveAgent) -> Place | None:
        server = self._followed.server_of(agent.record)
        return place_asked(server) if server else None

    def _asker(self, place: Place) -> Asker:
        if place == self._named():
            return "settings"
        return "agents" if place in map(self._place_asked_by, self._roster.alive()) else None

    def _leave(self, places: Iterable[Place]) -> None:
        for place in [*places]:
            self._known.pop(place).follower.stop()
            self._herald.proxies_changed()

    def _follow(self, wanted: list[Place], now: int) -> None:
        self._leave(self._known.keys() - wanted)
        new = [place for place in wanted if place not in self._known]
        if new:
            # Loaded only where there is a proxy: HTTP takes its time and memory.
            from tollkeeper_daemon.proxies.follower import Follower

            for place in new:
                server = place.name
                is_first = server not in self._notes.since
                self._notes.since.setdefault(server, now)
                follower = Follower(
                    place,
                    partial(self._key_for, place),
                    partial(self._tell, place),
                    partial(self._known_rows, server),
                    place == self._named(),
                )
                self._known[place] = Known(follower, server, is_first)
                follower.start()

    # In a follower's thread.

    def _key_for(self, place: Place) -> str:
        """The key for this place: nobody but whom the settings name gets it."""
        settings = self._settings()
        if place != self._named():
            return ""
        from tollkeeper_daemon.proxies.client import key_of

        return key_of(os.environ.get(KEY, ""), settings.key_command)

    def _tell(self, place: Place, told: Told) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._attempt, self._hear, place, told)

    def _known_rows(self, server: str, ids: list[str]) -> set[str]:
        return self._store.read(
            lambda t: {each for each in ids if t.proxied.row(f"{server} {id_of(each)}")}
        )

    # What they tell.

    def _hear(self, place: Place, told: Told) -> None:
        known = self._known.get(place)
        if known is None:
            return
        now = now_ms()
        if told.is_other:
            self._is_other(place, known)
            return
        # Before all that may fail: they are told once.
        self._note_rows(known, told, now)
        before = known.view()
        known.live, known.trouble = told.live, self._words(place, told)
        known.generation = told.generation or known.generation
        if not told.trouble:
            known.bad, known.bad_accounts = told.bad, told.bad_accounts
        if known.trouble and self._is_missed(place, known):
            text = f"the proxy {known.server} can't be followed: {known.trouble}; it is tried again"
            self._herald.alert_once("failed", text)
        if told.is_torn:
            self._herald.alert_once(
                "failed",
                f"the proxy {known.server} had more requests than it tells at once: some are missing",
            )
        if told.accounts is not None:
            self._note_accounts(known, told, now)
        if _worth_telling(known.view()) != _worth_telling(before):
            self._herald.proxies_changed()
        self._notes.save()

    def _is_missed(self, place: Place, known: Known) -> bool:
        asker = self._asker(place)
        return asker == "settings" or (asker == "agents" and bool(known.generation))

    def _is_other(self, place: Place, known: Known) -> None:
        if place != self._named():
            self._others.add(place)
            self._leave([place])
            if known.is_first and not known.generation:
                self._notes.since.pop(known.server, None)
            return
        known.trouble = "it is neither ccflare nor better-ccflare"
        text = f"[ccflare] url names {known.server}, but {known.trouble}; it is tried again"
        self._herald.alert_once("failed", text)
        self._herald.proxies_changed()

    def _words(self, place: Place, told: Told) -> str:
        if not told.wants_key:
            return told.trouble
        if place != self._named():
            return f"it wants a key: set [ccflare] url to it, and its admin key in {KEY}"
        return f"it refuses the key: set its admin key in {KEY}, or [ccflare] key_command"

    def _note_accounts(self, known: Known, told: Told, now: int) -> None:
        accounts = told.accounts or ()
        known.observed = now
        known.accounts = tuple(
            account_view(each, known.server, told.counts, now)
            for each in sorted(accounts, key=lambda each: each.name)
        )
        for each in self._notes.limited.news(known.view(), now):
            self._herald.alert(each.kind, each.text)

    def _note_rows(self, known: Known, told: Told, now: int) -> None:
        if told.accounts is not None:
            listed = {each.name: each for each in told.accounts}
            known.raw = remembered(known.raw | listed, listed)
        if not told.rows:
            return
        since = self._notes.since.setdefault(known.server, now)
        rows = rows_of(told.rows, told.names, known.raw, known.server, since, now)
        oldest = self._oldest(now)
        is_under_way = bool(self._rows)
        # The oldest first, as they were asked.
        self._rows.extend(row for row in reversed(rows) if row.time >= oldest)
        if not is_under_way:
            self._take_some()

    def _oldest(self, now: int) -> int:
        """What is older than this (ms) is not kept, nor taken in any more."""
        dropped = self._store.read(lambda t: t.meta(FORGOTTEN)) or 0
        return max(now - self._keep_days * DAY_MS if self._keep_days else 0, dropped)

    def _take_some(self) -> None:
        """Take in some rows, and let others have their turn before the rest."""
        lot = [self._rows.popleft() for _ in range(min(TAKEN_AT_ONCE, len(self._rows)))]
        if not lot:
            return
        self._may_wait = True
        try:
            self._take(lot)
        except Exception as error:
            log.exception("requests that %s told of can't be saved", lot[0].proxy)
            if is_out_of_room(error):
                self._rows.extendleft(reversed(lot))
                self._loop.call_later(RETRY_SECONDS, self._take_some)
                self._herald.alert_once("failed", f"no room to save requests ({error})")
                return
            for row in lot:
                self._attempt(self._take, [row])
        self._loop.call_soon(self._take_some)

    def _take(self, rows: list[ProxyRow]) -> None:
        now = now_ms()
        if old := [row for row in rows if row.history]:
            self._as_history(partial(self._pipeline.take_rows, old), now)
        if new := [row for row in rows if not row.history]:
            self._charged(self._pipeline.take_rows(new), now)

    def _as_history(self, booked: Callable[[], Outcome], now: int) -> None:
        """No limit counts what changes by what was asked before the proxy was followed."""
        with self._bar.history(now):
            outcome = booked()
        self._herald.tell(outcome, now)

    # What no log tells of.

    def _book_overdue(self, now: int) -> None:
        """Book some of what is overdue, and let others have their turn before the rest."""
        waiting = self._store.read(lambda t: [*map(t.proxied.row, t.proxied.waiting())])
        self._may_wait = bool(waiting)
        wait = self._settings().wait_seconds * 1000
        due = [row for row in waiting if row and not 0 <= now - row.seen < wait]
        lot = due[:TAKEN_AT_ONCE]
        if old := [row.key for row in lot if row.history]:
            self._as_history(partial(self._pipeline.book_rows, old), now)
        if new := [row.key for row in lot if not row.history]:
            self._charged(self._pipeline.book_rows(new), now)
        if len(due) > len(lot):
            self._loop.call_soon(self._attempt, self._book_overdue, now)

    def health(self) -> list[dict[str, object]]:
        """How it goes with each proxy that is asked, and how much of what it said last could not be read."""
        return [
            {
                "server": each.server,
                "asked_by": self._asker(place),
                "generation": each.generation or None,
                "trouble": each.trouble or None,
                "bad": each.bad,
            }
            for place, each in self._known.items()
        ]


def _worth_telling(proxy: Proxy) -> tuple[object, ...]:
    """What of the proxy is worth to be told when it changes."""
    return proxy.generation, proxy.live, proxy.trouble, proxy.accounts
