"""Users' commands: they get their words, have their time, and can't hold up anything."""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tollkeeper_daemon.outlets.commands import MOST_AT_ONCE, MOST_WAITING, Commands
from waiting import wait_until

Work = Callable[[Commands], Coroutine[Any, Any, None]]


def run(work: Work, timeout: float = 20.0) -> list[str]:
    """Do this with commands, and stop them; what trouble they told of."""
    told: list[str] = []

    async def live() -> None:
        commands = Commands(timeout)
        commands.on_trouble = told.append
        try:
            await work(commands)
        finally:
            await commands.stop()

    asyncio.run(live())
    return told


async def until(condition: Callable[[], object]) -> None:
    """Let the loop go on until this is so."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether this process runs, and is not just waited for."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_words_on_stdin(tmp_path: Path) -> None:
    """A command gets the data on its stdin, which it may open by name as well."""

    async def work(commands: Commands) -> None:
        commands.run("on.plan", f"cat > {tmp_path}/one; mv {tmp_path}/one {tmp_path}/a", b'{"a":1}')
        commands.run(
            "on.plan", f"cat /dev/stdin > {tmp_path}/two; mv {tmp_path}/two {tmp_path}/b", b"{}"
        )
        await until(lambda: (tmp_path / "a").exists() and (tmp_path / "b").exists())

    assert [] == run(work)
    assert (b'{"a":1}', b"{}") == ((tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes())


def test_who_never_reads(tmp_path: Path) -> None:
    """A command that reads nothing of five megabytes ends as it likes; the loop goes on meanwhile."""

    async def work(commands: Commands) -> None:
        commands.run(
            "on.plan", f"touch {tmp_path}/begun; sleep 0.3; touch {tmp_path}/a", bytes(5 << 20)
        )
        await until((tmp_path / "begun").exists)
        longest, before = 0.0, time.monotonic()
        while not (tmp_path / "a").exists():
            await asyncio.sleep(0.001)
            now = time.monotonic()
            longest, before = max(longest, now - before), now
        assert longest < 0.25

    assert [] == run(work)


def test_timeout_kills_the_whole_group(tmp_path: Path) -> None:
    """What takes too long is killed with everything that it started, and told once."""
    script = f"sleep 600 & echo $! > {tmp_path}/child; echo $$ > {tmp_path}/shell; sleep 600"

    async def work(commands: Commands) -> None:
        for _ in range(2):
            commands.run("on.plan", script, b"")
        await until(lambda: not commands.busy)

    told = run(work, timeout=0.5)
    assert ["the command in on.plan was killed after 0.5 s: see tolld.log"] == told
    for name in ("child", "shell"):
        pid = int((tmp_path / name).read_text())
        wait_until(lambda pid=pid: not is_alive(pid), what=f"the end of the {name}")


def test_what_goes_on_in_the_background(tmp_path: Path) -> None:
    """A command has ended when its shell has, whatever it left behind with its output open."""

    async def work(commands: Commands) -> None:
        commands.run("on.plan", f"sleep 600 & echo $! > {tmp_path}/child", b"")
        await until(lambda: not commands.busy)

    try:
        assert [] == run(work)
        assert is_alive(int((tmp_path / "child").read_text()))
    finally:
        os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)


def test_failure_is_told_once_with_its_last_words(caplog: pytest.LogCaptureFixture) -> None:
    """A command that fails is told once; its last words are in the log, but not its own text."""

    async def work(commands: Commands) -> None:
        for _ in range(3):
            commands.run("on.alert", "seq 1 20000; echo oh no >&2; exit 3", b"")
        commands.run("on.plan", "exit 3", b"")
        await until(lambda: not commands.busy)

    with caplog.at_level(logging.INFO):
        told = run(work)
    assert [
        "the command in on.alert ended with status 3: see tolld.log",
        "the command in on.plan ended with status 3: see tolld.log",
    ] == sorted(told)
    said = [line for line in caplog.messages if line.startswith("on.alert says: ")]
    assert ["oh no", "20000"] == [line.partition(": ")[2] for line in said[-1:-3:-1]]
    assert len(said) == 30


def test_troubles_are_counted(tmp_path: Path) -> None:
    """How often a command has failed since it did well is known, and with which last words."""
    seen: list[tuple[str, int, str]] = []

    async def work(commands: Commands) -> None:
        for script in (
            "exit 3",
            "echo one; echo 'no\troute' >&2; exit 4",
            f"echo; test -e {tmp_path}",
        ):
            commands.run("on.alert", script, b"")
            await until(lambda: not commands.busy)
            seen.extend(
                (each.name, each.failures, each.error) for each in commands.troubles.values()
            )

    run(work)
    assert [
        ("on.alert", 1, "ended with status 3"),
        ("on.alert", 2, "ended with status 4: no·route"),
    ] == seen


def test_endless_output(caplog: pytest.LogCaptureFixture) -> None:
    """A command that never stops to talk is killed in time, and only its last words are kept."""

    async def work(commands: Commands) -> None:
        commands.run("on.plan", "yes", b"")
        await until(lambda: not commands.busy)

    with caplog.at_level(logging.INFO):
        assert 1 == len(run(work, timeout=0.5))
    assert len("".join(caplog.messages)) < 5000


def test_few_at_once(tmp_path: Path) -> None:
    """Four run at once; the others wait for their turn, and come to it in the end."""
    script = (
        f"echo > $(mktemp {tmp_path}/XXXXXX); while [ ! -e {tmp_path}/go ]; do sleep 0.02; done"
    )

    async def work(commands: Commands) -> None:
        for _ in range(MOST_AT_ONCE + 3):
            commands.run("on.plan", script, b"")
        await until(lambda: len([*tmp_path.iterdir()]) == MOST_AT_ONCE)
        await asyncio.sleep(0.1)
        assert MOST_AT_ONCE == len([*tmp_path.iterdir()])
        (tmp_path / "go").touch()
        await until(lambda: not commands.busy)

    assert [] == run(work)
    assert MOST_AT_ONCE + 3 + 1 == len([*tmp_path.iterdir()])


def test_queue_is_bounded(tmp_path: Path) -> None:
    """What does not fit into the queue is left out and counted, and that is told once."""

    async def work(commands: Commands) -> None:
        for _ in range(MOST_AT_ONCE + MOST_WAITING + 5):
            commands.run("on.plan", "sleep 600", b"")
        assert 5 == commands.dropped

    [told] = run(work)
    assert "left out" in told


def test_stop_is_quick(tmp_path: Path) -> None:
    """At the end who is nearly done may finish; the others are killed, and that is no failure."""

    async def work(commands: Commands) -> None:
        commands.run("on.plan", f"sleep 0.2; touch {tmp_path}/done", b"")
        commands.run("on.plan", f"trap '' TERM; echo $$ > {tmp_path}/shell; sleep 600", b"")
        await until((tmp_path / "shell").exists)

    begun = time.monotonic()
    assert [] == run(work)
    assert time.monotonic() - begun < 5
    assert (tmp_path / "done").exists()
    assert not is_alive(int((tmp_path / "shell").read_text()))


def test_command_that_is_none() -> None:
    """What no shell can run is told like any failure."""

    async def work(commands: Commands) -> None:
        commands.run("on.plan", "no-such-command-here", b"")
        commands.run("on.alert", "a\0b", b"")
        await until(lambda: not commands.busy)

    told = sorted(run(work))
    assert ["on.alert can't be run", "on.plan ended with status 127"] == [
        text.removeprefix("the command in ").partition(":")[0] for text in told
    ]
