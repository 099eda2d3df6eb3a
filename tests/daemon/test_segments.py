"""The keeper of segments: it renders what changed, writes what reads otherwise, and tidies up."""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import tollkeeper.segment
from client.making import TIME, USED, agent, status, today
from tollkeeper import wire
from tollkeeper.model import Agent, Plan, Status, Usage, Window
from tollkeeper_daemon.config import ConfigError, SegmentSettings, load_config
from tollkeeper_daemon.outlets import segments
from tollkeeper_daemon.outlets.segments import Segments

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
ONE = agent("one", pid=1, conversation="conv-1")
TWO = agent("two", pid=2, conversation="conv-2")
PLAN = Plan(
    five_hour=Window(used_percent=67, resets_at="2026-11-22T12:00:00+00:00", observed_at=TIME)
)


class Kept:
    """A keeper in a folder; the test says what it hears, and when it writes."""

    def __init__(self, folder: Path, *agents: Agent, **settings: str) -> None:
        self.folder = folder
        self.segments = Segments(folder, SegmentSettings(**settings))
        self._sequence = 7
        self._clock = 0.0
        self.segments.begin(status(*agents))
        self.write()

    def hear(self, topic: wire.Topic, kind: type[wire.Update], **content: Any) -> None:
        """An update is published."""
        self._sequence += 1
        self.segments.hear(topic, kind(sequence=self._sequence, time=TIME, **content))

    def changed(self, one: Agent) -> None:
        self.hear("agent.changed", wire.AgentUpdate, agent=one)

    def write(self, later: float = 0.1, now: datetime = NOW) -> None:
        self._clock += later
        self.segments.write(self._clock, now)

    def beat(self, seen: Status, now: datetime) -> None:
        """A heartbeat, a while later."""
        self.hear(
            "heartbeat",
            wire.Heartbeat,
            daemon=seen.daemon,
            agents=tuple(each.id for each in seen.agents),
            today=seen.today,
            run=seen.run,
        )
        self.write(10, now)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def names(self) -> set[str]:
        return {*os.listdir(self.folder)}


def test_files(tmp_path: Path) -> None:
    """There is one of everything, one for each conversation, and each pid leads to its agent's."""
    kept = Kept(tmp_path, ONE, TWO, agent("old", pid=3, conversation="conv-3", state="exited"))
    assert {"all", "conv-1", "1", "conv-2", "2"} == kept.names()
    assert "[🤖 2 agents]\n" == kept.read("all")
    assert kept.read("conv-1") == kept.read("1") == "one | opus-5-5 | $1.25\n"
    assert {0o600} == {each.stat().st_mode & 0o777 for each in tmp_path.iterdir()}


def test_names_that_name_no_file(tmp_path: Path) -> None:
    """A conversation's id leads out of no folder, and is taken for neither all nor a pid."""
    odd = ("../x", "all", "2", ".conv", "a/b", "")
    agents = [agent(f"a{at}", pid=10 + at, conversation=name) for at, name in enumerate(odd)]
    kept = Kept(tmp_path, TWO, *agents)
    assert {"all", "conv-2", "2", *(str(10 + at) for at in range(len(odd)))} == kept.names()
    assert kept.read("2").startswith("two |")
    assert kept.read("10").startswith("a0 |")


def test_two_agents_in_a_conversation(tmp_path: Path) -> None:
    """The conversation's segment is that of who started last, until it leaves."""
    second = replace(TWO, conversation="conv-1", started_at="2026-11-22T09:10:00+00:00")
    kept = Kept(tmp_path, second, ONE)
    assert ["two", "one", "two"] == [kept.read(each)[:3] for each in ("conv-1", "1", "2")]
    kept.changed(replace(second, state="exited"))
    kept.write()
    assert ["one", "one"] == [kept.read(each)[:3] for each in ("conv-1", "1")]
    assert {"all", "conv-1", "1"} == kept.names()


