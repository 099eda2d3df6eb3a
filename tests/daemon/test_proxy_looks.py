"""Looks at a proxy's rows: each is told once, when it is over, wherever it shows, and no look goes deeper than it must."""

from msgspec import Struct, field

from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.proxies.answers import MOST_ROWS, Row
from tollkeeper_daemon.proxies.looks import (
    DEEP_MS,
    FIRST_DETAILS,
    LONGEST_MS,
    MOST_DETAILS,
    Looks,
    Page,
)

from .lines import NOW

PAGE = 50
SECOND, MINUTE = 1_000, 60_000


class Shown(Struct):
    """A proxy's rows by when they began, and the looks at it; ``limits`` are how deep they went."""

    looks: Looks = field(default_factory=lambda: Looks(lambda ids: set()))
    rows: dict[str, Row] = {}
    limits: list[int] = []
    is_torn: bool = False

    def began(self, name: str, time: int) -> None:
        """A request is under way that began at this time."""
        self.rows[name] = Row(id=name, timestamp=iso(time), accountUsed="work", statusCode=200)

    def served(self, name: str, time: int) -> None:
        """A request is over that began at this time."""
        self.rows[name] = Row(
            id=name, timestamp=iso(time), accountUsed="work", model="m", outputTokens=1
        )

    def page(self, limit: int) -> Page:
        """The newest rows."""
        self.limits.append(limit)
        rows = sorted(self.rows.values(), key=lambda row: row.time, reverse=True)
        return Page(rows[:limit], 0, limit)

    def look(self, now: int) -> list[str]:
        """The ids that a look tells, which finds headers of all of them."""
        page = self.page(PAGE)
        if self.looks.wants_more(page, now):
            page = self.page(MOST_ROWS)
        news = self.looks.news(page)
        self.looks.note(page, news, self.rows, now)
        self.is_torn = news.is_torn
        return [row.id for row in news.rows]


def busy(count: int, seconds: int) -> Shown:
    """A proxy that served so many requests, one in so many seconds."""
    shown = Shown()
    for number in range(count):
        shown.served(f"r{number}", NOW - number * seconds * SECOND)
    return shown


def test_filled_in_later() -> None:
    """A row of a request that is under way is told when it has its tokens, once."""
    shown = Shown()
    shown.began("a", NOW)
    assert [] == shown.look(NOW)
    assert shown.looks.has_open
    assert [] == shown.look(NOW + 5 * MINUTE)
    shown.served("a", NOW)
    assert ["a"] == shown.look(NOW + 6 * MINUTE)
    assert not shown.looks.has_open
    assert [] == shown.look(NOW + 6 * MINUTE)


def test_row_of_the_future() -> None:
    """A row that bears a time years away hides no row that is under way."""
    shown = Shown()
    shown.began("a", NOW)
    shown.served("b", NOW + 10**11)
    shown.look(NOW)
    assert shown.looks.has_open


def test_never_filled_in() -> None:
    """A row that gets no tokens for as long as no reply takes is not waited for; what is refused never is."""
    shown = Shown()
    shown.began("a", NOW)
    shown.rows["b"] = Row(id="b", timestamp=iso(NOW), accountUsed="work", statusCode=429)
    assert ["b"] == shown.look(NOW)
    assert [] == shown.look(NOW + MINUTE)
    assert shown.looks.has_open
    shown.look(NOW + LONGEST_MS)
    assert not shown.looks.has_open
    shown.served("a", NOW)
    assert ["a"] == shown.look(NOW + LONGEST_MS + MINUTE)


def test_shown_deeper() -> None:
    """A row that shows below a page of later ones is told, though all of those were."""
    shown = busy(60, seconds=1)
    assert len(shown.look(NOW)) == 60
    shown.served("long", NOW - 10 * MINUTE)
    assert [] == shown.look(NOW + SECOND)
    assert ["long"] == shown.look(NOW + DEEP_MS)
    assert [] == shown.look(NOW + 2 * DEEP_MS)


def test_pushed_down_while_under_way() -> None:
    """A row that is filled in below a page of later ones is told."""
    shown = Shown()
    shown.began("long", NOW)
    shown.look(NOW)
    for number in range(60):
        shown.served(f"r{number}", NOW + number * SECOND)
    assert len(shown.look(NOW + MINUTE)) == 60
    shown.served("long", NOW)
    assert ["long"] == shown.look(NOW + MINUTE + DEEP_MS)


def test_as_deep_as_it_must() -> None:
    """All that can be had is asked for at first, and then only where a page is too short, now and then."""
    calm = busy(100, seconds=20)
    for second in range(0, 120, 5):
        calm.look(NOW + second * SECOND)
    assert calm.limits.count(MOST_ROWS) == 1
    crowded = busy(100, seconds=1)
    for second in range(0, 120, 5):
        crowded.look(NOW + second * SECOND)
    assert crowded.limits.count(MOST_ROWS) == 4


def test_clock_of_the_proxy() -> None:
    """A proxy whose clock is an hour off tells its rows as well."""
    for off in (-60 * MINUTE, 60 * MINUTE):
        shown = busy(60, seconds=1)
        shown.rows = {
            name: Row(
                id=name, timestamp=iso(row.time + off), accountUsed="w", model="m", outputTokens=1
            )
            for name, row in shown.rows.items()
        }
        assert len(shown.look(NOW)) == 60
        shown.began("a", NOW + off)
        shown.served("long", NOW + off - 10 * MINUTE)
        assert ["long"] == shown.look(NOW + DEEP_MS)
        shown.served("a", NOW + off)
        assert ["a"] == shown.look(NOW + DEEP_MS + SECOND)


def test_torn() -> None:
    """More new rows than can be had are torn off, unless nothing was known before."""
    shown = busy(MOST_ROWS + 10, seconds=1)
    assert len(shown.look(NOW)) == MOST_ROWS
    assert not shown.is_torn
    for number in range(MOST_ROWS):
        shown.served(f"new{number}", NOW + (number + 1) * SECOND)
    assert len(shown.look(NOW + 20 * MINUTE)) == MOST_ROWS
    assert shown.is_torn


def test_a_look_that_failed() -> None:
    """What a look brought that could not be ended is told by the next one."""
    shown = busy(3, seconds=1)
    page = shown.page(PAGE)
    assert len(shown.looks.news(page).rows) == 3
    assert len(shown.look(NOW)) == 3


def test_cheap_first_look() -> None:
    """Of a proxy of which nothing is known few headers are asked for; more of one that went on meanwhile."""
    shown = busy(300, seconds=20)
    page = shown.page(MOST_ROWS)
    assert shown.looks.news(page).last == FIRST_DETAILS
    again = Looks(lambda ids: {"r299"})
    assert again.news(page).last == MOST_DETAILS
    shown.look(NOW)
    shown.served("new", NOW + SECOND)
    assert shown.looks.news(shown.page(PAGE)).last == 1


def test_headers_that_never_come() -> None:
    """Rows without headers are looked at a few times, and those that are too old for them once."""
    shown = busy(300, seconds=20)
    shown.looks = Looks(lambda ids: {"r299"})
    page = shown.page(MOST_ROWS)
    told = 0
    for _ in range(5):
        news = shown.looks.news(page)
        told += len(news.rows)
        shown.looks.note(page, news, [], NOW)
    assert told == 299 + 2 * 200
    assert not shown.looks.lacks_headers
