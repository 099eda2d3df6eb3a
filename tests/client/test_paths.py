"""Where things live, on Linux and macOS, and when a path is too long."""

from pathlib import Path

import pytest

from tollkeeper import paths
from tollkeeper.errors import PlaceError
from tollkeeper.paths import find_paths


@pytest.fixture
def linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests hold on any system."""
    monkeypatch.setattr("sys.platform", "linux")


@pytest.fixture
def macos(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this were macOS."""
    monkeypatch.setattr("sys.platform", "darwin")


@pytest.mark.usefixtures("linux")
def test_defaults() -> None:
    """Without any setting the XDG base directories' defaults hold."""
    found = find_paths({"HOME": "/home/dev"})
    assert (
        Path("/home/dev/.config/tollkeeper"),
        Path("/home/dev/.local/share/tollkeeper"),
        Path("/home/dev/.local/state/tollkeeper/run"),
    ) == (found.config, found.data, found.run)


@pytest.mark.usefixtures("linux")
def test_xdg_directories() -> None:
    """Each XDG directory is taken where it is set."""
    found = find_paths(
        {
            "HOME": "/home/dev",
            "XDG_CONFIG_HOME": "/c",
            "XDG_DATA_HOME": "/d",
            "XDG_STATE_HOME": "/s",
            "XDG_RUNTIME_DIR": "/run/user/1000",
        }
    )
    assert ("/c/tollkeeper", "/d/tollkeeper", "/run/user/1000/tollkeeper") == (
        str(found.config),
        str(found.data),
        str(found.run),
    )
    state = find_paths({"HOME": "/home/dev", "XDG_STATE_HOME": "/s"})
    assert "/s/tollkeeper/run" == str(state.run)


@pytest.mark.usefixtures("linux")
def test_relative_xdg_directories_are_ignored() -> None:
    """The specification wants absolute paths: others are as if they were not set."""
    names = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")
    for value in ("", "relative/path", "."):
        environment = {"HOME": "/home/dev", **dict.fromkeys(names, value)}
        assert find_paths({"HOME": "/home/dev"}) == find_paths(environment)


@pytest.mark.usefixtures("macos")
def test_macos() -> None:
    """On macOS everything is in Application Support."""
    found = find_paths({"HOME": "/Users/dev"})
    support = "/Users/dev/Library/Application Support/tollkeeper"
    assert (support, support, f"{support}/run") == (
        str(found.config),
        str(found.data),
        str(found.run),
    )


def test_own_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """TOLL_HOME goes before all else, and may be relative or begin at the user's home."""
    for value, expected in (("/t", "/t"), ("~/t", "/home/dev/t"), ("t", str(Path.cwd() / "t"))):
        monkeypatch.setenv("HOME", "/home/dev")
        found = find_paths({"TOLL_HOME": value, "XDG_RUNTIME_DIR": "/r", "HOME": "/home/dev"})
        assert [f"{expected}/{name}" for name in ("config", "data", "run")] == [
            str(found.config),
            str(found.data),
            str(found.run),
        ]


def test_empty_home_is_none() -> None:
    """An empty TOLL_HOME is as if it were not set."""
    assert find_paths({"HOME": "/h"}) == find_paths({"HOME": "/h", "TOLL_HOME": ""})


def test_too_long_for_a_socket() -> None:
    """A path that no socket can have is told before anything is made, with the way out."""
    room = paths.LONGEST_SOCKET_PATH - len("/run/updates.sock")
    assert find_paths({"TOLL_HOME": "/" + "x" * (room - 1)})
    for home in ("/" + "x" * room, "/" + "é" * (room // 2)):
        with pytest.raises(PlaceError) as raised:
            find_paths({"TOLL_HOME": home})
        assert raised.value.hint


def test_names_of_the_files() -> None:
    """The files have the names that the documentation gives them."""
    found = find_paths({"TOLL_HOME": "/t"})
    assert [
        "/t/run/control.sock",
        "/t/run/updates.sock",
        "/t/run/tolld.lock",
        "/t/data/ledger.lmdb",
        "/t/config/config.toml",
        "/t/config/prices.toml",
    ] == [
        str(each)
        for each in (
            found.control_socket,
            found.updates_socket,
            found.lock,
            found.ledger,
            found.settings,
            found.prices,
        )
    ]
