"""How a verb says no, and how it reads its parameters."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec

from tollkeeper_daemon.config import ConfigError
from tollkeeper_daemon.ledger.prices import PriceError
from tollkeeper_daemon.own.file import OwnFileError
from tollkeeper_daemon.own.plans import PlanError
from tollkeeper_daemon.toml_text import EditError

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


@contextmanager
def editing(path: object) -> Generator[None]:
    """Refuse what can't be done because of the user's own file at this path."""
    try:
        yield
    except (ConfigError, PriceError, PlanError, OwnFileError) as error:
        raise Refused("broken-file", str(error), "mend it, or move it away") from None
    except EditError as error:
        raise Refused("broken-file", f"{path}: {error}", "edit it by hand") from None
