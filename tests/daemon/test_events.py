"""Events that others append to workflow-metrics.jsonl: each is taken as a marker once, whatever becomes of the file."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tollkeeper_daemon.exchange import events, reckoner
from tollkeeper_daemon.store.errands import EventsFile
from tollkeeper_daemon.store.schema import SpanRecord
from tollkeeper_daemon.store.store import Store

from .exchanging import Exchanging

MINUTE = 60_000
DAY = 24 * 60 * MINUTE


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A new ledger."""
    with Store(tmp_path / "ledger") as store:
        yield store


@pytest.fixture
def world(store: Store, tmp_path: Path) -> Exchanging:
    """A daemon, and an agent that works in the project."""
    world = Exchanging(store, tmp_path / "shop")
    world.agent()
    world.work.now += 20 * MINUTE
    return world


def spans(world: Exchanging) -> list[tuple[str, str, int]]:
    """The spans of the workflow: their ids, stages and lengths (s), 0 for one that lasts."""
    return [
        (span.id, span.labels.stage, max(span.ended - span.started, 0) // 1000)
        for span in saved(world)
    ]


def saved(world: Exchanging) -> tuple[SpanRecord, ...]:
    return world.work.saved("w-1")


def files(world: Exchanging) -> list[EventsFile]:
    """How far which file was read."""
    return world.store.read(lambda transaction: transaction.errands.events_files())


def go_through(world: Exchanging, stage: str = "analyze", ago: int = 0, **fields: Any) -> None:
    """Somebody tells of a stage that lasted for a minute, and ended so long ago (ms)."""
    world.tells("start", stage, ago + MINUTE, **fields)
    world.tells("end", stage, ago, **fields)


def test_stage(world: Exchanging) -> None:
    """A stage that others tell of is a span, at the times that they tell."""
    go_through(world)
    world.passes()
    assert [("m:1", "analyze", 60)] == spans(world)
    [span] = saved(world)
    assert ("shop-1", str(world.project), "completed") == (span.role, span.folder, span.status)


def test_own_lines(world: Exchanging) -> None:
    """The daemon's own lines, between those of others, tell it nothing."""
    go_through(world, "analyze", ago=10 * MINUTE)
    world.settles()
    go_through(world, "plan")
    world.settles()
    world.passes()
    assert ["analyze", "plan"] == [line["stage"] for line in world.written()]
    assert [("m:1", "analyze", 60), ("m:2", "plan", 60)] == spans(world)


@pytest.mark.parametrize("how", ["in place", "under a new name"])
def test_file_written_anew(world: Exchanging, how: str) -> None:
    """Who writes the file anew, without some of its lines, tells nothing of the others again."""
    go_through(world, "analyze", ago=5 * MINUTE)
    world.appends(note=1)
    world.passes()
    lines = world.file.read_bytes().splitlines(keepends=True)
    new = world.file.with_suffix(".new")
    new.write_bytes(b"".join(line for line in lines if b"note" not in line))
    if how == "in place":
        world.file.write_bytes(new.read_bytes())
    else:
        new.replace(world.file)
    go_through(world, "plan")
    world.passes()
    assert [("m:1", "analyze", 60), ("m:2", "plan", 60)] == spans(world)


def test_file_put_aside(world: Exchanging) -> None:
    """When a new file is begun, an end without a time in it is that of the stage that lasts."""
    world.tells("start", "analyze", ago=MINUTE)
    world.passes()
    world.file.rename(world.file.with_suffix(".1"))
    world.appends(event="stage_end", task_id="w-1.1-analyze", workflow_id="w-1", stage="analyze")
    world.passes()
    [span] = saved(world)
    assert span.ended


def test_copy_in_another_tree(world: Exchanging, tmp_path: Path) -> None:
    """A file that a new tree of the repository brings along tells nothing again; what is added there is new."""
    go_through(world, "analyze", ago=5 * MINUTE)
    world.tells("start", "plan", ago=MINUTE)
    world.passes()
    known = spans(world)
    other = tmp_path / "tree"
    shutil.copytree(world.project, other)
    world.agent(200, other)
    world.passes()
    assert known == spans(world)
    world.file = other / ".claude" / world.file.name
    go_through(world, "review")
    world.passes()
    assert [*known, ("m:3", "review", 60)] == spans(world)


def test_agents_own_span_and_a_copy(world: Exchanging, tmp_path: Path) -> None:
    """A span that an agent began before its marker came is known again in a copy."""
    world.agent(300, WORKFLOW="w-1", TASK="w-1.1-analyze", STAGE="analyze")
    world.passes(5 * MINUTE)
    go_through(world, "analyze")
    world.passes()
    known = spans(world)
    assert ["m:1"] == [id for id, _, _ in known]
    shutil.copytree(world.project, tmp_path / "tree")
    world.agent(200, tmp_path / "tree")
    world.passes()
    assert known == spans(world)


def test_folder_that_is_shared(world: Exchanging, tmp_path: Path) -> None:
    """Several trees may share a ``.claude`` by links: its events are taken once."""
    other = tmp_path / "tree"
    other.mkdir()
    (other / ".claude").symlink_to(world.file.parent)
    world.agent(200, other)
    for stage in ("analyze", "plan"):
        go_through(world, stage, agent="cook")
        world.settles()
    assert [("m:1", "analyze", 60), ("m:2", "plan", 60)] == spans(world)
    assert 2 == len(world.written())
    assert [str(world.file)] == [file.mark.path for file in files(world)]


def test_same_second(world: Exchanging) -> None:
    """A stage that ends and starts anew in the same second is gone through twice, seen late or not."""
    world.work.now -= world.work.now % 1000
    ago = [180_000, 119_001, 120_000, MINUTE]
    for event, each in zip(["start", "end"] * 2, ago, strict=True):
        world.tells(event, "analyze", each)
    world.passes()
    assert [("m:1", "analyze", 60), ("m:2", "analyze", 60)] == spans(world)


def test_endless_line(world: Exchanging) -> None:
    """A line without an end is counted, read a little at a time, and hides nothing behind it."""
    with world.file.open("wb") as file:
        file.truncate(20 << 20)
        file.seek(0, os.SEEK_END)
        file.write(b"\n")
    go_through(world)
    world.passes(2_000)
    assert [2 << 20] == [each.mark.offset for each in files(world)]
    world.passes(30_000)
    assert [("m:1", "analyze", 60)] == spans(world)
    assert {str(world.file): 1} == world.events.bad_lines()


def test_what_is_no_file(world: Exchanging, tmp_path: Path) -> None:
    """A pipe or a folder in the file's place holds nobody up; it is shown for as long as it lies there."""
    os.mkfifo(world.file)
    world.passes()
    assert {str(world.file): "not a regular file"} == world.events.unreadable
    world.file.unlink()
    world.passes()
    assert {} == world.events.unreadable
    world.file.mkdir()
    world.passes()
    assert [str(world.file)] == list(world.events.unreadable)
    world.file.rmdir()
    world.file.symlink_to(tmp_path / "nowhere")
    world.passes()
    assert {} == world.events.unreadable


def test_noise(world: Exchanging) -> None:
    """Bytes that are no lines are counted, and those beside them are taken."""
    with world.file.open("wb") as file:
        file.write(os.urandom(200_000).replace(b"\n", b"") + b"\n{\xff\n\0\0\n")
    go_through(world)
    world.passes()
    assert [("m:1", "analyze", 60)] == spans(world)
    assert {str(world.file): 3} == world.events.bad_lines()


def test_no_time_for_all(world: Exchanging, monkeypatch: pytest.MonkeyPatch) -> None:
    """What others told at once is taken bit by bit, in its order, and each once; so is what is written of it."""
    monkeypatch.setattr(events, "MOST_SECONDS", 0)
    monkeypatch.setattr(reckoner, "MOST_AT_ONCE", 2)
    for number in range(4):
        go_through(world, f"s{number}", ago=(9 - 2 * number) * MINUTE)
    world.events.look(world.work.now)
    assert [("m:1", "s0", 0)] == spans(world)
    world.restarts()
    world.passes(40_000)
    world.ends()
    world.settles()
    assert [(f"m:{number + 1}", f"s{number}", 60) for number in range(4)] == spans(world)
    assert [f"s{number}" for number in range(4)] == sorted(
        line["stage"] for line in world.written()
    )


def test_history(world: Exchanging) -> None:
    """Stages of last week are known, and nobody gets a line or a comment of them."""
    go_through(world, "analyze", ago=7 * DAY)
    go_through(world, "plan", ago=MINUTE)
    world.settles()
    assert ["analyze", "plan"] == [stage for _, stage, _ in spans(world)]
    assert ["plan"] == [line["stage"] for line in world.written()]
    assert ["w-1.1-plan"] == [task for task, _ in world.bd.comments]


def test_no_daemon_for_days(world: Exchanging, store: Store) -> None:
    """A stage that ended on Friday right before the machine went gets its line and its comment on Monday."""
    go_through(world)
    world.events.look(world.work.now)
    store.last_saved = world.work.now / 1000
    world.work.now += 3 * DAY
    world.restarts()
    world.settles()
    assert ["analyze"] == [line["stage"] for line in world.written()]
    assert 1 == len(world.bd.comments)
