"""What can go wrong for somebody who talks to the daemon, with the way out of it."""


class TollError(Exception):
    """Anything that Tollkeeper tells its caller; ``hint`` says what to do about it."""

    code = "failed"
    exit_status = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NoDaemonError(TollError):
    """Nobody listens on the control socket."""

    code = "no-daemon"
    exit_status = 3


class NoAnswerError(TollError):
    """The daemon did not answer in time."""

    code = "no-answer"


class StartError(TollError):
    """The daemon could not be started."""

    code = "start-failed"
    exit_status = 3


class TextError(TollError):
    """What should be told to the daemon is no text: it holds what is not UTF-8."""

    code = "bad-params"
    exit_status = 2


class ProtocolError(TollError):
    """The other side sent something that is not of this protocol."""

    code = "protocol"


class PlaceError(TollError):
    """A directory or socket path can't be used."""

    code = "place"


class CallError(TollError):
    """The daemon refused a call."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.code = code
        if code == "bad-params":
            self.exit_status = 2
