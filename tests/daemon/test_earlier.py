"""Days from before the logs: reading the client's statistics, keeping them, and which are told."""

import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fleeting import fleeting_folder
from tollkeeper_daemon.reading.stats_caches import StatsCaches
from tollkeeper_daemon.records import EarlierDay
from tollkeeper_daemon.sources.homes import Home
from tollkeeper_daemon.sources.stats_cache import FILE, LARGEST_FILE, read_stats_cache
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.transcript import earlier

from .lines import DATA, HAIKU, NOW, OPUS

TODAY = date(2026, 11, 24)
OCTOBER_14 = date(2026, 10, 14)


def write(home: Path, content: object) -> Path:
    """Write the statistics of this home, as JSON unless it is bytes."""
    home.mkdir(exist_ok=True)
    path = home / FILE
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def day(text: str = "2026-10-14", home: str = "/h", **more: Any) -> EarlierDay:
    """A day with some tokens."""
    return replace(EarlierDay(home, text, {OPUS: 5}), **more)


def test_file_of_the_real_client(tmp_path: Path) -> None:
    """The client's own file gives the tokens by model, the lines and the sessions of each day."""
    write(tmp_path, (DATA / "stats-cache.json").read_bytes())
    models = {OPUS: 69_284, HAIKU: 51_964}
    assert [
        EarlierDay(str(tmp_path), "2026-10-15", models, 18, 1, True),
        EarlierDay(str(tmp_path), "2026-10-16", {OPUS: 121_212}, 43, 3, True),
    ] == read_stats_cache(tmp_path, TODAY)


def test_file_of_an_older_client(tmp_path: Path) -> None:
    """What does not say by which rules it counts is known to leave cache tokens out."""
    activity = {"date": "2025-12-01", "messageCount": 9, "sessionCount": 1, "toolCallCount": 4}
    tokens = {"date": "2025-12-01", "tokensByModel": {"claude-opus-4-5-20251101": 7}}
    write(tmp_path, {"version": 1, "dailyActivity": [activity], "dailyModelTokens": [tokens]})
    assert [
        EarlierDay(str(tmp_path), "2025-12-01", {"claude-opus-4-5-20251101": 7}, 9, 1, False)
    ] == read_stats_cache(tmp_path, TODAY)


def test_days_of_one_kind(tmp_path: Path) -> None:
    """A day with lines alone, or tokens alone, is a day."""
    activity = [{"date": "2026-10-02", "messageCount": 3}]
    tokens = [{"date": "2026-10-01", "tokensByModel": {OPUS: 7, HAIKU: 0}}]
    write(tmp_path, {"dailyActivity": activity, "dailyModelTokens": tokens})
    assert [("2026-10-01", {OPUS: 7}, 0), ("2026-10-02", {}, 3)] == [
        (each.date, each.models, each.lines) for each in read_stats_cache(tmp_path, TODAY)
    ]


def test_no_file(tmp_path: Path) -> None:
    """A home without statistics has no days, nor has one that is not there."""
    assert [] == read_stats_cache(tmp_path, TODAY) == read_stats_cache(tmp_path / "none", TODAY)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"5", b"\xff", b"[" * 100_000, {"dailyActivity": 5}, b" " * LARGEST_FILE],
)
def test_broken_file(tmp_path: Path, content: object) -> None:
    """What is no such file is refused, with its path."""
    path = write(tmp_path, content)
    with pytest.raises(ValueError, match=str(path)):
        read_stats_cache(tmp_path, TODAY)


def test_other_things_in_its_place(tmp_path: Path) -> None:
    """A folder or a pipe of that name is refused, and holds nobody up."""
    (tmp_path / "a" / FILE).mkdir(parents=True)
    (tmp_path / "b").mkdir()
    os.mkfifo(tmp_path / "b" / FILE)
    for home in (tmp_path / "a", tmp_path / "b"):
        with pytest.raises(ValueError):
            read_stats_cache(home, TODAY)


@pytest.mark.parametrize(
    "entry",
    [
        None,
        5,
        {},
        {"date": None},
        {"date": "yesterday", "messageCount": 1},
        {"date": "2026-10-14T00:00:00", "messageCount": 1},
        {"date": "20261014", "messageCount": 1},
        {"date": "2026-10-14", "messageCount": -1},
        {"date": "2026-10-14", "messageCount": "1"},
    ],
)
def test_broken_entry(tmp_path: Path, entry: object) -> None:
    """An entry that can't be read costs that entry alone."""
    well = {"date": "2026-10-15", "messageCount": 2}
    write(tmp_path, {"dailyActivity": [entry, well], "dailyModelTokens": [entry, None]})
    found = [each for each in read_stats_cache(tmp_path, TODAY) if each.lines or each.tokens]
    assert [("2026-10-15", 2)] == [(each.date, each.lines) for each in found]


