"""Whatever lies in the home, the lines beside it count, and the daemon stays up and quick."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from waiting import wait_until

from . import lines
from .claude_home import ClaudeHome, Log
from .keeper import Keeper
from .lines import Tokens, encode

MB = 1 << 20


def _json(writer: lines.Writer, **changes: object) -> bytes:
    """A reply's line with some fields set to something else; dotted names reach inside."""
    line = json.loads(lines.reply(writer))
    for name, value in changes.items():
        *path, last = name.split("__")
        inside = line
        for part in path:
            inside = inside[part]
        inside[last] = value
    return encode(line)


BAD_LINES = {
    "no JSON": b"hello\n",
    "half": b'{"type":"assistant","message":{"id":"msg\n',
    "nested 10,000 deep": b'{"type":"assistant","message":' + b"[" * 10_000 + b"\n",
    "nested and closed": b'{"type":"assistant","message":{"usage":'
    + b'{"iterations":' * 10_000
    + b"1"
    + b"}" * 10_002
    + b"\n",
    "invalid UTF-8": b'{"type":"assistant","message":{"id":"\xff\xfe"}}\n',
    "null bytes": b"\x00" * 1000 + b"\n",
    "a list": b"[1, 2, 3]\n",
    "negative tokens": b'{"type":"assistant","message":{"id":"m","usage":{"input_tokens":-5}}}\n',
    "endless tokens": b'{"type":"assistant","message":{"id":"m","usage":{"input_tokens":1e999}}}\n',
}


def test_bad_lines_are_counted_and_passed(daemon: Keeper, home: ClaudeHome) -> None:
    """A line that can't be read is counted as bad; the lines before and after it count."""
    for number, line in enumerate(BAD_LINES.values(), 1):
        log = home.log()
        log.append(lines.reply(log.writer) + line + lines.reply(log.writer))
        daemon.wait_for_requests(2 * number)
        assert daemon.report("health")["bad_lines"] == number, line[:80]
    assert daemon.restart().report("health")["bad_lines"] == len(BAD_LINES)


RESET_LONG_AGO = (
    b'{"type":"assistant","sessionId":"s","isApiErrorMessage":true,'
    b'"quotaLimits":{"status":"rejected","resetsAt":-1e300},'
    b'"message":{"id":"m","model":"<synthetic>","content":[]}}\n'
)


@pytest.mark.parametrize("megabytes", [5, 30], ids=["here", "by workers"])
def test_bad_line_in_the_history(keeper: Keeper, home: ClaudeHome, megabytes: int) -> None:
    """A line of the history that can't be read is counted; the import ends, with all the rest."""
    log, other = home.log(), home.log()
    log.append(lines.reply(log.writer) + RESET_LONG_AGO + lines.reply(log.writer))
    other.append(lines.tool_result(other.writer, "x" * MB) * megabytes + lines.reply(other.writer))
    keeper.start().wait_for_requests(3)
    keeper.wait_for(lambda status: status.daemon.importing is None)
    assert keeper.report("health")["bad_lines"] == 1
    assert not keeper.toll.status().alerts


ODD_VALUES: dict[str, Callable[[lines.Writer], bytes]] = {
    "long ids": lambda writer: _json(writer, message__id="m" * 100_000, requestId="r" * 100_000),
    "empty ids": lambda writer: _json(writer, message__id="", requestId="", uuid=""),
    "no ids": lambda writer: _json(writer, message__id=None, requestId=None),
    "half a character": lambda writer: lines.reply(writer).replace(b"req_011", rb"\ud800"),
    "half a name": lambda writer: lines.reply(writer).replace(b'"id":"', rb'"id":"\udfff'),
    "half a conversation": lambda writer: lines.reply(writer).replace(
        b'"sessionId":"', rb'"sessionId":"\ud800'
    ),
    "half a model": lambda writer: lines.reply(writer).replace(b"claude-opus", rb"\ud800"),
    "null byte in ids": lambda writer: _json(writer, message__id="a\x00b", sessionId="\x00"),
    "long conversation": lambda writer: _json(writer, sessionId="s" * 100_000),
    "long model": lambda writer: _json(writer, message__model="claude-" + "x" * 100_000),
    "no conversation": lambda writer: _json(writer, sessionId=None),
    "path as conversation": lambda writer: _json(writer, sessionId="../../../etc/passwd"),
    "year 0001": lambda writer: _json(writer, timestamp="0001-01-01T00:00:00Z"),
    "year 9999": lambda writer: _json(writer, timestamp="9999-12-31T23:59:59Z"),
    "1969": lambda writer: _json(writer, timestamp="1969-12-31T23:59:59Z"),
    "no time": lambda writer: _json(writer, timestamp="soon"),
    "most tokens": lambda writer: lines.reply(writer, Tokens(*(10**9,) * 5)),
    "markup": lambda writer: _json(writer, message__model="[bold]claude[/x]", cwd="[red]"),
}


