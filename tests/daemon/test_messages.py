"""Messages by model: a prompt belongs to the model whose reply is the first that follows it."""

import itertools
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.ledger.ledger import Ledger
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.reading.scan import Scan, scan_log
from tollkeeper_daemon.records import FileMark, Prompt
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.transcript.answers import MOST_OPEN

from .entries import prompts
from .lines import (
    HAIKU,
    NINE_MS,
    NOW,
    OPUS,
    PROJECT,
    as_block,
    as_line,
    assistant,
    scanned,
    usage,
    user,
)
from .machine import process, session
from .shelf import PRICES, DictShelf, new_ledger, post

LOG = "/h/projects/-home-dev-src-shop/conv-1.jsonl"
SECOND = 1_000


def stamp(second: int) -> str:
    """So many seconds after nine, as a line bears it."""
    return f"2026-11-22T09:{second // 60:02}:{second % 60:02}.000Z"


def prompt(name: str, second: int = 0, **more: Any) -> bytes:
    """A prompt with this line id."""
    return user(uuid=name, timestamp=stamp(second), **more)


def reply(number: int, model: str | None = OPUS, second: int = 0, **more: Any) -> bytes:
    """A block of the reply with this number."""
    return assistant(
        message=f"msg_{number}",
        request=f"req_{number}",
        model=model,
        timestamp=stamp(second),
        **more,
    )


def queued(name: str) -> bytes:
    """A prompt that joined the running turn."""
    attached = {"type": "queued_command", "prompt": "and", "commandMode": "prompt"}
    return as_line({"type": "attachment", "attachment": attached, "uuid": name, "sessionId": "c"})


def models(*lines: bytes) -> dict[str, str]:
    """The model that answers each prompt in these lines, by the prompts' names."""
    return {each.line: each.model for each in scanned(lines, LOG).prompts}


def counted(shelf: DictShelf) -> Counter[str]:
    """Messages by model, as the sums have them."""
    found: Counter[str] = Counter()
    for (_, number), totals in shelf.sums.items():
        found[shelf.book(number).model] += totals.messages
    return +found


def test_next_reply_answers() -> None:
    """Each prompt is answered by the reply after it, in the order of the lines."""
    found = scanned(
        [prompt("a", 1), reply(1, OPUS, 2), prompt("b", 3), reply(2, HAIKU, 4), reply(3, OPUS, 5)]
    )
    assert [
        Prompt("a", "conv-1", NINE_MS + SECOND, "/home/dev/src/shop", False, NINE_MS + 2_000, OPUS),
        Prompt("b", "conv-1", NINE_MS + 3_000, "/home/dev/src/shop", False, NINE_MS + 4_000, HAIKU),
    ] == list(found.prompts)
    assert () == found.mark.open


def test_one_reply_answers_all_that_wait() -> None:
    """Prompts that were queued are answered by the reply that hears them, with what came before."""
    found = models(prompt("a"), reply(1), queued("b"), queued("c"), reply(2, HAIKU), prompt("d"))
    assert {"a": OPUS, "b": HAIKU, "c": HAIKU, "d": ""} == found


@pytest.mark.parametrize(
    "passed",
    [
        assistant(model="<synthetic>"),
        assistant(isApiErrorMessage=True),
        assistant(agentId="a1"),
        assistant(isSidechain=True),
        as_line({"type": "assistant", "message": {"id": "m", "model": HAIKU}}),
        user([{"tool_use_id": "t", "type": "tool_result", "content": "x"}]),
    ],
)
def test_no_answer(passed: bytes) -> None:
    """Errors, made-up lines, helpers and results of tools answer nobody."""
    assert {"a": ""} == models(prompt("a"), passed)
    assert {"a": OPUS} == models(prompt("a"), passed, reply(9))


def test_later_block_answers() -> None:
    """A prompt among the blocks of one reply is answered by the next block, wherever the log is cut."""
    lines = [prompt("a"), reply(1), prompt("b"), reply(1), prompt("c"), reply(2, HAIKU)]
    assert {"a": OPUS, "b": OPUS, "c": HAIKU} == models(*lines)


def test_replies_before_the_prompt_answer_nothing() -> None:
    """Only what follows a prompt answers it."""
    assert {"a": HAIKU} == models(reply(1), reply(2), prompt("a"), reply(3, HAIKU))


def test_model_of_an_unnamed_reply() -> None:
    """A reply without a model answers as the unknown one, under which it is booked."""
    assert {"a": "unknown"} == models(prompt("a"), reply(1, model=None))


def test_most_that_wait() -> None:
    """Of very many unanswered prompts only the latest wait for a reply; all of them count."""
    lines = [prompt(f"p{number}") for number in range(MOST_OPEN + 3)]
    found = models(*lines, reply(1))
    assert MOST_OPEN + 3 == len(found)
    assert ["", "", "", OPUS] == [found[f"p{number}"] for number in range(4)]
    assert MOST_OPEN == len(scanned(lines).mark.open)


