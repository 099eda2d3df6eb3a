"""The plans' table as it is now: built in, and the user's own on top, which may be edited."""

from tollkeeper_daemon.own.file import OwnFile, OwnFileError, Stamp
from tollkeeper_daemon.own.plans import PlanError, PlanTerms, load_plans


class PlanTable:
    """Reads the user's own file again when it was written. A broken one is as if it were not there."""

    def __init__(self, own: OwnFile) -> None:
        self._own = own
        self._stamp: Stamp | None = None
        self._plans: dict[str, PlanTerms] | None = None

    def terms(self, name: str) -> PlanTerms | None:
        """The plan of this name."""
        return self.plans().get(name)

    def plans(self) -> dict[str, PlanTerms]:
        """All plans, by their names."""
        stamp = self._own.stamp()
        if self._plans is None or stamp != self._stamp:
            self._stamp, self._plans = stamp, self._load()
        return self._plans

    def _load(self) -> dict[str, PlanTerms]:
        try:
            return load_plans(self._own.read(), str(self._own.path))
        except (PlanError, OwnFileError):
            return load_plans()
