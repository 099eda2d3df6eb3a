"""One daemon per home, in directories of its own, started from whatever it finds there."""

import contextlib
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tollkeeper.control import Toll, is_listening
from waiting import wait_until

from .claude_home import ClaudeHome
from .keeper import TOLL, Keeper

TOLLD = Path(sys.executable).with_name("tolld")


def _run_tolld(keeper: Keeper, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a daemon that must end by itself."""
    return subprocess.run(
        [TOLLD],
        env={**keeper.environment, **environment},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_second_daemon_names_the_first(daemon: Keeper) -> None:
    """A second daemon ends with one line that says which pid holds the home; the first goes on."""
    assert daemon.process
    second = _run_tolld(daemon)
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr == (
        f"tolld: a daemon already runs here, with pid {daemon.process.pid}; "
        "stop it with: toll down\n"
    )
    assert daemon.toll.status().daemon.pid == daemon.process.pid


def test_everything_is_private(daemon: Keeper, home: ClaudeHome) -> None:
    """Directories are open to their owner alone, and so is every socket and file in them."""
    home.log().reply()
    daemon.wait_for_requests(1)
    paths = daemon.paths
    for folder in (paths.config, paths.data, paths.run, paths.ledger):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
    for folder in (paths.data, paths.run):
        for file in folder.rglob("*"):
            if not file.is_dir():
                assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_open_directories_are_closed(keeper: Keeper) -> None:
    """Directories that others could read are closed to them at the start."""
    for folder in (keeper.paths.run, keeper.paths.data):
        folder.mkdir(parents=True)
        folder.chmod(0o777)
    keeper.start()
    for folder in (keeper.paths.run, keeper.paths.data):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory away")
def test_directory_of_another_user_is_refused(keeper: Keeper) -> None:
    """A run directory that somebody else owns, and could replace the sockets in, is refused."""
    keeper.paths.run.mkdir(parents=True)
    os.chown(keeper.paths.run, 12345, 12345)
    refused = _run_tolld(keeper)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"tolld: {keeper.paths.run} belongs to another user; ")
    assert refused.stderr.count("\n") == 1


def test_leftovers_of_a_kill_are_no_hindrance(daemon: Keeper, home: ClaudeHome) -> None:
    """Sockets and lock of a daemon that was killed are taken over by the next one."""
    home.log().reply()
    daemon.wait_for_requests(1)
    daemon.kill()
    assert daemon.paths.control_socket.exists() and daemon.paths.lock.exists()
    assert not is_listening(daemon.paths)
    daemon.start()
    assert daemon.requests() == 1


def test_lock_of_a_reused_pid_is_no_hindrance(keeper: Keeper) -> None:
    """A left-over lock file that names a running process of another kind does not count."""
    keeper.paths.run.mkdir(parents=True)
    keeper.paths.lock.write_text(f"{os.getpid()}\n")
    keeper.paths.control_socket.write_text("no socket at all")
    keeper.start()
    assert keeper.toll.agents() == ()


def test_end_tidies_up(daemon: Keeper) -> None:
    """A daemon that is told to end leaves no socket behind, and exit status 0."""
    assert daemon.stop() == 0
    assert not daemon.paths.control_socket.exists()
    assert not daemon.paths.updates_socket.exists()


def test_two_homes_do_not_meet(daemon: Keeper, home: ClaudeHome) -> None:
    """Two daemons with homes of their own run side by side, even over the same logs."""
    home.log().reply()
    with Keeper(home) as other:
        other.start()
        daemon.wait_for_requests(1)
        other.wait_for_requests(1)
        assert daemon.toll.status().daemon.pid != other.toll.status().daemon.pid


def test_starts_at_once(keeper: Keeper) -> None:
    """Of many `toll` commands that find no daemon at the same time, all get an answer from one."""
    commands = [
        subprocess.Popen(
            [TOLLD.with_name("toll"), "up", "--json"],
            env=keeper.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    answers = [command.communicate(timeout=30) for command in commands]
    assert [command.returncode for command in commands] == [0] * len(commands)
    assert {error for _, error in answers} == {""}
    with Toll(keeper.paths) as toll:
        pid = toll.status().daemon.pid
    assert {answer.partition(",")[0] for answer, _ in answers} == {f'{{"pid":{pid}'}
    # Those that came too late must not outlive the one that answered, and take its place.
    wait_until(lambda: _daemons_of(keeper) == [pid])


def _daemons_of(keeper: Keeper) -> list[int]:
    """The pids of all daemons that run, or begin to run, in this home."""
    found: list[int] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            here = process.environ().get("TOLL_HOME") == keeper.environment["TOLL_HOME"]
            if here and "tollkeeper_daemon" in process.cmdline():
                found.append(process.pid)
    return found


def test_home_named_relative_to_the_caller(keeper: Keeper, home: ClaudeHome) -> None:
    """A Claude home named relative to the directory of `toll up` is the one that is followed."""
    home.log().reply()
    started = subprocess.run(
        [TOLLD.with_name("toll"), "up"],
        env={**keeper.environment, "CLAUDE_CONFIG_DIR": f"{home.path.name}, ./other"},
        cwd=keeper.root,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (started.returncode, started.stderr) == (0, "")
    followed = [each["path"] for each in keeper.report("health")["homes"]]
    assert followed == [str(home.path), str(keeper.root / "other")]
    assert keeper.requests() == 1


@pytest.mark.parametrize(
    ("option", "status", "said"),
    [("--help", 0, "usage: tolld"), ("--bogus", 2, "--bogus"), ("--version", 0, "tolld ")],
)
def test_options_start_no_daemon(keeper: Keeper, option: str, status: int, said: str) -> None:
    """`tolld` with an option that asks for words, or is wrong, says them and leaves nothing behind."""
    ended = subprocess.run(
        [TOLLD, option],
        env=keeper.environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == status
    assert said in (ended.stdout if status == 0 else ended.stderr)
    assert "Traceback" not in ended.stderr
    assert not keeper.paths.run.exists() and not keeper.paths.data.exists()


def test_too_long_home(keeper: Keeper) -> None:
    """A home whose sockets' paths would be too long is refused in one line, with the way out."""
    long = str(keeper.root / ("x" * 100))
    told = keeper.run("up", environment={"TOLL_HOME": long})
    for result in (told, _run_tolld(keeper, TOLL_HOME=long)):
        assert result.returncode != 0
        assert "is too long for a socket; set TOLL_HOME" in result.stderr
        assert result.stderr.count("\n") == 1


def test_relative_home(keeper: Keeper) -> None:
    """A relative TOLL_HOME is the same folder for the daemon, which runs elsewhere, as for who starts it."""
    started = subprocess.run(
        [TOLL, "up"],
        env={
            **keeper.environment,
            "TOLL_HOME": os.path.relpath(keeper.paths.own_home, keeper.root),
        },
        cwd=keeper.root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (started.returncode, started.stderr) == (0, "")
    assert keeper.toll.status().daemon.pid == keeper.report("ping")["pid"]


def _break_settings(keeper: Keeper) -> None:
    keeper.configure("[sources]\nprocesses = maybe\n")


def _misname_setting(keeper: Keeper) -> None:
    keeper.configure("[sources]\nprocessed = true\n")


def _settings_folder(keeper: Keeper) -> None:
    keeper.paths.settings.unlink()
    keeper.paths.settings.mkdir()


def _break_prices(keeper: Keeper) -> None:
    keeper.paths.prices.write_text("[[prices]\n")


def _price_without_model(keeper: Keeper) -> None:
    keeper.paths.prices.write_text("[[prices]]\ninput = 1\n")


def _price_in_words(keeper: Keeper) -> None:
    keeper.paths.prices.write_text('web_search = "a cent"\n')


def _prices_of_no_table(keeper: Keeper) -> None:
    keeper.paths.prices.write_text("prices = [1, 2]\n")


def _prices_of_no_list(keeper: Keeper) -> None:
    keeper.paths.prices.write_text("prices = 5\n")


def _price_of_no_name(keeper: Keeper) -> None:
    rates = "".join(f"{name} = 1\n" for name in ("input", "output", "cache_read"))
    writes = "cache_write_5m = 1\ncache_write_1h = 1\n"
    keeper.paths.prices.write_text(f"[[prices]]\nmodel = 5\n{rates}{writes}")


def _prices_not_text(keeper: Keeper) -> None:
    keeper.paths.prices.write_bytes(b"\xff\xfe\x00")


def _ledger_is_a_file(keeper: Keeper) -> None:
    keeper.paths.data.mkdir()
    keeper.paths.ledger.write_text("not a directory")


def _ledger_of_noise(keeper: Keeper) -> None:
    keeper.paths.ledger.mkdir(parents=True)
    (keeper.paths.ledger / "data.mdb").write_bytes(os.urandom(8192))


def _run_is_a_file(keeper: Keeper) -> None:
    keeper.paths.run.write_text("not a directory")


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (_break_settings, "config.toml"),
        (_misname_setting, "processed"),
        (_settings_folder, "config.toml"),
        (_break_prices, "prices.toml"),
        (_price_without_model, "prices.toml"),
        (_price_in_words, "prices.toml: 'a cent'"),
        (_prices_of_no_table, "prices.toml"),
        (_prices_of_no_list, "prices.toml"),
        (_price_of_no_name, "prices.toml"),
        (_prices_not_text, "prices.toml"),
        (_ledger_is_a_file, "ledger.lmdb"),
        (_ledger_of_noise, "ledger.lmdb"),
        (_run_is_a_file, "run"),
    ],
)
def test_what_is_broken_is_told(
    keeper: Keeper, break_it: Callable[[Keeper], None], told: str
) -> None:
    """What keeps the daemon from starting is one line of `toll up` and of `tolld`, no traceback."""
    break_it(keeper)
    tried = keeper.run("up")
    assert (tried.returncode, tried.stdout) == (3, "")
    assert told in tried.stderr
    assert tried.stderr.startswith("toll: ") and tried.stderr.count("\n") == 1
    ran = _run_tolld(keeper)
    assert ran.returncode == 1
    assert told in ran.stderr
    assert ran.stderr.startswith("tolld: ") and ran.stderr.count("\n") == 1


def test_mended_settings_let_it_start(keeper: Keeper) -> None:
    """After a refused start nothing stands in the way of the next one."""
    _break_settings(keeper)
    assert keeper.run("up").returncode == 3
    keeper.configure("")
    assert keeper.run("up").returncode == 0


def test_data_directory_that_cannot_be(keeper: Keeper) -> None:
    """A file in the place of the data directory is told in one line, by both commands."""
    keeper.paths.data.write_text("not a directory")
    for result in (keeper.run("up"), _run_tolld(keeper)):
        assert result.returncode == 1
        assert str(keeper.paths.data) in result.stderr
        assert result.stderr.count("\n") == 1
