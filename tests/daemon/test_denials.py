"""The answers kept ready for hooks: who is refused, and what the hook of a refused one prints."""

import json
import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper_daemon.outlets.denials import LONGEST_REASON, Denials, answer

CONVERSATION = "295f9608-a58c-4d3d-9aad-667f1e4744a1"
REASON = "the budget of $5 is spent"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the answers lie; it is made when the first is written."""
    return tmp_path / "deny"


@pytest.fixture
def denials(folder: Path) -> Denials:
    return Denials(folder)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_answer() -> None:
    """The answer refuses the tool, ends the turn, and gives the reason for both."""
    assert json.loads(answer(REASON)) == {
        "continue": False,
        "stopReason": REASON,
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny",
            "permissionDecisionReason": REASON,
        },
    }


def test_deny_and_allow(denials: Denials, folder: Path) -> None:
    """Who is denied has a file with the answer, until it is allowed again."""
    assert denials.denied() == set()
    assert denials.deny(CONVERSATION, REASON)
    assert denials.deny("other_1", "paused by hand")
    assert denials.denied() == {CONVERSATION, "other_1"}
    assert (folder / CONVERSATION).read_bytes() == answer(REASON)
    denials.allow(CONVERSATION)
    denials.allow(CONVERSATION)
    assert denials.denied() == {"other_1"}


def test_a_new_reason_takes_the_old_ones_place(denials: Denials, folder: Path) -> None:
    """Denying twice leaves one file, with the newer reason, and nothing beside it."""
    assert denials.deny(CONVERSATION, "old")
    assert denials.deny(CONVERSATION, "new")
    assert os.listdir(folder) == [CONVERSATION]
    assert (folder / CONVERSATION).read_bytes() == answer("new")


def test_near(denials: Denials, folder: Path) -> None:
    """Marks of nearness follow what is near, name nobody refused, and go when nothing is near."""
    denials.mark_near({"a", "b", "../c"})
    assert {"a.near", "b.near"} == set(os.listdir(folder))
    denials.mark_near({"b"})
    assert {"b.near"} == set(os.listdir(folder))
    assert set() == denials.denied()
    Denials(folder).keep_only(())
    assert [] == os.listdir(folder)


def test_private(denials: Denials, folder: Path) -> None:
    """Folder and files are this user's alone, also when the folder was open before."""
    folder.mkdir(mode=0o755)
    assert denials.deny(CONVERSATION, REASON)
    assert (mode(folder), mode(folder / CONVERSATION)) == (0o700, 0o600)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "../../x",
        "/etc/x",
        "a/b",
        "a\0b",
        "a\nb",
        "a b",
        ".x",
        "é",
        "x" * 201,
    ],
)
def test_names_that_lead_elsewhere(denials: Denials, tmp_path: Path, name: str) -> None:
    """An id that is no plain name is not denied, and nothing is written or removed by it."""
    (tmp_path / "x").write_text("kept")
    assert not denials.deny(name, REASON)
    denials.allow(name)
    assert [path.name for path in tmp_path.rglob("*")] == ["x"]


@given(st.text(max_size=20) | st.from_regex(r"[-_.a-z0-9]*", fullmatch=True))
def test_any_name(name: str) -> None:
    """Whatever the id, it is refused, or its file lies right in the folder."""
    with tempfile.TemporaryDirectory() as top:
        denials = Denials(Path(top, "deny"))
        denied = {name} if denials.deny(name, REASON) else set[str]()
        assert denials.denied() == denied
        files = {str(path.relative_to(top)) for path in Path(top).rglob("*") if path.is_file()}
        assert files == {f"deny/{name}" for name in denied}


@given(st.text(st.characters(), max_size=2 * LONGEST_REASON))
def test_any_reason(reason: str) -> None:
    """Whatever the reason, the answer is one line of ASCII and JSON, and bounded."""
    line = answer(reason)
    told = json.loads(line)
    assert line.isascii()
    assert (line.count(b"\n"), line.endswith(b"\n")) == (1, True)
    assert len(line) < 64 << 10
    assert told["stopReason"] == told["hookSpecificOutput"]["permissionDecisionReason"]
    assert told["stopReason"].isprintable()
    assert len(told["stopReason"]) == min(len(reason), LONGEST_REASON)


def test_odd_reasons() -> None:
    """Quotes stay as they are; what would move the cursor, or is no character, becomes a space."""
    told = json.loads(answer('say "no"\r\n\x1b[2J\x00é\ud800'))
    assert told["stopReason"] == 'say "no"   [2J é '


def test_what_an_earlier_daemon_left(denials: Denials, folder: Path) -> None:
    """At the start those stay that are wanted still; others go, and halves of files with them."""
    for name in ("a", "b", "c"):
        assert denials.deny(name, REASON)
    (folder / ".half").write_text("{")
    denials.keep_only({"a", "never-denied"})
    assert os.listdir(folder) == ["a"]


def test_nothing_left_without_a_folder(denials: Denials) -> None:
    """Without a folder there is nobody to release."""
    denials.keep_only(set())
    assert denials.denied() == set()


def test_can_not_write(denials: Denials, folder: Path) -> None:
    """Where the answer can't be written the caller hears of it, and may do something else."""
    folder.write_text("not a folder")
    assert not denials.deny(CONVERSATION, REASON)


def test_folder_is_a_link(denials: Denials, folder: Path, tmp_path: Path) -> None:
    """A folder that leads elsewhere is not written to."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder.symlink_to(elsewhere)
    assert not denials.deny(CONVERSATION, REASON)
    assert os.listdir(elsewhere) == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives folders away")
def test_folder_of_another_user(denials: Denials, folder: Path) -> None:
    """A folder that another user has made is not written to."""
    folder.mkdir()
    os.chown(folder, 12345, -1)
    assert not denials.deny(CONVERSATION, REASON)
    assert os.listdir(folder) == []


def test_the_name_is_taken_by_a_folder(denials: Denials, folder: Path) -> None:
    """A file that can't take its place leaves no half behind."""
    (folder / CONVERSATION).mkdir(parents=True)
    assert not denials.deny(CONVERSATION, REASON)
    assert os.listdir(folder) == [CONVERSATION]


def test_what_can_not_be_removed(denials: Denials, folder: Path) -> None:
    """A folder among the files, or a file in the folder's place, is passed over."""
    denials.deny("a", "spent")
    (folder / "x").mkdir()
    denials.keep_only(())
    assert [] == [each for each in os.listdir(folder) if each != "x"]
    (folder / "x").rmdir()
    folder.rmdir()
    folder.touch()
    Denials(folder).keep_only(())
