"""Requests by an account of which nobody knows who pays: they stay with whom they would be with without a proxy."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tollkeeper_daemon.store.store import Store

from .lines import as_line
from .shelf import account_of_store
from .test_joins import SERVER, Asked, Event, after, counted, tell
from .test_pipeline import pipeline, post

OWNER = as_line({"type": "session-owner", "accountUuid": "acc-1", "sessionId": "conv-1"})


def test_stays_with_the_login(tmp_path: Path) -> None:
    """Such a request is counted once, for the login of its conversation, logged or not, and moves with that."""
    with Store(tmp_path) as store:
        river = pipeline(store)
        logged, unlogged = Asked(1), Asked(2, is_logged=False)
        post(river, *logged.lines(), *Asked(3, minute=1, account=None).lines())
        rows = [*logged.rows(), *unlogged.rows()]
        river.take_rows(replace(row, source="") for row in rows)
        tell(river, store, None)
        assert counted(store) == {"": 3}
        post(river, OWNER, *Asked(4, minute=-1, account=None).lines())
        assert counted(store) == {"acc-1": 4}


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_in_any_order(data: st.DataObject) -> None:
    """In which order lines and such rows come changes nothing."""
    some = [Asked(1), Asked(3, tells_id=False, output=23)]
    known, unknown = Asked(4), [row for each in some for row in each.rows()]
    rows = [*known.rows(), *(replace(row, source="") for row in unknown)]
    events: list[Event] = [line for each in (*some, known) for line in each.lines()]
    events += rows
    shuffled = data.draw(st.permutations([*events, None]))
    assert after([*events, None], account_of_store) == after([*shuffled, None], account_of_store)
    assert after([*shuffled, None], counted) == {"": 2, f"proxy {SERVER}/work": 1}
