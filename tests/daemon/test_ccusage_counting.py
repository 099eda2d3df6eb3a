"""What each cause comes to between our way to count the lines of a reply and that of ccusage."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tollkeeper_daemon.ccusage.counting import NONE, Line, Tokens, amounts, paid, total

MONDAY, TUESDAY = "2026-11-23", "2026-11-24"
LINE = Line(1, MONDAY, "r", "conv", False, Tokens(10, 500), Tokens(10, 500))


def line(output: int = 500, **fields: object) -> Line:
    """A line with so much output."""
    tokens = Tokens(10, output)
    return replace(LINE, **{"ours": tokens, "theirs": tokens, **fields})


def told(*lines: Line, has_id: bool = True) -> dict[tuple[str, str], Tokens]:
    """By day and cause what it comes to, where that is anything."""
    found: dict[tuple[str, str], Tokens] = {}
    for day, cause, tokens in amounts(list(lines), has_id):
        found[day, cause] = found.get((day, cause), NONE).plus(tokens)
    return {place: tokens for place, tokens in found.items() if tokens != NONE}


def test_one_reply() -> None:
    """Lines of one reply that says more and more are one for both."""
    assert told(line(1), line(500, time=2)) == {}
    assert paid([line(1), line(500, time=2)]) == [Tokens(10, 500)]


def test_two_requests() -> None:
    """Requests of other prompts under one message are two for both; of the same prompt they are a replay."""
    other = line(request="r2", ours=Tokens(11, 500), theirs=Tokens(11, 500))
    assert (told(line(), other), len(paid([line(), other]))) == ({}, 2)
    replayed = line(request="r2")
    assert told(line(), replayed) == {(MONDAY, "replay"): Tokens(10, 500)}
    both = [replace(each, sidechain=True) for each in (line(), replayed)]
    assert told(*both) == {}


def test_several_causes() -> None:
    """Each cause of one reply comes to what its rule adds to those before."""
    lines = [
        line(900, dropped="null"),
        line(1, request=""),
        replace(line(500, time=2), theirs=Tokens(10, 500, 7)),
    ]
    assert told(*lines) == {
        (MONDAY, "null"): Tokens(0, -400),
        (MONDAY, "some-request-ids"): Tokens(10, 1),
        (MONDAY, "split"): Tokens(write_5m=7),
    }


def test_midnight() -> None:
    """A reply whose longest line is of the next day moves there."""
    assert told(line(1), line(time=2, day=TUESDAY)) == {
        (MONDAY, "midnight"): Tokens(-10, -500),
        (TUESDAY, "midnight"): Tokens(10, 500),
    }


counts = st.builds(Tokens, *[st.integers(0, 9)] * 5)
any_line = st.builds(
    Line,
    st.integers(0, 3),
    st.sampled_from((MONDAY, TUESDAY)),
    st.sampled_from(("", "r", "r2")),
    st.just("conv"),
    st.booleans(),
    counts,
    counts,
    st.sampled_from(("", "", "null")),
)


@given(st.lists(any_line, min_size=1, max_size=5))
def test_any_lines_without_a_message_id(lines: list[Line]) -> None:
    """All causes together come to the whole difference: here ccusage adds up all that it reads."""
    read = total(line.theirs for line in lines if not line.dropped)
    apart = read.minus(total(paid(lines)))
    whole = total(tokens for _, cause, tokens in amounts(lines, has_id=False) if cause)
    lonely = len([line for line in lines if not line.dropped]) < 2
    repeated = {cause for _, cause, _ in amounts(lines, has_id=False)}
    assert lonely or "no-message-id" in repeated
    assert whole == apart
