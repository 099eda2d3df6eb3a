"""Comments on tasks wait in a queue, and each gets there once, or a person is told why not."""

import asyncio
import errno
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import replace

from tollkeeper_daemon.config import BeadsSettings
from tollkeeper_daemon.exchange.bead_stages import AGAIN_AFTER_MS, BeadStages
from tollkeeper_daemon.exchange.comments import GIVEN_UP_AFTER_MS, LAST_RETRY_MS, Comments
from tollkeeper_daemon.exchange.issues import Issues
from tollkeeper_daemon.exchange.talk import Talk
from tollkeeper_daemon.outlets.bd import Answer, Bd, BdError
from tollkeeper_daemon.store.errands import PendingComment
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

from .exchanging import Exchanging
from .lines import NINE_MS
from .works import book, booking

HOUR = 3_600_000


class Project:
    """bd in several projects: ``answers`` says what it does with words in a folder."""

    def __init__(self, answers: Callable[[str, Sequence[str]], object]) -> None:
        self.calls: list[tuple[str, str]] = []
        self._answers = answers

    async def call(self, command: str, arguments: Sequence[str], folder: str) -> Answer:
        """What it answers; the calls are kept by folder and verb."""
        self.calls.append((folder, " ".join(arguments[:2])))
        return Answer(0, json.dumps(self._answers(folder, arguments)).encode(), b"")


class FullStore:
    """A store on a disk that is full for as long as ``error`` says so."""

    def __init__(self, store: Store) -> None:
        self.error: Exception | None = OSError(errno.ENOSPC, "no space left on the disk")
        self.read = store.read
        self._store = store

    def write(self, work: Callable[[Transaction], object]) -> object:
        """Save it, if there is room."""
        if self.error:
            raise self.error
        return self._store.write(work)


class Queue:
    """The queue of comments, with what a person was told of it."""

    def __init__(self, store: Store, bd: Project, draft: Path) -> None:
        self.told: list[str] = []
        self.settings = BeadsSettings(comment=True)
        issues = Issues(cast(Bd, bd), lambda: self.settings, draft)
        self.comments = Comments(store, issues, lambda: self.settings, self.told.append)
        self.now = NINE_MS
        self._store = store

    def add(self, number: int, folder: str = "/shop", task: str = "bd-1", **more: int) -> None:
        """A comment waits."""
        text = f"marker {number}\n"
        comment = PendingComment("w-1", f"m:{number}", task, folder, text.strip(), text, self.now)
        comment = replace(comment, **more)
        self._store.write(lambda transaction: transaction.errands.save_comment(comment))

    def writes(self) -> None:
        """The daemon writes what is due."""
        asyncio.run(self.comments.write(self.now))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A new ledger."""
    with Store(tmp_path / "ledger") as store:
        yield store


def well(folder: str, words: Sequence[str]) -> object:
    """What bd answers when all is well and nothing is commented."""
    if words[0] == "list":
        return [{"id": words[2]}]
    return {"issue_id": words[2], "text": "x"} if words[1] == "add" else []


def hangs_in(folder: str) -> Callable[[str, Sequence[str]], object]:
    """bd that never answers in this folder."""

    def answers(where: str, words: Sequence[str]) -> object:
        if where == folder:
            raise BdError("bd gave no answer within 30 s")
        return well(where, words)

    return answers


def test_project_that_hangs(store: Store, tmp_path: Path) -> None:
    """Where bd hangs it is waited for once, and then other projects get their comments."""
    bd = Project(hangs_in("/stuck"))
    queue = Queue(store, bd, tmp_path / "draft")
    for number in range(5):
        queue.add(number, "/stuck")
    queue.add(9)
    queue.writes()
    assert [
        ("/stuck", "list --id"),
        ("/shop", "list --id"),
        ("/shop", "comments bd-1"),
        ("/shop", "comments add"),
    ] == bd.calls
    assert 5 == queue.comments.waiting


def test_less_and_less_often(store: Store, tmp_path: Path) -> None:
    """What fails is tried again, after longer and longer times, for a week; then a person is told."""
    bd = Project(hangs_in("/shop"))
    queue = Queue(store, bd, tmp_path / "draft")
    queue.add(1)
    tries: list[int] = []
    while queue.comments.waiting:
        before = len(bd.calls)
        queue.writes()
        tries += [queue.now] if len(bd.calls) > before else []
        queue.now += 5_000 if queue.now < NINE_MS + HOUR else 5 * 60_000
    waits = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert [5_000, 10_000, 20_000, 40_000] == waits[:4]
    assert LAST_RETRY_MS <= max(waits) <= LAST_RETRY_MS + 5 * 60_000
    assert GIVEN_UP_AFTER_MS <= tries[-1] - NINE_MS <= GIVEN_UP_AFTER_MS + LAST_RETRY_MS
    assert "bd-1 got no comment within a week: bd gave no answer within 30 s" == queue.told[-1]


def test_disk_that_is_full(store: Store, tmp_path: Path) -> None:
    """When the text can't be written down for bd, it is tried again like all else that fails."""
    bd = Project(well)
    queue = Queue(store, bd, tmp_path / "absent" / "draft")
    queue.add(1)
    queue.writes()
    assert "No such file or directory" in (queue.comments.failing or "")
    queue.writes()
    assert 2 == len(bd.calls)
    (tmp_path / "absent").mkdir()
    queue.now += 5_000
    queue.writes()
    assert (0, None) == (queue.comments.waiting, queue.comments.failing)


