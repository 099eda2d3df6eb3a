"""Saves who is there: agents when anything of them is new, and the runs that they work in."""

from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.store.schema import AgentRecord, RunRecord
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction


class Registry:
    """The agents and runs as the store has them."""

    def __init__(self, store: Store, roster: Roster) -> None:
        self._store = store
        self._roster = roster
        self._saved: dict[str, AgentRecord] = {}

    def save_agent(self, record: AgentRecord) -> None:
        """Save what is new of the agent; a change of its state alone is not."""
        if self._saved.get(record.id) == record:
            return

        def work(transaction: Transaction) -> None:
            transaction.save_agent(record)
            if self._roster.run:
                transaction.save_run(self._roster.run)

        self._store.write(work)
        self._saved[record.id] = record

    def save_run(self) -> None:
        """Save the run that goes on, if there is one."""
        self._save(self._roster.run)

    def tick(self, now: int) -> None:
        """Let go of what is over at ``now`` (ms), and save the run that ended."""
        _, ended = self._roster.tick(now)
        self._save(ended)

    def _save(self, run: RunRecord | None) -> None:
        if run is not None:
            self._store.write(lambda transaction: transaction.save_run(run))
