"""What may stand in a setting, told from its type: as a form, and in words. Pure."""

import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal, get_args, get_origin

from msgspec import Meta

from tollkeeper.settings import Form, FormKind

KINDS: dict[type, FormKind] = {bool: "bool", int: "number", float: "number", str: "text"}


def form_of(kind: Any) -> Form:
    """The form of what this type takes: a truth, number, text, choice, list or table of such."""
    if get_origin(kind) is Annotated:
        kind, *metas = get_args(kind)
        return _form(kind, [each for each in metas if isinstance(each, Meta)])
    return _form(kind, [])


def _form(kind: Any, metas: Iterable[Meta]) -> Form:
    if get_origin(kind) is Literal:
        return Form(kind="choice", choices=get_args(kind))
    if get_origin(kind) is tuple:
        return Form(kind="list", each=form_of(get_args(kind)[0]))
    if get_origin(kind) is dict:
        return Form(kind="table", each=form_of(get_args(kind)[1]))

    def bound(name: str) -> float | None:
        return next((told for meta in metas if (told := getattr(meta, name)) is not None), None)

    return Form(
        kind=KINDS[kind],
        whole=kind is int,
        least=bound("ge"),
        above=bound("gt"),
        most=bound("le"),
        below=bound("lt"),
    )


def about(kind: Any) -> str:
    """What the type's own description says; empty for none."""
    metas = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    return next((meta.description for meta in metas if meta.description), "")


def wanted(kind: Any) -> str:
    """What a value of this type is, as people say it."""
    return in_words(form_of(kind))


def in_words(form: Form) -> str:
    """What fits this form, as people say it."""
    match form.kind:
        case "bool":
            return "true or false"
        case "text":
            return "text in quotes"
        case "number":
            return f"a {'whole ' if form.whole else ''}number{_range(form)}"
        case "choice":
            *first, last = [json.dumps(word) for word in form.choices]
            return f"{', '.join(first)} or {last}"
        case "list":
            return f"a list such as {_example(form.each)}, in which each is {_of_each(form)}"
        case "table":
            return f"a table in {{ }}, in which each is {_of_each(form)}"


def _example(each: Form | None) -> str:
    """A list of what fits this form, as it is written."""
    if each is None or each.kind not in ("number", "choice"):
        return '["one", "two"]'
    if each.kind == "choice":
        return json.dumps(each.choices[:2])
    low = next((bound for bound in (each.least, each.above) if bound is not None), 0)
    high = next((bound for bound in (each.most, each.below) if bound is not None), low + 2)
    return f"[{_number((low + high) / 2)}]"


def _of_each(form: Form) -> str:
    return in_words(form.each) if form.each else "anything"


def _range(form: Form) -> str:
    if form.least is not None:
        low = _number(form.least)
        return f" from {low} on" if form.most is None else f" from {low} to {_number(form.most)}"
    bounds = {"above": form.above, "below": form.below, "at most": form.most}
    told = [f"{word} {_number(bound)}" for word, bound in bounds.items() if bound is not None]
    return f" {' and '.join(told)}" if told else ""


def _number(bound: float) -> str:
    return f"{int(bound) if bound == int(bound) else bound:,}"
