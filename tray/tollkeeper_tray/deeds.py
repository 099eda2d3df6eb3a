"""What choosing an entry of the menu does: a call to the daemon, or a program that is opened."""

from typing import Any

from tollkeeper.control import Toll
from tollkeeper.errors import TollError
from tollkeeper.outcomes import CALL_SECONDS, STOP_SECONDS, Came, DoneAnswer, refused, told
from tollkeeper.paths import Paths
from tollkeeper_tray.menu import ADDED_USD, Choice
from tollkeeper_tray.programs import open_dashboard, open_settings


def do(choice: Choice, paths: Paths) -> Came | None:
    """Do it, and say what came of it; None where that is seen. Stopping takes as long as it does."""
    try:
        match choice.verb:
            case "pause" | "resume":
                return _tell(paths, choice.verb, choice.agent)
            case "add":
                return _tell(paths, "resume", choice.agent, add_usd=ADDED_USD)
            case "stop":
                return _tell(paths, "stop", choice.agent, STOP_SECONDS)
            case "dashboard":
                open_dashboard()
            case "settings":
                open_settings(paths)
            case "quit":
                pass  # The tray itself does that.
    except TollError as error:
        return refused(error)
    return None


def _tell(
    paths: Paths, verb: str, agent: str, timeout: float = CALL_SECONDS, **params: Any
) -> Came:
    with Toll(paths, timeout) as toll:
        return told(toll.call(verb, DoneAnswer, agents=[agent], **params).done[0])
