"""Following the client's totals through a log: what they cover, and what they pass over."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from tollkeeper_daemon.audit.statements import follow
from tollkeeper_daemon.reading.scan import Scan
from tollkeeper_daemon.records import Profile, Spent, Statement
from tollkeeper_daemon.store.schema import Standing, Told
from tollkeeper_daemon.transcript.parse import Parser

from .lines import HAIKU, NINE_MS, NOW, OPUS, Json, as_block, as_line, assistant, parsed, user
from .statements import LONG, STARTED, after, cost_state, cut_log, replies_of, statement

TWO_MODELS = {
    OPUS: Spent(1, 2, 3, 4, 5, 6, 7_000),
    HAIKU: Spent(value=1),
}
LOG = "/h/projects/-p/conv-1.jsonl"
HELPER = "/h/projects/-p/conv-1/subagents/agent-a1.jsonl"


def reply(number: int, **more: object) -> bytes:
    """The reply with this number, of the usual size, a second after the one before it."""
    fields = {
        "message": f"msg_{number}",
        "request": f"req_{number}",
        "timestamp": f"2026-11-22T09:00:{number:02}.000Z",
        **more,
    }
    return assistant(**fields)  # pyright: ignore[reportArgumentType]


def followed(scans: list[Scan], known: Told | None = None) -> Told:
    """What is known after these scans."""
    told = known or Told()
    for scan in scans:
        told = follow(told, scan, "conv-1")
    return told


def profile(line: bytes) -> Profile:
    """The only record in this line."""
    [record] = parsed(line)
    assert isinstance(record, Profile)
    return record


def test_totals_by_model() -> None:
    """The totals are read by model and kind of token, money in nano-dollars."""
    expected = Statement(tuple(TWO_MODELS.items()), 7_001, STARTED, duration=LONG)
    assert expected == profile(cost_state(TWO_MODELS)).statement


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"modelUsage": None}, None),
        ({"modelUsage": {}}, None),
        ({"modelUsage": {OPUS: None}}, Statement((), 0, STARTED, duration=LONG)),
        ({"modelUsage": {OPUS: {}}, "hasUnknownModelCost": True},
         Statement(((OPUS, Spent()),), 0, STARTED, unpriced=True, unsplit=True, duration=LONG)),
        ({"modelUsage": {OPUS: {"cacheCreationInputTokens": 9}}, "startTime": None},
         Statement(((OPUS, Spent(cache_write_5m=9)),), 0, unsplit=True, duration=LONG)),
        ({"modelUsage": {"x" * 999: {}}, "totalDuration": None},
         Statement((("x" * 200, Spent()),), 0, STARTED, unsplit=True)),
    ],
)  # fmt: skip
def test_totals_in_part(change: Json, expected: Statement | None) -> None:
    """Every field may be missing."""
    assert expected == profile(as_line({**json.loads(cost_state({})), **change})).statement


def test_absurdly_many_models() -> None:
    """A line can't fill the ledger with models."""
    used: Json = {f"model-{number}": {} for number in range(5_000)}
    found = profile(as_line({**json.loads(cost_state({})), "modelUsage": used})).statement
    assert found and 100 == len(found.models)


@pytest.mark.parametrize(
    "change", [{"modelUsage": 7}, {"modelUsage": {OPUS: {"inputTokens": -1}}}, {"startTime": -1}]
)
def test_broken_totals(change: Json) -> None:
    """Broken totals cost that line alone."""
    parser = Parser(NOW)
    line = as_line({**json.loads(cost_state({})), **change})
    assert [] == list(parser.records(as_block([line])))
    assert 1 == parser.bad_lines


def test_totals_that_cover_all() -> None:
    """After the totals nothing is open, and nothing was lost."""
    scans = cut_log(LOG, [user(), reply(1), reply(2), after(2)])
    told = Told(statement=statement(claude_opus_5_5=replies_of(2)), file=scans[0].file)
    assert told == followed(scans)


def test_replies_after_the_totals() -> None:
    """What comes after the last totals is open until the next."""
    lines = [reply(1), after(1), reply(2), reply(3)]
    told = followed(cut_log(LOG, lines))
    assert ("m:msg_3", 40) == (told.open_message, told.open_output)
    told = followed(cut_log(LOG, [*lines, after(3)]))
    assert ("", 0, 0) == (told.open_message, told.open_output, told.lost_output)


def test_prompt_after_the_totals() -> None:
    """A prompt alone costs nothing, and opens nothing."""
    told = followed(cut_log(LOG, [reply(1), after(1), user(uuid="u2")]))
    assert "" == told.open_message


def test_killed_client() -> None:
    """The totals of the next client lack what a killed one used."""
    lines = [reply(1), after(1, ran=500), reply(2), reply(3), reply(4)]
    assert 40 == followed(cut_log(LOG, [*lines, after(2, ran=2_400)])).lost_output


def test_client_that_saw_all_of_it() -> None:
    """Where one client ran all the while, nothing was lost, though its totals lack something."""
    lines = [reply(1), after(1, ran=500), reply(2), reply(3), reply(4)]
    assert 0 == followed(cut_log(LOG, [*lines, after(2, ran=2_500)])).lost_output


def test_client_killed_before_any_totals() -> None:
    """Then all that came before the next client is lost."""
    lines = [reply(1), reply(2), reply(3)]
    began = NINE_MS + 2_500
    assert 40 == followed(cut_log(LOG, [*lines, after(1, started=began)])).lost_output
    assert 0 == followed(cut_log(LOG, [*lines, after(1)])).lost_output


