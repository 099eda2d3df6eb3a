"""What is remembered of the limits, in memory and in the store, always both."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import cast

from tollkeeper.model import LimitAction
from tollkeeper_daemon.rules.limits import STRICTEST, Scope, ScopeKind, Unit, Used
from tollkeeper_daemon.rules.terms import NOTHING, Memory, Own
from tollkeeper_daemon.store.schema import ExcusedRecord, LimitRecord, MemoryRecord
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

Key = tuple[Scope, Unit]


class Memories:
    """The limits set by hand, what was told and done of each limit, and what is not counted.

    ``excused`` is what was used of a scope before anybody watched: it moves no rule.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.own: dict[Key, Own] = {}
        self.of_limits: dict[Key, Memory] = {}
        self.excused: dict[Scope, Used] = {}
        self._unsaved: dict[Key, Memory] = {}
        store.read(self._restore)

    def _restore(self, transaction: Transaction) -> None:
        for each in transaction.bar.limits():
            action = cast(LimitAction, each.action) if each.action else None
            self.own[_key(each)] = Own(each.bound, action)
        for each in transaction.bar.memories():
            self.of_limits[_key(each)] = Memory(each.told, each.granted, _acted(each))
        for each in transaction.bar.excused():
            scope = Scope(cast(ScopeKind, each.kind), each.name)
            self.excused[scope] = Used(each.cost, each.value, each.tokens)

    def of(self, key: Key) -> Memory:
        """What is remembered of this limit."""
        return self.of_limits.get(key, NOTHING)

    def remember(self, changed: dict[Key, Memory], now: int) -> None:
        """Keep these memories, saved together; when that fails, nothing is changed."""
        self._save({**self._unsaved, **changed}, now)
        self._unsaved.clear()
        self.of_limits.update(changed)

    def remember_anyway(self, changed: dict[Key, Memory], now: int) -> None:
        """Keep what has happened already; should it not be saved now, the next time saves it too."""
        self.of_limits.update(changed)
        self._unsaved.update(changed)
        if self._unsaved:
            self.remember({}, now)

    def _save(self, memories: dict[Key, Memory], now: int) -> None:
        def work(transaction: Transaction) -> None:
            for (scope, unit), memory in memories.items():
                acted = sorted(memory.acted)
                actions = tuple(memory.acted[agent] for agent in acted)
                transaction.bar.save_memory(
                    MemoryRecord(
                        scope.kind,
                        scope.name,
                        unit,
                        now,
                        memory.told,
                        memory.granted,
                        tuple(acted),
                        actions,
                    )
                )

        self._store.write(work)

    def scopes(self) -> set[Scope]:
        """Every scope of which anything is kept."""
        return {scope for scope, _ in (*self.own, *self.of_limits)} | self.excused.keys()

    def forget(self, scopes: set[Scope]) -> None:
        """Drop what is remembered of scopes that are over for good."""
        keys = [key for key in self.of_limits if key[0] in scopes]
        keys_set = [key for key in self.own if key[0] in scopes]
        excused = [scope for scope in self.excused if scope in scopes]
        if not (keys or keys_set or excused):
            return

        def work(transaction: Transaction) -> None:
            for scope, unit in keys:
                transaction.bar.drop_memory(scope.kind, scope.name, unit)
            for scope, unit in keys_set:
                transaction.bar.drop_limit(scope.kind, scope.name, unit)
            for scope in excused:
                transaction.bar.drop_excused(scope.kind, scope.name)

        self._store.write(work)
        for key in keys:
            del self.of_limits[key]
            self._unsaved.pop(key, None)
        for key in keys_set:
            del self.own[key]
        for scope in excused:
            del self.excused[scope]

    def set_own(self, scope: Scope, unit: Unit, own: Own) -> None:
        """A person sets a limit."""
        record = LimitRecord(scope.kind, scope.name, unit, own.bound, own.action or "")
        self._store.write(lambda transaction: transaction.bar.save_limit(record))
        self.own[scope, unit] = own

    def clear_own(self, scope: Scope, unit: Unit) -> bool:
        """A person takes a limit back; whether there was one."""
        if (scope, unit) not in self.own:
            return False
        self._store.write(lambda transaction: transaction.bar.drop_limit(*_names(scope, unit)))
        del self.own[scope, unit]
        return True

    def excuse(self, used: dict[Scope, Used], now: int) -> None:
        """This much more of these scopes was used before anybody watched."""
        for scope, more in used.items():
            self.excused[scope] = self.excused.get(scope, Used()) + more

        def work(transaction: Transaction) -> None:
            for scope in used:
                total = self.excused[scope]
                transaction.bar.save_excused(
                    ExcusedRecord(
                        scope.kind, scope.name, now, total.cost, total.value, total.tokens
                    )
                )

        self._store.write(work)


def _key(record: LimitRecord | MemoryRecord) -> Key:
    return Scope(cast(ScopeKind, record.kind), record.name), cast(Unit, record.unit)


def _acted(record: MemoryRecord) -> dict[str, LimitAction]:
    """Whom the limit was carried out on; an earlier version did not say how, and did it once."""
    actions = cast(Sequence[LimitAction], record.actions)
    return dict(zip_longest(record.acted, actions, fillvalue=STRICTEST))


def _names(scope: Scope, unit: Unit) -> tuple[str, str, str]:
    return scope.kind, scope.name, unit
