"""``toll ccusage`` with a stand-in for ccusage: how it is called, and what can't go wrong with it."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from threading import Thread

import psutil
import pytest

from ccusage_stand_in import NOTHING, CcusageStandIn
from flow.keeper import TOLL, Keeper
from waiting import wait_until

SETTINGS = '[sources]\nprocesses = false\n\n[ccusage]\ncommand = "{}"\n'


@pytest.fixture
def stand_in(keeper: Keeper) -> CcusageStandIn:
    """ccusage as the daemon, which runs already, is told to call it."""
    found = CcusageStandIn(keeper.root / "ccusage")
    keeper.configure(SETTINGS.format(found.program))
    return found


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    with Keeper() as keeper:
        yield keeper


def snapshots(keeper: Keeper) -> list[bytes]:
    folder = keeper.paths.data / "usage" / "ccusage-snapshots"
    return [path.read_bytes() for path in folder.iterdir()] if folder.is_dir() else []


def is_gone(pid: int) -> bool:
    """Whether no such process runs; one that was not waited for yet runs no more."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_how_it_is_called(keeper: Keeper, stand_in: CcusageStandIn) -> None:
    """It is asked offline, for the caller's days, of the homes that the daemon follows."""
    keeper.start()
    answer = keeper.run("ccusage", "--json", "-z", "Asia/Tokyo")
    assert (answer.returncode, answer.stderr) == (0, "")
    home = str(keeper.home.path)
    assert stand_in.calls == [
        (home, "true", "--version"),
        (home, "true", "claude daily --json -z Asia/Tokyo --offline"),
    ]
    found = json.loads(answer.stdout)
    assert found["ccusage"] == {
        "version": "20.0.24",
        "command": str(stand_in.program),
        "offline": True,
    }
    assert [found] == list(map(json.loads, snapshots(keeper)))


def test_older_and_online(keeper: Keeper, stand_in: CcusageStandIn) -> None:
    """An older version has no word `claude`; and the settings may let it use the network."""
    CcusageStandIn(stand_in.program.parent, version="18.0.11")
    keeper.configure(SETTINGS.format(stand_in.program) + "online = true\n")
    keeper.start()
    keeper.json("ccusage", "-z", "UTC")
    assert [call[1:] for call in stand_in.calls] == [
        ("", "--version"),
        ("", "daily --json -z UTC"),
    ]


def test_a_new_shape(keeper: Keeper, stand_in: CcusageStandIn) -> None:
    """A shape that is not known is refused by name; what was kept before stays, and all goes on."""
    keeper.start()
    keeper.json("ccusage")
    before = snapshots(keeper)
    CcusageStandIn(stand_in.program.parent, version="ccusage 21.3.0")
    stand_in.answers({**NOTHING, "credits": 1})
    result = keeper.run("ccusage")
    wanted = "toll: ccusage 21.3.0 answers in a shape that is not known: key credits; "
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(wanted) and result.stderr.count("\n") == 1
    assert snapshots(keeper) == before
    assert keeper.toll.status().agents == ()


def test_no_ccusage(keeper: Keeper, stand_in: CcusageStandIn) -> None:
    """One that is not there, and one that fails, is said in a line, with what it said last."""
    keeper.start()
    stand_in.behaves("fails")
    result = keeper.run("ccusage")
    wanted = f"toll: {stand_in.program} ended with status 3: Error: it rains; how it is called"
    assert result.stderr.startswith(wanted)
    stand_in.program.unlink()
    result = keeper.run("ccusage")
    assert result.stderr.startswith(f"toll: {stand_in.program} is not there; how it is called")
    assert result.returncode == 1


@pytest.mark.parametrize(
    "complaint",
    [
        None,
        "npm error code ENOTCACHED",
        'npm error npx canceled due to missing packages and no YES option: ["ccusage@20.0.26"]',
    ],
)
def test_not_installed(keeper: Keeper, complaint: str | None) -> None:
    """Where there is neither ccusage, nor one that npx has, a line says so, and how to install it."""
    tools = keeper.root / "tools"
    tools.mkdir()
    (tools / "cat").symlink_to(str(shutil.which("cat")))
    if complaint:
        npx = tools / "npx"
        npx.write_text(f"#!/bin/sh\necho '{complaint}' >&2\nexit 1\n")
        npx.chmod(0o755)
    keeper.configure("[sources]\nprocesses = false\n")
    keeper.environment |= {"npm_config_cache": str(keeper.root / "npm"), "PATH": str(tools)}
    keeper.start()
    result = keeper.run("ccusage")
    wanted = "toll: ccusage is not installed; install it with: npm install -g ccusage\n"
    assert (result.returncode, result.stderr) == (1, wanted)


