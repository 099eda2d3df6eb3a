"""The keys that do something now, in one line."""

from rich.text import Text
from textual.app import App
from textual.screen import Screen

from tollkeeper.top.widgets.lines import Lines


class KeyLine(Lines):
    """Looks what the keys are whenever that may have changed, and is drawn anew only when it has.

    Textual's own footer is made anew with each change of the focus, which takes longer than the rest.
    """

    DEFAULT_CSS = """
    KeyLine { dock: bottom; height: 1; background: $panel; padding: 0 1; }
    """

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._look)  # pyright: ignore[reportUnknownMemberType]
        self._look(self.screen)

    def on_resize(self) -> None:
        self._look(self.screen)

    def _look(self, screen: Screen[object]) -> None:
        own, everywhere = Text(no_wrap=True), Text(no_wrap=True)
        for active in screen.active_bindings.values():
            if active.binding.show:
                key = self.app.get_key_display(active.binding)  # pyright: ignore[reportUnknownMemberType]
                line = everywhere if isinstance(active.node, App) else own
                line.append(f"{key} ", style="bold").append(f"{active.binding.description}  ")
        everywhere.rstrip()
        # Whoever has little room is told how to see all keys, and how to leave.
        own.truncate(max(self.size.width - everywhere.cell_len, 0), overflow="ellipsis")
        self.show([own.append_text(everywhere)])
