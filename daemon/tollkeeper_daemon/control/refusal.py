"""How a verb says no, and how it reads its parameters."""

from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class Refused(Exception):
    """The call can't be done; the text is for people, ``code`` for programs."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


def params_as(kind: type[T], params: dict[str, Any]) -> T:
    """The parameters as this Struct; Refused when they are not."""
    try:
        return msgspec.convert(params, kind)
    except msgspec.ValidationError as error:
        raise Refused("bad-params", str(error)) from None
