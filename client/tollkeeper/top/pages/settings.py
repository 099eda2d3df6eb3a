"""The settings: who pays, the plan, alerts, limits, and a table of all the others."""

from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec
from msgspec import Struct
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Checkbox, DataTable, Input, Label, RadioButton, RadioSet, Select

from tollkeeper.cli import words
from tollkeeper.cli.config_set import value_of
from tollkeeper.cli.config_view import written
from tollkeeper.control import AsyncToll
from tollkeeper.errors import TollError
from tollkeeper.paths import Paths
from tollkeeper.settings import Setting, Settings
from tollkeeper.top.drawing.choices import (
    ACTIONS,
    ALERTS,
    AMOUNTS,
    DISPLAY,
    MODES,
    amount,
    switches,
)
from tollkeeper.top.pages.page import Page
from tollkeeper.top.widgets.marks import Amount, Choice, Tick
from tollkeeper.top.widgets.questions import Form

CALL_SECONDS = 10.0
RADIOS = {"accounts.source": MODES, "limits.action": ACTIONS}
PLAN = "plan.name"
NO_PLAN = ""
LONGEST_VALUE = 24


class KnownPlan(Struct, frozen=True):
    """A plan of the plans' table."""

    name: str
    title: str = ""


class Plans(Struct, frozen=True):
    """The answer to ``plans``."""

    plans: tuple[KnownPlan, ...]


