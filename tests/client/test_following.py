"""How dashboard and tray follow a daemon that goes and comes."""

import threading

from tollkeeper.errors import NoAnswerError, NoDaemonError, ProtocolError, TollError
from tollkeeper.following import follow
from tollkeeper.model import Status

from .making import agent, status


class Script:
    """A source that answers what it was given, one after the other."""

    def __init__(self, *answers: Status | TollError) -> None:
        self.answers = list(answers)

    def latest(self, wait: float) -> Status:
        """The next answer."""
        answer = self.answers.pop(0)
        if isinstance(answer, TollError):
            raise answer
        return answer


def shown_of(*answers: Status | TollError) -> list[Status | None]:
    """What is shown of these answers."""
    source, stopping, shown = Script(*answers), threading.Event(), list[Status | None]()

    def show(status: Status | None) -> None:
        shown.append(status)
        if not source.answers:
            stopping.set()

    follow(source, show, stopping, pause=0, silence=0)
    return shown


def test_daemon_comes_and_goes() -> None:
    """Whatever goes wrong with the daemon is shown as its absence, and what comes after it as ever."""
    before, after = status(), status(agent("a"))
    lost = [NoDaemonError("gone"), NoAnswerError("slow"), ProtocolError("other")]
    expected = [None, before, None, None, None, after]
    assert expected == shown_of(NoDaemonError("not yet"), before, *lost, after)


def test_stops_when_told() -> None:
    """Once told to stop, it asks no more."""
    stopping = threading.Event()
    stopping.set()
    follow(Script(), lambda status: None, stopping, pause=0, silence=0)