def test_sample_conversations() -> None:
    """The real client's conversations: every prompt is answered, but for the one that was refused."""
    answered = {
        path.stem[:8]: [
            each.model for each in scanned(path.read_bytes().splitlines(), str(path)).prompts
        ]
        for path in sorted(PROJECT.glob("*.jsonl"))
    }
    assert {
        "295f9608": [OPUS],
        "473839a4": [OPUS, OPUS, ""],
        "7a5d1204": [OPUS, OPUS],
        "8774b0d2": [OPUS],
    } == answered


# Steps of a log: a prompt, a reply of one of two models, a block more of the last reply, or noise.
steps = st.lists(st.sampled_from("ppqohbbsxt"), max_size=40)


def as_log(steps: list[str]) -> list[bytes]:
    """The lines of a log that goes through these steps."""
    lines: list[bytes] = []
    number, model = 0, OPUS
    for at, step in enumerate(steps):
        match step:
            case "p":
                lines.append(prompt(f"p{at}", at))
            case "q":
                lines.append(queued(f"p{at}"))
            case "o" | "h":
                number, model = number + 1, OPUS if step == "o" else HAIKU
                lines.append(reply(number, model, at))
            case "b":
                lines.append(reply(number, model, at, used=usage(input=10, output=20)))
            case "s":
                lines.append(reply(number + 500, HAIKU, at, isSidechain=True))
            case "x":
                lines.append(assistant(model="<synthetic>", timestamp=stamp(at)))
            case _:
                lines.append(user([{"tool_use_id": "t", "type": "tool_result"}]))
    return lines


def read_in_steps(lines: list[bytes], sizes: list[int], again: set[int]) -> list[Scan]:
    """The scans of a log that grows by so many bytes at a time, some of them from the start."""
    block = as_block(lines)
    scans: list[Scan] = []
    mark: FileMark | None = None
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "projects", "-p", "conv-1.jsonl")
        os.makedirs(os.path.dirname(path))
        for turn, end in enumerate([*sizes, len(block)]):
            Path(path).write_bytes(block[:end])
            scan = scan_log(path, None if turn in again else mark, NOW)
            assert scan
            mark = scan.mark
            scans.append(scan)
    return scans


@settings(max_examples=200, deadline=None)
@given(steps, st.data())
def test_any_cutting_gives_the_same_messages(steps: list[str], data: st.DataObject) -> None:
    """A log read in any pieces, and from the start in between, has the same messages per model."""
    lines = as_log(steps)
    size = len(as_block(lines))
    sizes = sorted(data.draw(st.lists(st.integers(0, size), max_size=6)))
    again = data.draw(st.sets(st.integers(0, len(sizes))))
    scans = read_in_steps(lines, sizes, again)
    whole = scanned(lines, LOG)
    expected = post(whole.prompts, whole.replies)
    found = post(*(each for scan in scans for each in (scan.prompts, scan.replies)))
    assert counted(expected) == counted(found)
    assert {name: noted.prompt.model for name, noted in expected.prompts.items()} == {
        name: noted.prompt.model for name, noted in found.prompts.items()
    }
    assert whole.mark.open == scans[-1].mark.open


@given(prompts(), prompts(), prompts())
def test_joining_answers(one: Prompt, two: Prompt, three: Prompt) -> None:
    """However the same prompt is told, and how often, its earliest answer is the one that counts."""
    told = [
        Prompt("p", each.conversation, each.time, each.cwd, each.owned, each.answered, each.model)
        for each in (one, two, three)
    ]
    tellings = [*itertools.permutations(told), [*told, *told]]
    accounts = [post(*([each] for each in telling)) for telling in tellings]
    answers = [(each.answered, each.model) for each in told if each.answered]
    expected = min(answers, default=(0, ""))
    for shelf in accounts:
        known = shelf.prompts["p"].prompt
        assert expected == (known.answered, known.model)
        assert {expected[1]: 1} == counted(shelf)
        assert accounts[0].prompts["p"].prompt == known


def test_message_moves_exactly() -> None:
    """A prompt that is answered leaves the book without a model, and stands in the model's once."""
    shelf, ledger = DictShelf(), new_ledger()
    shelf.save(ledger.post([Prompt("p", "conv-1", NINE_MS, "")], shelf))
    assert {"": 1} == counted(shelf)
    answered = Prompt("p", "conv-1", NINE_MS, "", False, NINE_MS, OPUS)
    posting = ledger.post([answered], shelf)
    assert [-1, 1] == sorted(totals.messages for totals in posting.sums.values())
    shelf.save(posting)
    assert {OPUS: 1} == counted(shelf)
    assert not any(ledger.post([answered], shelf).sums.values())
    assert not any(ledger.post([Prompt("p", "conv-1", NINE_MS, "")], shelf).sums.values())


