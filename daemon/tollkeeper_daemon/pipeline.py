"""The river in one place: scans come in, are posted and saved in one transaction, and are told."""

import contextlib
from collections.abc import Callable, Generator, Iterable

from msgspec import Struct
from msgspec.structs import replace

from tollkeeper_daemon.agents.live import LiveAgent, LiveSubagent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.clock import day_of
from tollkeeper_daemon.conversations import Conversations
from tollkeeper_daemon.hints import note_labels, note_on, note_payer
from tollkeeper_daemon.joins.joins import Joins
from tollkeeper_daemon.ledger.books import SUBSCRIPTION, Book, quarter
from tollkeeper_daemon.ledger.ledger import Ledger, Posting, Row
from tollkeeper_daemon.ledger.prices import PriceList
from tollkeeper_daemon.ledger.requests import identity
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.paying.learning import FAR_AHEAD
from tollkeeper_daemon.paying.payers import payer_at
from tollkeeper_daemon.plan.sums import PlanSums
from tollkeeper_daemon.reading.scan import Scan, place_of
from tollkeeper_daemon.records import Prompt, Refusal, Reply
from tollkeeper_daemon.store.proxy_shelf import ProxyRow
from tollkeeper_daemon.store.schema import PlanWindow
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.tally import Tally
from tollkeeper_daemon.unheld import Unheld
from tollkeeper_daemon.unpriced import AND_MORE, bounded
from tollkeeper_daemon.watched import Value, Watched


class Outcome(Struct, frozen=True):
    """What a batch came to, for those who tell of it: the rows added, and the agents touched."""

    charged: list[tuple[Book, Totals]]
    agents: list[LiveAgent]
    unpriced_models: frozenset[str]