def test_follows(tmp_path: Path) -> None:
    """A change of an agent is in its file at the next writing; a new conversation takes the old one's place."""
    kept = Kept(tmp_path, ONE, TWO)
    kept.changed(replace(ONE, model="claude-haiku-5-5"))
    kept.write()
    assert "one | haiku-5-5 | $1.25\n" == kept.read("1")
    kept.changed(replace(ONE, conversation="conv-9"))
    kept.write()
    assert {"all", "conv-9", "1", "conv-2", "2"} == kept.names()
    assert "one | opus-5-5 | $1.25\n" == kept.read("1")


def test_renders_and_writes_only_what_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a hundred agents the one that changed is rendered, and no file of another is touched."""
    many = [agent(f"a{at}", pid=at + 1, conversation=f"conv-{at}") for at in range(100)]
    kept = Kept(tmp_path, *many)
    before = {each.name: each.stat().st_ino for each in tmp_path.iterdir()}
    rendered: list[Any] = []
    real = tollkeeper.segment.render

    def render(*arguments: Any) -> str:
        rendered.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(segments, "render", render)
    kept.changed(replace(many[7], name="other"))
    kept.changed(replace(many[8], last_activity_at=TIME))
    kept.write()
    assert 3 == len(rendered)
    after = {each.name: each.stat().st_ino for each in tmp_path.iterdir()}
    # What leads there leads to another file now, and is itself what it was.
    assert {"conv-7", "8"} == {name for name in before if before[name] != after[name]}


def test_what_all_share(tmp_path: Path) -> None:
    """What an agent's segment tells of the plan is there within a second."""
    kept = Kept(tmp_path, replace(ONE, source="subscription"))
    kept.hear("plan", wire.PlanUpdate, plan=PLAN)
    kept.write()
    assert "[🤖 1 agent | Plan: 67%]\n" == kept.read("all")
    assert "one | opus-5-5 | worth $1.25\n" == kept.read("1")
    kept.write(1.0)
    assert "one | opus-5-5 | worth $1.25 | Plan: 67% | resets in 2h 30m\n" == kept.read("1")


def test_context(tmp_path: Path) -> None:
    """Context that moves with each refresh is there within a second, at once with anything else."""
    kept = Kept(tmp_path, ONE)
    fuller = replace(ONE, context_used_percent=42.0)
    for percent in (40.0, 41.0, 42.0):
        kept.changed(replace(ONE, context_used_percent=percent))
        kept.write(0.25)
        assert "one | opus-5-5 | $1.25\n" == kept.read("1")
    kept.write(0.25)
    assert "one | opus-5-5 | ctx 42% | $1.25\n" == kept.read("1")
    kept.changed(replace(fuller, context_used_percent=43.0))
    kept.changed(replace(fuller, context_used_percent=43.0, name="other"))
    kept.write()
    assert "other | opus-5-5 | ctx 43% | $1.25\n" == kept.read("1")


def test_time_goes_by(tmp_path: Path) -> None:
    """With the heartbeat a sighting grows old, its window ends, and a new day begins at nothing."""
    kept = Kept(tmp_path, format="{plan} | {cost_today}")
    kept.hear("plan", wire.PlanUpdate, plan=PLAN)
    seen = status(plan=PLAN, today=today(api=USED))
    kept.beat(seen, NOW)
    assert "Plan: 67% | $1.25 today\n" == kept.read("all")
    kept.beat(seen, NOW + timedelta(hours=2))
    assert "Plan: 67% (2h ago) | $1.25 today\n" == kept.read("all")
    kept.beat(seen, NOW + timedelta(hours=3))
    assert "$1.25 today\n" == kept.read("all")
    kept.beat(replace(seen, today=today(api=Usage())), NOW + timedelta(hours=15))
    assert "" == kept.read("all")


def test_settings_change(tmp_path: Path) -> None:
    """Other formats are in force at the next writing."""
    kept = Kept(tmp_path, ONE)
    kept.segments.follow(SegmentSettings(format="{agents:short}", statusline="{name}!"))
    kept.write()
    assert ["1\n", "one!\n"] == [kept.read("all"), kept.read("1")]


