"""The settings as programs see them: what each is, what it says, and what may stand in it."""

from typing import Literal

from msgspec import Struct

FormKind = Literal["bool", "number", "text", "choice", "list", "table"]
Plain = bool | int | float | str
Value = Plain | tuple[Plain, ...] | dict[str, Plain]


class Form(Struct, frozen=True, kw_only=True):
    """What may stand somewhere: its kind, and of a number its bounds, of which None is none.

    ``whole`` numbers have no fraction. ``choices`` are the words of a ``choice``. ``each`` is the form
    of what a list or a table holds; a table's keys are any text.
    """

    kind: FormKind
    choices: tuple[str, ...] = ()
    whole: bool = False
    least: float | None = None
    above: float | None = None
    most: float | None = None
    below: float | None = None
    each: "Form | None" = None


class Setting(Struct, frozen=True, kw_only=True):
    """One setting: ``name`` is ``SECTION.KEY`` of config.toml, and ``about`` says in a line what it is.

    ``value`` is in force. ``in_file`` says that config.toml sets it; else it is the ``default``.
    ``pending`` is what comes into force when the daemon starts anew, None where that is the same;
    only those have it that do not count ``at once``. ``allowed`` is ``form`` in words.
    """

    name: str
    about: str
    value: Value
    default: Value
    in_file: bool = False
    pending: Value | None = None
    counts: Literal["at once", "next start"] = "at once"
    form: Form
    allowed: str


class Settings(Struct, frozen=True, kw_only=True):
    """Settings, the path of their file, and what is wrong with it as it now is (None for nothing).

    While the file is ``broken`` the settings from before the mistake stay in force.
    """

    settings: tuple[Setting, ...]
    file: str
    broken: str | None = None
