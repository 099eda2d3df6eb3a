"""Labels: which piece of work something belongs to, by what is known when."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tollkeeper_daemon.labels.labels import (
    MOST_KEPT,
    Fact,
    Labels,
    Layer,
    differs_since,
    labels_at,
    labels_of,
    with_facts,
    with_last,
)

WORDS = st.sampled_from(["", "a", "b"])
LABELS = st.builds(Labels, WORDS, WORDS, WORDS)
FACTS = st.builds(Fact, st.integers(0, 9), st.sampled_from(Layer), WORDS, LABELS)


def test_stronger_layers_win_field_by_field() -> None:
    """What a stronger layer leaves open, a weaker one says."""
    facts = with_facts(
        (),
        [
            Fact(0, Layer.FOUND, labels=Labels("w-found", "t-found", "s-found")),
            Fact(0, Layer.ENVIRONMENT, labels=Labels("w-env", stage="s-env")),
            Fact(5, Layer.SAID, labels=Labels(stage="s-said")),
        ],
    )
    assert Labels("w-env", "t-found", "s-env") == labels_at(facts, 4)
    assert Labels("w-env", "t-found", "s-said") == labels_at(facts, 5)


def test_a_layer_falls_silent() -> None:
    """With no labels a layer says nothing from then on."""
    facts = with_facts((), [Fact(1, Layer.MARKED, labels=Labels("w")), Fact(5, Layer.MARKED)])
    assert [Labels(), Labels("w"), Labels()] == [labels_at(facts, time) for time in (0, 4, 5)]


def test_subagents_inherit_and_override() -> None:
    """A subagent has its own labels, even before those that were said of its agent, and inherits the rest."""
    facts = with_facts(
        (),
        [
            Fact(0, Layer.SAID, labels=Labels("w", "t", "plan")),
            Fact(1, Layer.FOUND, "helper", Labels("w", "w.2-review", "review")),
        ],
    )
    assert Labels("w", "w.2-review", "review") == labels_at(facts, 1, "helper", "analyze")
    assert Labels("w", "t", "analyze") == labels_at(facts, 1, "other", "analyze", "analyst")
    assert Labels("w", "t", "plan") == labels_at(facts, 1, "other", kind="explore")
    assert Labels("w", "t", "plan") == labels_at(facts, 1)


def test_a_type_is_a_stage_where_there_is_no_other() -> None:
    """A subagent of a type that stands for no stage works at its agent's, or else at one of its own."""
    facts = with_facts((), [Fact(0, Layer.SAID, labels=Labels("w"))])
    assert Labels("w", stage="explore") == labels_at(facts, 1, "helper", kind="explore")


def test_the_place_of_a_subagent_is_its_own_only_elsewhere() -> None:
    """The branch that a subagent shares with its agent says no more of it than of the agent."""
    facts = with_facts(
        (),
        [
            Fact(0, Layer.SAID, labels=Labels("w", "t")),
            Fact(0, Layer.PLACED, labels=Labels("b", "b.1")),
            Fact(0, Layer.PLACED, "helper", Labels("b", "b.1")),
            Fact(0, Layer.PLACED, "other", Labels("c", "c.1")),
        ],
    )
    assert Labels("w", "t") == labels_at(facts, 1, "helper")
    assert Labels("c", "c.1") == labels_at(facts, 1, "other")


def test_a_type_is_a_stage_only_within_some_work() -> None:
    """A subagent of a conversation that belongs to no work has no stage."""
    assert Labels() == labels_at((), 1, "helper", "analyze", "analyst")


@given(st.lists(FACTS, max_size=12), st.randoms(use_true_random=False))
def test_any_order_of_learning(facts: list[Fact], random: Random) -> None:
    """In whatever order, and however often, facts are learned, the same holds at each time."""
    shuffled = [*facts, *facts[:3]]
    random.shuffle(shuffled)
    known: tuple[Fact, ...] = ()
    for fact in shuffled:
        known = with_facts(known, [fact])
    assert with_facts((), facts) == known


@given(st.lists(FACTS, max_size=12), FACTS, st.integers(0, 10), WORDS)
def test_where_it_differs(facts: list[Fact], fact: Fact, time: int, subagent: str) -> None:
    """Before the time from which on it differs, all is as it was."""
    known = with_facts((), facts)
    for learned in (with_facts(known, [fact]), with_last(known, fact)):
        since = differs_since(known, learned)
        if since is None or time < since:
            assert labels_at(known, time, subagent) == labels_at(learned, time, subagent)


@given(st.lists(FACTS, max_size=12), FACTS, st.integers(0, 12))
def test_the_last_word(facts: list[Fact], fact: Fact, time: int) -> None:
    """From its time on the last word of a layer holds; the others, and what was before, stay."""
    known = with_facts((), facts)
    learned = with_last(known, fact)
    for layer in Layer:
        for subagent in ("", "a", "b"):
            is_said = (layer, subagent) == (fact.layer, fact.subagent) and time >= fact.since
            expected = fact.labels if is_said else labels_of(known, layer, time, subagent)
            assert expected == labels_of(learned, layer, time, subagent)


def test_only_so_many_are_kept() -> None:
    """A conversation that changes its work without end keeps the latest, and nothing is repeated."""
    turns = [Fact(time, Layer.SAID, labels=Labels(str(time // 2))) for time in range(4 * MOST_KEPT)]
    known = with_facts((), turns)
    assert MOST_KEPT - len(Layer) < len(known) <= MOST_KEPT
    assert Labels(str(2 * MOST_KEPT - 1)) == labels_at(known, 4 * MOST_KEPT)


def test_what_holds_is_never_forgotten() -> None:
    """However often an agent goes from stage to stage, what was said of it before that still holds."""
    known = (
        Fact(0, Layer.ENVIRONMENT, labels=Labels("w")),
        Fact(1, Layer.SAID, labels=Labels("", "t")),
    )
    for time in range(2, 2 * MOST_KEPT):
        known = with_last(known, Fact(time, Layer.MARKED, labels=Labels("w", "", str(time))))
    assert len(known) <= MOST_KEPT
    assert Labels("w", "t", str(2 * MOST_KEPT - 1)) == labels_at(known, 2 * MOST_KEPT)


def test_what_is_forgotten_moves_nothing() -> None:
    """What was asked for the first of very many subagents stays booked as it is."""
    known: tuple[Fact, ...] = ()
    for time in range(2 * MOST_KEPT):
        fact = Fact(time, Layer.FOUND, str(time), Labels("w", f"w.{time}"))
        before, known = known, with_facts(known, [fact])
        assert time == differs_since(before, known)
    assert len(known) <= MOST_KEPT
