"""What status lines and hooks leave in the inbox: read as the client wrote it, and never trusted."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper.letters import is_alive, leave_status, report_hook
from tollkeeper.paths import Paths, find_paths
from tollkeeper_daemon.outlets.alive import Alive
from tollkeeper_daemon.sources import inbox
from tollkeeper_daemon.transcript.letters import (
    HookReport,
    Sighting,
    parse_hook,
    parse_status_line,
)

DATA = Path(__file__).parent.parent / "data"
NOW = 1_795_340_000_000
CONVERSATION = "473839a4-2603-4c7c-95bb-3f253017e44a"
ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


def handed(kind: str = "subscription", /, **changed: Any) -> dict[str, Any]:
    """What the real client handed to its status line, with some of it changed."""
    return {**json.loads((DATA / "statusline" / f"{kind}.json").read_bytes()), **changed}


def line_of(content: dict[str, Any]) -> Any:
    """The status line's input as it is read."""
    return parse_status_line(json.dumps(content).encode())


# What the client hands to its status line.


def test_status_line_of_the_client() -> None:
    """The plan's windows, and how full the context is, are what the real client says."""
    line = line_of(handed())
    assert (line.conversation, line.context_used_percent, line.refused) == (CONVERSATION, 2, 0)
    assert line.log.endswith(f"{CONVERSATION}.jsonl")
    assert line.on_plan
    assert line.windows == (
        Sighting("five_hour", 42, 1_795_348_249_000),
        Sighting("seven_day", 13, 1_795_773_049_000),
    )
    spent = line_of(handed("limit-reached"))
    assert spent.windows == (Sighting("five_hour", 100, 1_795_344_668_000),)
    fresh = line_of(handed("before-first-reply"))
    assert (fresh.on_plan, fresh.windows, fresh.context_used_percent) == (False, (), None)
    assert (fresh.model, fresh.lines) == ("claude-opus-5-5", (0, 0))


@pytest.mark.parametrize("percent", [1_795_348_249, 100.5, -1, None, "42", [42]])
def test_no_percentage(percent: object) -> None:
    """What is no percentage, such as the time that a bug of the client puts there, is refused."""
    limits = handed()["rate_limits"]
    limits["five_hour"]["used_percentage"] = percent
    line = line_of(handed(rate_limits=limits))
    assert [each.window for each in line.windows] == ["seven_day"]
    assert line.refused == 1
    assert line.context_used_percent == 2


@given(part=st.sampled_from(["rate_limits", "context_window", "cost", "model"]), value=ANY_JSON)
def test_a_broken_part(part: str, value: object) -> None:
    """A part that is anything else spoils no other part."""
    line = line_of(handed(**{part: value}))
    assert line.conversation == CONVERSATION
    assert part == "rate_limits" or len(line.windows) == 2
    assert part == "context_window" or line.context_used_percent == 2


@given(st.binary(max_size=60) | ANY_JSON.map(lambda value: json.dumps(value).encode()))
def test_no_letter(content: bytes) -> None:
    """What is no letter is a ValueError, whatever it is."""
    for parse in (parse_status_line, parse_hook):
        with pytest.raises(ValueError, match="no (input|report)"):
            parse(content)


# What hooks report.


@pytest.fixture
def home(tmp_path: Path) -> Paths:
    """The directories of a Tollkeeper."""
    return find_paths({"TOLL_HOME": str(tmp_path / "toll")})


@pytest.fixture
def run(home: Paths) -> str:
    """A run directory in which a daemon lives."""
    home.status_inbox.mkdir(parents=True)
    Alive(home.alive).beat(4_000_000_000_000)
    return str(home.run)


def hooked(name: str) -> dict[object, object]:
    """What the real client handed to a hook."""
    return json.loads((DATA / "hooks" / f"{name}.json").read_bytes())


def reported(run: str) -> list[HookReport]:
    """What lies in the inbox of hooks, which is emptied."""
    letters = inbox.take(Path(run, "inbox"))
    assert letters.bad == 0
    return [parse_hook(each) for each in letters.contents]


def everything(run: str) -> list[Path]:
    """The files in the inbox, of whatever kind."""
    return [each for each in Path(run, "inbox").rglob("*") if each.is_file()]


@pytest.mark.parametrize("file", sorted((DATA / "hooks").iterdir()), ids=lambda file: file.stem)
def test_no_text_is_kept(run: str, file: Path) -> None:
    """Of what the real client hands to a hook, no prompt, reply, command or result is written."""
    report_hook(run, hooked(file.stem), {"CLAUDE_PID": "77"})
    [letter] = everything(run)
    written = letter.read_text()
    for text in ("RUNBASH", "All done", "echo", "sub done", "You've hit", "tool_use", "say"):
        assert text not in written
    [report] = reported(run)
    assert report.event == file.stem.partition("-")[0]
    assert (report.conversation, report.pid) == (hooked(file.stem)["session_id"], 77)
    assert everything(run) == []