def test_nothing_to_read(keeper: Keeper, stand_in: CcusageStandIn) -> None:
    """Where there is no Claude home with logs, that alone is said: there is nothing to be installed."""
    shutil.rmtree(keeper.home.path)
    keeper.start()
    result = keeper.run("ccusage")
    wanted = "toll: there is no Claude home with logs that ccusage could read\n"
    assert (result.returncode, result.stderr) == (1, wanted)


def test_a_full_disk(keeper: Keeper, stand_in: CcusageStandIn) -> None:
    """An answer that can't be saved is shown all the same, and a line says that it was not saved, and why."""
    keeper.start()
    folder = keeper.paths.data / "usage" / "ccusage-snapshots"
    folder.parent.mkdir(exist_ok=True)
    folder.touch()
    result = keeper.run("ccusage")
    assert (result.returncode, "0 of 0 pairs" in result.stdout) == (0, True)
    said = f"toll: this could not be saved: {folder} can't be written: Not a directory\n"
    assert result.stderr == said
    as_json = keeper.run("ccusage", "--json")
    assert (as_json.stderr, json.loads(as_json.stdout)["unsaved"] in said) == (said, True)


def test_what_npx_ran(keeper: Keeper, stand_in: CcusageStandIn) -> None:
    """A ccusage that npx has run is run again, the latest, though npx itself would look for it in the network."""
    tools = keeper.root / "tools"
    tools.mkdir()
    for name in ("sh", "dirname", "cat"):
        (tools / name).symlink_to(str(shutil.which(name)))
    cache = keeper.root / "npm"
    for age, version in enumerate(("20.0.24", "18.0.11")):
        folder = cache / "_npx" / f"hash-{age}" / "node_modules" / ".bin"
        os.utime(CcusageStandIn(folder, version).program, (1e9 - age, 1e9 - age))
    keeper.configure("[sources]\nprocesses = false\n")
    npx = tools / "npx"
    npx.write_text(f'#!/bin/sh\nshift 3\nexec {stand_in.program} "$@"\n')
    npx.chmod(0o755)
    keeper.environment |= {"npm_config_cache": str(cache), "PATH": str(tools)}
    keeper.start()
    found = keeper.json("ccusage")["ccusage"]
    assert found["version"] == "20.0.24"
    assert found["command"] == str(cache / "_npx" / "hash-0" / "node_modules" / ".bin" / "ccusage")
    shutil.rmtree(cache)
    assert keeper.json("ccusage")["ccusage"]["command"] == f"{tools}/npx --no -- ccusage"
    keeper.json("config", "set", "ccusage.online=true")
    assert keeper.json("ccusage")["ccusage"]["command"] == f"{tools}/npx --yes -- ccusage"


def test_while_it_hangs(keeper: Keeper, stand_in: CcusageStandIn) -> None:
    """The daemon goes on while it hangs, and ends it with itself and its children."""
    stand_in.behaves("hangs")
    keeper.start()
    with subprocess.Popen(
        [TOLL, "--no-start", "ccusage"], env=keeper.environment, stderr=subprocess.PIPE
    ) as asker:
        pids = wait_until(lambda: stand_in.pids)
        assert keeper.toll.status().agents == ()
        assert keeper.stop() == 0
        _, said = asker.communicate(timeout=20)
    assert said.startswith(b"toll: the daemon ends")
    wait_until(lambda: all(map(is_gone, pids)))


def test_a_daemon_that_dies(keeper: Keeper, stand_in: CcusageStandIn) -> None:
    """What it asked dies with it, however it ends."""
    stand_in.behaves("hangs")
    keeper.start()
    asker = Thread(target=keeper.run, args=("--no-start", "ccusage"))
    asker.start()
    pids = wait_until(lambda: stand_in.pids)
    keeper.kill()
    wait_until(lambda: all(map(is_gone, pids)))
    asker.join()
