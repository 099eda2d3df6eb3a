"""What status lines and hooks say: the letters that they leave in the inbox. Pure."""

from collections.abc import Callable
from typing import Annotated, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta, Raw, Struct

from tollkeeper_daemon.names import id_of, name_of, path_of

WindowKind = Literal["five_hour", "seven_day"]
KINDS: tuple[WindowKind, ...] = get_args(WindowKind)

Percent = Annotated[float, Meta(ge=0, le=100)]
Seconds = Annotated[float, Meta(ge=0, le=10**11)]
Milliseconds = Annotated[int, Meta(ge=0, le=10**15)]
Lines = Annotated[int, Meta(ge=0, le=10**12)]
Pid = Annotated[int, Meta(ge=0, le=2**31 - 1)]
T = TypeVar("T")


class Sighting(Struct, frozen=True):
    """How much of a window of the plan is used, and when (ms) it begins anew."""

    window: WindowKind
    used_percent: float
    resets_at: int


class StatusLine(Struct, frozen=True):
    """What Claude Code handed to the status line of a conversation, as far as we want it.

    ``log`` is the path of the conversation's. ``on_plan`` says that it named windows of a plan;
    ``windows`` are those that can be true. ``refused`` counts what can't. ``api_ms`` is how long the
    client's requests took so far: it grows with each, and else what it shows of the plan is no news.
    ``lines`` are those that the conversation added and removed so far, ``model`` the one it would ask.
    """

    conversation: str
    log: str = ""
    on_plan: bool = False
    windows: tuple[Sighting, ...] = ()
    context_used_percent: float | None = None
    refused: int = 0
    api_ms: float | None = None
    lines: tuple[int, int] | None = None
    model: str = ""


class HookReport(Struct, frozen=True):
    """That something happened in a conversation, as ``toll hook`` reports it; ``time`` in ms.

    ``helper`` and ``helper_type`` are a subagent's; ``detail`` is the kind of a notification, or of
    an error.
    """

    event: str
    conversation: str
    time: int
    pid: int = 0
    log: str = ""
    helper: str = ""
    helper_type: str = ""
    detail: str = ""

    @property
    def is_refusal(self) -> bool:
        """Whether the API refused a request, be it for a plan or for the moment."""
        return self.event == "StopFailure" and self.detail == "rate_limit"


class _StatusInput(Struct):
    """The client's own format; each part is read by itself, so that none spoils another."""

    session_id: str
    transcript_path: str | None = None
    context_window: Raw = Raw()
    cost: Raw = Raw()
    model: Raw = Raw()
    rate_limits: Raw = Raw()


class _Context(Struct):
    used_percentage: Percent | None = None


class _Cost(Struct):
    total_api_duration_ms: float | None = None
    total_lines_added: Lines | None = None
    total_lines_removed: Lines | None = None


class _Model(Struct):
    id: str | None = None


class _Window(Struct):
    """More than 100 % is refused: a known bug of the client puts a time there."""

    used_percentage: Percent
    resets_at: Seconds


class _Limits(Struct):
    five_hour: Raw = Raw()
    seven_day: Raw = Raw()


class _Hook(Struct):
    """What ``toll hook`` writes: the fields of the client's that hold no text, and its own."""

    version: Literal[1]
    hook_event_name: str
    session_id: str
    time: Milliseconds
    pid: Pid = 0
    transcript_path: str = ""
    agent_id: str = ""
    agent_type: str = ""
    detail: str = ""


_decode_status = msgspec.json.Decoder(_StatusInput).decode
_decode_context = msgspec.json.Decoder(_Context | None).decode
_decode_cost = msgspec.json.Decoder(_Cost | None).decode
_decode_model = msgspec.json.Decoder(_Model | None).decode
_decode_limits = msgspec.json.Decoder(_Limits | None).decode
_decode_window = msgspec.json.Decoder(_Window | None).decode
_decode_hook = msgspec.json.Decoder(_Hook).decode

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def parse_status_line(content: bytes) -> StatusLine:
    """What the client handed to its status line; ValueError when it is no such thing."""
    try:
        said = _decode_status(content)
    except UNREADABLE as error:
        raise ValueError(f"no input of a status line: {error}") from None
    context, misread = _read(_decode_context, said.context_window)
    cost, _ = _read(_decode_cost, said.cost)
    model, _ = _read(_decode_model, said.model)
    limits, broken = _read(_decode_limits, said.rate_limits)
    windows, untrue = _windows_of(limits or _Limits())
    return StatusLine(
        conversation=id_of(said.session_id),
        log=path_of(said.transcript_path),
        on_plan=limits is not None and bool(limits.five_hour or limits.seven_day),
        windows=windows,
        context_used_percent=context.used_percentage if context else None,
        refused=misread + broken + untrue,
        api_ms=cost.total_api_duration_ms if cost else None,
        lines=_lines_of(cost or _Cost()),
        model=name_of((model and model.id) or ""),
    )


def parse_hook(content: bytes) -> HookReport:
    """What ``toll hook`` reported; ValueError when it is no such thing."""
    try:
        said = _decode_hook(content)
    except UNREADABLE as error:
        raise ValueError(f"no report of a hook: {error}") from None
    return HookReport(
        event=name_of(said.hook_event_name),
        conversation=id_of(said.session_id),
        time=said.time,
        pid=said.pid,
        log=path_of(said.transcript_path),
        helper=id_of(said.agent_id),
        helper_type=name_of(said.agent_type),
        detail=name_of(said.detail),
    )


def _lines_of(cost: _Cost) -> tuple[int, int] | None:
    """How many lines were added and removed; None where that is not said."""
    added, removed = cost.total_lines_added, cost.total_lines_removed
    return None if added is None or removed is None else (added, removed)


def _windows_of(limits: _Limits) -> tuple[tuple[Sighting, ...], int]:
    """The windows that can be true, and how many can't."""
    found: list[Sighting] = []
    refused = 0
    for kind, raw in zip(KINDS, (limits.five_hour, limits.seven_day), strict=True):
        window, untrue = _read(_decode_window, raw)
        refused += untrue
        if window:
            found.append(Sighting(kind, window.used_percentage, int(window.resets_at * 1000)))
    return tuple(found), refused


def _read(decode: Callable[[Raw], T | None], part: Raw) -> tuple[T | None, int]:
    """What the part says, and 1 when it can't be read."""
    if not part:
        return None, 0
    try:
        return decode(part), 0
    except UNREADABLE:
        return None, 1
