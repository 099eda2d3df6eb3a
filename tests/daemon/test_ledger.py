"""The ledger: any order, repetition or cutting of the same lines gives the same account."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fleeting import fleeting_folder
from tollkeeper_daemon.ledger.books import Book, Group
from tollkeeper_daemon.ledger.ledger import Ledger
from tollkeeper_daemon.ledger.requests import file_under, join, resolve
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.records import Advice, Prompt, Reply
from tollkeeper_daemon.store.store import Store

from .entries import entries, entries_twice, replies
from .lines import HAIKU, NINE_MS, OPUS
from .shelf import (
    PRICES,
    DictShelf,
    Entry,
    account_of_shelf,
    account_of_store,
    added_up,
    book_of_prompt,
    new_ledger,
    post,
    post_to_store,
)

Tellings = tuple[list[list[Entry]], list[list[Entry]]]


def reply(message: str = "m1", request: str = "r1", *, output: int = 0, **more: object) -> Reply:
    """A reply with some prompt tokens, so that it differs from an empty one."""
    made = Reply(
        message=message,
        request=request,
        line="",
        conversation="conv-1",
        owned=False,
        time=NINE_MS,
        model=OPUS,
        subagent="",
        subagent_type="",
        input=10,
        output=output,
        cache_read=0,
        cache_write_5m=0,
        cache_write_1h=0,
        web_searches=0,
        fast=False,
        us=False,
    )
    return replace(made, **more)


@settings(max_examples=300)
@given(entries_twice())
def test_account_does_not_depend_on_the_telling(tellings: Tellings) -> None:
    """The same lines, however told, give the same groups, charges and sums."""
    first, second = (post(*telling) for telling in tellings)
    assert account_of_shelf(first) == account_of_shelf(second)
    assert first.total() == second.total()
    assert {key: noted.prompt for key, noted in first.prompts.items()} == {
        key: noted.prompt for key, noted in second.prompts.items()
    }


@settings(max_examples=100)
@given(entries_twice())
def test_store_keeps_the_same_account(tellings: Tellings) -> None:
    """The store on disk comes to what the shelf in memory comes to, for another telling."""
    first, second = tellings
    with fleeting_folder() as folder, Store(Path(folder)) as store:
        post_to_store(store, first)
        assert account_of_shelf(post(*second)) == account_of_store(store)


@given(entries)
def test_sums_are_what_the_groups_come_to(told: list[Entry]) -> None:
    """The sums hold exactly the paid requests of all groups and all prompts, and no more."""
    shelf = post(told)
    paid = [each for group in shelf.groups.values() for each in resolve(group.entries)]
    charges = [made for group in shelf.groups.values() for made in group.charges]
    total = shelf.total()
    assert len(paid) == total.requests == len(charges)
    assert sum(each.output for each in paid) == total.output
    assert sum(each.input for each in paid) == total.input
    assert sum(made.value for made in charges) == total.value
    assert len(shelf.prompts) == total.messages


@given(replies(), replies(), replies())
def test_join_is_a_least_upper_bound(one: Reply, two: Reply, three: Reply) -> None:
    """Joining lines is commutative, associative and idempotent."""
    assert join(one, two) == join(two, one)
    assert join(join(one, two), three) == join(one, join(two, three))
    assert join(one, one) == one
    assert join(join(one, two), one) == join(one, two)


@given(st.lists(replies(), max_size=6))
def test_posting_again_changes_nothing(told: list[Reply]) -> None:
    """Lines that were all posted before give a posting without any effect."""
    shelf = post(told)
    posting = new_ledger().post(told, shelf)
    assert [] == [totals for totals in posting.sums.values() if totals]
    before = account_of_shelf(shelf)
    shelf.save(posting)
    assert before == account_of_shelf(shelf)


def test_partial_blocks() -> None:
    """Blocks with output 1, 1 and 500 are one request with 500."""
    total = post([reply(output=output) for output in (1, 1, 500)]).total()
    assert Totals(requests=1, input=10, output=500, value=total.value) == total


def test_message_without_request_id() -> None:
    """Lines of a message that name no request are one request."""
    total = post([reply(request="", output=1)], [reply(request="", output=500)]).total()
    assert (1, 500) == (total.requests, total.output)


def test_request_without_message_id() -> None:
    """Lines of a request that name no message are one request."""
    total = post([reply("", output=1)], [reply("", output=500)]).total()
    assert (1, 500) == (total.requests, total.output)


def test_neither_id() -> None:
    """Lines with neither id are a request each, by the line's own id."""
    told = [reply("", "", line=line, output=3) for line in ("a", "b", "a")]
    assert (2, 6) == (post(told).total().requests, post(told).total().output)


def test_stray_line_joins_its_request() -> None:
    """A record that knows only the request id is part of the request that a log line tells of."""
    whole, stray = reply(output=7), reply("", output=9)
    for order in ([whole, stray], [stray, whole]):
        for shelf in (post(order), post([order[0]], [order[1]])):
            assert (1, 9) == (shelf.total().requests, shelf.total().output)


