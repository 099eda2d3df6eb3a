"""What is remembered of the limits, in memory and, as soon as that can be, in the store."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple, cast

from tollkeeper.model import LimitAction
from tollkeeper_daemon.rules.limits import STRICTEST, Scope, ScopeKind, Unit, Used
from tollkeeper_daemon.rules.terms import NOTHING, Memory, Own
from tollkeeper_daemon.store.bar_shelf import BarShelf
from tollkeeper_daemon.store.schema import ExcusedRecord, LimitRecord, MemoryRecord
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

Key = tuple[Scope, Unit]


class Unsaved(NamedTuple):
    """Of what the store does not hold what memory does."""

    limits: set[Key]
    memories: set[Key]
    excused: set[Scope]


class Memories:
    """The limits set by hand, what was told and done of each limit, and what is not counted.

    ``touched`` is when a person minded each limit set by hand (ms),
    ``excused`` what was used of a scope before anybody watched: it moves no rule.

    A change holds at once. When it can't be saved that raises, and each ``save`` tries again.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.own: dict[Key, Own] = {}
        self.touched: dict[Key, int] = {}
        self.of_limits: dict[Key, Memory] = {}
        self.excused: dict[Scope, Used] = {}
        self._unsaved = Unsaved(set(), set(), set())
        store.read(self._restore)

    def _restore(self, transaction: Transaction) -> None:
        for each in transaction.bar.limits():
            action = cast(LimitAction, each.action) if each.action else None
            self.own[_key(each)] = Own(each.bound, action)
            self.touched[_key(each)] = each.touched
        for each in transaction.bar.memories():
            self.of_limits[_key(each)] = Memory(each.told, each.granted, _acted(each))
        for each in transaction.bar.excused():
            scope = Scope(cast(ScopeKind, each.kind), each.name)
            self.excused[scope] = Used(each.cost, each.value, each.tokens)

    def of(self, key: Key) -> Memory:
        """What is remembered of this limit."""
        return self.of_limits.get(key, NOTHING)

    @property
    def is_saved(self) -> bool:
        """Whether the store holds all of this."""
        return not any(self._unsaved)

    def save(self, now: int) -> None:
        """Save what could not be saved yet; raises when that fails again."""
        if self.is_saved:
            return

        def work(transaction: Transaction) -> None:
            for key in self._unsaved.limits:
                self._save_limit(transaction.bar, key)
            for key in self._unsaved.memories:
                self._save_memory(transaction.bar, key, now)
            for scope in self._unsaved.excused:
                self._save_excused(transaction.bar, scope, now)

        self._store.write(work)
        self._unsaved = Unsaved(set(), set(), set())

    def _save_limit(self, shelf: BarShelf, key: Key) -> None:
        scope, unit = key
        if own := self.own.get(key):
            touched, action = self.touched[key], own.action or ""
            shelf.save_limit(LimitRecord(scope.kind, scope.name, unit, own.bound, action, touched))
        else:
            shelf.drop_limit(scope.kind, scope.name, unit)

    def _save_memory(self, shelf: BarShelf, key: Key, now: int) -> None:
        scope, unit = key
        memory = self.of_limits.get(key)
        if memory is None:
            shelf.drop_memory(scope.kind, scope.name, unit)
            return
        acted = tuple(sorted(memory.acted))
        actions = tuple(memory.acted[agent] for agent in acted)
        told, granted = memory.told, memory.granted
        shelf.save_memory(
            MemoryRecord(scope.kind, scope.name, unit, now, told, granted, acted, actions)
        )

    def _save_excused(self, shelf: BarShelf, scope: Scope, now: int) -> None:
        if used := self.excused.get(scope):
            shelf.save_excused(
                ExcusedRecord(scope.kind, scope.name, now, used.cost, used.value, used.tokens)
            )
        else:
            shelf.drop_excused(scope.kind, scope.name)

    def remember(self, changed: dict[Key, Memory], now: int) -> None:
        """Keep these memories, and whatever was not saved yet."""
        self.of_limits.update(changed)
        self._unsaved.memories.update(changed)
        self.save(now)

    def scopes(self) -> set[Scope]:
        """Every scope of which anything is kept."""
        return {scope for scope, _ in (*self.own, *self.of_limits)} | self.excused.keys()

    def forget(self, scopes: set[Scope], now: int) -> None:
        """Drop what is remembered of scopes that are over for good."""
        for key in [key for key in self.of_limits if key[0] in scopes]:
            del self.of_limits[key]
            self._unsaved.memories.add(key)
        for key in [key for key in self.own if key[0] in scopes]:
            del self.own[key], self.touched[key]
            self._unsaved.limits.add(key)
        for scope in self.excused.keys() & scopes:
            del self.excused[scope]
            self._unsaved.excused.add(scope)
        self.save(now)

    def set_own(self, scope: Scope, unit: Unit, own: Own, now: int) -> None:
        """A person sets a limit."""
        self.own[scope, unit] = own
        self.touch((scope, unit), now)
        self.save(now)

    def touch(self, key: Key, now: int) -> None:
        """A person minds this limit, if it is one set by hand; ``save`` saves that."""
        if key in self.own:
            self.touched[key] = now
            self._unsaved.limits.add(key)

    def clear_own(self, scope: Scope, unit: Unit, now: int) -> None:
        """A person takes a limit back."""
        self.own.pop((scope, unit), None)
        self.touched.pop((scope, unit), None)
        self._unsaved.limits.add((scope, unit))
        self.save(now)

    def excuse(self, used: dict[Scope, Used], now: int) -> None:
        """This much more of these scopes was used before anybody watched."""
        for scope, more in used.items():
            self.excused[scope] = self.excused.get(scope, Used()) + more
        self._unsaved.excused.update(used)
        self.save(now)


def _key(record: LimitRecord | MemoryRecord) -> Key:
    return Scope(cast(ScopeKind, record.kind), record.name), cast(Unit, record.unit)


def _acted(record: MemoryRecord) -> dict[str, LimitAction]:
    """Whom the limit was carried out on; an earlier version did not say how, and did it once."""
    actions = cast(Sequence[LimitAction], record.actions)
    return dict(zip_longest(record.acted, actions, fillvalue=STRICTEST))