def test_comment_that_can_never_be(store: Store, tmp_path: Path) -> None:
    """An issue that bd does not know, or takes for another, is told, once, and holds nothing up."""
    told: dict[str, object] = {"bd-1": [], "bd-2": [{"id": "bd-2"}]}

    def answers(folder: str, words: Sequence[str]) -> object:
        if words[1] == "add":
            return {"issue_id": "bd-22", "text": "x"}
        return told[words[2]] if words[0] == "list" else []

    queue = Queue(store, Project(answers), tmp_path / "draft")
    queue.add(1)
    queue.add(2, task="bd-2")
    queue.writes()
    assert [
        "bd knows no issue bd-1 in /shop: it got no comment",
        "bd put the comment on bd-2 on bd-22",
    ] == sorted(queue.told)
    assert 0 == queue.comments.waiting


def test_clock_that_is_set_back(store: Store, tmp_path: Path) -> None:
    """What would be due in a time that no wait explains is due now."""
    queue = Queue(store, Project(well), tmp_path / "draft")
    queue.add(1, due=NINE_MS + 100 * HOUR)
    queue.add(2, due=NINE_MS + 60_000)
    queue.writes()
    assert 1 == queue.comments.waiting


def test_switched_off(store: Store, tmp_path: Path) -> None:
    """Nothing is asked of bd while comments are off."""
    bd = Project(well)
    queue = Queue(store, bd, tmp_path / "draft")
    queue.add(1)
    queue.settings = BeadsSettings()
    queue.writes()
    assert [] == bd.calls


def test_strange_names(store: Store, tmp_path: Path) -> None:
    """A comment is known again whatever its workflow is called: names may hold what ends a line."""
    world = Exchanging(store, tmp_path / "shop")
    world.agent()
    world.bd.does = ["", "", "crash"]
    for event in ("start", "end"):
        world.appends(
            event=f"stage_{event}",
            workflow_id="w\u2028\n\x85; rm -rf *",
            task_id="--help;$(x)`y`".removeprefix("--"),
            stage="analyze\r\nx",
        )
    world.settles()
    assert ["help;$(x)`y`"] == [task for task, _ in world.bd.comments]


def test_end_that_comes_later(store: Store, tmp_path: Path) -> None:
    """A comment that waits keeps its figures when the stage's own end is told after its workflow's."""
    world = Exchanging(store, tmp_path / "shop")
    world.agent()
    world.begins()
    world.tells("start", "analyze")
    world.passes()
    book(store, booking("w-1", "analyze", task="w-1.1-analyze", output=7))
    world.bd.does = ["busy"] * 3
    world.ends()
    world.passes()
    assert [] == world.bd.comments
    world.tells("end", "analyze")
    world.settles()
    [(_, rows)] = world.commented()
    assert "- **Output tokens**: 7" in rows


# Stages that labels of tasks tell.


def test_stages_that_nobody_asks_for(tmp_path: Path) -> None:
    """What could not be answered is asked again while an agent is at the task, and forgotten after."""
    bd = Project(hangs_in("/shop"))
    settings = BeadsSettings(comment=True)
    stages = BeadStages(Issues(cast(Bd, bd), lambda: settings, tmp_path / "x"), lambda: settings)
    now = NINE_MS
    for _ in range(5):
        assert "" == stages.stage_of("bd-1", "/shop")
        asyncio.run(stages.ask(now))
        now += 2_000
    assert 1 == len(bd.calls)
    stages.stage_of("bd-1", "/shop")
    asyncio.run(stages.ask(now + AGAIN_AFTER_MS))
    assert 2 == len(bd.calls)
    asyncio.run(stages.ask(now + 3 * AGAIN_AFTER_MS))
    assert 2 == len(bd.calls)


def test_stage_of_a_label(tmp_path: Path) -> None:
    """The stage that a label names is there at a later look; bd is asked once."""
    bd = Project(lambda folder, words: [{"id": words[2], "labels": ["x", "stage:" + "r" * 300]}])
    settings = BeadsSettings(comment=True)
    stages = BeadStages(Issues(cast(Bd, bd), lambda: settings, tmp_path / "x"), lambda: settings)
    for _ in range(3):
        stages.stage_of("bd-1", "/shop")
        asyncio.run(stages.ask(NINE_MS))
    assert 64 == len(stages.stage_of("bd-1", "/shop"))
    assert 1 == len(bd.calls)


def test_a_full_disk(store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What can't be saved is logged once, until it goes well or something else fails."""
    full, told = FullStore(store), list[str]()
    bd = Project(lambda folder, words: [{"id": "bd-1", "issue_id": "bd-1", "text": "marker"}])
    queue = Queue(cast(Store, full), bd, tmp_path / "draft")
    stages = BeadStages(
        Issues(cast(Bd, bd), lambda: queue.settings, tmp_path), lambda: queue.settings
    )
    talk = Talk(stages, queue.comments, told.append)
    comment = PendingComment("w-1", "m:1", "bd-1", "/shop", "marker", "marker\n", queue.now)
    store.write(lambda transaction: transaction.errands.save_comment(comment))

    def logged(turns: int) -> int:
        caplog.clear()
        for _ in range(turns):
            asyncio.run(talk.take_turn(queue.now))
        return len(caplog.records)

    assert (logged(5), len(told)) == (1, 5)
    full.error = OSError(errno.EIO, "the disk is broken")
    assert logged(5) == 1
    full.error = None
    assert (logged(1), queue.comments.waiting) == (0, 0)
