"""Follows one proxy in a thread of its own: asks, hears its stream, and hands in what it says.

The stream only says when to ask: what counts is what the proxy answers, so that nothing is
lost or told twice when the stream breaks off, and a proxy without one is followed as well.
"""

import logging
import threading
import time
from collections.abc import Callable

from msgspec.structs import replace

from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.places import Place
from tollkeeper_daemon.proxies.answers import (
    ACCOUNTS,
    DETAIL,
    HEALTH,
    MOST_ROWS,
    REQUESTS,
    STATS,
    STREAM,
    Account,
    AnswerError,
    Detail,
    Health,
    Row,
    counts_of,
    each_of,
    health_of,
)
from tollkeeper_daemon.proxies.client import Client, KeyRefused, Trouble, Unreached
from tollkeeper_daemon.proxies.looks import Looks, Page
from tollkeeper_daemon.proxies.proxy_clock import ProxyClock
from tollkeeper_daemon.proxies.told import Told

log = logging.getLogger(__name__)

# While its stream tells of each request, and while it does not, or a request is under way.
LISTENING_SECONDS = 30.0
ASKING_SECONDS = 5.0
# A row shows a moment after its request is over.
AGAIN_SECONDS = 3.0
# However much happens, it is not asked more often than this.
APART_SECONDS = 1.0
ACCOUNTS_SECONDS = 25.0
REOPEN_SECONDS = 10.0
FIRST_BACK_OFF, LAST_BACK_OFF = 2.0, 300.0
PAGE = 50


class Follower:
    """The thread; ``tell`` is called in it, and ``known`` says which ids of rows were told before.

    ``is_named`` says that a person named the place: it is asked again even where something else answers.
    One that was only found is not, unless nobody is there, or it was such a proxy before.
    """

    def __init__(
        self,
        place: Place,
        key: Callable[[], str],
        tell: Callable[[Told], None],
        known: Callable[[list[str]], set[str]],
        is_named: bool,
    ) -> None:
        self._place = place
        self._is_named = is_named
        self._key = key
        self._tell = tell
        self._clock = ProxyClock()
        self._client = Client(place, self._clock)
        self._bell = threading.Event()
        self._stopped = threading.Event()
        self._is_live = False
        self._generation = ""
        self._accounts_due = self._listen_due = 0.0
        self._was_proxy = False
        self._bad_accounts = 0
        self._looks = Looks(known)
        self._listener: threading.Thread | None = None
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more; what is under way is broken off, and not waited for."""
        self._stopped.set()
        self._client.close()
        self._bell.set()

    def _run(self) -> None:
        back_off = FIRST_BACK_OFF
        while not self._stopped.is_set():
            try:
                told = self._look()
            except (Trouble, AnswerError) as error:
                told = Told(
                    generation=self._generation,
                    trouble=str(error),
                    wants_key=isinstance(error, KeyRefused),
                )
            except Exception as error:
                if self._stopped.is_set():
                    return
                log.exception("a proxy can't be followed")
                trouble = f"something failed ({type(error).__name__})"
                told = Told(generation=self._generation, trouble=trouble)
            if self._stopped.is_set():
                return
            if told.trouble or told.is_other:
                self._generation = ""
                pause, back_off = back_off, min(back_off * 2, LAST_BACK_OFF)
            else:
                back_off = FIRST_BACK_OFF
                pause = self._pause()
            self._tell(told)
            if told.is_other and not self._is_named:
                return
            self._stopped.wait(APART_SECONDS)
            self._bell.wait(min(pause, AGAIN_SECONDS) if self._looks.lacks_headers else pause)
            self._bell.clear()

    def _pause(self) -> float:
        is_told = self._is_live and not self._looks.has_open
        return LISTENING_SECONDS if is_told else ASKING_SECONDS

    def _look(self) -> Told:
        if not self._generation:
            self._begin("")
            health = self._health()
            if health is None:
                return Told(is_other=True)
            self._was_proxy = True
            self._begin(self._key())
            self._generation = health.generation
            self._accounts_due = 0.0
            self._listen()
        elif not self._is_live:
            self._listen()
        now = now_ms()
        page = self._page(now)
        news = self._looks.news(page)
        names = self._names(news.last)
        told = Told(
            generation=self._generation,
            live=self._is_live,
            rows=tuple(news.rows),
            names=names,
            is_torn=news.is_torn,
        )
        is_due = time.monotonic() >= self._accounts_due
        told = self._with_accounts(told) if is_due or news.rows else told
        # Only now: a look that fails is to be made again, with all its rows.
        self._looks.note(page, news, names, now)
        bad = self._bad_accounts
        return replace(told, bad=page.bad + bad, bad_accounts=bad)

    def _begin(self, key: str) -> None:
        """Ask anew, with this key; nothing where that is over."""
        self._client.close()
        self._client = Client(self._place, self._clock, key)
        if self._stopped.is_set():
            self._client.close()

    def _health(self) -> Health | None:
        """None when whoever answers is no such proxy, or does not answer as one that was only found."""
        try:
            return health_of(self._client.get(HEALTH, may_be_unwell=True))
        except Unreached:
            raise
        except Trouble:
            if self._is_named or self._was_proxy:
                raise
            return None

    def _with_accounts(self, told: Told) -> Told:
        self._accounts_due = time.monotonic() + ACCOUNTS_SECONDS
        accounts, self._bad_accounts = each_of(self._client.get(ACCOUNTS), Account)
        return replace(
            told,
            accounts=tuple(accounts),
            counts=counts_of(self._client.get(STATS)),
        )

    def _page(self, now: int) -> Page:
        """The newest rows, as many as may hold news."""
        page = self._rows(PAGE)
        return self._rows(MOST_ROWS) if self._looks.wants_more(page, now) else page

    def _rows(self, limit: int) -> Page:
        rows, bad = each_of(self._client.get(REQUESTS.format(limit)), Row)
        ahead = self._clock.ahead
        return Page([row.by_clock(ahead) for row in rows] if ahead else rows, bad, limit)

    def _names(self, last: int) -> dict[str, tuple[str, str]]:
        """What the headers of the rows up to the place ``last`` tell of each."""
        if not last:
            return {}
        try:
            data = self._client.get_bare(DETAIL.format(last))
            details, _ = each_of(data, Detail)
        except (Trouble, AnswerError) as error:
            # Without headers rows are joined by their tokens.
            log.warning("%s tells no headers: %s", self._place.name, error)
            return {}
        return {each.id: each.names for each in details if any(each.names)}

    def _listen(self) -> None:
        is_listening = self._listener is not None and self._listener.is_alive()
        if not is_listening and not self._stopped.is_set() and time.monotonic() >= self._listen_due:
            self._listen_due = time.monotonic() + REOPEN_SECONDS
            self._listener = threading.Thread(
                target=self._hear, args=(self._client,), name="proxy-stream", daemon=True
            )
            self._listener.start()

    def _hear(self, client: Client) -> None:
        """Ring for each request that is over, and when the stream breaks off; the next look opens it again."""
        try:
            for data in client.events(STREAM):
                self._is_live = True
                if b'"summary"' in data:
                    self._bell.set()
        except (Trouble, ValueError) as error:
            log.debug("the stream of %s broke off: %s", self._place.name, error)
        finally:
            if self._is_live:
                self._is_live = False
                self._bell.set()
