"""The wire: everything that is written can be read, and what an old daemon wrote always can."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw, Struct

from tollkeeper import model, wire
from tollkeeper.errors import ProtocolError
from tollkeeper.model import Status

from .making import TIME, agent, helper, status

OLD = Path(__file__).parent.parent / "data" / "wire-v1"

MODEL: list[type[Struct]] = [
    each
    for each in vars(model).values()
    if isinstance(each, type) and issubclass(each, Struct) and each is not Struct
]
KINDS: list[type[Struct]] = [*MODEL, wire.ErrorBody, wire.Charged, *set(wire.UPDATES.values())]

scalars: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: st.text(),
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that a field may have."""
    info = msgspec.inspect.type_info(kind)
    match info:
        case msgspec.inspect.StructType(cls=cls, fields=fields):
            made = {field.name: _of(field.type) for field in fields}
            return st.fixed_dictionaries(made).map(lambda named: cls(**named))
        case _:
            return _of(info)


def _of(info: msgspec.inspect.Type) -> st.SearchStrategy[Any]:
    match info:
        case msgspec.inspect.IntType():
            return scalars[int]
        case msgspec.inspect.FloatType():
            return scalars[float]
        case msgspec.inspect.StrType():
            return scalars[str]
        case msgspec.inspect.BoolType():
            return st.booleans()
        case msgspec.inspect.NoneType():
            return st.none()
        case msgspec.inspect.LiteralType(values=choices):
            return st.sampled_from(list(choices))
        case msgspec.inspect.UnionType(types=types):
            return st.one_of([_of(each) for each in types])
        case msgspec.inspect.VarTupleType(item_type=inner):
            return st.lists(_of(inner), max_size=2).map(tuple)
        case msgspec.inspect.StructType(cls=cls):
            return values(cls)
        case _:
            raise AssertionError(f"no strategy for {info}")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_round_trip(kind: type[Struct]) -> None:
    """A value of every form on the wire is the same after a journey."""

    @given(values(kind))
    def check(value: Struct) -> None:
        assert value == wire.decode(wire.encode(value), kind)

    check()


@given(st.text(), st.text(), st.dictionaries(st.text(), st.none() | st.booleans() | st.text()))
def test_calls(call: str, method: str, params: dict[str, Any]) -> None:
    """A call comes as it was made."""
    made = wire.Request(call, method, params)
    assert made == wire.decode(wire.encode(made), wire.Request)


def test_replies() -> None:
    """A reply holds a result or an error, and only what it holds is written."""
    done = wire.Reply("1", result=Raw(b'{"pid":5}'))
    assert {"id": "1", "result": {"pid": 5}} == json.loads(wire.encode(done))
    refused = wire.Reply("1", error=wire.ErrorBody("bad-params", "no", "say yes"))
    told = json.loads(wire.encode(refused))
    assert {"code": "bad-params", "message": "no", "hint": "say yes"} == told["error"]
    assert "result" not in told
    assert refused.error == wire.decode(wire.encode(refused), wire.Reply).error


def test_params_may_be_left_out() -> None:
    """A call without parameters is a call; two of them share nothing."""
    one, other = (wire.decode(b'{"id":"1","method":"ping"}', wire.Request) for _ in range(2))
    one.params["a"] = 1
    assert {} == other.params


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b"\xff", b'{"id": 5}', b'{"id":"\xff"}', b"[" * 10_000]
)
def test_nonsense(data: bytes) -> None:
    """What is not of this protocol is told as such, in one line."""
    for kind in (wire.Reply, Status, wire.Heartbeat):
        with pytest.raises(ProtocolError) as raised:
            wire.decode(data, kind)
        assert "\n" not in raised.value.message


def test_deep_nonsense() -> None:
    """Nesting without end is told as such."""
    with pytest.raises(ProtocolError):
        wire.decode(b'{"id":"1","method":"m","params":' + b'{"a":' * 10_000, wire.Request)


def test_unknown_topic() -> None:
    """An update of a later protocol is told by its sequence and time, whatever else it holds."""
    found = wire.decode_update("brand.new", b'{"sequence":9,"time":"t","what":[1,{"a":null}]}')
    assert wire.Update(sequence=9, time="t") == found
    assert wire.Update is type(found)


