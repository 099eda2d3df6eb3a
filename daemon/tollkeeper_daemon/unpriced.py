"""Keeps the names of models without a price few, whatever stands in the logs. Pure."""

from collections.abc import Iterable

# Far more than there are; the rest is one more "name", which is sorted behind the others.
MOST_NAMES = 200
AND_MORE = "… and more"
# So many new ones at once are told one by one.
MOST_TOLD_SINGLY = 3


def bounded(models: Iterable[str]) -> set[str]:
    """These models, or the first of them and that there are more."""
    names = sorted(models)
    return set(names if len(names) <= MOST_NAMES else [*names[:MOST_NAMES], AND_MORE])


class ToldModels:
    """Which models without a price were told; each is told once, many at once in one line."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def news(self, models: Iterable[str]) -> list[str]:
        """What is to be told now of these models; in the end, that there are too many."""
        room = MOST_NAMES - len(self._told)
        new = sorted(model for model in models if model not in self._told)
        if not new or room < 0:
            return []
        self._told.update(new[: room + 1])
        if len(new) > room:
            return [f"no price for {new[0]} and many more: see toll prices check"]
        if len(new) > MOST_TOLD_SINGLY:
            more = len(new) - 1
            return [f"no price for {new[0]} and {more} more: charged as their dearest kin, shown ~"]
        return [f"no price for {model}: charged as its dearest kin, shown ~" for model in new]
