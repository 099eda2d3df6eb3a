"""The commands of ``[on]``: which of them an update is for, and what each gets."""

from collections.abc import Iterator
from typing import Any

import msgspec

from tollkeeper import wire
from tollkeeper.model import ActionKind, Plan
from tollkeeper_daemon.config import Config, On
from tollkeeper_daemon.outlets.commands import Commands

TOPICS: dict[wire.Topic, str] = {
    "agent.started": "agent_started",
    "agent.exited": "agent_exited",
    "action": "action",
    "alert": "alert",
    "plan": "plan",
}
WORKFLOWS: dict[wire.WorkflowEvent, str] = {
    "stage-ended": "stage_ended",
    "ended": "workflow_ended",
}
ACTIONS: dict[ActionKind, str] = {"warned": "limit_warned", "reached": "limit_reached"}


class OnEvents:
    """Hears every update, and runs the commands that the settings have for it."""

    def __init__(self, settings: On, commands: Commands) -> None:
        self._settings = settings
        self._commands = commands
        self._seen: list[tuple[object, ...]] = []

    def follow(self, config: Config) -> None:
        """The settings are these now."""
        self._settings = config.on
        self._commands.timeout_seconds = config.on.timeout_seconds
        # They may be other commands now.
        self._commands.troubles.clear()

    def hear(self, topic: wire.Topic, update: wire.Update) -> None:
        """An update was published: commands get it as it is on the wire, and its topic."""
        if isinstance(update, wire.PlanUpdate) and not self._is_seen_anew(update):
            return
        for event in events_of(topic, update):
            if self.wants(event):
                content: dict[str, Any] = msgspec.to_builtins(update)
                self.tell(event, {"topic": topic, **content})

    def _is_seen_anew(self, update: wire.PlanUpdate) -> bool:
        """Whether it holds more than estimates, which move all the time."""
        before, self._seen = self._seen, [*map(_seen, (update.plan, *update.plans))]
        return before != self._seen

    def wants(self, event: str) -> bool:
        """Whether there is a command for this event, by its name in ``[on]``."""
        return bool(getattr(self._settings, event))

    def tell(self, event: str, content: dict[str, Any]) -> None:
        """Run the command for this event, if there is one, with this as JSON."""
        if command := getattr(self._settings, event):
            self._commands.run(f"on.{event}", command, wire.encode(content))


def _seen(plan: Plan) -> tuple[object, ...]:
    """What was seen of the plan."""
    windows = (plan.five_hour, plan.seven_day)
    seen = [window and (window.used_percent, window.resets_at) for window in windows]
    return (plan.account, plan.limited_until, *seen)


def events_of(topic: wire.Topic, update: wire.Update) -> Iterator[str]:
    """The events of ``[on]`` that the update is."""
    # A command that fails must not be told so by itself, again and again.
    if isinstance(update, wire.AlertUpdate) and update.alert.kind == "command":
        return
    if name := TOPICS.get(topic):
        yield name
    if isinstance(update, wire.ActionUpdate) and (limit := ACTIONS.get(update.action.kind)):
        yield limit
    if isinstance(update, wire.WorkflowUpdate) and (end := WORKFLOWS.get(update.event)):
        yield end