def test_every_update_has_its_form() -> None:
    """An update of each topic comes back as its own form."""
    update = wire.AgentUpdate(sequence=1, time=TIME, agent=agent(subagents=(helper(),)))
    for topic in ("agent.started", "agent.changed", "agent.exited"):
        assert update == wire.decode_update(topic, wire.encode(update))
    for topic, kind in wire.UPDATES.items():
        assert issubclass(kind, wire.Update), topic


def test_later_fields_are_passed_over() -> None:
    """A field that a later daemon adds does not disturb this client."""
    told = json.loads(wire.encode(status(agent())))
    told["brand_new"] = told["agents"][0]["brand_new"] = {"a": [1]}
    assert status(agent()) == wire.decode(json.dumps(told).encode(), Status)


def old(name: str) -> bytes:
    """A message that the first version of the protocol sent."""
    return (OLD / name).read_bytes()


def test_old_snapshot() -> None:
    """A snapshot of version 1 is read, with agents, subagents, limits, plan and run."""
    found = wire.decode(wire.decode(old("snapshot.json"), wire.Reply).result, Status)
    (seen,) = found.agents
    assert (1, 41, "Agent-1", "waiting") == (found.protocol, found.sequence, seen.name, seen.state)
    assert ("analyst", 1_222) == (seen.subagents[0].type, seen.subagents[0].usage.output_tokens)
    assert found.plan.five_hour
    assert found.daemon.importing
    assert found.run
    assert (42.5, 1_000, "run-1") == (
        found.plan.five_hour.used_percent,
        found.daemon.importing.done_bytes,
        found.run.id,
    )
    assert [("agent:Agent-1", "warned")] == [(limit.scope, limit.state) for limit in found.limits]
    assert ["unknown-model"] == [alert.kind for alert in found.alerts]


@pytest.mark.parametrize(
    ("name", "topic", "kind"),
    [
        ("usage.json", "usage", wire.UsageUpdate),
        ("agent.json", "agent.changed", wire.AgentUpdate),
        ("heartbeat.json", "heartbeat", wire.Heartbeat),
        ("limit.json", "limit", wire.LimitUpdate),
        ("action.json", "action", wire.ActionUpdate),
        ("alert.json", "alert", wire.AlertUpdate),
        ("usage-limits.json", "usage", wire.UsageUpdate),
    ],
)
def test_old_updates(name: str, topic: str, kind: type[wire.Update]) -> None:
    """Updates of version 1 are read as what they are."""
    found = wire.decode_update(topic, old(name))
    assert kind is type(found)
    assert 42 == found.sequence


def test_old_limits() -> None:
    """Limits, what was done and why, and alerts about an agent are read with all their figures."""
    limits = wire.decode_update("limit", old("limit.json"))
    assert isinstance(limits, wire.LimitUpdate)
    assert [("agent:Agent-1", 0.09, None, "warned"), ("daily", None, 1_000, "reached")] == [
        (each.scope, each.bound_usd, each.bound_tokens, each.state) for each in limits.limits
    ]
    usage = wire.decode_update("usage", old("usage-limits.json"))
    assert isinstance(usage, wire.UsageUpdate)
    assert limits.limits[:1] == usage.limits
    acted = wire.decode_update("action", old("action.json"))
    assert isinstance(acted, wire.ActionUpdate)
    action = acted.action
    assert (7, "paused", "limit", 4711, 0.09, 0.1, "pause") == (
        action.number,
        action.kind,
        action.cause,
        action.pid,
        action.bound_usd,
        action.used,
        action.action,
    )
    alert = wire.decode_update("alert", old("alert.json"))
    assert isinstance(alert, wire.AlertUpdate)
    assert ("reached", "Agent-1") == (alert.alert.kind, alert.alert.agent)


def test_old_error() -> None:
    """A refusal of version 1 is read with its hint."""
    found = wire.decode(old("error.json"), wire.Reply)
    assert (
        wire.ErrorBody("bad-params", "no time zone 'Nowhere'", "name one like UTC") == found.error
    )
