"""Whole homes, from their bytes: however the logs are cut, ordered and read again, the books agree."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from fleeting import fleeting_folder
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.reading.scan import Scan, scan_log
from tollkeeper_daemon.records import FileMark
from tollkeeper_daemon.store.store import Store

from .homes import Home, homes
from .lines import NOW, as_block
from .shelf import PRICES, DictShelf, account_of_shelf, account_of_store, post

# TOLL_EXAMPLES=3000 hunts for holes.
EXAMPLES = int(os.environ.get("TOLL_EXAMPLES", "60"))


class Teller:
    """Writes a home piece by piece, and reads each log on from its mark, or from its start."""

    def __init__(self, folder: Path, home: Home) -> None:
        self._folder = folder
        self._left = {path: as_block(lines) for path, lines in home.items()}
        self._marks: dict[str, FileMark] = {}

    def tell(self, draw: st.DrawFn) -> Iterator[Scan]:
        """Scans of the logs as they grow, in an order of its own, until all is told."""
        while self._left:
            path = draw(st.sampled_from(sorted(self._left)))
            rest = self._left[path]
            size = draw(st.sampled_from([len(rest), len(rest) // 2, draw(_sizes)]))
            self._append(path, rest[:size])
            self._left[path] = rest[size:]
            if not self._left[path]:
                del self._left[path]
            if draw(st.integers(0, 3)) or path not in self._left:
                yield self._read(path, again=draw(st.integers(0, 4)) == 0)

    def tell_whole(self) -> Iterator[Scan]:
        """One scan of each log."""
        for path, content in self._left.items():
            self._append(path, content)
            yield self._read(path, again=True)

    def _append(self, path: str, content: bytes) -> None:
        log = self._folder / path
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            file.write(content)

    def _read(self, path: str, *, again: bool) -> Scan:
        scan = scan_log(str(self._folder / path), None if again else self._marks.get(path), NOW)
        assert scan
        assert not scan.more
        self._marks[path] = scan.mark
        return scan


_sizes = st.integers(1, 4_000)


@st.composite
def told_twice(draw: st.DrawFn) -> tuple[list[Scan], list[Scan]]:
    """The scans of a home that is read whole, and of the same as it grew."""
    home = draw(homes())
    with tempfile.TemporaryDirectory() as folder:
        whole = list(Teller(Path(folder, "a"), home).tell_whole())
        pieces = list(Teller(Path(folder, "b"), home).tell(draw))
    return whole, pieces


def shelf_of(scans: list[Scan]) -> DictShelf:
    return post(*([*scan.replies, *scan.prompts] for scan in scans))


@settings(max_examples=EXAMPLES, deadline=None)
@given(told_twice())
def test_books_do_not_depend_on_the_telling(scans: tuple[list[Scan], list[Scan]]) -> None:
    """Groups, charges, sums by book, and prompts with their owners and answers are the same."""
    whole, pieces = (shelf_of(each) for each in scans)
    assert account_of_shelf(whole) == account_of_shelf(pieces)
    assert {key: noted.prompt for key, noted in whole.prompts.items()} == {
        key: noted.prompt for key, noted in pieces.prompts.items()
    }
    assert whole.total() == pieces.total()


@settings(max_examples=EXAMPLES // 4, deadline=None)
@given(told_twice())
def test_ledger_does_not_depend_on_the_telling(scans: tuple[list[Scan], list[Scan]]) -> None:
    """The stored ledger is the same, whether the pipeline is told at once or in pieces."""
    whole, pieces = scans
    with fleeting_folder() as folder:
        accounts = [
            _ledger(Path(folder, str(index)), batches)
            for index, batches in enumerate(([whole], [[scan] for scan in pieces]))
        ]
    assert accounts[0] == accounts[1]


def _ledger(folder: Path, batches: list[list[Scan]]) -> object:
    with Store(folder) as store:
        river = Pipeline(store, Roster(), PRICES, lambda path: ("api", ""))
        for batch in batches:
            river.post(batch, NOW)
        return account_of_store(store)
