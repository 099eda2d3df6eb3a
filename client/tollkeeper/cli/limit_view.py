"""How limits, and what setting one does, are shown."""

from __future__ import annotations

from tollkeeper.cli import terminal, words
from tollkeeper.cli.limit_scope import called, limit_of
from tollkeeper.cli.table import Column, Row, lay_out
from tollkeeper.cli.whom import print_offered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STYLES = {"reached": "red", "warned": "yellow"}
WOULD = {"warn": "only warn of", "block": "refuse the tool calls of"}
HELD = {
    "paused": "is paused",
    "blocked": "has its tool calls refused",
    "stopping": "is being stopped",
}


def print_limits(answer: dict[str, Any], settings: dict[str, Any]) -> None:
    """A line each; below those in force stand those that bind nothing now.

    They are what the ``settings``, by their names, have for agents and runs, and what was set by hand.
    """
    rows = [_row(each) for each in answer["limits"]]
    rows += _usual_rows(answer, settings)
    rows += [_idle_row(each) for each in answer["by_hand"] if not each["in_force"]]
    if not rows:
        print("There is no limit. Set one with: toll limit set --daily --usd 50")
        return
    columns = [
        Column("Of", cut=1, least=12),
        Column("Used", right=True),
        Column("Limit", right=True),
        Column("%", right=True),
        Column("Then", drop=1),
        Column("State", drop=2),
        Column("", drop=3),
    ]
    colours = terminal.shows_colours()
    for text, style in lay_out(columns, rows, terminal.width()):
        print(terminal.styled(text, style) if colours else text)


def print_set(answer: dict[str, Any], scope: str, unit: str, is_dry: bool) -> None:
    """How the limit stands, whom it hits, and who has room again."""
    limit = answer["limit"]
    _print([_stands(limit, is_dry) if limit else _no_limit(scope, unit, is_dry)], answer, is_dry)


def print_cleared(answer: dict[str, Any], scope: str, is_dry: bool) -> None:
    """Which limits are no more, what holds instead, whom that hits, and who has room again."""
    units = " and ".join("dollars" if unit == "usd" else "tokens" for unit in answer["cleared"])
    cleared = f"{limit_of(scope)} in {units} {'would be' if is_dry else 'is'} cleared"
    if answer["limits"]:
        said = [f"{cleared}.", *(_stands(limit, is_dry) for limit in answer["limits"])]
    else:
        said = [f"{cleared}; {'it would have' if is_dry else 'there is'} no other in its place."]
    _print(said, answer, is_dry)


def _print(said: list[str], answer: dict[str, Any], is_dry: bool) -> None:
    """These lines, and whom the change hits."""
    said += [_hit(each, is_dry) for each in answer["hit"]]
    if is_dry and not answer["hit"]:
        said.append("It would hit nobody now.")
    for line in said:
        print(words.plain(line))
    if is_dry:
        print("Nothing was changed.")
    else:
        print_offered(answer["offered"])
        _print_unsaved(answer)


def _print_unsaved(answer: dict[str, Any]) -> None:
    if answer.get("saved") is False:
        print("It holds, but can't be saved now; that is tried again. See: toll doctor")


def _stands(limit: dict[str, Any], is_dry: bool) -> str:
    told = f"{limit_of(limit['scope'])} {'would be' if is_dry else 'is now'} {_bound(limit)}"
    used = f"{_amount(limit, limit['used'])} ({_percent(limit)} %)"
    return f"{told}, action {limit['action']}; used so far: {used}."


def _no_limit(scope: str, unit: str, is_dry: bool) -> str:
    return f"{limit_of(scope)} in {unit} {'would hold' if is_dry else 'holds'} no more."


def _hit(effect: dict[str, Any], is_dry: bool) -> str:
    name, text = effect["agent"], effect["text"]
    if is_dry:
        return f"It would {WOULD.get(effect['action'], effect['action'])} {name}: {text}"
    if effect["action"] == "warn":
        return f"{name}: {text}"
    if effect["held"]:
        return f"{name} {HELD[effect['held']]}: {text}"
    return f"{name} was not touched: {text}"


def _row(limit: dict[str, Any]) -> Row:
    state = words.limit_state(limit["state"], limit["waived"])
    cells = [
        words.plain(called(limit["scope"])),
        _amount(limit, limit["used"]),
        _bound(limit),
        str(_percent(limit)),
        limit["action"],
        state,
        "by hand" if limit["by_hand"] else "",
    ]
    return Row(cells, STYLES.get(state, ""))


def _usual_rows(answer: dict[str, Any], settings: dict[str, Any]) -> list[Row]:
    """What the settings have for agents and runs of which there is none now."""
    listed = [each for each in answer["limits"] if each["bound_usd"] is not None]
    there = {each["scope"].partition(":")[0] for each in listed}
    # That of every run stands in the place of the settings' own.
    by_hand = (each for each in answer["by_hand"] if each["bound_usd"] is not None)
    there |= {"run" for each in by_hand if each["scope"] == "run"}
    return [
        Row([f"each {kind}", "", words.money(bound), "", settings["limits.action"], "", ""], "dim")
        for kind in ("agent", "run")
        if kind not in there and (bound := settings[f"limits.per_{kind}"])
    ]


def _idle_row(limit: dict[str, Any]) -> Row:
    bound = _bound(limit) if limit["bound_usd"] or limit["bound_tokens"] else "none"
    action = limit["action"] or ""
    is_gone = limit["scope"].startswith("agent:") and bound != "none"
    state = "ended" if is_gone else ""
    is_run = limit["scope"] == "run"
    scope = "each run" if is_run else words.plain(called(limit["scope"]))
    return Row([scope, "", bound, "", action, state, "by hand"], "dim")


def _bound(limit: dict[str, Any]) -> str:
    return words.bound(limit["bound_usd"], limit["bound_tokens"])


def _amount(limit: dict[str, Any], value: float) -> str:
    if limit["bound_usd"] is None:
        return f"{words.tokens(int(value))} tokens"
    return words.money(value)


def _percent(limit: dict[str, Any]) -> int:
    """Whole percents, cut off: it is not 100 before it is reached."""
    return int(limit["fraction"] * 100)