@pytest.mark.parametrize("count", [None, -5, "7", 1.5, 10**16, [], {}])
def test_broken_count(tmp_path: Path, count: object) -> None:
    """A count that is none leaves the other models' as they are."""
    tokens = {"date": "2026-10-14", "tokensByModel": {OPUS: count, HAIKU: 7}}
    write(tmp_path, {"dailyModelTokens": [tokens]})
    assert [{HAIKU: 7}] == [each.models for each in read_stats_cache(tmp_path, TODAY)]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["date", "tokensByModel", "messageCount", "dailyActivity"]), inner
        )
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["dailyActivity", "dailyModelTokens", "dailyModelTokensVersion"]),
        json_values,
    )
)
def test_no_json_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, content: Any) -> None:
    """Whatever JSON stands in the file gives days, or is refused as a broken file."""
    home = tmp_path_factory.mktemp("home")
    write(home, content)
    try:
        found = read_stats_cache(home, TODAY)
    except ValueError:
        return
    assert all(date.fromisoformat(each.date) for each in found)


days_of_home = st.builds(
    EarlierDay,
    st.just("/h"),
    st.just("2026-10-14"),
    st.dictionaries(st.sampled_from([OPUS, HAIKU]), st.integers(1, 5)),
    st.integers(0, 5),
    st.integers(0, 5),
    st.booleans(),
)


@given(days_of_home, days_of_home, days_of_home)
def test_join(one: EarlierDay, two: EarlierDay, three: EarlierDay) -> None:
    """Joining what files say of a day is commutative, associative and idempotent, and loses nothing."""
    join = earlier.join
    assert join(one, two) == join(two, one)
    assert join(join(one, two), three) == join(one, join(two, three))
    assert join(one, join(None, one)) == EarlierDay(
        one.home, one.date, dict(sorted(one.models.items())), *list_of(one)
    )
    assert join(one, two).tokens >= max(one.tokens, two.tokens)


def list_of(each: EarlierDay) -> tuple[int, int, bool]:
    """What a day says besides its tokens."""
    return each.lines, each.sessions, each.cache_counted


def told(
    known: list[EarlierDay], *counted: date, since: date | None = None, until: date | None = None
) -> list[str]:
    """The dates that are told of these."""
    return [each.date for each in earlier.days(known, set(counted), TODAY, since, until)]


def test_days_without_requests_are_told() -> None:
    """Whatever the ledger has no request of is told, oldest first; what it counted is not."""
    known = [day("2026-10-20"), day("2026-10-14"), day("2026-10-16")]
    assert ["2026-10-14", "2026-10-16", "2026-10-20"] == told(known)
    assert ["2026-10-14"] == told(known, date(2026, 10, 16), date(2026, 10, 20))


def test_old_line_hides_nothing() -> None:
    """One old request in a long-lived log leaves the days after it as they are, but not its own."""
    known = [day("2026-10-14"), day("2026-10-15"), day("2026-10-16")]
    assert ["2026-10-15", "2026-10-16"] == told(known, OCTOBER_14, date(2026, 10, 30))


def test_day_without_tokens() -> None:
    """Of a day whose tokens the client dropped the rest is told, if nothing was counted before."""
    known = [day("2026-10-13", models={}, lines=3), day("2026-10-15", models={}, lines=3)]
    assert ["2026-10-13"] == told(known, OCTOBER_14)


def test_today_is_never_told() -> None:
    """The logs of today are there, and so are those of days to come."""
    assert ["2026-11-23"] == told([day("2026-11-23"), day("2026-11-24"), day("2026-12-24")])


def test_span() -> None:
    """Only the days from since to until, both among them, are told."""
    known = [day(f"2026-10-{number}") for number in range(14, 18)]
    found = told(known, since=date(2026, 10, 15), until=date(2026, 10, 16))
    assert ["2026-10-15", "2026-10-16"] == found


def test_homes_are_told_apart() -> None:
    """Two homes have a day each, in the order of their paths."""
    found = earlier.days([day(home="/b"), day(home="/a")], set(), TODAY)
    assert ["/a", "/b"] == [each.home for each in found]