def test_answer_keeps_the_rest_of_the_book() -> None:
    """When the answer comes, only the model is news: agent and labels stay as they were booked."""
    shelf = DictShelf()
    book = Book("conv-1", "", "subscription", "acc", "agent-1", workflow="w", task="t", stage="s")
    known = Ledger(PRICES, lambda _: book, lambda _: book)
    shelf.save(known.post([Prompt("p", "conv-1", NINE_MS, "")], shelf))
    shelf.save(new_ledger().post([Prompt("p", "conv-1", NINE_MS, "", False, NINE_MS, OPUS)], shelf))
    (number,) = {number for _, number in shelf.sums}
    assert shelf.book(number) == Book(
        "conv-1", OPUS, "subscription", "acc", "agent-1", workflow="w", task="t", stage="s"
    )


def fork(lines: list[bytes], conversation: str) -> list[bytes]:
    """These lines as a fork copies them: replies name who made them."""
    mark = f'"sessionId":"{conversation}","requestSessionId":"conv-1"'
    return [
        line.replace(
            b'"sessionId":"conv-1"',
            mark.encode() if b'"assistant"' in line else f'"sessionId":"{conversation}"'.encode(),
        )
        for line in lines
    ]


@pytest.mark.parametrize("name", ["conv-0", "conv-2"])
def test_fork_gives_the_same_answer(name: str) -> None:
    """What a fork copied is answered as it was in its parent, whichever log is read first."""
    parent = [prompt("a", 1), reply(1, OPUS, 2), prompt("b", 3), reply(2, HAIKU, 4)]
    child = [*fork(parent, name), prompt("c", 60, sessionId=name), reply(3, OPUS, 61)]
    scans = [scanned(parent, LOG), scanned(child, f"/h/projects/-p/{name}.jsonl")]
    for order in (scans, scans[::-1]):
        shelf = post(*((*scan.replies, *scan.prompts) for scan in order))
        assert {OPUS: 2, HAIKU: 1} == counted(shelf)


def test_prompt_answered_in_parent_and_fork() -> None:
    """A prompt that both a parent and its fork went on to answer has the earlier answer."""
    parent = [prompt("a", 1), reply(1, OPUS, 30)]
    child = [*fork(parent[:1], "conv-2"), reply(2, HAIKU, 20, sessionId="conv-2")]
    scans = [scanned(parent, LOG), scanned(child, "/h/projects/-p/conv-2.jsonl")]
    for order in (scans, scans[::-1]):
        assert {HAIKU: 1} == counted(post(*((*scan.replies, *scan.prompts) for scan in order)))


def test_answer_after_a_restart(tmp_path: Path) -> None:
    """A prompt that waits when the daemon ends is answered by what the next one reads."""
    log = tmp_path / "projects" / "-p" / "conv-1.jsonl"
    log.parent.mkdir(parents=True)
    log.write_bytes(as_block([prompt("a", 1)]))
    roster = Roster()
    agent = roster.appear(process(TASK="t-1"), session(), False, NINE_MS)

    def read(store: Store, roster: Roster) -> Pipeline:
        river = Pipeline(store, roster, PRICES, lambda path: ("api", ""))
        marks = store.read(lambda transaction: transaction.files())
        status = os.stat(log)
        scan = scan_log(str(log), marks.get((status.st_dev, status.st_ino)), NOW)
        assert scan
        river.post([scan], NOW)
        return river

    with Store(tmp_path / "ledger") as store:
        read(store, roster)
        assert 1 == agent.tally.totals.messages
    with open(log, "ab") as file:
        file.write(as_block([reply(1, OPUS, 5)]))
    with Store(tmp_path / "ledger") as store:
        read(store, Roster())
        rows = store.read(
            lambda transaction: [
                (transaction.book(number), totals) for (_, number), totals in transaction.rows()
            ]
        )
    assert [(OPUS, "t-1", 1)] == [
        (book.model, book.task, totals.messages) for book, totals in rows if totals.messages
    ]


def test_sums_of_an_agent_when_the_answer_comes(tmp_path: Path) -> None:
    """Agent, day and run count the message once, before and after it moves to its model."""
    roster = Roster()
    agent = roster.appear(process(), session(), False, NINE_MS)
    with Store(tmp_path) as store:
        river = Pipeline(store, roster, PRICES, lambda path: ("api", ""))
        river.begin_day(NINE_MS - SECOND, NINE_MS + 3_600 * SECOND)
        first = scanned([prompt("a", 1)], LOG)
        river.post([first], NOW)
        assert (1, 1, 1) == (
            agent.tally.totals.messages,
            river.today["api"].totals.messages,
            river.run.totals.messages,
        )
        outcome = river.post([scanned([prompt("a", 1), reply(1, OPUS, 2)], LOG)], NOW)
        assert (1, 1, 1) == (
            agent.tally.totals.messages,
            river.today["api"].totals.messages,
            river.run.totals.messages,
        )
    assert {"": -1, OPUS: 1} == {book.model: totals.messages for book, totals in outcome.charged}
