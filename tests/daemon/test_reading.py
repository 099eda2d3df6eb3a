"""Scans of whole logs, one at a time and as a backlog in several processes."""

import asyncio
import json
from collections import deque
from pathlib import Path

import msgspec
import pytest

from tollkeeper_daemon.labels.task_ids import TaskIds
from tollkeeper_daemon.reading import backlog, worker
from tollkeeper_daemon.reading.backlog import Progress, plan, read_backlog
from tollkeeper_daemon.reading.scan import Helper, Scan, scan_log
from tollkeeper_daemon.reading.worker import Job, read_encoded_lot, read_lot
from tollkeeper_daemon.records import FileMark, Profile
from tollkeeper_daemon.sources import tail

from .lines import NOW, PROJECT, as_block, as_line, assistant, sample_logs, scanned, usage
from .shelf import account_of_shelf, post

SUBAGENT = "/h/projects/-p/conv-1/subagents/agent-h1.jsonl"


def write_log(path: Path, replies: int) -> Path:
    """A log of so many replies."""
    lines = [assistant(usage(output=1), message=f"m{i}", request=f"r{i}") for i in range(replies)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_block(lines))
    return path


def test_scan_merges_the_lines_of_a_request() -> None:
    """A scan holds one reply for each request, as its lines come to together."""
    scan = scanned(assistant(usage(output=output)) for output in (1, 1, 500))
    (found,) = scan.replies
    assert 500 == found.output


def test_scan_keeps_the_latest_profile() -> None:
    """Of what lines say of a conversation the last word counts, and no silence takes it back."""
    said = [
        {"type": "custom-title", "customTitle": "one"},
        {"type": "cost-state", "totalCostUSD": 1, "totalLinesAdded": 5, "totalLinesRemoved": 4},
        {"type": "session-owner", "accountUuid": "acc"},
        {"type": "agent-name", "agentName": "two"},
        {"type": "cost-state", "totalCostUSD": None},
        {"type": "session-owner", "accountUuid": None},
        {"type": "custom-title"},
    ]
    scan = scanned(as_line({**fields, "sessionId": "c"}) for fields in said)
    assert (Profile("c", "two", "acc", 1_000_000_000, 5, 4),) == scan.profiles


def test_helper_of_an_unnamed_log(tmp_path: Path) -> None:
    """What a subagent's lines leave unsaid, the log's name and the note beside it say."""
    log = write_log(tmp_path / "projects/-p/conv-1/subagents/agent-h1.jsonl", 1)
    note = {"agentType": "analyst", "description": "look at it", "finished": True}
    log.with_name("agent-h1.meta.json").write_text(json.dumps(note))
    scan = scan_log(str(log), None, NOW)
    assert scan
    assert Helper("h1", "analyst", "look at it", True) == scan.helper
    assert ("h1", "analyst") == (scan.replies[0].subagent, scan.replies[0].subagent_type)


def test_line_goes_before_the_note() -> None:
    """A line's own word on its subagent goes before the log's name."""
    scan = scanned([assistant(agentId="h2", attributionAgent="writer")], SUBAGENT)
    assert ("h2", "writer") == (scan.replies[0].subagent, scan.replies[0].subagent_type)


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b"\xff", b'{"agentType": 5}', b'{"a": 1}'])
def test_bad_note(tmp_path: Path, note: bytes) -> None:
    """A note that can't be read leaves the log's name."""
    log = write_log(tmp_path / "subagents/agent-h1.jsonl", 1)
    log.with_name("agent-h1.meta.json").write_bytes(note)
    scan = scan_log(str(log), None, NOW)
    assert scan
    assert Helper("h1", "", "", False) == scan.helper


def test_scan_of_a_log_that_is_gone(tmp_path: Path) -> None:
    """A log that is gone is no scan."""
    assert scan_log(str(tmp_path / "none.jsonl"), None, NOW) is None