def test_totals_that_begin_anew() -> None:
    """Totals with another start do not go on from the last: what those held is lost to them."""
    lines = [reply(1), reply(2), after(2), reply(3), after(1, started=STARTED + 1)]
    assert 40 == followed(cut_log(LOG, lines)).lost_output


def test_copied_replies_are_not_expected() -> None:
    """A branch begins its totals with nothing: what it copied is not missed in them."""
    copy = reply(1, sessionId="conv-1", requestSessionId="conv-0")
    told = followed(cut_log(LOG, [copy, reply(2), after(1)]))
    assert (("conv-0",), 0) == (told.parents, told.lost_output)


def test_makers_of_copies() -> None:
    """A fork of a fork has two parents."""
    copies = [reply(n, requestSessionId=f"conv-{n}") for n in (3, 2)]
    assert ("conv-2", "conv-3") == followed(cut_log(LOG, copies)).parents


def test_absurdly_many_makers() -> None:
    """A log can't fill the ledger with names, and which are kept does not depend on the cutting."""
    copies = [reply(1, message=f"m{n}", requestSessionId=f"conv-{n:03}") for n in range(200)]
    expected = tuple(f"conv-{n:03}" for n in range(50))
    assert expected == followed(cut_log(LOG, copies)).parents
    assert expected == followed(cut_log(LOG, copies[::-1], [60, 120])).parents


def test_subagent() -> None:
    """A subagent's log opens nothing: the totals are written into the main one."""
    told = followed(cut_log(HELPER, [reply(1, agentId="a1")]))
    assert Told() == told


def test_unreadable_lines() -> None:
    """That a log held a broken line is remembered, though not how often."""
    broken = [b'{"type":"assistant","message":', reply(1)]
    assert followed(cut_log(LOG, broken)).unreadable
    assert followed(cut_log(HELPER, broken)).unreadable


def test_totals_of_another_conversation() -> None:
    """Totals that name another conversation than the log is of are not its own."""
    assert followed(cut_log(LOG, [after(1, conversation="conv-2")])).statement is None


PART = [reply(1), after(1, ran=500)]
WHOLE = [*PART, reply(2), after(2, ran=900), reply(3)]


@pytest.mark.parametrize("other", [PART, PART[:1], [*PART, reply(2)], WHOLE])
def test_copy_of_a_part(other: list[bytes]) -> None:
    """A copy of a part of the log elsewhere takes nothing back, in any order and any cutting."""
    log, copy = cut_log(LOG, WHOLE, [2, 3]), cut_log(f"/backup{LOG}", other, [1])
    first, second = followed([*log, *copy]), followed([*copy, *log])
    between = followed([log[0], copy[0], *log[1:], *copy[1:]])
    expected = followed(log)
    for told in (first, second, between):
        assert standing(expected) == standing(told)
    assert "m:msg_3" == first.open_message


def test_log_that_was_cut_short() -> None:
    """A beginning of the log in its own place, such as a restored backup, takes nothing back."""
    told = followed([*cut_log(LOG, WHOLE), *cut_log(LOG, PART)])
    assert standing(followed(cut_log(LOG, WHOLE))) == standing(told)
    grown = [*WHOLE, after(3)]
    told = followed(cut_log(LOG, grown), known=told)
    assert followed(cut_log(LOG, grown)) == told


def test_both_copies_go_on() -> None:
    """Each of two logs is followed from where it stood, and the one that is further is in force."""
    log = cut_log(LOG, [*WHOLE, after(3), reply(4)], [len(WHOLE)])
    copy = cut_log(f"/backup{LOG}", [*PART, reply(5), after(2, ran=1)], [len(PART)])
    told = followed([log[0], copy[0], log[1], copy[1]])
    assert standing(followed(log)) == standing(told)
    assert [(copy[0].file, standing(followed(copy)))] == [*told.others]


def test_ledger_from_before_logs_were_told_apart() -> None:
    """What an earlier version knew of the log that goes on is taken up."""
    scans = cut_log(LOG, WHOLE, [3])
    known = Told(*astuple(standing(followed(scans[:1]))))
    assert followed(scans) == followed(scans[1:], known=known)


def standing(told: Told) -> Standing:
    """What is in force, whichever log it is of."""
    return Standing(*(getattr(told, field) for field in Standing.__struct_fields__))


numbers = st.integers(1, 6)
lines = st.lists(
    numbers.map(reply)
    | st.builds(after, numbers, ran=st.sampled_from([0, 1_500, LONG]))
    | numbers.map(lambda n: reply(n + 10, requestSessionId="conv-0"))
    | st.just(after(1, started=STARTED + 1))
    | st.just(user()),
    max_size=12,
)


@given(lines, st.data())
def test_any_cutting(written: list[bytes], data: st.DataObject) -> None:
    """However a log is cut, it tells the same, and so it does when it is read once more.

    A message's lines stand together, as the client writes them, and are copied or its own.
    """
    together = [line for number, line in enumerate(written) if line not in written[:number]]
    doubled = [line for line in together for _ in range(data.draw(st.integers(1, 3)))]
    cuts = data.draw(st.lists(st.integers(0, len(doubled)), max_size=4))
    whole = followed(cut_log(LOG, doubled))
    in_pieces = followed(cut_log(LOG, doubled, cuts))
    assert whole == in_pieces
    assert whole == followed(cut_log(LOG, doubled, cuts), known=in_pieces)