class SettingsPage(Page):
    """What is changed here is written to config.toml at once, where all else stays as it is."""

    title = "Settings"

    DEFAULT_CSS = """
    SettingsPage VerticalScroll { padding: 0 1; }
    SettingsPage .section { text-style: bold; margin-top: 1; }
    SettingsPage RadioSet, SettingsPage RadioSet:focus {
        height: auto; width: 100%; border: none; padding: 0;
    }
    SettingsPage Tick, SettingsPage Tick:focus { border: none; padding: 0; height: 1; }
    SettingsPage Select { width: 40; }
    SettingsPage Input { width: 24; }
    SettingsPage Tick:focus > .toggle--label,
    SettingsPage RadioSet:focus > RadioButton.-selected > .toggle--label,
    SettingsPage DataTable:focus > .datatable--cursor { text-style: bold underline; }
    SettingsPage DataTable { height: auto; max-height: 24; }
    SettingsPage #trouble { color: $error; display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "u", "unset", "Default", tooltip="Take the setting under the cursor out of the file"
        ),
    ]

    def __init__(self, paths: Paths) -> None:
        super().__init__()
        self._paths = paths
        self._settings: dict[str, Setting] = {}
        self._plans: tuple[KnownPlan, ...] | None = None
        self._plan: Select[str] = Select([], prompt="Plan: not named", id=_id(PLAN))
        self._table: DataTable[str] = DataTable(cursor_type="row", zebra_stripes=True, id="all")

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Label("", id="trouble", markup=False)
            yield Label("Authentication mode", classes="section")
            yield from self._radios("accounts.source")
            yield Label("Subscription", classes="section")
            yield self._plan
            yield from self._ticks(range(ALERTS))
            yield Label("Limits", classes="section")
            for name, text in AMOUNTS.items():
                yield Label(text)
                yield Amount(id=_id(name))
            yield Label("When a limit is reached", classes="section")
            yield from self._radios("limits.action")
            yield Label("Display", classes="section")
            yield from self._ticks(range(ALERTS, ALERTS + len(DISPLAY)))
            yield Label("All settings (Enter changes one)", classes="section")
            yield self._table

    def on_mount(self) -> None:
        self._table.add_columns("Setting", "Value", "What it is")

    def _radios(self, name: str) -> Iterable[Widget]:
        with RadioSet(id=_id(name)):
            for word, text in RADIOS[name].items():
                yield Choice(text, id=f"{_id(name)}-{word}")

    def _ticks(self, numbers: Iterable[int]) -> Iterable[Widget]:
        return (Tick("", id=f"switch-{number}") for number in numbers)

    async def open(self) -> None:
        await self._look()

    async def _look(self) -> None:
        """Show what the settings are now."""
        try:
            async with AsyncToll(self._paths, CALL_SECONDS) as toll:
                found = await toll.call("config.get", Settings)
                if self._plans is None:
                    self._plans = (await toll.call("plans", Plans)).plans
        except TollError as error:
            self._complain(error)
            return
        self._take(found)

    def _take(self, found: Settings) -> None:
        trouble = self.query_one("#trouble", Label)
        trouble.display = found.broken is not None
        trouble.update(words.plain(found.broken or ""))
        self._settings |= {setting.name: setting for setting in found.settings}
        with self.prevent(
            RadioSet.Changed, Select.Changed, Checkbox.Changed, Input.Changed, RadioButton.Changed
        ):
            self._draw()

    def _draw(self) -> None:
        for name in RADIOS:
            word = str(self._settings[name].value)
            self.query_one(f"#{_id(name)}-{word}", RadioButton).value = True
        plan = str(self._settings[PLAN].value)
        names = {each.name: each.title or each.name for each in self._plans or ()}
        self._plan.set_options([("Not named", NO_PLAN), *((names[name], name) for name in names)])
        self._plan.value = plan if plan in names else NO_PLAN
        for number, switch in enumerate(switches(self._settings)):
            box = self.query_one(f"#switch-{number}", Checkbox)
            box.label = switch.text
            box.value = switch.is_on
        for name in AMOUNTS:
            field = self.query_one(f"#{_id(name)}", Input)
            if not field.has_focus:
                field.value = f"{self._settings[name].value:g}"
        self._draw_table()

    def _draw_table(self) -> None:
        table, at = self._table, self._table.cursor_row
        table.clear()
        for setting in self._settings.values():
            table.add_row(setting.name, _cell(setting), setting.about, key=setting.name)
        table.move_cursor(row=at)

    # What a person changes.

    @on(RadioSet.Changed)
    def _chosen(self, event: RadioSet.Changed) -> None:
        for name in RADIOS:
            if event.radio_set.id == _id(name) and event.pressed.id:
                self._save({name: event.pressed.id.removeprefix(f"{_id(name)}-")})

    @on(Select.Changed)
    def _plan_chosen(self, event: Select.Changed) -> None:
        self._save({PLAN: None if event.value == NO_PLAN else str(event.value)})

    @on(Checkbox.Changed)
    def _ticked(self, event: Checkbox.Changed) -> None:
        for number, switch in enumerate(switches(self._settings)):
            if event.checkbox.id == f"switch-{number}":
                self._save({switch.setting: switch.on if event.value else switch.off})

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        for name in AMOUNTS:
            if event.input.id == _id(name):
                dollars = amount(event.value)
                self._save({name: event.value if dollars is None else dollars})

    @on(DataTable.RowSelected, "#all")
    @work
    async def _row_chosen(self, event: DataTable.RowSelected) -> None:
        setting = self._settings[str(event.row_key.value)]
        form = Form(
            f"{setting.name}: {setting.about}",
            {"value": _written(setting)},
            f"May be {setting.allowed}. Enter: set. Escape: leave it.",
        )
        answer = await self.ask(form)
        if answer is not None:
            self._save({setting.name: value_of(answer["value"])})

    def action_unset(self) -> None:
        """The default holds again of the setting under the cursor."""
        if self._table.has_focus and self._table.row_count:
            self._save({list(self._settings)[self._table.cursor_row]: None})

    @work(exclusive=True)
    async def _save(self, values: dict[str, Any]) -> None:
        try:
            async with AsyncToll(self._paths, CALL_SECONDS) as toll:
                found = await toll.call("config.set", Settings, values=values)
        except TollError as error:
            self._complain(error)
            await self._look()
            return
        self._take(found)
        for setting in () if found.broken else found.settings:
            value = _written(setting)
            self.notify(f"{setting.name} is {value}", markup=False)

    def _complain(self, error: TollError) -> None:
        text = f"{error.message}; {error.hint}" if error.hint else error.message
        self.notify(words.plain(text), severity="error", markup=False)


def _id(name: str) -> str:
    """A setting's name as an id of the screen."""
    return name.replace(".", "-")


def _cell(setting: Setting) -> str:
    """The value, cut short; what is a default says so."""
    value = _written(setting)
    if len(value) > LONGEST_VALUE:
        value = f"{value[: LONGEST_VALUE - 1]}…"
    return value if setting.in_file else f"{value} (default)"


def _written(setting: Setting) -> str:
    value = setting.value if setting.pending is None else setting.pending
    return written(msgspec.to_builtins(value), msgspec.to_builtins(setting.form))
