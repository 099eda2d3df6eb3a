"""The control socket: who waits for whom."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import zmq
import zmq.asyncio

from tollkeeper.control import AsyncToll
from tollkeeper.errors import CallError
from tollkeeper.paths import Paths, find_paths
from tollkeeper_daemon.control import server
from tollkeeper_daemon.control.server import Server
from tollkeeper_daemon.daemon import Daemon


@pytest.fixture
def paths(short_folder: Path) -> Paths:
    found = find_paths({"TOLL_HOME": str(short_folder)})
    found.run.mkdir()
    return found


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Lets the report of days go on; until then it is under way."""
    go_on = threading.Event()

    def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
        return {"went_on": go_on.wait(20)}

    monkeypatch.setitem(server.REPORTS, "daily", answer)
    yield go_on
    go_on.set()


def test_a_report_holds_nobody_up(paths: Paths, slow: threading.Event) -> None:
    """While a report is under way, others are answered, on its own socket's side and on others."""

    async def work() -> None:
        context = zmq.asyncio.Context()
        running = Server(context, paths.control_socket, cast(Daemon, None))
        running.start()
        try:
            async with AsyncToll(paths, 20) as one, AsyncToll(paths, 20) as other:
                report = asyncio.create_task(one.call("daily", dict[str, Any]))
                for _ in range(3):
                    assert (await other.call("ping", dict[str, Any]))["protocol"] == 1
                assert not report.done()
                slow.set()
                assert await report == {"went_on": True}
        finally:
            await running.stop()
            context.destroy(linger=0)

    asyncio.run(work())


def test_a_report_that_fails(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that fails is answered with an error, and the next call is answered."""
    from tollkeeper.errors import CallError

    def fail(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
        raise RuntimeError("on purpose")

    monkeypatch.setitem(server.REPORTS, "daily", fail)

    async def work() -> None:
        context = zmq.asyncio.Context()
        running = Server(context, paths.control_socket, cast(Daemon, None))
        running.start()
        try:
            async with AsyncToll(paths, 20) as toll:
                with pytest.raises(CallError, match="failed to answer"):
                    await toll.call("daily", dict[str, Any])
                assert (await toll.call("ping", dict[str, Any]))["protocol"] == 1
        finally:
            await running.stop()
            context.destroy(linger=0)

    asyncio.run(work())


def test_too_many_reports_leave_a_place(paths: Paths, slow: threading.Event) -> None:
    """However many reports are asked for at once, others are answered; those too many are refused."""

    async def work() -> None:
        context = zmq.asyncio.Context()
        running = Server(context, paths.control_socket, cast(Daemon, None))
        running.start()
        callers = [AsyncToll(paths, 20) for _ in range(server.MOST_SLOW + 3)]
        try:
            reports = [asyncio.create_task(each.call("daily", dict[str, Any])) for each in callers]
            refused = 0
            for report in asyncio.as_completed(reports[:]):
                try:
                    await report
                except CallError as error:
                    assert error.code == "busy"
                    refused += 1
                if refused == 3:
                    break
            async with AsyncToll(paths, 20) as other:
                assert (await other.call("ping", dict[str, Any]))["protocol"] == 1
            slow.set()
            answers = await asyncio.gather(*reports, return_exceptions=True)
            assert server.MOST_SLOW == sum(answer == {"went_on": True} for answer in answers)
        finally:
            for each in callers:
                each.close()
            await running.stop()
            context.destroy(linger=0)

    asyncio.run(work())
