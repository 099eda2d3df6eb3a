"""What proxies answer: told apart, read entry by entry, and without the texts that come along."""

import base64
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper_daemon.proxies.answers import (
    Account,
    AnswerError,
    Bodies,
    Detail,
    Row,
    counts_of,
    each_of,
    health_of,
    one_of,
    windows_of,
)
from tollkeeper_daemon.proxies.told import Told

TIME = "2026-11-22T09:00:00.000Z"
HEALTH = {"status": "ok", "accounts": 2, "strategy": "session"}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("more", "generation"),
    [
        ({}, "C"),
        ({"pool": {"configured": 2}}, "B"),
        ({"pool": {"configured": 2}, "version": "3.5.63"}, "H"),
        ({"pool": {}, "version": {"number": "3.6"}}, "H"),
    ],
)
def test_generation(more: dict[str, Any], generation: str) -> None:
    """The generation is told by which fields the health has."""
    found = health_of(json.dumps({**HEALTH, **more}).encode())
    assert found is not None
    assert generation == found.generation


@given(json_values | st.fixed_dictionaries({"status": st.text()}))
def test_health_of_others(value: Any) -> None:
    """Whoever answers otherwise is no such proxy, whatever it is."""
    if not (isinstance(value, dict) and value.keys() >= HEALTH.keys()):
        assert health_of(json.dumps(value).encode()) is None


@given(st.binary(max_size=40))
def test_bytes_of_others(data: bytes) -> None:
    """Any bytes are either read or refused with a line about them."""
    health_of(data)
    for kind in (Row, Account, Detail):
        try:
            each_of(data, kind)
        except AnswerError as error:
            assert "\n" not in str(error)


@given(st.lists(json_values, max_size=5))
def test_each_entry_by_itself(values: list[Any]) -> None:
    """What can't be read is counted, and what stands beside it is read."""
    good = {"id": "r", "timestamp": "2026-11-22T09:00:00.000Z", "outputTokens": 3}
    rows, bad = each_of(json.dumps([*values, good]).encode(), Row)
    assert rows[-1].outputTokens == 3
    assert len(rows) + bad == len(values) + 1


def test_absurd_counts() -> None:
    """Tokens that can't be are no row, rather than a sum that is wrong for ever."""
    for count in (-1, 10**12, 1.5, "7", None):
        row = {"id": "r", "timestamp": TIME, "outputTokens": count}
        assert ([], 1) == each_of(json.dumps([row]).encode(), Row)


@pytest.mark.parametrize(
    "time", ["never", "", "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"]
)
def test_timeless(time: str) -> None:
    """A row that bears no time is none, and costs those beside it nothing."""
    rows = [{"id": "r", "timestamp": each} for each in (time, TIME)]
    found, bad = each_of(json.dumps(rows).encode(), Row)
    assert TIME in [row.timestamp for row in found]
    assert len(found) + bad == 2
    assert all(row.time >= 0 for row in found)


@pytest.mark.parametrize(
    ("fields", "may_be"),
    [
        ({}, True),
        ({"statusCode": 200, "accountUsed": "work"}, True),
        ({"statusCode": 200, "accountUsed": "work", "model": "m", "outputTokens": 1}, False),
        ({"statusCode": 429, "accountUsed": "work"}, False),
        ({"statusCode": 200, "path": "/v1/messages/count_tokens"}, False),
    ],
)
def test_under_way(fields: dict[str, Any], may_be: bool) -> None:
    """A row without tokens may get some, unless it was refused or only counted tokens."""
    row = one_of(json.dumps({"id": "r", "timestamp": TIME, **fields}).encode(), Row)
    assert may_be == row.may_be_paid


def test_paid() -> None:
    """A row costs something when it has an account, a model and tokens: a refusal has none."""
    row = {"id": "r", "timestamp": TIME, "accountUsed": "work", "model": "m", "inputTokens": 1}
    assert one_of(json.dumps(row).encode(), Row).is_paid
    for name in ("accountUsed", "model", "inputTokens"):
        less = {key: value for key, value in row.items() if key != name}
        assert not one_of(json.dumps(less).encode(), Row).is_paid


def test_windows_of_others() -> None:
    """Windows of another form, as other kinds of accounts have, are none."""
    for data in ("null", "[]", '{"five_hour": 7}', '{"credits": {"used": 1}}', '"x"'):
        account = f'{{"id": "a", "name": "a", "usageData": {data}}}'
        found = windows_of(one_of(account.encode(), Account))
        assert (None, None) == (found.five_hour, found.seven_day)


def test_counts() -> None:
    """Of each account that can be read the requests are known; garbage is no count."""
    accounts = [{"name": "work", "requestCount": 3}, {"name": None}, 7]
    assert {"work": 3} == counts_of(json.dumps({"accounts": accounts}).encode())
    with pytest.raises(AnswerError):
        counts_of(b"[]")


@given(
    st.lists(
        st.tuples(st.text(max_size=20), st.binary(max_size=60), st.sampled_from([", ", ","])),
        max_size=4,
    ),
    st.integers(1, 30),
)
def test_bodies(entries: list[tuple[str, bytes, str]], step: int) -> None:
    """However an answer is cut, all of it is left but the texts, which may be anything."""
    gap = entries[0][2] if entries else ","
    answer = [
        {"id": name, "request": {"headers": {"body": name}, "body": name + encoded(body)}}
        for name, body, _ in entries
    ]
    data = json.dumps(answer, separators=(gap, ":")).encode()
    bodies = Bodies()
    bare = b"".join(bodies.feed(data[at : at + step]) for at in range(0, len(data), step))
    expected = [
        {"id": name, "request": {"headers": {"body": ""}, "body": ""}} for name, _, _ in entries
    ]
    assert expected == json.loads(bare + bodies.end())


def encoded(body: bytes) -> str:
    return base64.b64encode(body).decode()


def test_names_of_a_detail() -> None:
    """Of all headers two are read: others may hold secrets."""
    detail = {
        "id": "r",
        "request": {"headers": {"authorization": "s3cret", "x-claude-code-session-id": "conv"}},
        "response": {"headers": {"request-id": "req_1", "set-cookie": "s3cret"}},
    }
    found = one_of(json.dumps(detail).encode(), Detail)
    assert ("req_1", "conv") == found.names
    assert b"s3cret" not in msgspec.json.encode(Told(names={found.id: found.names}))
    assert ("", "") == one_of(b'{"id": "r", "request": null}', Detail).names


@pytest.mark.parametrize("data", [b"<html>", b'{"rows": []}', b"[" * 100_000, b'{"\xff', b""])
def test_no_array(data: bytes) -> None:
    """What is no array at all is refused as a whole."""
    with pytest.raises(AnswerError):
        each_of(data, Row)
