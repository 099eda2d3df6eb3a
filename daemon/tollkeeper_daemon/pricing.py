"""The prices in force: built in, with the user's own on top, followed as that file changes."""

import logging
from collections.abc import Callable
from typing import TypeVar

from tollkeeper.model import AlertKind
from tollkeeper_daemon.ledger.price_toml import NEW_FILE
from tollkeeper_daemon.ledger.prices import PriceError, PriceList, load_prices
from tollkeeper_daemon.own.file import Changes, OwnFile, OwnFileError
from tollkeeper_daemon.pipeline import Pipeline

log = logging.getLogger(__name__)

T = TypeVar("T")


class Pricing:
    """Keeps the pipeline's prices in step with prices.toml.

    ``broken`` says what is wrong with the file as it now is; the prices from before the mistake stay in force.
    """

    def __init__(
        self, file: OwnFile, pipeline: Pipeline, alert: Callable[[AlertKind, str], None]
    ) -> None:
        self.file = file
        self.broken: str | None = None
        self._pipeline = pipeline
        self._alert = alert
        self._changes = Changes(file)

    def look(self) -> None:
        """Put the file's prices in force if it has changed; what is wrong with it is told once."""
        if self._changes.are_there():
            self._take()

    def glance(self) -> None:
        """The same, but leave a file alone that somebody may still be writing."""
        if self._changes.are_at_rest():
            self._take()

    async def edit(self, change: Callable[[str, PriceList], tuple[str, T]]) -> T:
        """Write the file as changed, and put its prices in force.

        ``change`` is given the text and the prices with it, and says the new text and its answer.
        PriceError when the file is broken, or would be after it, EditError or OwnFileError when it
        can't be edited. The file is then as it was.
        """

        def checked(text: str | None) -> tuple[str | None, T]:
            before = NEW_FILE if text is None else text
            changed, answer = change(before, self._load(text))
            self._load(changed)
            return None if changed == before else changed, answer

        answer = await self.file.edit(checked)
        self.look()
        return answer

    def _take(self) -> None:
        try:
            prices = self._load(self.file.read())
        except (PriceError, OwnFileError) as error:
            if self.broken != str(error):
                self._alert("prices", f"{error}; the prices from before the mistake stay in force")
            self.broken = str(error)
        else:
            self.broken = None
            self._pipeline.prices = prices
            log.info("the prices in %s are in force", self.file.path)

    def _load(self, text: str | None) -> PriceList:
        return load_prices(text, str(self.file.path))
