"""Calls: what the blocking and the asyncio client make of a daemon's answers, and of none."""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest

from tollkeeper import wire
from tollkeeper.control import AsyncToll, Toll, is_listening
from tollkeeper.errors import CallError, NoAnswerError, NoDaemonError, ProtocolError, TollError
from tollkeeper.model import Status
from tollkeeper.paths import Paths
from waiting import wait_until

from .fake_daemon import FakeDaemon, reply
from .making import agent, status

Ask = Callable[..., Any]


def ask_blocking(
    paths: Paths, method: str, kind: Any, timeout: float = 10, patience: float = 0, **params: Any
) -> Any:
    """Ask with the blocking client."""
    with Toll(paths, timeout, patience) as toll:
        return toll.call(method, kind, **params)


def ask_async(
    paths: Paths, method: str, kind: Any, timeout: float = 10, patience: float = 0, **params: Any
) -> Any:
    """Ask with the client for asyncio."""

    async def work() -> Any:
        async with AsyncToll(paths, timeout, patience) as toll:
            return await toll.call(method, kind, **params)

    return asyncio.run(work())


@pytest.fixture(params=[ask_blocking, ask_async])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Either client."""
    return request.param


def test_call(home: Paths, ask: Ask) -> None:
    """A call bears its parameters, and its result comes in the form that was asked for."""
    with FakeDaemon(home, lambda call: [reply(call, status(agent()))]) as daemon:
        assert status(agent()) == ask(home, "snapshot", Status, since="2026-11-22")
    (call,) = daemon.calls
    assert ("snapshot", {"since": "2026-11-22"}) == (call.method, call.params)


def test_refusal(home: Paths, ask: Ask) -> None:
    """What the daemon refuses is raised with code, text and hint."""
    body = wire.ErrorBody("bad-params", "no such day", "name another")
    with (
        FakeDaemon(home, lambda call: [wire.Reply(call.id, error=body)]),
        pytest.raises(CallError) as raised,
    ):
        ask(home, "daily", dict)
    assert ("bad-params", "no such day", "name another", 2) == (
        raised.value.code,
        raised.value.message,
        raised.value.hint,
        raised.value.exit_status,
    )


@pytest.mark.parametrize("result", [[], {"pid": "x"}, None])
def test_other_result(home: Paths, ask: Ask, result: Any) -> None:
    """A result of another form is told as such."""
    with (
        FakeDaemon(home, lambda call: [reply(call, result)]),
        pytest.raises(ProtocolError),
    ):
        ask(home, "snapshot", Status)


def test_reply_without_anything(home: Paths, ask: Ask) -> None:
    """A reply with neither result nor error is told as such."""
    with FakeDaemon(home, lambda call: [wire.Reply(call.id)]), pytest.raises(ProtocolError):
        ask(home, "ping", dict)


def test_late_replies_are_passed_over(home: Paths, ask: Ask) -> None:
    """A reply to a call that was given up before is not taken for this one's."""
    late = wire.Request("0", "ping")
    with FakeDaemon(home, lambda call: [reply(late, {"pid": 1}), reply(call, {"pid": 2})]):
        assert {"pid": 2} == ask(home, "ping", dict[str, int])


def test_no_answer(home: Paths, ask: Ask) -> None:
    """A daemon that says nothing in time is told as such."""
    with FakeDaemon(home, lambda call: []), pytest.raises(NoAnswerError, match=r"0\.05 s"):
        ask(home, "ping", dict, timeout=0.05)


def test_daemon_that_goes_away(home: Paths, ask: Ask) -> None:
    """A call is given up when who was asked goes away, long before the time for it is over."""
    with ThreadPoolExecutor() as pool:
        with FakeDaemon(home, lambda call: []) as daemon:
            asked = pool.submit(ask, home, "ping", dict, timeout=60)
            wait_until(lambda: daemon.calls)
        assert isinstance(asked.exception(10), NoAnswerError)


def test_client_goes_on_with_the_next_daemon(home: Paths) -> None:
    """A client that has asked a daemon before asks the one after it as well."""
    with Toll(home) as toll:
        for pid in (1, 2):
            with FakeDaemon(home, lambda call, pid=pid: [reply(call, {"pid": pid})]):
                assert {"pid": pid} == toll.call("ping", dict[str, int])


def test_patience(home: Paths, ask: Ask) -> None:
    """A patient call waits for a daemon to be there, and no longer than it is told."""
    with pytest.raises(NoDaemonError):
        ask(home, "ping", dict, patience=0.05)
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(ask, home, "ping", dict[str, int], patience=10)
        assert not wait([asked], 0.05).done
        with FakeDaemon(home, lambda call: [reply(call, {"pid": 1})]):
            assert {"pid": 1} == asked.result(10)


def test_calls_at_the_same_time(home: Paths) -> None:
    """Calls that are made of one client at the same time get each its own answer."""

    async def work() -> list[dict[str, str]]:
        async with AsyncToll(home) as toll:
            calls = [toll.call(name, dict[str, str]) for name in ("one", "two", "three")]
            return await asyncio.gather(*calls)

    with FakeDaemon(home, lambda call: [reply(call, {"method": call.method})]):
        assert ["one", "two", "three"] == [each["method"] for each in asyncio.run(work())]


def test_client_goes_on_after_no_answer(home: Paths) -> None:
    """After a call that was not answered in time the next one is asked afresh."""
    silent = iter([True, False])
    with (
        FakeDaemon(home, lambda call: [] if next(silent) else [reply(call, {"pid": 2})]),
        Toll(home, 0.05) as toll,
    ):
        with pytest.raises(NoAnswerError):
            toll.call("ping", dict[str, int])
        toll.timeout = 10
        assert {"pid": 2} == toll.call("ping", dict[str, int])


def test_no_daemon(home: Paths, ask: Ask) -> None:
    """Without a daemon a call ends at once, and says how to start one."""
    with pytest.raises(NoDaemonError) as raised:
        ask(home, "ping", dict)
    assert raised.value.hint
    assert ("toll up" in raised.value.hint, 3) == (True, raised.value.exit_status)


def test_socket_left_behind(home: Paths) -> None:
    """The file of a socket whose daemon was killed is no daemon."""
    home.run.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(home.control_socket))
        left.listen()
        assert is_listening(home)
    assert home.control_socket.exists()
    assert not is_listening(home)


def test_status_and_agents(home: Paths) -> None:
    """The two commonest questions have words of their own."""

    async def work() -> tuple[Status, Any]:
        async with AsyncToll(home) as toll:
            return await toll.status(), await toll.agents()

    with FakeDaemon(home, lambda call: [reply(call, status(agent()))]), Toll(home) as toll:
        assert (status(agent()), (agent(),)) == (toll.status(), toll.agents())
        assert (status(agent()), (agent(),)) == asyncio.run(work())


def test_errors_say_what_to_do() -> None:
    """Each error has a code for programs, an exit status for shells, and maybe a hint."""
    error = TollError("it broke", "mend it")
    assert ("it broke", "mend it", "failed", 1) == (
        str(error),
        error.hint,
        error.code,
        error.exit_status,
    )