@given(st.lists(st.dates(date(2026, 10, 1), date(2026, 10, 9))), st.data())
def test_counted_days_are_never_told(counted: list[date], data: st.DataObject) -> None:
    """Whatever is known, no day with requests is told, and counting more only takes days away."""
    known = [
        day(f"2026-10-0{number}", models={OPUS: tokens} if tokens else {}, lines=1)
        for number, tokens in enumerate(
            data.draw(st.lists(st.integers(0, 1), min_size=9, max_size=9)), start=1
        )
    ]
    more = [*counted, data.draw(st.dates(date(2026, 10, 1), date(2026, 10, 9)))]
    assert not {each.isoformat() for each in counted} & set(told(known, *counted))
    assert set(told(known, *more)) <= set(told(known, *counted))


def test_form() -> None:
    """A day is marked with where it is from, its models from the most tokens down."""
    models = {HAIKU: 5, OPUS: 70}
    made = EarlierDay("/h", "2026-10-14", models, 18, 1, True)
    assert {
        "date": "2026-10-14",
        "models": {OPUS: 70, HAIKU: 5},
        "tokens": 75,
        "cacheCounted": True,
        "lines": 18,
        "sessions": 1,
        "home": "/h",
        "source": "stats-cache",
    } == earlier.as_json(made)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "ledger") as store:
        yield store


def kept(store: Store) -> dict[str, int]:
    """The tokens of each day that is kept."""
    return {
        each.date: each.tokens
        for each in store.read(lambda transaction: transaction.earlier_days())
    }


def statistics(**days: int) -> dict[str, Any]:
    """A file with these tokens in October, by ``d14`` for its 14th."""
    return {
        "dailyModelTokens": [
            {"date": f"2026-10-{name[1:]}", "tokensByModel": {OPUS: count}}
            for name, count in days.items()
        ]
    }


def test_days_are_kept_when_the_file_goes(tmp_path: Path, store: Store) -> None:
    """What was once read stays, whatever later files leave out or count less of."""
    home = Home(tmp_path / "home")
    caches = StatsCaches(store)
    path = write(home.path, statistics(d14=5, d15=6))
    caches.read([home], NOW)
    os.utime(write(home.path, statistics(d15=4, d16=7)), ns=(1, 1))
    caches.read([home], NOW)
    path.unlink()
    StatsCaches(store).read([home], NOW)
    assert {"2026-10-14": 5, "2026-10-15": 6, "2026-10-16": 7} == kept(store)


def test_unchanged_file_is_not_read_again(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is read when it was written, and looked at no more until it is written again."""
    home = Home(tmp_path / "home")
    reads: list[Path] = []

    def read(home: Path, today: date) -> list[EarlierDay]:
        reads.append(home)
        return []

    monkeypatch.setattr("tollkeeper_daemon.reading.stats_caches.read_stats_cache", read)
    path, caches = write(home.path, {}), StatsCaches(store)
    for times in (1, 1, 2):
        os.utime(path, ns=(times, times))
        caches.read([home], NOW)
    assert 2 == len(reads)


def test_broken_file_is_told_once(
    tmp_path: Path, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """A broken file is named once, keeps what was known, and is forgotten when it is well again."""
    home, caches = Home(tmp_path / "home"), StatsCaches(store)
    path = write(home.path, statistics(d14=5))
    caches.read([home], NOW)
    os.utime(write(home.path, b"{"), ns=(1, 1))
    caches.read([home], NOW)
    caches.read([home], NOW)
    assert {str(path)} == caches.bad
    assert 1 == len(caplog.records)
    assert {"2026-10-14": 5} == kept(store)
    os.utime(write(home.path, statistics(d15=6)), ns=(2, 2))
    caches.read([home], NOW)
    assert set() == caches.bad
    assert {"2026-10-14": 5, "2026-10-15": 6} == kept(store)


@given(st.lists(st.dictionaries(st.sampled_from(["d14", "d15"]), st.integers(1, 5)), max_size=4))
def test_reading_again_changes_nothing(files: list[dict[str, int]]) -> None:
    """However often the versions of a file are read, and in what order, the same days are kept."""
    outcomes: list[dict[str, int]] = []
    for order in (files, [*reversed(files), *files]):
        with fleeting_folder() as folder, Store(Path(folder, "ledger")) as store:
            home = Home(Path(folder, "home"))
            for each in order:
                write(home.path, statistics(**each))
                StatsCaches(store).read([home], NOW)
            outcomes.append(kept(store))
    assert outcomes[0] == outcomes[1]
