"""Texts of config.toml as people may write them: in any order and form, with notes anywhere."""

import json
from typing import Any, TypeGuard

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from msgspec import Struct

from tollkeeper.settings import Form
from tollkeeper_daemon.own.catalogue import FORMS

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
# What has a form of its own, beyond its type.
CHECKED: dict[str, SearchStrategy[Any]] = {
    "ccflare.url": st.sampled_from(["", "http://127.0.0.1:8080"]),
    "notify.quiet": st.sampled_from(["", "22:00-07:00"]),
    "segments.format": st.sampled_from(["brief", "{agents} # {{"]),
    "segments.statusline": st.sampled_from(["statusline", "[{name}]"]),
    "workflow.task_patterns": st.lists(
        st.sampled_from(["#[0-9]+", '"x"', r"JIRA-\d+"]), max_size=3
    ),
}
SECTIONS = sorted({name.partition(".")[0] for name in FORMS})


def values_of(name: str) -> SearchStrategy[Any]:
    """What may be set there."""
    return CHECKED[name] if name in CHECKED else _of_form(FORMS[name])


def _of_form(form: Form) -> SearchStrategy[Any]:
    match form.kind:
        case "bool":
            return st.booleans()
        case "text":
            return TEXT
        case "choice":
            return st.sampled_from(form.choices)
        case "number":
            return _numbers(form)
        case "list":
            assert form.each
            return st.lists(_of_form(form.each), max_size=3)
        case "table":
            assert form.each
            return st.dictionaries(TEXT, _of_form(form.each), max_size=3)


def _numbers(form: Form) -> SearchStrategy[Any]:
    least = form.least if form.least is not None else form.above
    most = form.most if form.most is not None else form.below or 1e12
    assert least is not None
    if form.whole:
        return st.integers(int(least), int(most))
    return st.floats(
        least, most, exclude_min=form.above is not None, exclude_max=form.below is not None
    )


class Piece(Struct, frozen=True):
    """A part of the text, and the setting that it is, or all of a section; empty for neither."""

    text: str
    owner: str = ""


class Written(Struct, frozen=True):
    """A text, what it sets, and where each stands."""

    pieces: tuple[Piece, ...]
    values: dict[str, Any]

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    def where(self, name: str) -> tuple[int, int] | None:
        """From where to where what holds this setting stands; None where nothing does."""
        section = name.partition(".")[0]
        at, found = 0, list[int]()
        for piece in self.pieces:
            if piece.owner in (name, section):
                found += [at, at + len(piece.text)]
            at += len(piece.text)
        return (found[0], found[-1]) if found else None


@st.composite
def texts(draw: DrawFn) -> Written:
    """A good config.toml, and what it sets. Every note in it has a number of its own."""
    names = draw(st.lists(st.sampled_from(sorted(FORMS)), unique=True, max_size=8))
    values = {name: draw(values_of(name)) for name in names}
    pen = _Pen(draw)
    root, below = list[Piece](), list[Piece]()
    for section in draw(st.permutations(SECTIONS)):
        own = {name: value for name, value in values.items() if name.startswith(f"{section}.")}
        if not own and draw(st.integers(0, 3)):
            continue
        match draw(st.sampled_from(["header", "header", "dotted", "inline"])):
            case "dotted":
                for name, value in own.items():
                    root += [*pen.notes(), *pen.pair(name, name, value)]
            case "inline":
                says = {name.partition(".")[2]: value for name, value in own.items()}
                root += [*pen.notes(), *pen.pair(section, section, says, is_inline=True)]
            case _:
                below += pen.section(section, own)
    pieces = [*root, *below, *pen.notes()]
    if draw(st.booleans()) and pieces:
        pieces[-1] = Piece(pieces[-1].text.rstrip("\n"), pieces[-1].owner)
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    pieces = [Piece(each.text.replace("\n", newline), each.owner) for each in pieces]
    return Written(tuple(pieces), values)


class _Pen:
    """Writes in a hand of its own."""

    def __init__(self, draw: DrawFn) -> None:
        self._draw = draw
        self._noted = 0

    def notes(self) -> list[Piece]:
        """Lines between the others."""
        lines = self._draw(
            st.lists(st.sampled_from(["", "  ", "#", "  # [limits] 'x", '# a = """']), max_size=2)
        )
        return [Piece(self._note(line) + "\n") for line in lines]

    def _note(self, line: str) -> str:
        if not line.strip():
            return line
        self._noted += 1
        return f"{line} note {self._noted}."

    def _one_of(self, *written: str) -> str:
        return self._draw(st.sampled_from(written))

    def section(self, section: str, own: dict[str, Any]) -> list[Piece]:
        """All of it under its header; its tables perhaps under headers of their own."""
        tables = {
            name: value
            for name, value in own.items()
            if _is_table(value) and self._draw(st.booleans())
        }
        plain = {name: value for name, value in own.items() if name not in tables}
        pieces = self.notes()
        if plain or not tables or self._draw(st.booleans()):
            header = self._one_of(f"[{section}]", f'  [ "{section}" ]', f"[{section}]  # it's")
            pieces.append(Piece(header + "\n"))
            for name, value in plain.items():
                pieces += [*self.notes(), *self.pair(name.partition(".")[2], name, value)]
        for name, value in tables.items():
            pieces += [*self.notes(), Piece(f"[{name}]\n", name)]
            for key, each in value.items():
                pieces += [*self.notes(), *self.pair(_key(key), name, each)]
        return pieces

    def pair(self, key: str, owner: str, value: Any, is_inline: bool = False) -> list[Piece]:
        """A key with its value; one that is a table perhaps key by key."""
        if _is_table(value) and value and not is_inline and self._draw(st.booleans()):
            return [
                piece
                for below, each in value.items()
                for piece in self.pair(f"{key}.{_key(below)}", owner, each)
            ]
        behind = self._one_of("", "", "  ", "\t# 'it = [")
        equals = self._one_of("=", " = ", "\t=  ")
        written = self._inline(value) if is_inline else self._value(value)
        return [Piece(f"{self._one_of('', '  ')}{key}{equals}{written}{behind}\n", owner)]

    def _value(self, value: Any) -> str:
        if _is_list(value) and self._draw(st.booleans()):
            inside = "".join(f"  {self._inline(each)}, # ] it\n" for each in value)
            return f"[ # [\n{inside}]"
        if isinstance(value, str) and value.isprintable() and "'" not in value:
            return self._one_of(f"'{value}'", f"'''\n{value}'''", self._inline(value))
        return self._inline(value)

    def _inline(self, value: Any) -> str:
        if _is_table(value):
            pairs = (f"{_key(key)} = {self._inline(each)}" for key, each in value.items())
            return f"{{ {', '.join(pairs)} }}"
        if _is_list(value):
            return f"[{','.join(map(self._inline, value))}]"
        return _key(value) if isinstance(value, str) else json.dumps(value)


def _is_table(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _key(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
