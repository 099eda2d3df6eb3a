"""Which commands of ``[on]`` an update is for, and what they get."""

import json

import msgspec
import pytest

from tollkeeper import wire
from tollkeeper.model import Action, ActionKind, Alert, Plan, Window
from tollkeeper_daemon.config import On
from tollkeeper_daemon.outlets.commands import Commands
from tollkeeper_daemon.outlets.on_events import OnEvents, events_of

EVERY = On(plan="run plan", alert="run alert")
TIME = "2026-11-23T09:00:00.000+00:00"


class Kept(Commands):
    """Keeps what it is to run."""

    def __init__(self) -> None:
        super().__init__(30)
        self.told: list[tuple[str, str, bytes]] = []

    def run(self, name: str, command: str, data: bytes) -> None:
        self.told.append((name, command, data))


@pytest.mark.parametrize(
    ("kind", "events"),
    [
        ("warned", ["action", "limit_warned"]),
        ("reached", ["action", "limit_reached"]),
        ("paused", ["action"]),
    ],
)
def test_actions(kind: ActionKind, events: list[str]) -> None:
    """Every action is one, and those that say how a limit stands are for its own command as well."""
    action = Action(number=1, time=TIME, kind=kind, text="", cause="limit")
    update = wire.ActionUpdate(sequence=1, time=TIME, action=action)
    assert events == [*events_of("action", update)]


@pytest.mark.parametrize(
    ("event", "events"),
    [
        ("started", []),
        ("stage-started", []),
        ("stage-ended", ["stage_ended"]),
        ("ended", ["workflow_ended"]),
    ],
)
def test_ends_of_work(event: wire.WorkflowEvent, events: list[str]) -> None:
    """A stage or a workflow that ends is for its own command, and what begins for none."""
    update = wire.WorkflowUpdate(sequence=1, time=TIME, workflow="w-1", event=event)
    assert events == [*events_of("workflow", update)]


def test_trouble_with_commands() -> None:
    """An alert runs its command; that a command failed runs none."""
    alert = Alert(time=TIME, kind="failed", text="")
    for kind, events in (("failed", ["alert"]), ("command", [])):
        update = wire.AlertUpdate(
            sequence=1, time=TIME, alert=msgspec.structs.replace(alert, kind=kind)
        )
        assert events == [*events_of("alert", update)]


def test_command_gets_the_update() -> None:
    """It gets the update as it is on the wire, with its topic, under the name of its setting."""
    kept = Kept()
    update = wire.PlanUpdate(sequence=7, time=TIME, plan=Plan(limited_until=TIME))
    OnEvents(EVERY, kept).hear("plan", update)
    [(name, command, data)] = kept.told
    assert ("on.plan", "run plan") == (name, command)
    assert {"topic": "plan", **json.loads(wire.encode(update))} == json.loads(data)


def test_nothing_is_wanted() -> None:
    """Without settings nothing is run."""
    kept = Kept()
    OnEvents(On(), kept).hear("plan", wire.PlanUpdate(sequence=7, time=TIME, plan=Plan()))
    assert [] == kept.told


def test_a_plan_that_was_seen() -> None:
    """The command for the plan runs when a figure was seen, and not when only an estimate moved."""
    commands = Kept()
    events = OnEvents(EVERY, commands)
    window = Window(used_percent=42, resets_at=TIME, observed_at=TIME)
    moved = msgspec.structs.replace(window, estimated_percent=43.0, value_since_usd=1.0)
    risen = msgspec.structs.replace(window, used_percent=44)
    runs: list[int] = []
    for each in (window, moved, risen, risen):
        plan = Plan(five_hour=each)
        update = wire.PlanUpdate(sequence=1, time=TIME, plan=plan, plans=(plan,))
        events.hear("plan", update)
        runs.append(len(commands.told))
    assert [1, 1, 2, 2] == runs
