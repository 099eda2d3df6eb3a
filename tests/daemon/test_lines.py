"""Lines wait in a queue until they can be written, and are given up when there is nothing to write to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tollkeeper_daemon.exchange.lines import GIVEN_UP_AFTER_MS, LAST_RETRY_MS, Lines
from tollkeeper_daemon.exchange.metrics_file import path_in
from tollkeeper_daemon.store.store import Store

from .lines import NINE_MS

LINE = b'{"tokens":1}\n'


class Queue:
    """The queue of lines, with what a person was told of it."""

    def __init__(self, store: Store) -> None:
        self.told: list[str] = []
        self.lines = Lines(store, self.told.append)
        self.store = store

    def add(self, project: Path, line: bytes = LINE) -> str:
        """A line of this project waits; the path of its file."""
        path = path_in(str(project))
        self.store.write(lambda t: t.errands.add_lines(path, 0, line, NINE_MS))
        return path

    @property
    def waiting(self) -> int:
        return len(self.store.read(lambda transaction: transaction.errands.lines()))


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    """An empty queue."""
    with Store(tmp_path / "ledger") as store:
        yield Queue(store)


def test_project_that_can_not_be_written_to(queue: Queue, tmp_path: Path) -> None:
    """It is tried again less and less often, in order, and holds no other project up."""
    bad, good = tmp_path / "bad", tmp_path / "good"
    for each in (bad, good):
        each.mkdir()
    (bad / ".claude").write_bytes(b"no folder")
    path = queue.add(bad)
    queue.add(bad, b"second\n")
    written = queue.add(good)
    queue.lines.look(NINE_MS)
    assert LINE == Path(written).read_bytes()
    assert {path: "Not a directory"} == {
        file: each.error for file, each in queue.lines.troubles.items()
    }
    assert [f"{path} can't be written (Not a directory): it is tried again"] == queue.told
    for now in (NINE_MS + 1_000, NINE_MS + 2_000, NINE_MS + 4_000):
        queue.lines.look(now)
    assert 2 == len(queue.told)
    (bad / ".claude").unlink()
    queue.lines.look(NINE_MS + 6_000)
    assert LINE + b"second\n" == Path(path).read_bytes()
    assert (0, {}) == (queue.waiting, queue.lines.troubles)


def test_clock_that_is_set_back(queue: Queue, tmp_path: Path) -> None:
    """What would be tried in a time that no wait explains is tried now."""
    (tmp_path / ".claude").write_bytes(b"")
    queue.add(tmp_path)
    queue.lines.look(NINE_MS)
    queue.lines.look(NINE_MS - 2 * LAST_RETRY_MS)
    assert 2 == len(queue.told)


def test_lines_that_are_given_up(queue: Queue, tmp_path: Path) -> None:
    """A project that is gone gets no line, and one that can't be written to none after a week."""
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / ".claude").write_bytes(b"")
    queue.add(tmp_path / "gone")
    queue.add(tmp_path / "bad")
    queue.lines.look(NINE_MS)
    assert 1 == queue.waiting
    queue.lines.look(NINE_MS + GIVEN_UP_AFTER_MS)
    assert 0 == queue.waiting
    assert not (tmp_path / "gone").exists()