def test_odd_values_harm_nobody(daemon: Keeper, home: ClaudeHome) -> None:
    """A line with a strange value in it, counted or not, leaves its neighbours be."""
    for name, odd in ODD_VALUES.items():
        log, before = home.log(), daemon.requests()
        log.append(lines.reply(log.writer) + odd(log.writer) + lines.reply(log.writer))
        wait_until(lambda before=before: daemon.requests() >= before + 2, what=name)
        counted = daemon.requests()
        log.reply()
        wait_until(lambda counted=counted: daemon.requests() == counted + 1, what=name)


def test_odd_values_can_be_shown(keeper: Keeper, home: ClaudeHome) -> None:
    """Every command shows a ledger full of strange values, which outlives a restart."""
    log = home.log()
    for odd in ODD_VALUES.values():
        log.append(odd(log.writer))
    log.reply()
    counted = keeper.start().requests()
    assert keeper.restart().requests() == counted
    for verb in ("status", "agents", "daily", "session"):
        shown = keeper.run(verb)
        assert (shown.returncode, shown.stderr) == (0, "")
        keeper.json(verb)


def test_line_of_100_megabytes(daemon: Keeper, home: ClaudeHome) -> None:
    """A line too long to be read is dropped and counted while it is written, and soon over."""
    log = home.log()
    log.reply()
    daemon.wait_for_requests(1)
    with open(log.path, "ab") as file:
        file.truncate(file.tell() + 50 * MB)
        file.seek(0, os.SEEK_END)
        file.flush()
        slowest = _slowest_answer(daemon, 10)
        file.truncate(file.tell() + 50 * MB)
    log.append(b"\n" + lines.reply(log.writer))
    daemon.wait_for_requests(2)
    assert daemon.report("health")["bad_lines"] == 1
    assert slowest < 2


def test_things_that_are_no_logs(daemon: Keeper, home: ClaudeHome) -> None:
    """Pipes, folders, loops and unreadable files with a log's name are passed over, live."""
    log = home.log()
    log.reply()
    daemon.wait_for_requests(1)
    _make_odd_files(log)
    log.reply()
    home.log("other").reply()
    daemon.wait_for_requests(3)
    assert _slowest_answer(daemon, 5) < 1


def test_things_that_are_no_logs_at_the_start(keeper: Keeper, home: ClaudeHome) -> None:
    """Pipes, folders, loops and unreadable files hide no log beside them from a starting daemon."""
    log = home.log()
    log.reply()
    _make_odd_files(log)
    for number in range(5):
        Log(log.path.with_name(f"zz-{number}.jsonl"), log.writer).reply()
    keeper.start()
    assert keeper.requests() == 6


def _make_odd_files(log: Log) -> None:
    folder = log.path.parent
    os.mkfifo(folder / "fifo.jsonl")
    (folder / "folder.jsonl").mkdir()
    (folder / "loop.jsonl").symlink_to("loop.jsonl")
    (folder / "one.jsonl").symlink_to("two.jsonl")
    (folder / "two.jsonl").symlink_to("one.jsonl")
    (folder / "nowhere.jsonl").symlink_to("/nowhere/at/all.jsonl")
    (folder / "up").symlink_to("..", target_is_directory=True)
    (folder / "device.jsonl").symlink_to("/dev/zero")
    (folder / "empty.jsonl").touch()
    (folder / "locked.jsonl").touch(mode=0)
    os.close(os.open(os.fsencode(folder) + b"/\xff\xfe.jsonl", os.O_CREAT))
    name = "agent-pipe"
    subagents = log.path.with_suffix("") / "subagents"
    subagents.mkdir(parents=True)
    (subagents / f"{name}.jsonl").touch()
    os.mkfifo(subagents / f"{name}.meta.json")


def test_log_with_an_odd_name(daemon: Keeper, home: ClaudeHome) -> None:
    """A log whose name is no text counts like any other."""
    log = home.log()
    log.path.parent.mkdir()
    with open(os.fsencode(log.path.parent) + b"/\xff\xfe.jsonl", "ab") as file:
        file.write(lines.reply(log.writer))
    daemon.wait_for_requests(1)
    daemon.json("session")
    assert daemon.restart().requests() == 1


