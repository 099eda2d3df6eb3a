"""Edits: what of the tool calls in a log is counted, and kept once however it is read."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.records import Edit, Edits
from tollkeeper_daemon.store import edit_shelf
from tollkeeper_daemon.store.store import Store

from .lines import NINE_MS, NOW, OPUS, as_line, assistant, scanned, usage, user
from .shelf import PRICES

MAIN = "/h/projects/-p/conv-1.jsonl"
SHOP = "/home/dev/src/shop/cart.py"
DOCS = "/home/dev/src/shop/docs.md"
EDIT = {"replace_all": False, "file_path": SHOP, "old_string": "a\nb", "new_string": "secret"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as store:
        yield store


def calls(tool: str, given: Any, second: int = 0, **more: Any) -> bytes:
    """A reply's block that calls this tool, so many seconds after nine."""
    block = {"type": "tool_use", "id": f"toolu_{second}", "name": tool, "input": given}
    return as_line(
        {
            "parentUuid": "line-0",
            "isSidechain": "agentId" in more,
            "message": {
                "model": OPUS,
                "id": f"msg-{second}",
                "role": "assistant",
                "content": [block],
                "usage": usage(output=5),
            },
            "requestId": f"req-{second}",
            "type": "assistant",
            "uuid": f"line-{second}",
            "timestamp": f"2026-11-22T09:00:{second:02}.000Z",
            "cwd": "/home/dev/src/shop",
            "sessionId": "conv-1",
            **more,
        }
    )


def edits_in(*lines: bytes, path: str = MAIN) -> tuple[Edits, ...]:
    """The edits in a log of these lines."""
    return scanned(lines, path).edits


def kept(store: Store) -> list[Edits]:
    """The edits in the store."""
    return store.read(lambda transaction: [*transaction.edits.all()])


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("Edit", EDIT),
        ("Edit", {"old_string": "x", "new_string": "y", "file_path": SHOP}),
        ("Write", {"file_path": SHOP, "content": "one\ntwo\n"}),
        ("MultiEdit", {"file_path": SHOP, "edits": [EDIT]}),
        ("NotebookEdit", {"notebook_path": SHOP, "new_source": "x"}),
    ],
)
def test_counted(tool: str, given: Any) -> None:
    """Each tool that changes a file tells when, which file, and how much."""
    [found] = edits_in(calls(tool, given, 7))
    assert ("conv-1", "", "") == (found.conversation, found.subagent, found.subagent_type)
    [edit] = found.edits
    assert (NINE_MS + 7_000, crc32(SHOP.encode())) == (edit.time, edit.file)
    assert len(str(given)) < edit.size < 2 * len(str(given)) + 100


@pytest.mark.parametrize(
    "line",
    [
        calls("Read", {"file_path": SHOP}),
        calls("Bash", {"command": '"name":"Edit" "file_path":"x"'}),
        calls("mcp__x__Edit", {"file_path": SHOP}),
        calls("Edit", {"old_string": '"file_path":"x"', "new_string": "y"}),
        calls("Edit", {"file_path": ["x"]}),
        calls("Edit", "file_path"),
        assistant(),
        user(calls("Edit", EDIT).decode()),
        user([{"type": "text", "text": calls("Edit", EDIT).decode()}]),
    ],
)
def test_not_counted(line: bytes) -> None:
    """What changes no file, or only speaks of an edit, is none."""
    assert () == edits_in(line)


def test_several_in_a_reply() -> None:
    """Each call counts, also those whose lines repeat what their reply used."""
    calling = [calls("Edit", {**EDIT, "file_path": path}, 3) for path in (SHOP, DOCS)]
    [found] = edits_in(*calling)
    assert [crc32(path.encode()) for path in (SHOP, DOCS)] == [each.file for each in found.edits]


def test_whose_they_are() -> None:
    """A subagent's are its own, as the lines or the log's name tell; a copy's are the parent's."""
    [found] = edits_in(calls("Edit", EDIT, agentId="h1", attributionAgent="implementer"))
    assert ("conv-1", "h1", "implementer") == (
        found.conversation,
        found.subagent,
        found.subagent_type,
    )
    [named] = edits_in(calls("Edit", EDIT), path="/h/projects/-p/conv-1/subagents/agent-h2.jsonl")
    assert "h2" == named.subagent
    [copied] = edits_in(calls("Edit", EDIT, requestSessionId="conv-0"))
    assert "conv-0" == copied.conversation


def test_nothing_is_told(store: Store) -> None:
    """Neither a path nor a text is kept."""
    river = Pipeline(store, Roster(), PRICES, lambda path: ("api", ""))
    river.post([scanned([calls("Edit", EDIT)], MAIN)], NOW)
    [found] = kept(store)
    assert 1 == len(found.edits)
    assert not any(word in repr(found) for word in ("secret", "cart", "dev"))


LINES = [calls("Edit", {**EDIT, "file_path": f"/f{n % 3}"}, n) for n in range(8)]


@settings(max_examples=30)
@given(st.lists(st.lists(st.sampled_from(LINES), max_size=8), max_size=6))
def test_any_reading(parts: list[list[bytes]]) -> None:
    """However a log is cut, and whatever of it is read again, each edit is kept once."""
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder)) as store:
        river = Pipeline(store, Roster(), PRICES, lambda path: ("api", ""))
        for part in parts:
            river.post([scanned(part, MAIN)], NOW)
        expected = sorted({line for part in parts for line in part}, key=LINES.index)
        assert [edit for each in edits_in(*expected) for edit in each.edits] == [
            edit for each in kept(store) for edit in each.edits
        ]


def test_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more than are kept the earliest stay, in whatever order they are read."""
    monkeypatch.setattr(edit_shelf, "MOST_KEPT", 3)
    for times in ((5, 4), (3, 9), (1, 2)):
        new = Edits("conv-1", "", "", tuple(Edit(time, 1, 1) for time in times))
        store.write(lambda transaction, new=new: transaction.edits.add(new))
    [found] = kept(store)
    assert [1, 2, 3] == [edit.time for edit in found.edits]
