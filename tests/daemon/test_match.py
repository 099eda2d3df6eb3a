"""Which rows of proxies are which requests, where no id says so."""

import time

import pytest
from msgspec.structs import replace

from tollkeeper_daemon.joins.match import (
    APART_MS,
    BEHIND,
    CROWD,
    PASSED_ON_MS,
    Candidate,
    behind,
    match,
)
from tollkeeper_daemon.store.proxy_shelf import ProxyRow

from .lines import NINE_MS, NOW, OPUS

ONE, OTHER, THIRD = "127.0.0.1:8080", "192.168.0.2:8080", "127.0.0.1:9090"


def row(
    name: str,
    proxy: str = ONE,
    at: int = 0,
    conversation: str = "",
    output: int = 20,
    model: str = OPUS,
    request: str = "",
    joined: str = "",
) -> ProxyRow:
    """A row that a proxy calls so, from so long (ms) after nine."""
    return ProxyRow(
        proxy=proxy,
        id=name,
        source="api",
        account=f"proxy {proxy}/work",
        time=NINE_MS + at,
        seen=NOW,
        model=model,
        output=output,
        request=request,
        conversation=conversation,
        joined=joined,
    )


def logged(
    key: str, conversation: str = "conv-1", at: int = 0, output: int = 20, named_by: str = ""
) -> Candidate:
    """A request of a log."""
    named = (named_by,) if named_by else ()
    return Candidate(NINE_MS + at, key, conversation, output, named)


def places(rows: list[ProxyRow], *candidates: Candidate) -> list[str]:
    """The place of each row, in turn; the same in whichever order they are told."""
    found = match(rows, candidates)
    assert found == match(rows[::-1], candidates[::-1])
    return [found[each.key] for each in rows]


def test_each_proxy_by_itself() -> None:
    """Rows of several proxies are the same request of a log, those of one are not."""
    rows = [row("a"), row("b", OTHER, 3), row("a", THIRD, APART_MS), row("c", at=1)]
    assert places(rows, logged("m:1")) == ["m:1", "m:1", "m:1", ""]


def test_named_by_its_id() -> None:
    """A request that a proxy named by its id is no other row of it, but may be one of another proxy."""
    rows = [row("a"), row("b", OTHER)]
    assert places(rows, logged("m:1", named_by=ONE)) == ["", "m:1"]


def test_two_addresses() -> None:
    """Without a log, what two proxies tell of a time is one request, and each of several is told twice."""
    rows = [row("a"), row("a", OTHER), row("b", at=900), row("b", OTHER, 900)]
    keys = [each.key for each in rows]
    assert places(rows) == ["", behind(keys[0]), "", behind(keys[2])]


@pytest.mark.parametrize(
    "other",
    [
        row("b", OTHER, PASSED_ON_MS + 1),
        row("b", OTHER, output=21),
        row("b", OTHER, model="another"),
        row("b", OTHER, conversation="conv-2"),
        row("b", ONE),
    ],
    ids=["later", "output", "model", "conversation", "proxy"],
)
def test_another_request(other: ProxyRow) -> None:
    """What differs in more than it may is a request of its own."""
    assert places([row("a", conversation="conv-1"), other]) == ["", ""]


@pytest.mark.parametrize("more", [0, 1])
def test_crowd(more: int) -> None:
    """Of a crowd of rows without a log no two are one request, and of one row fewer they are."""
    rows = [row(str(each), at=each) for each in range(CROWD - 1 + more)]
    twin = row("twin", OTHER)
    assert (1 - more) == sum(map(bool, match([*rows, twin], []).values()))
    found = match([*rows, twin], [logged("m:1")])
    assert "m:1" == found[twin.key] == found[rows[0].key]


@pytest.mark.parametrize("logs", [0, 10_000])
def test_many_of_one_kind(logs: int) -> None:
    """Ten thousand rows and requests, all alike within an hour, are matched in a moment."""
    rows = [row(str(each), at=each * 300) for each in range(10_000)]
    twins = [row("twin", OTHER), row("broken", OTHER, conversation="conv-1", output=9)]
    lines = [logged(f"m:{each}", at=each * 300) for each in range(logs)]
    started = time.process_time()
    found = match([*rows, *twins], lines)
    assert time.process_time() - started < 3
    assert 1 - bool(logs) == sum(each.startswith(BEHIND) for each in found.values())
    assert logs + bool(logs) == sum(each.startswith("m:") for each in found.values())


def test_who_speaks_for_it() -> None:
    """The row that tells most speaks for those of other proxies; of equals the one that began last."""
    first, passed = row("a"), row("b", OTHER, 40)
    assert places([first, passed]) == [behind(passed.key), ""]
    known = row("a", conversation="conv-1")
    assert places([known, passed]) == ["", behind(known.key)]
    unpaid = replace(passed, source="")
    assert places([first, unpaid]) == ["", behind(first.key)]
    # Else a limit that counted it would forget it.
    old = replace(passed, history=True)
    assert places([first, old]) == ["", behind(first.key)]


def test_behind_one_with_an_id() -> None:
    """A row without an id is what the row of another proxy with one is, whatever that is."""
    named = row("a", request="r1")
    loose = row("b", OTHER, 40)
    assert match([named, loose], [])[loose.key] == behind(named.key)
    for place in ("m:1", behind("another")):
        named = row("a", request="r1", joined=place)
        assert match([named, loose], [])[loose.key] == place


def test_behind_a_row_of_another_conversation() -> None:
    """A row is not the request of a log in another conversation by way of a row that names none."""
    rows = [row("a"), row("b", OTHER, 40, "conv-2")]
    assert places(rows, logged("m:1")) == ["m:1", ""]


def test_broken_off() -> None:
    """A reply of another output is the only request left of its conversation; exact ones go first."""
    rows = [row("a", conversation="conv-1", output=57), row("b", at=9, conversation="conv-1")]
    found = places(rows, logged("m:1", output=3), logged("m:2"), logged("m:3", "conv-2", output=3))
    assert found == ["m:1", "m:2"]


def test_broken_off_doubtful() -> None:
    """It is none of two, none of another conversation, and none where it names no conversation itself."""
    broken = row("a", conversation="conv-1", output=57)
    assert places([broken], logged("m:1", output=3), logged("m:2", output=4)) == [""]
    assert places([broken], logged("m:1", "conv-2", output=3)) == [""]
    assert places([broken], logged("m:1", at=APART_MS + 1, output=3)) == [""]
    assert places([row("a", output=57)], logged("m:1", output=3)) == [""]


def test_broken_off_told_by_another() -> None:
    """What another proxy tells of a reply that broke off is the same request, without its conversation too."""
    rows = [row("a", conversation="conv-1", output=57), row("b", OTHER, 40, output=57)]
    assert places(rows, logged("m:1", output=3)) == ["m:1", "m:1"]
