"""The verbs of prices and plans: what they do in the loop, and what in a thread."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import zmq
import zmq.asyncio

from tollkeeper.control import AsyncToll
from tollkeeper.paths import find_paths
from tollkeeper_daemon.control import reprice
from tollkeeper_daemon.control.server import Server
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.own.file import OwnFile
from tollkeeper_daemon.repricing import Repricer
from tollkeeper_daemon.store.store import Store

from .test_pipeline import pipeline


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "ledger") as store:
        yield store


def test_plans_are_read_in_a_thread(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading and parsing plans.toml, which may be large, keeps nobody else waiting."""
    paths = find_paths({"TOLL_HOME": str(short_folder)})
    paths.run.mkdir()
    readers: list[threading.Thread] = []

    def read(file: OwnFile) -> str:
        readers.append(threading.current_thread())
        return "[plans.team]\nmonthly_price = 30\n"

    monkeypatch.setattr(OwnFile, "read", read)

    async def work() -> dict[str, Any]:
        context = zmq.asyncio.Context()
        daemon = cast(Daemon, SimpleNamespace(own_plans=OwnFile(paths.plans)))
        running = Server(context, paths.control_socket, daemon)
        running.start()
        try:
            async with AsyncToll(paths, 20) as toll:
                return await toll.call("plans", dict[str, Any])
        finally:
            await running.stop()
            context.destroy(linger=0)

    plans = asyncio.run(work())["plans"]
    assert "team" in [plan["name"] for plan in plans]
    assert threading.main_thread() not in readers
    assert 1 == len(readers)


def test_a_look_waits_for_no_reader(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only charging anew maps the ledger's file anew, which waits for all who read in it."""
    let_go: list[bool] = []
    monkeypatch.setattr(store, "let_go", lambda: let_go.append(True))
    repricer = Repricer(pipeline(store), lambda outcome: None, lambda: False)
    daemon = cast(Daemon, SimpleNamespace(store=store, repricer=repricer))
    assert asyncio.run(reprice.answer(daemon, {}))["dry_run"]
    assert [] == let_go
    assert not asyncio.run(reprice.answer(daemon, {"dry_run": False}))["dry_run"]
    assert [True] == let_go
