"""What every page is: a part of the dashboard that is told of each change while it is seen."""

from typing import TypeVar, cast

from textual.app import App
from textual.containers import Container
from textual.screen import ModalScreen
from textual.widget import Widget

from tollkeeper.model import Status

T = TypeVar("T")


class Page(Container):
    """A page; ``title`` stands in its tab."""

    title = ""

    DEFAULT_CSS = """
    Page { height: 1fr; }
    """

    @property
    def is_seen(self) -> bool:
        """Whether its tab is the one that is open."""
        return isinstance(self.parent, Widget) and self.parent.display

    async def ask(self, question: "ModalScreen[T]") -> T | None:
        """What a person answers; for a worker, which may wait."""
        return await cast(App[None], self.app).push_screen_wait(question)  # pyright: ignore[reportUnknownMemberType]

    async def show(self, status: Status) -> None:
        """The state of everything is this now; called while the page is seen."""

    def take_focus(self) -> None:
        """Let the keys go to the first part of the page that takes any, unless one has them."""
        focused = self.screen.focused
        if focused is None or self not in focused.ancestors:
            chain = self.screen.focus_chain
            first = next((each for each in chain if self in each.ancestors), None)
            # To scroll to it before all is laid out would hide what stands above it.
            self.screen.set_focus(first, scroll_visible=False)

    async def open(self) -> None:
        """The page is seen from now on: ask for what it needs besides the status."""