def test_what_a_hook_reports(run: str) -> None:
    """A subagent has its id and type, an error and a notification their kind; all in order."""
    report_hook(run, hooked("SubagentStart"), {})
    report_hook(run, hooked("StopFailure"), {})
    notification = {**hooked("Stop"), "hook_event_name": "Notification"}
    report_hook(run, {**notification, "notification_type": "permission_prompt"}, {})
    started, failed, notified = reported(run)
    assert (started.helper, started.helper_type) == ("a3a12fa752ff6af55", "analyst")
    assert failed.detail == "rate_limit"
    assert notified.detail == "permission_prompt"


def test_text_where_a_kind_could_be(run: str) -> None:
    """What is no kind of an error, or of a notification, is left out: it may be anybody's text."""
    told = "Command failed: curl -H 'Authorization: Bearer secret'"
    for event, field in [
        ("PostToolUseFailure", "error"),
        ("StopFailure", "error"),
        ("Notification", "notification_type"),
        ("Stop", "notification_type"),
    ]:
        report_hook(run, {**hooked("Stop"), "hook_event_name": event, field: told}, {})
    assert [each.detail for each in reported(run)] == [""] * 4


def test_without_a_daemon(home: Paths) -> None:
    """Nothing is left where no daemon lives, nor where one died: nobody would take it away."""
    home.status_inbox.mkdir(parents=True)
    for _ in range(2):
        report_hook(str(home.run), hooked("Stop"), {})
        leave_status(str(home.run), CONVERSATION, b"{}")
        assert everything(str(home.run)) == []
        Alive(home.alive).beat(1_000_000)
        assert not is_alive(str(home.run))
    Alive(home.alive).end()
    assert not home.alive.exists()


# The inbox.


LATER = 10**9
AT_LAST = inbox.FORGOTTEN_AFTER_NS + 2 * LATER


def conversations(slips: inbox.Slips, later: int = LATER) -> list[str]:
    """Which status lines were refreshed, some time after they were."""
    found, bad = slips.new(time.time_ns() + later)
    assert bad == 0
    return sorted(parse_status_line(each.content).conversation for each in found)


def test_a_status_line_replaces_the_last(run: str) -> None:
    """Of each conversation the latest is read, once, however often its status line is refreshed."""
    slips = inbox.Slips(Path(run, "inbox", "status"))
    for number in range(5):
        leave_status(run, CONVERSATION, b'{"session_id":"%d"}' % number)
        leave_status(run, "other", b'{"session_id":"other"}')
    assert conversations(slips) == ["4", "other"]
    assert conversations(slips) == []
    leave_status(run, "other", b'{"session_id":"again"}')
    assert conversations(slips) == ["again"]
    assert conversations(slips, AT_LAST) == []
    assert everything(run) == []


def test_half_written(run: str) -> None:
    """What is being written just now, or is not begun yet, is left for the next look."""
    slips = inbox.Slips(Path(run, "inbox", "status"))
    slip = Path(run, "inbox", "status", "x")
    slip.touch()
    assert conversations(slips) == []
    slip.write_bytes(b'{"session_id":')
    assert slips.new(slip.stat().st_mtime_ns) == ([], 0)
    slip.write_bytes(b'{"session_id":"whole"}')
    assert conversations(slips) == ["whole"]


def test_links_and_folders_are_no_slips(run: str, tmp_path: Path) -> None:
    """What is no file of its own is counted, once, and leads nowhere."""
    folder = Path(run, "inbox", "status")
    secret = tmp_path / "secret"
    secret.write_text('{"session_id":"secret"}')
    (folder / "link").symlink_to(secret)
    (folder / "folder").mkdir()
    slips = inbox.Slips(folder)
    assert [slips.new(time.time_ns() + LATER) for _ in range(2)] == [([], 2), ([], 0)]


def test_no_way_out(run: str) -> None:
    """A conversation that names a path leads nowhere."""
    leave_status(run, "../alive", b"x")
    leave_status(run, "", b"x")
    assert everything(run) == []


def test_what_else_lies_there(run: str, tmp_path: Path) -> None:
    """Pipes, folders and links are no letters; they hold nothing up, and what is right is read."""
    folder = Path(run, "inbox")
    os.mkfifo(folder / "hook-1")
    (folder / "hook-2").mkdir()
    secret = tmp_path / "secret"
    secret.write_text("{}")
    (folder / "hook-3").symlink_to(secret)
    (folder / ".hook-half").write_text("{")
    report_hook(run, hooked("Stop"), {})
    letters = inbox.take(folder)
    assert len(letters.contents) == 1
    assert letters.bad == 2
    assert secret.exists()
    assert sorted(each.name for each in folder.iterdir()) == [".hook-half", "hook-2", "status"]


def test_a_flood(run: str) -> None:
    """A flood is taken in turns, in order, and nothing of it is lost."""
    count = inbox.MOST_AT_ONCE + 10
    for number in range(count):
        report_hook(run, {**hooked("Stop"), "session_id": f"c{number}"}, {})
    folder = Path(run, "inbox")
    first, second = inbox.take(folder), inbox.take(folder)
    assert (first.more, second.more) == (True, False)
    found = [parse_hook(each).conversation for each in (*first.contents, *second.contents)]
    assert found == [f"c{number}" for number in range(count)]
