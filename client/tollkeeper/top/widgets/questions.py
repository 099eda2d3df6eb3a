"""What is asked before something is done: yes or no, an amount, labels."""

from collections.abc import Callable, Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label

from tollkeeper.top.widgets.marks import Field


class Question(ModalScreen[bool]):
    """Whether to do it: y, n, Escape, or a button."""

    DEFAULT_CSS = """
    Question { align: center middle; }
    Question > Vertical {
        width: 60; max-width: 90%; height: auto; padding: 1 2; border: heavy $error; background: $surface;
    }
    Question Label { width: 100%; margin-bottom: 1; }
    Question Horizontal { height: auto; width: auto; }
    Question Button { margin-right: 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape", "answer(False)", "No"),
    ]

    def __init__(self, question: str, yes: str) -> None:
        super().__init__()
        self._question = question
        self._yes = yes

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label(self._question, markup=False)
            with Horizontal():
                yield Button(f"{self._yes} (y)", variant="error", id="yes")
                yield Button("Cancel (n)", id="no")

    def on_mount(self) -> None:
        self.query_one("#no", Button).focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        """It was answered by a key."""
        self.dismiss(answer)


class Form(ModalScreen[dict[str, str] | None]):
    """Some fields to fill in; Enter in one of them says that all are, Escape that nothing is to be done.

    ``wrong`` says what is wrong with what was filled in; then it is asked for again.
    """

    DEFAULT_CSS = """
    Form { align: center middle; }
    Form > Vertical {
        width: 60; max-width: 90%; height: auto; max-height: 100%; padding: 0 2; border: heavy $primary; background: $surface;
    }
    Form Label { width: 100%; }
    Form Input { margin-bottom: 1; }
    """
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss_form", "Cancel")]

    def __init__(
        self,
        title: str,
        fields: Mapping[str, str],
        hint: str,
        wrong: Callable[[Mapping[str, str]], str] = lambda _: "",
    ) -> None:
        super().__init__()
        self._title = title
        self._fields = fields
        self._hint = hint
        self._wrong = wrong

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label(self._title, markup=False)
            for name, value in self._fields.items():
                yield Label(name.capitalize(), markup=False)
                yield Field(value=value, id=name)
            yield Label(self._hint, id="hint", markup=False)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        filled = {str(each.id): each.value.strip() for each in self.query(Input)}
        if wrong := self._wrong(filled):
            self.query_one("#hint", Label).update(f"{wrong}\n{self._hint}")
        else:
            self.dismiss(filled)

    def action_dismiss_form(self) -> None:
        """Nothing is to be done."""
        self.dismiss(None)
