"""The river: scans posted and saved together, whom they belong to, and the running sums."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.pipeline import Outcome, Pipeline
from tollkeeper_daemon.reading.scan import Helper, Scan, place_of, scan_log
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.tally import Tally

from .lines import HAIKU, NINE_MS, NOW, OPUS, as_line, assistant, sample_logs, scanned, usage, user
from .machine import process, session
from .shelf import PRICES

DAY = 24 * 3_600_000
MIDNIGHT = NOW - 12 * 3_600_000
LOG = "/h/projects/-home-dev-src-shop/conv-1.jsonl"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as store:
        yield store


def pipeline(store: Store, roster: Roster | None = None, source: str = "api") -> Pipeline:
    """A pipeline in the middle of the day; everything in it is paid by this source."""
    made = Pipeline(store, roster or Roster(), PRICES, lambda path: (source, ""))
    made.begin_day(MIDNIGHT, MIDNIGHT + DAY)
    return made


def post(river: Pipeline, *lines: bytes, path: str = LOG, live: bool = True) -> Outcome:
    """Post these lines of a log."""
    return river.post([scanned(lines, path)], NOW, live)


def agent_in(
    roster: Roster, conversation: str = "conv-1", pid: int = 100, **labels: str
) -> LiveAgent:
    """An agent that has held this conversation since nine."""
    seen = process(pid, AGENT=f"a{pid}")
    seen = replace(seen, labels={**seen.labels, **{f"TOLL_{n}": v for n, v in labels.items()}})
    return roster.appear(seen, session(pid, conversation), False, NINE_MS)


def spent(tally: Tally) -> tuple[int, int]:
    """Requests and output of a sum."""
    return tally.totals.requests, tally.totals.output


def test_scan_and_offset_are_saved_together(store: Store) -> None:
    """What a scan says, how far it read, and its bad lines go into one transaction."""
    scan = scanned([assistant(), user(), b"{"], LOG)
    pipeline(store).post([scan], NOW)
    assert {scan.file: scan.mark} == store.read(lambda transaction: transaction.files())
    assert 1 == pipeline(store).bad_lines
    river = pipeline(store)
    assert (1, 20) == spent(river.today["api"])
    assert 1 == river.today["api"].totals.messages


def fail(*_: object) -> None:
    """Stands in for what can't be saved."""
    raise RuntimeError("on purpose")


