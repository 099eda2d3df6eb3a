"""Fixtures of the end-to-end tests: the real client, tmux for the typed sessions, and ccusage."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

import ccusage
from flow.claude_home import ClaudeHome
from flow.keeper import Keeper

from .client import Client, find_client
from .home import Subscription
from .stand_in import StandIn


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with StandIn() as server:
        yield server


@pytest.fixture(scope="session")
def client_binary() -> Path:
    binary = find_client()
    return binary or unavailable(
        "no client: run tests/e2e/install_client.py, or name one in TOLL_E2E_CLIENT"
    )


@pytest.fixture
def client(client_binary: Path, stand_in: StandIn) -> Iterator[Client]:
    with Client(client_binary, stand_in.url) as running:
        yield running


@pytest.fixture
def keeper(client: Client) -> Iterator[Keeper]:
    """A Tollkeeper that follows the client's home, without limits; its daemon does not run yet."""
    with Keeper(ClaudeHome(client.config_dir, client.cwd)) as idle:
        idle.limit()
        yield idle


@pytest.fixture
def subscriber(client_binary: Path, stand_in: StandIn) -> Iterator[Client]:
    """A client that runs on a made-up subscription instead of an API key."""
    with Client(client_binary, stand_in.url, subscription=Subscription()) as running:
        yield running


@pytest.fixture(scope="session")
def ccusage_binary() -> Path:
    """The pinned ccusage, which the tests compare with."""
    if not ccusage.installed():
        unavailable("no ccusage: run benchmarks/ccusage.py")
    return ccusage.find(None)


@pytest.fixture
def tmux() -> str:
    """Whoever types into an interactive session asks for this one."""
    return shutil.which("tmux") or unavailable("tmux is not on the PATH")


def unavailable(reason: str) -> NoReturn:
    """Skip where the tests are optional, fail where they were asked for."""
    if os.environ.get("CI") or os.environ.get("TOLL_REQUIRE_E2E"):
        pytest.fail(reason)
    pytest.skip(reason)
