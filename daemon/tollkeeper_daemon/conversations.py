"""What is known of conversations: looked up, brought up to date in a transaction, and saved with it."""

from collections.abc import Callable

from msgspec.structs import replace

from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.agents.turns import Labelled
from tollkeeper_daemon.audit.statements import follow
from tollkeeper_daemon.labels.labels import (
    Fact,
    Labels,
    Layer,
    labels_at,
    labels_of,
    with_facts,
    with_last,
)
from tollkeeper_daemon.labels.task_ids import BUILT_IN_IDS, TaskIds, of_task
from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.ledger.ledger import Posting
from tollkeeper_daemon.paying.learning import learned_of, said_in, told_by_home
from tollkeeper_daemon.paying.payers import noted_since, paid_by, payer_at, with_payers
from tollkeeper_daemon.reading.scan import Scan, place_of
from tollkeeper_daemon.resettling import resettle
from tollkeeper_daemon.store.schema import Conversation
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

MOST_CACHED = 5_000
# From the start of an agent's process it takes so long, at the most, until it is noted who pays.
NOTED_WITHIN_MS = 60_000


class Conversations:
    """Who pays in each conversation, and to which work it belongs, at any time.

    ``payer_of_log`` says who pays for the requests of a log, by its path, and with which account, when
    nothing else does. ``ids`` finds task ids in names, ``stage_of`` says which stage a subagent's type
    stands for, if any.
    """

    def __init__(
        self,
        store: Store,
        roster: Roster,
        payer_of_log: Callable[[str], tuple[str, str]],
    ) -> None:
        self.ids: TaskIds = BUILT_IN_IDS
        self.stage_of: Callable[[str], str] = lambda subagent_type: ""
        self._store = store
        self._roster = roster
        self._payer_of_log = payer_of_log
        self._known: dict[str, Conversation] = {}
        # While a transaction runs: it, what it has changed, and how that was known before.
        self._transaction: Transaction
        self._changed: dict[str, Conversation] = {}
        self._before: dict[str, Conversation] = {}

    # In a transaction.

    def begin(self, transaction: Transaction) -> None:
        """What is looked up and learned from now on is in this transaction."""
        self._transaction = transaction
        self._changed, self._before = {}, {}

    def of(self, name: str) -> Conversation:
        """What is known of this conversation."""
        found = self._changed.get(name) or self._known.get(name)
        if found is None:
            found = self._transaction.conversation(name) or Conversation()
            self._known[name] = found
        return found

    def learn(self, scan: Scan, live: bool) -> None:
        """Bring the conversations up to date with what the scan says of them.

        Its home is asked once who pays, and again for what is ``live``: of what was written before, it
        may say something else by now.
        """
        own, project = place_of(scan.path)
        for name, said in said_in(scan).items():
            known = self.of(name)
            if not known.source or (live and name == own and not known.told_by):
                known = told_by_home(known, *self._payer_of_log(scan.path))
            learned = learned_of(known, said)
            if name == own and not learned.project:
                learned = replace(learned, project=project)
            self._change(name, learned)
        if own:
            known = self.of(own)
            told = follow(known.told, scan, own)
            self._change(own, known if told is known.told else replace(known, told=told))
        self._learn_labels(scan, own)

    def _learn_labels(self, scan: Scan, own: str) -> None:
        for mention in scan.mentions:
            layer = Layer.FOUND if mention.in_order else Layer.PLACED
            fact = Fact(mention.time, layer, mention.subagent, of_task(mention.task))
            self._learn_fact(mention.conversation, fact, scan.is_first)
        # What bears no time holds from the beginning, as far as that is known.
        times = [each.time for each in (*scan.replies, *scan.prompts)]
        if scan.helper and scan.helper.task and times:
            fact = Fact(min(times), Layer.FOUND, scan.helper.id, of_task(scan.helper.task))
            self._learn_fact(own, fact, scan.is_first)
        for profile in scan.profiles:
            if profile.title:
                known = self.of(profile.conversation).first_time
                begun = [*times, known] if known else times
                fact = Fact(
                    min(begun, default=0), Layer.FOUND, labels=of_task(self.ids.find(profile.title))
                )
                self._learn_fact(profile.conversation, fact, is_first=False)

    def _learn_fact(self, name: str, fact: Fact, is_first: bool) -> None:
        """A log says this; ``is_first`` is of a log of which nothing was booked before."""
        known = self.of(name)
        if labels_of(known.labels, fact.layer, fact.since, fact.subagent) == fact.labels:
            return
        learned = replace(known, labels=with_facts(known.labels, [fact]))
        if is_first and fact.subagent:
            before = self._before.setdefault(name, known)
            self._before[name] = replace(before, labels=with_facts(before.labels, [fact]))
        self._change(name, learned)

    def learn_turns(self) -> None:
        """Bring the conversations up to date with who pays for the agents that turned to them, and why.

        What an earlier daemon saved of the same turn stays: it knew who paid then. Where no prompt has
        told in which folder a conversation is, its agent's folder is.
        """
        for turned in self._roster.turned:
            known = self.of(turned.conversation)
            if not known.cwd:
                known = replace(known, cwd=turned.agent.record.cwd)
                self._change(turned.conversation, known)
            payer, noted = turned.payer, noted_since(known, turned.since, NOTED_WITHIN_MS)
            if turned.is_proof and noted is not None:
                payer = replace(payer, since=noted)
            if payer.source and not (turned.is_old and noted is not None):
                learned = with_payers(known, [payer])
                told_by = known.told_by or "agent"
                self._change(turned.conversation, replace(learned, told_by=told_by))
        for labelled in self._roster.labelled:
            self._learn_labelled(labelled)

    def _learn_labelled(self, labelled: Labelled) -> None:
        name, fact = labelled.conversation, labelled.fact
        known = self.of(name)
        if labelled.until:
            labels = with_last(known.labels, fact, labelled.until)
            self._change(name, replace(known, labels=labels))
        elif labels_of(known.labels, fact.layer, fact.since, fact.subagent) != fact.labels:
            self._change(name, replace(known, labels=with_facts(known.labels, [fact])))

    def _change(self, name: str, learned: Conversation) -> None:
        known = self.of(name)
        if learned != known:
            self._before.setdefault(name, known)
            self._changed[name] = learned

    def resettle(self, posting: Posting) -> None:
        """Add to the posting what moves, of what was booked before, by what is learned now."""
        resettle(self._before, self._changed, self.as_of, self._transaction, posting)

    def save(self) -> None:
        """Save what was learned."""
        for name, conversation in self._changed.items():
            self._transaction.save_conversation(name, conversation)

    def remember(self) -> None:
        """The transaction is saved: what it changed is known from now on."""
        if len(self._known) > MOST_CACHED:
            self._known.clear()
        self._known.update(self._changed)
        self._changed, self._before = {}, {}
        self._roster.turned.clear()
        self._roster.labelled.clear()

    # At any time.

    def known(self, name: str) -> Conversation | None:
        """What is known of this conversation, as far as it was looked up lately."""
        return self._known.get(name)

    def read(self, name: str) -> Conversation:
        """What is known of this conversation, outside of a transaction."""
        found = self._known.get(name)
        return found or self._store.read(lambda t: t.conversation(name)) or Conversation()

    def labels(self, name: str, time: int, subagent: str = "", subagent_type: str = "") -> Labels:
        """To which work belongs what is asked in the conversation at this time (ms)."""
        stage = self.stage_of(subagent_type)
        return labels_at(self.of(name).labels, time, subagent, stage, subagent_type)

    def paid(self, book: Book, time: int) -> Book:
        """The same requests' book as it is where no proxy tells anything."""
        payer = payer_at(self.of(book.conversation), time)
        return replace(book, source=payer.source, account=payer.account)

    def as_of(self, book: Book, time: int) -> Book:
        """The same requests' book, by who pays at this time, and for which work they are."""
        paid = paid_by(book, payer_at(self.of(book.conversation), time))
        labels = self.labels(book.conversation, time, book.subagent, book.subagent_type)
        if labels == Labels(book.workflow, book.task, book.stage):
            return paid
        return replace(paid, workflow=labels.workflow, task=labels.task, stage=labels.stage)
