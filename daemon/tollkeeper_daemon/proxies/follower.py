"""Follows one proxy in a thread of its own: asks, hears its stream, and hands in what it says.

The stream only says when to ask: what counts is what the proxy answers, so that nothing is
lost or told twice when the stream breaks off, and a proxy without one is followed as well.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable

from msgspec.structs import replace

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
    Row,
    counts_of,
    each_of,
    health_of,
)
from tollkeeper_daemon.proxies.client import Client, KeyRefused, Trouble
from tollkeeper_daemon.proxies.told import Told

log = logging.getLogger(__name__)

# While its stream tells of each request, and while it does not.
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
# What is older than so many rows is joined without their headers, which come with all of the texts.
MOST_DETAILS = 200
# After so many looks a row has no headers.
MOST_LOOKS = 3
MOST_REMEMBERED = 5_000


class Follower:
    """The thread; ``tell`` is called in it, and ``known`` says which ids of rows were told before.

    ``is_named`` says that a person named the place: it is asked again even where something else answers.
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
        self._known = known
        self._client = Client(place)
        self._bell = threading.Event()
        self._stopped = threading.Event()
        self._is_live = False
        self._generation = ""
        self._accounts_due = self._listen_due = 0.0
        self._is_first = True
        # How often each row was looked at whose headers are not there yet; 0 for those that are done.
        self._looks: dict[str, int] = {}
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
                pause = LISTENING_SECONDS if self._is_live else ASKING_SECONDS
            self._tell(told)
            if told.is_other and not self._is_named:
                return
            self._stopped.wait(APART_SECONDS)
            self._bell.wait(min(pause, AGAIN_SECONDS) if self._looks_again() else pause)
            self._bell.clear()

    def _look(self) -> Told:
        if not self._generation:
            self._client.close()
            self._client = Client(self._place)
            health = health_of(self._client.get(HEALTH, may_be_unwell=True))
            if health is None:
                return Told(is_other=True)
            self._client = Client(self._place, self._key())
            self._generation = health.generation
            self._accounts_due = 0.0
            self._listen()
        elif not self._is_live:
            self._listen()
        rows, last, bad, is_torn = self._new_rows()
        names = self._names(rows, last)
        told = Told(
            generation=self._generation,
            live=self._is_live,
            rows=tuple(rows),
            names=names,
            bad=bad,
            is_torn=is_torn,
        )
        is_due = time.monotonic() >= self._accounts_due
        return self._with_accounts(told) if is_due or rows else told

    def _with_accounts(self, told: Told) -> Told:
        self._accounts_due = time.monotonic() + ACCOUNTS_SECONDS
        accounts, bad = each_of(self._client.get(ACCOUNTS), Account)
        return replace(
            told,
            accounts=tuple(accounts),
            counts=counts_of(self._client.get(STATS)),
            bad=told.bad + bad,
        )

    def _new_rows(self) -> tuple[list[Row], int, int, bool]:
        """The rows that were not told yet, the newest first, and up to which place they stand.

        Then how many can't be read, and whether some are lost.
        """
        for limit in (PAGE, MOST_ROWS):
            found, bad = each_of(self._client.get(REQUESTS.format(limit)), Row)
            known = self._known([row.id for row in found if row.id not in self._looks])
            new = [row for row in found if row.id not in known and self._looks.get(row.id, 1)]
            if len(found) + bad < limit or len(new) < len(found):
                break
        paid = {row.id for row in new if row.is_paid}
        last = max((at for at, row in enumerate(found, 1) if row.id in paid), default=0)
        is_torn = len(new) == len(found) and len(found) + bad >= limit and not self._is_first
        return new, last, bad, is_torn

    def _names(self, rows: list[Row], last: int) -> dict[str, tuple[str, str]]:
        """What the headers of these rows tell of each; they stand up to the place ``last``."""
        names: dict[str, tuple[str, str]] = {}
        if last:
            try:
                data = self._client.get_bare(DETAIL.format(min(last, MOST_DETAILS)))
                details, _ = each_of(data, Detail)
                names = {each.id: each.names for each in details if any(each.names)}
            except (Trouble, AnswerError) as error:
                # Without headers rows are joined by their tokens.
                log.warning("%s tells no headers: %s", self._place.name, error)
        self._remember(rows, {row.id for row in rows if row.is_paid} - names.keys())
        self._is_first = False
        return names

    def _remember(self, rows: Iterable[Row], lacking: set[str]) -> None:
        for row in rows:
            looks = self._looks.pop(row.id, 0) + 1
            is_over = row.id not in lacking or looks >= MOST_LOOKS
            self._looks[row.id] = 0 if is_over else looks
        while len(self._looks) > MOST_REMEMBERED:
            del self._looks[next(iter(self._looks))]

    def _looks_again(self) -> bool:
        return any(self._looks.values())

    def _listen(self) -> None:
        is_listening = self._listener is not None and self._listener.is_alive()
        if not is_listening and time.monotonic() >= self._listen_due:
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
