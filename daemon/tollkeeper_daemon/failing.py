"""Says which failures are news: a disk stays full for long, and what fails is tried again every second."""


class Failing:
    """The pieces of work that fail now, each with its latest failure."""

    def __init__(self) -> None:
        self._latest: dict[str, str] = {}

    def is_news(self, work: str, error: Exception) -> bool:
        """Whether the work, by its name, went well before, or failed otherwise."""
        before, self._latest[work] = self._latest.get(work), repr(error)
        return self._latest[work] != before

    def is_over(self, work: str) -> None:
        """It went well."""
        self._latest.pop(work, None)
