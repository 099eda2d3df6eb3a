"""What is known of the conversations: learned from scans and turns as they are saved, and kept at hand."""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from tollkeeper_daemon.agents.roster import Roster, Turned
from tollkeeper_daemon.audit.statements import follow
from tollkeeper_daemon.ledger.books import SUBSCRIPTION
from tollkeeper_daemon.ledger.ledger import Posting
from tollkeeper_daemon.paying.learning import FAR_AHEAD, learned_of, said_in, told_by_home
from tollkeeper_daemon.paying.payers import noted_since, payer_at, with_payers
from tollkeeper_daemon.paying.repaying import move_to_payers
from tollkeeper_daemon.reading.scan import Scan, place_of
from tollkeeper_daemon.store.schema import Conversation, Payer
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

MOST_CACHED = 5_000
# From the start of an agent's process it takes so long, at the most, until it is noted who pays.
NOTED_WITHIN_MS = 60_000


class Conversations:
    """Between ``begin`` and ``remember`` it learns in a transaction, which may be run anew or fail.

    ``payer_of_log`` says who pays for the requests of a log, by its path, and with which account, when
    nothing else does.
    """

    def __init__(
        self,
        store: Store,
        roster: Roster,
        payer_of_log: Callable[[str], tuple[str, str]],
    ) -> None:
        self._store = store
        self._roster = roster
        self._payer_of_log = payer_of_log
        self._known: dict[str, Conversation] = {}
        self._changed: dict[str, Conversation] = {}
        self._transaction: Transaction

    # While a transaction runs.

    def begin(self, transaction: Transaction) -> None:
        """From now on look conversations up in this transaction; nothing is changed yet."""
        self._transaction = transaction
        self._changed = {}

    def of(self, name: str) -> Conversation:
        """What is known of the conversation, with what was learned in this transaction."""
        found = self._changed.get(name) or self._known.get(name)
        if found is None:
            found = self._transaction.conversation(name) or Conversation()
            self._known[name] = found
        return found

    def payer(self, name: str, time: int) -> Payer:
        """Who pays for what is asked in the conversation at this time (ms)."""
        return payer_at(self.of(name), time)

    def learn(self, scans: Iterable[Scan], live: bool) -> None:
        """Bring the conversations up to date with the agents that turned to them, and these scans.

        Of what was written before, a home may say something else by now: it is asked for what is ``live``.
        """
        for turned in self._roster.turned:
            self._learn_turn(turned)
        for scan in scans:
            self._learn_scan(scan, live)

    def move_to_payers(self, posting: Posting) -> None:
        """Add to the posting what was booked before to somebody else than by what is learned now."""
        before = {name: self._known.get(name, known) for name, known in self._changed.items()}
        move_to_payers(before, self._changed, self._transaction, posting)

    def save(self) -> None:
        """Save what was learned."""
        for name, known in self._changed.items():
            self._transaction.save_conversation(name, known)

    # When it is saved.

    def remember(self) -> None:
        """The transaction is saved: what was learned in it holds."""
        if len(self._known) > MOST_CACHED:
            self._known.clear()
        self._known.update(self._changed)
        self._roster.turned.clear()

    def known(self, name: str) -> Conversation:
        """What is known of the conversation, as it is saved."""
        return (
            self._known.get(name)
            or self._store.read(lambda transaction: transaction.conversation(name))
            or Conversation()
        )

    def account_of(self, name: str) -> str:
        """The account of the subscription that pays for the conversation now, where it is known."""
        payer = payer_at(self.known(name), FAR_AHEAD)
        return payer.account if payer.source == SUBSCRIPTION else ""

    def is_named(self, name: str) -> bool:
        """Whether the conversation's own log names who pays."""
        return self.known(name).told_by == "log"

    def _learn_turn(self, turned: Turned) -> None:
        """Who pays for the agent pays for the conversation from then on.

        What an earlier daemon saved of the same turn stays: it knew who paid then.
        """
        known = self.of(turned.conversation)
        payer, noted = turned.payer, noted_since(known, turned.since, NOTED_WITHIN_MS)
        if turned.is_proof and noted is not None:
            payer = replace(payer, since=noted)
        if payer.source and not (turned.is_old and noted is not None):
            learned = replace(with_payers(known, [payer]), told_by=known.told_by or "agent")
            self._note(turned.conversation, known, learned)

    def _learn_scan(self, scan: Scan, live: bool) -> None:
        own, project = place_of(scan.path)
        for name, said in said_in(scan).items():
            known = learned = self.of(name)
            if not known.source or (live and name == own and not known.told_by):
                learned = told_by_home(known, *self._payer_of_log(scan.path))
            learned = learned_of(learned, said)
            if name == own and not learned.project:
                learned = replace(learned, project=project)
            self._note(name, known, learned)
        if own:
            known = self.of(own)
            self._note(own, known, replace(known, told=follow(known.told, scan, own)))

    def _note(self, name: str, known: Conversation, learned: Conversation) -> None:
        if learned != known:
            self._changed[name] = learned