def test_failed_save_moves_no_sum(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the save fails, the running sums stay as they were, and the scan may come again."""
    river = pipeline(store)

    with monkeypatch.context() as patch:
        patch.setattr("tollkeeper_daemon.store.transaction.Transaction.save_file", fail)
        with pytest.raises(RuntimeError):
            post(river, assistant())
    assert {} == river.today
    post(river, assistant())
    assert (1, 20) == spent(river.today["api"])


def test_same_scan_twice(store: Store) -> None:
    """A scan that comes again, after a crash or a copy, charges nothing."""
    river = pipeline(store)
    first = post(river, assistant(), user())
    again = post(river, assistant(), user())
    assert 2 == len(first.charged)
    assert [] == again.charged
    assert (1, 20) == spent(river.today["api"])


def test_growing_reply_is_charged_by_the_difference(store: Store) -> None:
    """Later blocks of a reply add only what they have more."""
    river = pipeline(store)
    post(river, assistant(usage(output=1)))
    ((book, totals),) = post(river, assistant(usage(output=500))).charged
    assert (0, 499, OPUS) == (totals.requests, totals.output, book.model)
    assert (1, 500) == spent(river.today["api"])


def test_today_is_the_days_rows(store: Store) -> None:
    """Only what was used between the two midnights is today's, read anew or posted."""
    lines = [
        assistant(message=f"m{hour}", request=f"r{hour}", timestamp=stamp)
        for hour, stamp in enumerate(
            ["2026-11-21T23:59:59.999Z", "2026-11-22T00:00:00Z", "2026-11-22T12:30:00Z"]
        )
    ]
    river = pipeline(store)
    post(river, *lines)
    assert 2 == river.today["api"].totals.requests
    assert 2 == pipeline(store).today["api"].totals.requests
    river.begin_day(MIDNIGHT - DAY, MIDNIGHT)
    assert 1 == river.today["api"].totals.requests


def test_sources_are_kept_apart(store: Store) -> None:
    """A subscription's requests have a value and no cost; the account in the log decides."""
    owner = as_line({"type": "session-owner", "accountUuid": "acc-1", "sessionId": "conv-1"})
    river = pipeline(store)
    post(river, owner, assistant())
    post(river, assistant(message="m2", request="r2", sessionId="conv-2"))
    assert (1, 0) == (river.today["subscription"].totals.requests, river.today["subscription"].cost)
    assert river.today["subscription"].totals.value == river.today["api"].cost > 0
    conversation = store.read(lambda transaction: transaction.conversation("conv-1"))
    assert conversation
    [payer] = conversation.payers
    assert (NINE_MS, "subscription", "acc-1") == (payer.since, payer.source, payer.account)


def test_home_says_who_pays(store: Store) -> None:
    """Without an agent and an account in the log the home's source pays."""
    river = pipeline(store, source="subscription")
    post(river, assistant())
    assert {"subscription"} == river.today.keys()


def test_agent_has_its_requests(store: Store) -> None:
    """A request is its agent's and the run's, with the agent's labels; so is its subagents'."""
    roster = Roster()
    agent = agent_in(roster, WORKFLOW="shop-1", TASK="shop-1.2", STAGE="analyze")
    river = pipeline(store, roster)
    outcome = post(river, user(), assistant(), assistant(
        usage(output=7), message="m2", request="r2", model=HAIKU, agentId="h1",
        attributionAgent="analyst",
    ))  # fmt: skip
    assert [agent] == outcome.agents
    assert (2, 27) == spent(agent.tally) == spent(river.run)
    assert 1 == agent.tally.totals.messages
    assert OPUS == agent.record.model
    helper = agent.subagents["h1"]
    assert ("analyst", (1, 7)) == (helper.type, spent(helper.tally))
    books = [book for book, _ in outcome.charged]
    assert {(agent.record.id, "shop-1", "shop-1.2", "analyze")} == {
        (book.agent, book.workflow, book.task, book.stage) for book in books
    }


def test_requests_before_the_agent_are_nobodys(store: Store) -> None:
    """What a conversation used before its agent started is not the agent's."""
    roster = Roster()
    agent = agent_in(roster)
    river = pipeline(store, roster)
    post(river, assistant(timestamp="2026-11-22T08:59:59.999Z"))
    assert (0, 0) == spent(agent.tally) == spent(river.run)
    assert (1, 20) == spent(river.today["api"])


def test_claim_of_what_was_read_before(store: Store) -> None:
    """What was booked to nobody becomes the agent's when it is found, and costs the same."""
    roster = Roster()
    river = pipeline(store, roster)
    post(river, user(), assistant())
    before = replace(river.today["api"].totals)
    agent = agent_in(roster)
    outcome = river.claim("conv-1")
    assert outcome
    assert [agent] == outcome.agents
    assert (1, 20) == spent(agent.tally)
    assert 1 == agent.tally.totals.messages
    assert before == river.today["api"].totals
    assert river.claim("conv-1") is None
    assert river.claim("conv-2") is None


def test_claim_that_is_not_saved(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a claim could not save still waits for its agent, and is claimed by another try."""
    roster = Roster()
    river = pipeline(store, roster)
    post(river, assistant(), user())
    assert [] == river.unclaimed()
    agent = agent_in(roster)
    with monkeypatch.context() as patch:
        patch.setattr(store, "write", fail)
        with pytest.raises(RuntimeError):
            river.claim("conv-1")
    assert ["conv-1"] == river.unclaimed()
    assert (0, 0) == spent(agent.tally)
    assert river.claim("conv-1")
    assert (1, 20) == spent(agent.tally)
    assert [] == river.unclaimed()
    assert river.claim("conv-1") is None


def test_claim_of_a_helper_that_was_read_before(store: Store) -> None:
    """A helper read before its agent was known has its name, its last activity and its state."""
    roster = Roster()
    river = pipeline(store, roster)
    helper = assistant(message="m2", request="r2", agentId="h1", attributionAgent="analyst")
    scan = scanned([helper], "/h/projects/-p/conv-1/subagents/agent-h1.jsonl")
    note = Helper("h1", "analyst", "look at it", finished=True)
    river.post([scanned([assistant()], LOG), replace(scan, helper=note)], NOW)
    agent = agent_in(roster)
    assert river.claim("conv-1")
    [known] = agent.subagents.values()
    assert ("look at it", NINE_MS, True) == (known.description, known.last_time, known.finished)
    assert (OPUS, NINE_MS) == (agent.record.model, agent.last_time)


def test_history_is_never_claimed(store: Store) -> None:
    """What an import read is not an agent's that shows up later, beyond what it did itself."""
    roster = Roster()
    river = pipeline(store, roster)
    post(river, assistant(), live=False)
    agent_in(roster)
    assert river.claim("conv-1") is None


def test_restored_sums(store: Store) -> None:
    """A new daemon has the same sums of agents, subagents, run and day as the old one."""
    roster = Roster()
    agent = agent_in(roster)
    gone = agent_in(roster, "conv-2", 101)
    river = pipeline(store, roster)
    post(river, assistant(), assistant(message="m2", request="r2", agentId="h1"))
    post(river, assistant(message="m3", request="r3", sessionId="conv-2"))
    roster.exit(gone, NOW - 3_600_000)
    run = roster.run
    assert run
    for each in (agent, gone):
        store.write(lambda transaction, each=each: transaction.save_agent(each.record))
    restored = Roster()
    restored.restore([agent.record, gone.record], [replace(run, last_lived=NOW)], NOW)
    after = pipeline(store, restored)
    after.restore()
    (known,) = restored.agents.values()
    assert agent.tally == known.tally
    assert agent.subagents["h1"].tally == known.subagents["h1"].tally
    assert river.run == after.run
    assert (3, 60) == spent(after.run)
    assert river.today == after.today


def test_next_run_begins_with_nothing(store: Store) -> None:
    """When a run is over, the next one's sums begin anew, and late lines are not its own."""
    roster = Roster()
    first = agent_in(roster)
    river = pipeline(store, roster)
    post(river, assistant())
    assert (1, 20) == spent(river.run)
    roster.exit(first, NOW - 7_200_000)
    roster.tick(NOW)
    seen = process(101, started=NOW, AGENT="b")
    roster.appear(seen, session(101, "conv-2"), False, NOW)
    assert (0, 0) == spent(river.run)
    post(
        river,
        assistant(message="m2", request="r2", sessionId="conv-2", timestamp="2026-11-22T12:00:01Z"),
    )
    assert (1, 20) == spent(river.run)


def test_profile_of_a_conversation(store: Store) -> None:
    """Title, folder, directory, times and the client's own totals are kept, and never lost."""
    lines = [
        as_line({"type": "custom-title", "customTitle": "Agent-1", "sessionId": "conv-1"}),
        user(),
        assistant(),
        assistant(message="m2", request="r2", timestamp="2026-11-22T10:00:00Z"),
        as_line(
            {
                "type": "cost-state",
                "sessionId": "conv-1",
                "totalCostUSD": 0.5,
                "totalLinesAdded": 3,
                "totalLinesRemoved": 2,
            }
        ),
    ]
    river = pipeline(store)
    for line in lines:
        post(river, line)
    post(river, as_line({"type": "cost-state", "sessionId": "conv-1"}))
    known = store.read(lambda transaction: transaction.conversation("conv-1"))
    assert known
    assert ("-home-dev-src-shop", "/home/dev/src/shop", "Agent-1") == (
        known.project,
        known.cwd,
        known.title,
    )
    assert (NINE_MS, NINE_MS + 3_600_000) == (known.first_time, known.last_time)
    assert (500_000_000, 3, 2) == (known.client_cost, known.lines_added, known.lines_removed)


def test_fork_does_not_move_its_parent(store: Store) -> None:
    """Lines that a fork copied tell nothing of where the parent's log lies."""
    river = pipeline(store)
    copied = assistant(requestSessionId="conv-0")
    post(river, copied, path="/h/projects/-elsewhere/conv-1.jsonl")
    known = store.read(lambda transaction: transaction.conversation("conv-0"))
    assert known
    assert "" == known.project


def test_hints_on_an_agent(store: Store) -> None:
    """Lines changed, last activity and a helper's name are noted on the agent."""
    roster = Roster()
    agent = agent_in(roster)
    river = pipeline(store, roster)
    helped = scanned([assistant(agentId="h1")], f"{LOG[:-6]}/subagents/agent-h1.jsonl")
    assert helped.helper
    helped = replace(helped, helper=replace(helped.helper, description="look", finished=True))
    river.post([helped], NOW)
    cost = as_line({"type": "cost-state", "totalCostUSD": 1, "totalLinesAdded": 4})
    post(river, cost)
    assert (NINE_MS, 4, 0) == (agent.last_time, agent.lines_added, agent.lines_removed)
    assert ("look", True) == (agent.subagents["h1"].description, agent.subagents["h1"].finished)


def test_unpriced_models_are_told(store: Store) -> None:
    """A model without a price is named in the outcome."""
    outcome = post(pipeline(store), assistant(model="claude-opus-9"))
    assert frozenset({"claude-opus-9"}) == outcome.unpriced_models


def test_no_word_of_a_prompt_is_kept(store: Store, tmp_path: Path) -> None:
    """Neither prompts nor replies nor tool results leave a trace in the ledger's file."""
    river = pipeline(store)
    said = "the-secret-word"
    post(
        river, user(said), assistant(summary=said), user([{"type": "text", "text": said}], uuid="2")
    )
    samples: list[Scan] = [
        scanned(path.read_bytes().splitlines(), str(path)) for path in sample_logs()
    ]
    river.post(samples, NOW)
    content = (tmp_path / "data.mdb").read_bytes()
    assert b"Agent-1" in content
    for word in (b"the-secret-word", b"RUNBASH", b"DELEGATE", b"SUBTASK", b"analyse it"):
        assert word not in content


def test_log_whose_name_is_no_text(store: Store, tmp_path: Path) -> None:
    """A log whose name is not UTF-8 is read and saved like any other."""
    folder = tmp_path / "projects" / "-p"
    folder.mkdir(parents=True)
    log = os.fsdecode(os.fsencode(folder) + b"/conv-\xff.jsonl")
    Path(log).write_bytes(assistant() + b"\n")
    scan = scan_log(log, None, NOW)
    assert scan
    river = pipeline(store)
    river.post([scan], NOW)
    assert (1, 20) == spent(river.today["api"])
    assert [scan.mark] == list(store.read(lambda transaction: transaction.files()).values())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/h/projects/-p/conv-1.jsonl", ("conv-1", "-p")),
        ("/h/projects/-p/conv-1/subagents/agent-a.jsonl", ("conv-1", "-p")),
        ("/h/projects/-p/conv-1/subagents/workflows/r/agent-a.jsonl", ("conv-1", "-p")),
        ("/srv/projects/h/.claude/projects/-p/c.jsonl", ("c", "-p")),
        ("/elsewhere/c.jsonl", ("", "")),
    ],
)
def test_place_of_a_log(path: str, expected: tuple[str, str]) -> None:
    """A log's path names its conversation and its project's folder."""
    assert expected == place_of(path)