def test_wrong_settings(tmp_path: Path) -> None:
    """A format that can't be shown is an error of one line, which names the settings' file."""
    file = tmp_path / "config.toml"
    file.write_text('[segments]\nstatusline = "{nam}"\n')
    with pytest.raises(
        ConfigError, match=r"config.toml: segments.statusline: no field 'nam'; there are agents, "
    ) as caught:
        load_config(file)
    assert "\n" not in str(caught.value)


def test_leftovers_go(tmp_path: Path) -> None:
    """Whatever an earlier daemon left in the folder is removed, half-written files as well."""
    for name in ("all", "conv-7", ".conv-7", "4711"):
        (tmp_path / name).write_text("old\n")
    kept = Segments(tmp_path, SegmentSettings())
    kept.clear()
    assert [] == os.listdir(tmp_path)
    Kept(tmp_path, ONE).segments.clear()
    assert [] == os.listdir(tmp_path)


def test_folder_that_is_gone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What can't be written is logged once, and written when it can be."""
    folder = tmp_path / "segments"
    kept = Kept(folder, ONE)
    kept.write(2)
    assert 1 == caplog.text.count("can't write")
    folder.mkdir()
    kept.write(2)
    assert {"all", "conv-1", "1"} == kept.names()


async def _attended(
    kept: Kept, attempt: Callable[..., bool], story: Callable[[], Awaitable[None]]
) -> None:
    """Let the keeper keep up while the story goes on."""
    task = asyncio.create_task(kept.segments.keep_up(attempt))
    async with asyncio.timeout(10):
        await story()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def test_writes_at_once_and_then_not_for_a_moment(tmp_path: Path) -> None:
    """The first change is written at once; what follows within a tenth of a second, together."""
    passes: list[int] = []

    def attempt(work: Callable[..., object], *of: object) -> bool:
        passes.append(1)
        work(*of)
        return True

    kept = Kept(tmp_path, ONE)

    async def story() -> None:
        while not passes:
            await asyncio.sleep(0)
        for number in range(50):
            kept.changed(replace(ONE, name=f"one-{number}"))
            await asyncio.sleep(0)
        while "one-49 |" not in kept.read("1"):
            await asyncio.sleep(0.005)

    asyncio.run(_attended(kept, attempt, story))
    assert 2 == len(passes)


def test_writes_what_may_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Context that waits for others is written when its second is over, though nothing else comes."""
    monkeypatch.setattr(segments, "ALL_SECONDS", 0.2)
    kept = Kept(tmp_path, ONE)

    def attempt(work: Callable[..., object], *of: object) -> bool:
        work(*of)
        return True

    async def story() -> None:
        for percent in (41.0, 42.0):
            kept.changed(replace(ONE, context_used_percent=percent))
            while f"ctx {percent:.0f}%" not in kept.read("1"):
                await asyncio.sleep(0.005)

    asyncio.run(_attended(kept, attempt, story))


@pytest.mark.parametrize("turns", range(8))
def test_ends_in_the_middle_of_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    """Told to end just when something changes, it ends, at whatever turn of the loop that is."""
    monkeypatch.setattr(segments, "GATHER_SECONDS", 0)
    kept = Kept(tmp_path, ONE)

    def attempt(work: Callable[..., object], *of: object) -> bool:
        work(*of)
        return True

    async def end_while_writing() -> None:
        task = asyncio.create_task(kept.segments.keep_up(attempt))
        # After the first, which all segments are written for, some are behind: it waits for a while.
        for number in range(3):
            kept.changed(replace(ONE, name=f"one-{number}"))
            for _ in range(20):
                await asyncio.sleep(0)
        kept.changed(replace(ONE, name="one-3"))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        ended, _ = await asyncio.wait({task}, timeout=2)
        task.cancel()
        assert ended and task.cancelled()

    asyncio.run(end_while_writing())
