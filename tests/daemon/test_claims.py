"""What an orchestrator's files say of an agent's work: from when on, once, however they are read."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from tollkeeper_daemon.labels.claims import ClaimLine, claimed, staged
from tollkeeper_daemon.labels.labels import NONE, Fact, Labels, Layer, labels_of, with_last
from tollkeeper_daemon.labels.task_ids import of_task

ONE, TWO = "bd-4nq.1-analyze", "bd-4nq.2"
GIVEN = "bd-4nq.3"
CAME = 100


def line(action: str, task: str, time: int) -> ClaimLine:
    """A line about the agent."""
    return ClaimLine(action, task, "alice", time)


def fact(time: int, task: str) -> Fact:
    """That the agent claims this task from then on."""
    return Fact(time, Layer.CLAIMED, labels=of_task(task))


def with_told(told: tuple[Fact, ...], facts: list[Fact]) -> tuple[Fact, ...]:
    """What is told when these are told as well."""
    for each in facts:
        told = with_last(told, each)
    return told


def test_claim_and_release() -> None:
    """A task holds from its claim to its release, or until it is complete."""
    lines = [
        line("claim", ONE, 200),
        line("release", ONE, 300),
        line("claim", TWO, 400),
        line("complete", TWO, 500),
        line("wave", TWO, 600),
    ]
    expected = [fact(200, ONE), fact(300, ""), fact(400, TWO), fact(500, "")]
    assert expected == claimed((), lines, "", CAME)
    assert Labels("bd-4nq", ONE, "analyze") == expected[0].labels


def test_claimed_before_it_came() -> None:
    """What was claimed before the agent came holds from its start."""
    assert [fact(CAME, ONE)] == claimed((), [line("claim", ONE, 5)], "", CAME)
    assert [] == claimed((), [line("claim", ONE, 5), line("release", ONE, 9)], "", CAME)


def test_given_task() -> None:
    """The task of its file holds while it claims none, and is over when it is complete."""
    lines = [line("claim", ONE, 200), line("release", ONE, 300), line("complete", GIVEN, 400)]
    expected = [fact(CAME, GIVEN), fact(200, ONE), fact(300, GIVEN), fact(400, "")]
    assert expected == claimed((), lines, GIVEN, CAME)
    assert [fact(CAME, GIVEN)] == claimed((), [], GIVEN, CAME)


def test_release_of_another() -> None:
    """Who lets go of a task that it does not hold goes on with its own."""
    lines = [line("claim", ONE, 200), line("claim", TWO, 250), line("release", ONE, 300)]
    assert [fact(200, ONE), fact(250, TWO)] == claimed((), lines, "", CAME)


def test_lines_that_are_gone() -> None:
    """What was told stays when the file loses its lines."""
    told = with_told((), claimed((), [line("claim", ONE, 200)], "", CAME))
    assert [] == claimed(told, [], "", CAME)
    assert [] == claimed(told, [], GIVEN, CAME)


actions = st.builds(
    line,
    st.sampled_from(["claim", "release", "complete"]),
    st.sampled_from([ONE, TWO, GIVEN]),
    st.integers(50, 160),
)


@given(
    st.lists(actions, max_size=12),
    st.lists(st.integers(0, 12), max_size=6),
    st.sampled_from(["", GIVEN]),
)
def test_reading_in_pieces(lines: list[ClaimLine], cuts: list[int], task: str) -> None:
    """Read as it grows, whole or in pieces, by one daemon or by several, the file says the same."""
    lines.sort(key=lambda each: each.time)
    whole = with_told((), claimed((), lines, task, CAME))
    told: tuple[Fact, ...] = ()
    for cut in [*sorted(cuts), len(lines)]:
        told = with_told(told, claimed(told, lines[:cut], task, CAME))
        assert [] == claimed(told, lines[:cut], task, CAME)
    for time in range(50, 200):
        assert labels_of(whole, Layer.CLAIMED, time) == labels_of(told, Layer.CLAIMED, time)


# Stages that the tasks' own labels tell.


def stages(**known: str) -> Callable[[str], str]:
    """The stages that are known, by the last letter of the task."""
    return lambda task: known.get(f"of_{task[-1]}", "")


def found(time: int, labels: Labels) -> Fact:
    """What the conversation's name says."""
    return Fact(time, Layer.FOUND, labels=labels)


def test_stage_of_a_claimed_task() -> None:
    """A task that is claimed, and without a stage, gets it from the claim on, once."""
    told = (fact(200, TWO),)
    assert staged(told, 300, stages()) is None
    new = staged(told, 300, stages(of_2="review"))
    assert new is not None
    assert new == Fact(200, Layer.CLAIMED, labels=Labels("bd-4nq", TWO, "review"))
    assert staged(with_last(told, new), 300, stages(of_2="review")) is None
    assert [] == claimed(with_last(told, new), [line("claim", TWO, 200)], "", CAME)


def test_stage_of_a_task_of_others() -> None:
    """A task that something else tells gets its stage only, for as long as it is the task."""
    told = (found(0, of_task("bd-4nq.7")), found(200, of_task(TWO)))
    new = staged(told, 300, stages(of_2="review"))
    assert new is not None
    assert new == Fact(200, Layer.CLAIMED, labels=Labels(stage="review"))
    told = with_last(told, new)
    assert staged(told, 300, stages()) is None
    assert staged(told, 300, stages(of_2="review")) is None
    later = with_last(told, found(400, of_task("bd-4nq.7")))
    assert staged(later, 500, stages()) == Fact(400, Layer.CLAIMED, labels=NONE)
    other = staged(later, 500, stages(of_7="plan"))
    assert other == Fact(400, Layer.CLAIMED, labels=Labels(stage="plan"))


def test_stage_that_is_told() -> None:
    """Where anything else tells the stage, the task's own label is not asked for."""
    asked: list[str] = []

    def stage_of(task: str) -> str:
        asked.append(task)
        return "review"

    for told in (
        (),
        (fact(200, ONE),),
        (fact(200, TWO), found(0, Labels(stage="plan"))),
        (found(0, of_task(ONE)),),
        (Fact(0, Layer.ENVIRONMENT, labels=Labels("w", TWO, "plan")),),
    ):
        assert staged(tuple(sorted(told)), 300, stage_of) is None
    assert [] == asked