def test_stray_line_of_a_replay() -> None:
    """A record of the second request id of a replayed message joins that message too."""
    told = [reply(output=7), reply(request="r2", output=7), reply("", "r2", output=7)]
    for order in (told, told[::-1]):
        assert 1 == post(*([each] for each in order)).total().requests


def test_replay_with_the_same_prompt_counts_once() -> None:
    """The same message under a new request id is a replay when its prompt's tokens agree."""
    total = post([reply(output=800), reply(request="r2", output=500)]).total()
    assert (1, 800, 10) == (total.requests, total.output, total.input)


def test_replay_with_another_prompt_is_a_request_of_its_own() -> None:
    """The same message under a new request id and with other prompt tokens was paid again."""
    total = post([reply(output=800), reply(request="r2", output=500, input=11)]).total()
    assert (2, 1300, 21) == (total.requests, total.output, total.input)


def test_fork_belongs_to_the_conversation_that_made_it() -> None:
    """A copy that names the maker decides; without a mark the same one is chosen in any order."""
    marked = reply(conversation="conv-9", owned=True)
    copy = reply(conversation="conv-1")
    older = reply(conversation="conv-0")
    for told in ([marked, copy, older], [older, copy, marked], [copy, marked, older]):
        assert {"conv-9"} == {book.conversation for book in post(told).books if _used(told, book)}
    for told in ([copy, older], [older, copy]):
        assert {"conv-0"} == {book.conversation for book in post(told).books if _used(told, book)}


def _used(told: list[Reply], book: Book) -> bool:
    """Whether anything is booked there in the end."""
    shelf = post(told)
    return bool(
        added_up(totals for (_, number), totals in shelf.sums.items() if shelf.book(number) == book)
    )


def test_copy_of_a_prompt_counts_once() -> None:
    """A prompt that a fork copied is one message, of the same conversation in any order."""
    one, copy = Prompt("p", "conv-1", 5, "/a"), Prompt("p", "conv-2", 5, "/b")
    for told in ([one, copy], [copy, one]):
        shelf = post(told)
        assert 1 == shelf.total().messages
        assert "conv-1" == shelf.prompts["p"].prompt.conversation


def test_advice_is_a_request_of_its_own() -> None:
    """What an advisor answered inside a reply is paid on top, at the rates of its model."""
    shelf = post([reply(output=1, advice=(Advice(HAIKU, 1_000_000, 0), Advice(HAIKU, 0, 7)))])
    total = shelf.total()
    assert (3, 1_000_010, 8) == (total.requests, total.input, total.output)
    assert {OPUS, HAIKU} == {book.model for book in shelf.books}


def test_advice_in_the_us() -> None:
    """Advice inside a request that is kept in the US costs a tenth more too, and is never fast."""
    told = reply(us=True, fast=True, input=0, advice=(Advice(HAIKU, output=1_000),))
    assert 550_000 == post([told]).total().value


def test_advice_of_replays_counts_once() -> None:
    """A replayed reply brings its advice once."""
    told = [reply(advice=(Advice(HAIKU, 5),)), reply(request="r2", advice=(Advice(HAIKU, 5),))]
    assert 2 == post(told).total().requests


def test_unchanged_group_is_the_same_object() -> None:
    """A line that says nothing new leaves the group alone, so that nothing is written for it."""
    held = file_under((), "r1", reply(output=5))
    assert held is file_under(held, "r1", reply(output=3))


def test_unknown_model_is_marked() -> None:
    """A request at a guessed price counts as unpriced, and its model is told."""
    shelf = DictShelf()
    posting = new_ledger().post([reply(model="claude-opus-9", output=5)], shelf)
    shelf.save(posting)
    assert {"claude-opus-9"} == posting.unpriced_models
    assert 1 == shelf.total().unpriced


def test_rebook_moves_charges_as_they_are() -> None:
    """Booking again changes whom a request belongs to, and nothing of what it cost."""
    shelf = post([reply(output=5), Prompt("p", "conv-1", NINE_MS, "")])
    before = shelf.total()

    def to_agent(reply: Reply) -> Book:
        return Book(reply.conversation, reply.model, "api", agent="agent-1")

    def prompt_to_agent(prompt: Prompt) -> Book:
        return replace(book_of_prompt(prompt), agent="agent-1")

    dearer = Ledger(PRICES, to_agent, prompt_to_agent)
    shelf.save(dearer.rebook(["m:m1", "m:none"], ["p", "none"], shelf))
    assert before == shelf.total()
    assert {"agent-1"} == {shelf.book(number).agent for _, number in shelf.sums}


def test_empty_group_resolves_to_nothing() -> None:
    """A group whose lines were joined to another pays for nothing."""
    assert [] == resolve(Group().entries)