def test_lot_reads_each_log_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lot comes in blocks, goes on where the last ended, and passes what can't be read."""
    monkeypatch.setattr(tail, "BLOCK", 4_096)
    logs = [write_log(tmp_path / f"{name}.jsonl", 40) for name in "ab"]
    (tmp_path / "dir.jsonl").mkdir()
    paths = [str(logs[0]), str(tmp_path / "dir.jsonl"), str(tmp_path / "none.jsonl"), str(logs[1])]
    scans = read_lot([Job(path, None, 1) for path in paths])
    for log in logs:
        mine = [scan for scan in scans if scan.path == str(log)]
        assert len(mine) > 2
        assert 40 == sum(len(scan.replies) for scan in mine)
        assert log.stat().st_size == mine[-1].mark.offset == sum(scan.bytes for scan in mine)
    rest = read_lot([Job(str(logs[0]), scans[0].mark, 1)])
    assert 40 == len(scans[0].replies) + sum(len(scan.replies) for scan in rest)


def test_lot_passes_a_log_that_breaks_the_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A log that the reader itself fails on is named, and costs none of the others."""
    logs = [write_log(tmp_path / f"{name}.jsonl", 1) for name in "abc"]

    def read(path: str, mark: FileMark | None, now: int, ids: TaskIds) -> Scan | None:
        if path == str(logs[1]):
            raise OverflowError("on purpose")
        return scan_log(path, mark, now, ids)

    monkeypatch.setattr(worker, "scan_log", read)
    scans = read_lot([Job(str(path), None, 1) for path in logs])
    assert [str(logs[0]), str(logs[2])] == [scan.path for scan in scans]
    assert str(logs[1]) in caplog.text


def test_lot_that_no_worker_can_hand_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails in a worker, or on its way from there, is read by the daemon itself."""
    monkeypatch.setattr(backlog, "WORTH_WORKERS", 0)
    monkeypatch.setattr(backlog, "read_encoded_lot", int)
    log = write_log(tmp_path / "a.jsonl", 20)
    progress = Progress(log.stat().st_size)
    scans = read_all(deque([Job(str(log), None, progress.total)]), progress)
    assert 20 == sum(len(scan.replies) for scan in scans)
    assert progress.total == progress.done


def test_lot_travels_between_processes(tmp_path: Path) -> None:
    """Jobs and scans are the same after a journey as MessagePack."""
    lot = [Job(str(path), FileMark(str(path)), 1, 2.5) for path in sample_logs()]
    sent = msgspec.msgpack.encode(lot)
    assert read_lot(lot) == msgspec.msgpack.decode(read_encoded_lot(sent), type=list[Scan])


def test_newest_first() -> None:
    """The log that was written last is read first."""
    jobs = [Job(str(each), None, 1, each) for each in (2.0, 3.0, 1.0)]
    assert ["3.0", "2.0", "1.0"] == [job.path for job in plan(jobs)]


def read_all(jobs: deque[Job], progress: Progress) -> list[Scan]:
    """The scans of a backlog."""

    async def collect() -> list[Scan]:
        return [scan async for lot in read_backlog(jobs, progress) for scan in lot]

    return asyncio.run(collect())


@pytest.mark.parametrize("workers", [False, True])
def test_backlog(workers: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """History read here or by workers comes to the same account, and all bytes are told."""
    monkeypatch.setattr(backlog, "WORTH_WORKERS", 0 if workers else 1 << 60)
    logs = [*sample_logs(), *(write_log(tmp_path / f"{i}.jsonl", 20) for i in range(5))]
    jobs = plan([Job(str(p), None, p.stat().st_size, p.stat().st_mtime) for p in logs])
    progress = Progress(sum(job.bytes for job in jobs))
    scans = read_all(jobs, progress)
    expected = [scanned(path.read_bytes().splitlines(), str(path)) for path in logs]
    assert account_of_shelf(post(*(scan.replies for scan in expected))) == account_of_shelf(
        post(*(scan.replies for scan in scans))
    )
    assert progress.total == progress.done
    assert {str(path) for path in logs} == {scan.path for scan in scans}


def test_backlog_of_a_big_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log larger than one task should read comes in several lots."""
    monkeypatch.setattr(tail, "BLOCK", 2_048)
    monkeypatch.setattr(worker, "TASK_BYTES", 4_096)
    log = write_log(tmp_path / "a.jsonl", 60)
    progress = Progress(log.stat().st_size)
    scans = read_all(deque([Job(str(log), None, progress.total)]), progress)
    assert 60 == sum(len(scan.replies) for scan in scans)
    assert progress.total == progress.done


def test_samples_are_where_the_tests_look() -> None:
    """The sample home holds five logs, one of them a subagent's."""
    assert 5 == len(sample_logs())
    assert PROJECT.is_dir()
