"""Which rows of a proxy are news, which are looked at again, and how far back a look has to reach. Pure.

Rows stand by when their requests began, the newest first. One generation saves a row when its request begins and
fills it in when that is over, others save it only then: below those that began meanwhile.
"""

from collections.abc import Callable, Iterable

from msgspec import Struct

from tollkeeper_daemon.proxies.answers import MOST_ROWS, Row

# No reply takes longer: a row that has no tokens by then gets none.
LONGEST_MS = 15 * 60_000
# While there are more rows than a page in that time, all that can be had are asked for as often as this.
DEEP_MS = 30_000
# What is older than so many rows is joined without their headers, which come with all of the texts.
MOST_DETAILS = 200
# The same of a proxy of which no row is known yet: nearly all of them are history.
FIRST_DETAILS = 20
# After so many looks a row has no headers.
MOST_LOOKS = 3
MOST_REMEMBERED = 5_000


class Page(Struct, frozen=True):
    """The newest rows, the ``limit`` that was asked for, and how many of them can't be read."""

    rows: list[Row]
    bad: int
    limit: int

    @property
    def is_all(self) -> bool:
        """Whether the proxy has no more than these."""
        return len(self.rows) + self.bad < self.limit

    @property
    def is_deepest(self) -> bool:
        """Whether more can't be had."""
        return self.limit >= MOST_ROWS


class News(Struct, frozen=True):
    """The rows that were not told yet, the newest first.

    The paid ones whose headers are wanted are among the first ``last`` of the page; ``is_torn`` says that
    more came than can be had.
    """

    rows: list[Row]
    last: int
    is_torn: bool


class Looks:
    """What was seen of a proxy's rows; ``known`` says which ids were told before. Times in ms."""

    def __init__(self, known: Callable[[list[str]], set[str]]) -> None:
        self._known = known
        # How often each row was looked at whose headers are not there yet; 0 for those that are done.
        self._looks: dict[str, int] = {}
        # When each row was first seen that is not over yet.
        self._open: dict[str, int] = {}
        # From when the newest row was, when a look last reached far enough; 0 before that.
        self._reached = 0
        self._deep_at = 0
        self._is_first = True
        self._lacks_headers = False

    @property
    def lacks_headers(self) -> bool:
        """Whether a row of the latest page may get its headers soon."""
        return self._lacks_headers

    @property
    def has_open(self) -> bool:
        """Whether a row may get its tokens yet."""
        return bool(self._open)

    def wants_more(self, page: Page, now: int) -> bool:
        """Whether there may be news below this page, and it is time to look there."""
        if page.is_all or self._reaches(page):
            return False
        return not 0 <= now - self._deep_at < DEEP_MS or not self._seen(page)

    def news(self, page: Page) -> News:
        """What of this page is news."""
        seen = self._seen(page)
        new = {at: row for at, row in enumerate(page.rows, 1) if self._is_news(row, seen)}
        is_strange = self._is_first and not seen
        most = FIRST_DETAILS if is_strange else MOST_DETAILS
        last = min(max((at for at, row in new.items() if row.is_paid), default=0), most)
        is_torn = page.is_deepest and not page.is_all and not seen and not self._is_first
        return News([*new.values()], last, is_torn)

    def note(self, page: Page, news: News, named: Iterable[str], now: int) -> None:
        """The look was good: these are told, and those of the ids ``named`` with headers."""
        self._note_told(page, news, set(named))
        self._note_open(page, now)
        if page.rows and (page.is_all or page.is_deepest or self._reaches(page)):
            self._reached = min(max(row.time for row in page.rows), now)
        if page.is_deepest:
            self._deep_at = now
        self._is_first = False

    def _note_told(self, page: Page, news: News, named: set[str]) -> None:
        lacking = {row.id for row in page.rows[: news.last] if row.is_paid} - named
        for row in news.rows:
            looks = self._looks.pop(row.id, 0) + 1
            self._looks[row.id] = looks if row.id in lacking and looks < MOST_LOOKS else 0
        while len(self._looks) > MOST_REMEMBERED:
            del self._looks[next(iter(self._looks))]
        self._lacks_headers = any(self._looks.get(row.id) for row in page.rows)

    def _is_news(self, row: Row, seen: set[str]) -> bool:
        if row.id in self._looks:
            return self._looks[row.id] > 0
        return row.is_refused or (row.is_paid and (row.id not in seen or row.id in self._open))

    def _seen(self, page: Page) -> set[str]:
        """Which rows of the page are not seen for the first time."""
        here = {row.id for row in page.rows if row.id in self._looks or row.id in self._open}
        return here | self._known(
            [row.id for row in page.rows if row.is_paid and row.id not in here]
        )

    def _reaches(self, page: Page) -> bool:
        """Whether what is below the page was over when a look last reached far enough."""
        return bool(page.rows) and min(row.time for row in page.rows) < self._reached - LONGEST_MS

    def _note_open(self, page: Page, now: int) -> None:
        newest = min(max((row.time for row in page.rows), default=0), now)
        since = self._open
        here = {row.id for row in page.rows}
        is_open = {
            row.id: since.get(row.id, now)
            for row in page.rows
            if row.may_be_paid and row.time > newest - LONGEST_MS
        }
        elsewhere = {name: when for name, when in since.items() if name not in here}
        self._open = {
            name: when
            for name, when in (elsewhere | is_open).items()
            if 0 <= now - when < LONGEST_MS
        }
