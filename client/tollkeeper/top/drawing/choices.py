"""The settings page's choices: what each says, and which settings it stands for. Pure."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from tollkeeper.settings import Plain, Setting, Value

MODES = {
    "auto": "Found out for each agent, proxies and several accounts too",
    "subscription": "Subscription only (Pro/Max plan)",
    "api": "API key only",
    "both": "Both (subscription + API): found out for each agent",
}
ACTIONS = {
    "warn": "Warn and continue",
    "block": "Refuse its tool calls, or pause it",
    "pause": "Pause agent and notify",
    "stop": "Stop agent",
}
AMOUNTS = {
    "limits.per_agent": "Per-agent limit, $ (0 = unlimited)",
    "limits.per_run": "Per-run limit, $",
    "limits.daily": "Daily limit, $",
}
DISPLAY = {
    "display.agent_cards": "Show usage in agent cards",
    "display.status_bar": "Show usage in status bar",
}
ALERTS = 3
LIMITED = "limited"


class Switch(Struct, frozen=True):
    """A box to tick: which setting it changes, what it says, and the setting's value with it and without."""

    setting: str
    text: str
    is_on: bool
    on: Value | None
    off: Value


def switches(settings: Mapping[str, Setting]) -> tuple[Switch, ...]:
    """The alerts of the plan, and what is displayed."""
    warn_at, off = settings["plan.warn_at"], settings["notify.off"]
    desktop = settings["notify.desktop"]
    at = _items(warn_at.value) or _items(warn_at.default)
    hidden = _items(off.value)
    rest = tuple(kind for kind in hidden if kind != LIMITED)
    return (
        Switch(
            "plan.warn_at",
            f"Warn at {_listed(at)} % plan usage",
            bool(_items(warn_at.value)),
            None if at == _items(warn_at.default) else at,
            (),
        ),
        Switch(
            "notify.off", "Warn when rate limited", LIMITED not in hidden, rest, (*rest, LIMITED)
        ),
        Switch("notify.desktop", "Show notices on the desktop", bool(desktop.value), True, False),
        *(
            Switch(name, text, bool(settings[name].value), True, False)
            for name, text in DISPLAY.items()
        ),
    )


def amount(text: str) -> float | None:
    """The dollars that were typed; None for what is no amount. Whether it is allowed the daemon says."""
    try:
        return float(text.strip().removeprefix("$").replace(",", ""))
    except ValueError:
        return None


def _items(value: Value) -> tuple[Plain, ...]:
    return value if isinstance(value, tuple) else ()


def _listed(numbers: Sequence[Plain]) -> str:
    return ", ".join(f"{number:g}" for number in numbers if isinstance(number, int | float))