class Pipeline:
    """Posts scans to the ledger and keeps the running sums that everyone asks for.

    ``payer_of_log`` says who pays for the requests of a log, by its path, and with which account, when
    nothing else does.
    """

    def __init__(
        self,
        store: Store,
        roster: Roster,
        prices: PriceList,
        payer_of_log: Callable[[str], tuple[str, str]],
    ) -> None:
        # Called with the earliest quarter of an hour in which a sum moved.
        self.on_booked: Callable[[int], None] = lambda quarter: None
        self.store = store
        self.roster = roster
        self.today: dict[str, Tally] = {}
        self.today_by_account: dict[tuple[str, str], Tally] = {}
        self.watched = Watched()
        self.plan_sums = PlanSums()
        self._run_sum = ("", Tally())
        self.bad_lines: int = store.read(lambda transaction: transaction.meta("bad_lines")) or 0
        self.unpriced_models: set[str] = set(
            store.read(lambda transaction: transaction.meta("unpriced_models")) or ()
        )
        self.conversations = Conversations(store, roster, payer_of_log)
        as_of = self.conversations.as_of
        self._ledger = Ledger(prices, self._book_of_reply, self._book_of_prompt, as_of)
        self._joins = Joins(self._ledger, self.conversations.paid)
        self._unheld = Unheld(roster)
        self._midnight = 0
        self._next_midnight = 0

    @property
    def prices(self) -> PriceList:
        """The prices in force, by which new requests are charged."""
        return self._ledger.prices

    @prices.setter
    def prices(self, prices: PriceList) -> None:
        self._ledger.prices = prices

    @contextlib.contextmanager
    def history(self) -> Generator[None]:
        """What is posted inside for the first time is marked as history in the ledger."""
        was_history, self._ledger.history = self._ledger.history, True
        try:
            yield
        finally:
            self._ledger.history = was_history

    @property
    def run(self) -> Tally:
        """What the current run has come to; it begins with nothing."""
        current = self.roster.run.id if self.roster.run else ""
        if self._run_sum[0] != current:
            self._run_sum = (current, Tally())
        return self._run_sum[1]

    @property
    def day(self) -> str:
        """The local day that is counted now, as an ISO date."""
        return day_of(self._midnight)

    # Coming up.

    def begin_day(self, midnight: int, next_midnight: int) -> None:
        """Count the day that starts at this local midnight (ms); reads what is booked in it."""
        self._midnight, self._next_midnight = midnight, next_midnight
        self.today, self.today_by_account = {}, {}

        def sum_up(transaction: Transaction) -> None:
            for (_, number), totals in transaction.rows(quarter(midnight), quarter(next_midnight)):
                self._add_to_day(transaction.book(number), totals)
            self.plan_sums.begin_day(midnight, next_midnight, transaction)

        self.store.read(sum_up)

    def restore(self) -> None:
        """Read the sums of the agents and the run that an earlier daemon left."""
        wanted = self.roster.run_agents | self.roster.agents.keys()

        def sum_up(transaction: Transaction) -> None:
            starts = [each.started for each in transaction.agents() if each.id in wanted]
            for (at, number), totals in transaction.rows(quarter(min(starts, default=FAR_AHEAD))):
                book = transaction.book(number)
                if book.agent in wanted:
                    self._add_to_agent(at, book, totals)
            for agent in self.roster.agents.values():
                if known := transaction.conversation(agent.record.conversation):
                    agent.last_time = max(agent.last_time, known.last_time)
                    agent.lines_added = known.lines_added
                    agent.lines_removed = known.lines_removed

        self.store.read(sum_up)

    def watch(self, values: Iterable[Value]) -> None:
        """Keep a running sum of what is booked under each of these values of a book's fields."""
        self.store.read(lambda transaction: self.watched.begin(values, transaction))

    # The river.

    def post(self, scans: Iterable[Scan], now: int, live: bool = True) -> Outcome:
        """Save what the scans say, and how far they read, together; then move the running sums."""
        scans = list(scans)

        def work(transaction: Transaction) -> tuple[Posting, list[tuple[Row, Book]]]:
            self.conversations.begin(transaction)
            self.conversations.learn_turns()
            for scan in scans:
                self.conversations.learn(scan, live)
            posting = self._ledger.post(
                (record for scan in scans for record in (*scan.replies, *scan.prompts)), transaction
            )
            self.conversations.resettle(posting)
            self._joins.settle(transaction, posting)
            self._save(transaction, posting, scans)
            return posting, [(row, transaction.book(row[1])) for row in posting.sums]

        posting, rows = self.store.write(work)
        self.conversations.remember()
        if live:
            self._unheld.note(posting, scans)
        outcome = self._tell(posting, rows)
        return replace(outcome, agents=self._with_hints(outcome.agents, scans, now))

    def _with_hints(self, touched: list[LiveAgent], scans: list[Scan], now: int) -> list[LiveAgent]:
        """The agents touched, also by what is not summed, with that noted on them."""
        agents = {agent.record.id: agent for agent in touched}
        for scan in scans:
            conversation, _ = place_of(scan.path)
            if agent := self.roster.agent_of(conversation, now):
                agents[agent.record.id] = agent
                note_on(agent, scan, conversation)
                if conversation == agent.record.conversation:
                    note_payer(agent, self.conversations.known(conversation), now)
                    self._note_labels(agent, now)
        return list(agents.values())

    def claim(self, conversation: str) -> Outcome | None:
        """An agent was found to hold this conversation: what was booked to nobody is its own."""
        waiting = self._unheld.waiting(conversation)
        if waiting is None:
            return None

        def rebooked(transaction: Transaction) -> Posting:
            posting = self._ledger.rebook(waiting.groups, waiting.prompts, transaction)
            self._joins.settle(transaction, posting)
            return posting

        outcome = self.change(rebooked)
        self._unheld.forget(conversation)
        scans = [*waiting.scans.values()]
        return replace(outcome, agents=self._with_hints(outcome.agents, scans, FAR_AHEAD))

    def unclaimed(self) -> list[str]:
        """The conversations that an agent holds, and whose claim could not be saved."""
        return self._unheld.overdue()

    def _note_labels(self, agent: LiveAgent, now: int) -> None:
        known = self.conversations.known(agent.record.conversation)
        note_labels(agent, known, now, self.conversations.stage_of)

    def settle(self, now: int) -> Outcome | None:
        """Save who pays in the conversations that agents turned to, and to which work they belong.

        None when no agent did, and nothing was told of any.
        """
        told = [each.agent for each in (*self.roster.turned, *self.roster.labelled)]
        if not told:
            return None

        def work(transaction: Transaction) -> tuple[Posting, list[tuple[Row, Book]]]:
            self.conversations.begin(transaction)
            self.conversations.learn_turns()
            posting = Posting()
            self.conversations.resettle(posting)
            self._save(transaction, posting, [])
            return posting, [(row, transaction.book(row[1])) for row in posting.sums]

        posting, rows = self.store.write(work)
        self.conversations.remember()
        for agent in told:
            self._note_labels(agent, now)
        return self._tell(posting, rows)

    def take_rows(self, rows: Iterable[ProxyRow]) -> Outcome:
        """A proxy tells of these requests: those of logs get their accounts, the others wait."""
        rows = list(rows)

        def taken(transaction: Transaction) -> Posting:
            posting = Posting()
            self._joins.take(rows, transaction, posting)
            return posting

        return self.change(taken)

    def book_rows(self, keys: Iterable[str]) -> Outcome:
        """No log told of the requests of these rows so far: only the proxy saw them."""
        keys = sorted(keys)

        def booked(transaction: Transaction) -> Posting:
            posting = Posting()
            self._joins.book(keys, transaction, posting)
            return posting

        return self.change(booked, self._ledger.history)

    def change(self, booked: Callable[[Transaction], Posting], is_history: bool = False) -> Outcome:
        """Save what changes in what was booked before, and move the running sums with it."""

        def work(transaction: Transaction) -> tuple[Posting, list[tuple[Row, Book]]]:
            self.conversations.begin(transaction)
            posting = booked(transaction)
            transaction.save(posting, is_history)
            return posting, [(row, transaction.book(row[1])) for row in posting.sums]

        return self._tell(*self.store.write(work))

    def settle_unpriced(self, charged: set[str]) -> None:
        """Of the models without a price, keep those still so, and those ``charged`` at a guess."""
        guessed = {model for model in self.unpriced_models if not self.prices.knows(model)}
        self.unpriced_models = bounded((guessed | charged) - {AND_MORE})
        self.store.write(lambda t: t.set_meta("unpriced_models", sorted(self.unpriced_models)))

    def _save(self, transaction: Transaction, posting: Posting, scans: list[Scan]) -> None:
        transaction.save(posting, is_history=self._ledger.history)
        self.conversations.save()
        for scan in scans:
            transaction.save_file(scan.file, scan.mark)
            for refusal in scan.refusals:
                if refusal.window:
                    known = self.conversations.of(refusal.conversation)
                    account = payer_at(known, refusal.time).account
                    transaction.save_window(window_of(refusal, account))
            self._save_for_audit(scan, transaction)
            for edits in scan.edits:
                transaction.edits.add(edits)
        if posting.unpriced_models:
            self.unpriced_models = bounded(self.unpriced_models | posting.unpriced_models)
            transaction.set_meta("unpriced_models", sorted(self.unpriced_models))
        bad = posting.absurd + sum(scan.bad_lines for scan in scans)
        if bad:
            self.bad_lines = (transaction.meta("bad_lines") or 0) + bad
            transaction.set_meta("bad_lines", self.bad_lines)

    def _save_for_audit(self, scan: Scan, transaction: Transaction) -> None:
        """Save what an audit compares: the client's totals, and what was copied from others."""
        own, _ = place_of(scan.path)
        for stated in scan.stated:
            transaction.evidence.save_statement(stated.conversation, stated.statement)
        if self.conversations.of(own).told.parents:
            for reply in scan.replies:
                if reply.owned and reply.conversation != own:
                    transaction.evidence.save_copy(own, identity(reply)[0])

    def _tell(self, posting: Posting, rows: list[tuple[Row, Book]]) -> Outcome:
        touched: dict[str, LiveAgent] = {}
        charged: list[tuple[Book, Totals]] = []
        for row, book in rows:
            totals = posting.sums[row]
            if not totals:
                continue
            charged.append((book, totals))
            self.watched.add(row[0], book, totals)
            self.plan_sums.add(row[0], book, totals)
            if quarter(self._midnight) <= row[0] < quarter(self._next_midnight):
                self._add_to_day(book, totals)
            if book.agent and (agent := self._add_to_agent(row[0], book, totals)):
                touched[agent.record.id] = agent
                if totals.requests > 0 and not book.subagent and agent.record.model != book.model:
                    agent.record = replace(agent.record, model=book.model)
        if moved := [row[0] for row, _ in rows if posting.sums[row]]:
            self.on_booked(min(moved))
        return Outcome(charged, list(touched.values()), frozenset(posting.unpriced_models))

    def _add_to_day(self, book: Book, totals: Totals) -> None:
        self.today.setdefault(book.source, Tally()).add(book, totals)
        account = (book.source, book.account)
        self.today_by_account.setdefault(account, Tally()).add(book, totals)

    def _add_to_agent(self, at: int, book: Book, totals: Totals) -> LiveAgent | None:
        if book.agent in self.roster.run_agents:
            self.run.add(book, totals)
        agent = self.roster.agents.get(book.agent)
        if agent is None:
            return None
        agent.tally.add(book, totals)
        agent.proxied.add(at, book, totals.requests)
        if book.subagent:
            helper = agent.subagents.setdefault(book.subagent, LiveSubagent(book.subagent))
            helper.type = helper.type or book.subagent_type
            helper.tally.add(book, totals)
        return agent

    # Whom and what a record belongs to.

    def account_of(self, conversation: str) -> str:
        """The account of the subscription that pays for the conversation now, where it is known."""
        payer = payer_at(self.conversations.read(conversation), FAR_AHEAD)
        return payer.account if payer.source == SUBSCRIPTION else ""

    def is_named(self, conversation: str) -> bool:
        """Whether the conversation's own log names who pays."""
        return self.conversations.read(conversation).told_by == "log"

    def _book_of_reply(self, reply: Reply) -> Book:
        return self._book(
            reply.conversation, reply.time, reply.model, reply.subagent, reply.subagent_type
        )

    def _book_of_prompt(self, prompt: Prompt) -> Book:
        return self._book(prompt.conversation, prompt.time, prompt.model, "", "")

    def _book(
        self, conversation: str, time: int, model: str, subagent: str, subagent_type: str
    ) -> Book:
        payer = payer_at(self.conversations.of(conversation), time)
        labels = self.conversations.labels(conversation, time, subagent, subagent_type)
        agent = self.roster.agent_of(conversation, time)
        return Book(
            conversation=conversation,
            model=model,
            source=payer.source,
            account=payer.account,
            agent=agent.record.id if agent else "",
            subagent=subagent,
            subagent_type=subagent_type,
            workflow=labels.workflow,
            task=labels.task,
            stage=labels.stage,
        )


def window_of(refusal: Refusal, account: str) -> PlanWindow:
    """The window of the plan that the refusal names."""
    return PlanWindow(refusal.window, account, refusal.resets_at, refusal.time)