def test_same_log_twice(daemon: Keeper, home: ClaudeHome) -> None:
    """A log that is reached by a link as well is counted once."""
    log = home.log()
    log.reply()
    daemon.wait_for_requests(1)
    log.path.with_name("link.jsonl").symlink_to(log.path)
    os.link(log.path, log.path.with_name("hard.jsonl"))
    log.reply()
    daemon.wait_for_requests(2)
    assert daemon.restart().requests() == 2


SESSION_FILES: dict[str, Callable[[Path], object]] = {
    "half": lambda path: path.write_bytes(b"{"),
    "nothing": lambda path: path.touch(),
    "a list": lambda path: path.write_bytes(b"[]"),
    "another pid": lambda path: path.write_bytes(b'{"pid": 1}'),
    "a word as pid": lambda path: path.write_bytes(b'{"pid": "%s"}' % path.stem.encode()),
    "nested": lambda path: path.write_bytes(b'{"pid":' + b"[" * 100_000),
    "null bytes": lambda path: path.write_bytes(b"\x00" * 1000),
    "10 MB": lambda path: path.write_bytes(b'{"x":"' + b"x" * 10 * MB + b'"}'),
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a loop": lambda path: path.symlink_to(path.name),
}


def test_bad_session_files(keeper: Keeper, home: ClaudeHome) -> None:
    """Session files that say nothing are told by `toll doctor`, and hide no agent."""
    bad = [
        home.sessions / f"{pid}.json" for pid in range(4_194_900, 4_194_900 + len(SESSION_FILES))
    ]
    for path, make in zip(bad, SESSION_FILES.values(), strict=True):
        make(path)
    agent = keeper.start_agent()
    agent.says("idle")
    keeper.start()
    assert [each.pid for each in keeper.toll.agents()] == [agent.pid]
    assert keeper.report("health")["bad_session_files"] == [str(path) for path in bad]
    doctor = keeper.run("doctor")
    assert doctor.returncode == 1
    assert [path for path in bad if str(path) not in doctor.stdout] == []


@pytest.mark.parametrize("name", ["half", "a pipe", "10 MB"])
def test_bad_session_file_comes(daemon: Keeper, home: ClaudeHome, name: str) -> None:
    """A bad session file that comes while the daemon runs does not hold it up."""
    SESSION_FILES[name](home.sessions / "4194999.json")
    agent = daemon.start_agent()
    agent.says("idle")
    daemon.wait_for(lambda status: [each.pid for each in status.agents] == [agent.pid])


def test_impossible_pids(daemon: Keeper, home: ClaudeHome) -> None:
    """Session files for pids that can't be an agent's make none."""
    for pid in ("0", "1", str(2**31), str(2**64), "9" * 100):
        (home.sessions / f"{pid}.json").write_text(f'{{"pid": {pid}, "procStart": "5"}}')
    agent = daemon.start_agent()
    agent.says("idle")
    daemon.wait_for(lambda status: [each.pid for each in status.agents] == [agent.pid])


def test_agent_with_odd_words(daemon: Keeper) -> None:
    """Names, labels and directories with control characters or markup in them are no trouble."""
    labels = {"TOLL_AGENT": "[/red]\x1b[31mAda\n", "TOLL_TASK": "x" * 10_000}
    agent = daemon.start_agent("[/bold] shop\n", labels)
    agent.says("waiting", waitingFor="[/]\x1b]0;title\x07")
    helper = agent.log.subagent("[/]\x1b[2J", "\x1b[2J")
    helper.append(lines.reply(helper.writer, model="[/x]\x1b[2J"))
    agent.log.append(encode({"type": "custom-title", "customTitle": "\x9b2J[/]"}))
    daemon.wait_for_requests(1)
    for verb in ("status", "agents", "daily", "session", "doctor"):
        shown = daemon.run(verb)
        assert shown.stderr == ""
        assert not {"\x1b", "\x9b", "\x07", "\r"} & set(shown.stdout), verb
    assert "[/red]" in daemon.run("agents").stdout
    assert daemon.json("agents")[0]["name"] == labels["TOLL_AGENT"]


def _slowest_answer(daemon: Keeper, calls: int) -> float:
    slowest = 0.0
    for _ in range(calls):
        start = time.monotonic()
        daemon.toll.status()
        slowest = max(slowest, time.monotonic() - start)
    return slowest
