"""The store after it gave back its memory: it is opened again by who needs it."""

import errno
from pathlib import Path

import pytest

from tollkeeper_daemon.store.schema import VERSION
from tollkeeper_daemon.store.store import Store

from .shelf import post_to_store
from .test_ledger import reply
from .test_store import total_of


def test_letting_go_loses_nothing(tmp_path: Path) -> None:
    """After the memory was given back, the ledger reads and grows as before."""
    with Store(tmp_path) as store:
        post_to_store(store, [[reply("m1", "r1", output=1)]])
        store.let_go()
        assert 1 == total_of(store).requests
        post_to_store(store, [[reply("m1", "r1", output=1), reply("m2", "r2", output=2)]])
        assert (2, 3) == (total_of(store).requests, total_of(store).output)


@pytest.mark.parametrize("broken", ["_open", "Tables.__init__"])
def test_opened_again_when_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """A file that could not be opened after the memory was given back is opened by who needs it next."""

    def fails(*_: object) -> None:
        raise OSError(errno.ENOMEM, "no memory")

    with Store(tmp_path) as store:
        post_to_store(store, [[reply("m1", "r1", output=1)]])
        with monkeypatch.context() as patched:
            patched.setattr(f"tollkeeper_daemon.store.store.{broken}", fails)
            store.let_go()
            store.let_go()
            with pytest.raises(OSError, match="no memory"):
                total_of(store)
            with pytest.raises(OSError, match="no memory"):
                store.write(lambda transaction: transaction.set_meta("a", 1))
        assert 1 == total_of(store).requests
        post_to_store(store, [[reply("m1", "r1", output=1), reply("m2", "r2", output=2)]])
        assert (2, 3) == (total_of(store).requests, total_of(store).output)


def test_closed_while_let_go(tmp_path: Path) -> None:
    """A ledger that nobody needed since its memory was given back can be closed."""
    with Store(tmp_path) as store:
        store.let_go()
    with Store(tmp_path) as store:
        assert store.read(lambda transaction: transaction.meta("schema")) == VERSION
