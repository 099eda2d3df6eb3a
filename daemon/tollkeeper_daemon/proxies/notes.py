"""What is kept of proxies over restarts; what can't be saved is due until it is."""

from collections.abc import Mapping

from tollkeeper_daemon.proxies.accounts import Limited
from tollkeeper_daemon.store.store import Store

# The names in the store's meta of when each proxy was first followed, and of what was told of limits.
SINCE, TOLD = "proxies_since", "proxies_told"


class Notes:
    """``since`` is when each was first followed (ms), by what it is called; ``limited`` what was told of limits."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.since: dict[str, int] = store.read(lambda t: t.meta(SINCE)) or {}
        self.limited = Limited(store.read(lambda t: t.meta(TOLD)) or {})
        self._saved = self._now()

    def save(self) -> None:
        """Save what is new; where that fails it stays so, and the error is the caller's."""
        now = self._now()
        new = {name: value for name, value in now.items() if value != self._saved[name]}
        if new:
            self._store.write(lambda t: [t.set_meta(*each) for each in new.items()])
            self._saved = now

    def _now(self) -> Mapping[str, dict[str, int]]:
        return {SINCE: dict(self.since), TOLD: dict(self.limited.told)}
