"""Settings of any content, written in any way that JSON allows."""

import json
from typing import Any, cast

from hypothesis import strategies as st

EVENTS = ("PreToolUse", "Stop", "PostToolUse", "TeammateIdle")
SPACES = ("", "", "", " ", "\n", "\n  ", "\n\t", "\r\n  ", "  ")


def _commands() -> st.SearchStrategy[dict[str, Any]]:
    commands = st.sampled_from(["date", "toll hook", "~/bin/lint 'x y'", "é"])
    return st.fixed_dictionaries(
        {"type": st.just("command"), "command": commands},
        optional={"timeout": st.integers(1, 60)},
    )


def _groups() -> st.SearchStrategy[list[dict[str, Any]]]:
    matchers = st.sampled_from(["", "*", "Bash", "Edit|Write"])
    group = st.fixed_dictionaries(
        {"hooks": st.lists(_commands(), max_size=2)}, optional={"matcher": matchers}
    )
    return st.lists(group, max_size=2)


def _settings() -> st.SearchStrategy[dict[str, Any]]:
    """What the client's settings may hold."""
    leaves = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text()
    )
    values = st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    )
    line = st.fixed_dictionaries(
        {"type": st.just("command"), "command": st.text(max_size=20)},
        optional={"padding": st.integers(0, 2)},
    )
    names = st.text(max_size=8).filter(lambda name: name not in ("hooks", "statusLine"))
    known = st.fixed_dictionaries(
        {},
        optional={
            "hooks": st.dictionaries(st.sampled_from(EVENTS), _groups(), max_size=3),
            "statusLine": line,
            "permissions": st.just({"allow": ["Bash(ls:*)", "Read"]}),
        },
    )
    others = st.dictionaries(names, values, max_size=4)
    return st.builds(_shuffled, known, others, st.randoms(use_true_random=False))


def _shuffled(known: dict[str, Any], others: dict[str, Any], random: Any) -> dict[str, Any]:
    pairs = [*known.items(), *others.items()]
    random.shuffle(pairs)
    return dict(pairs)


@st.composite
def settings_texts(draw: st.DrawFn) -> str:
    """A text that is settings: by a common style, or with spaces and escapes anywhere."""
    settings = draw(_settings())
    indent = draw(st.sampled_from([None, 0, 1, 2, 4, "\t", "wild"]))
    if indent == "wild":
        space = draw(st.sampled_from(SPACES)) + _Wild(draw).written(settings)
        return space + draw(st.sampled_from(SPACES))
    compact = (",", ":") if draw(st.booleans()) and indent is None else None
    text = json.dumps(settings, indent=indent, ensure_ascii=draw(st.booleans()), separators=compact)
    text += draw(st.sampled_from(["", "\n"]))
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


class _Wild:
    """Writes JSON with any space wherever some may stand."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def written(self, value: Any) -> str:
        if isinstance(value, dict):
            pairs = cast("dict[str, Any]", value).items()
            return self._within("{", [self._pair(*pair) for pair in pairs], "}")
        if isinstance(value, list):
            items = cast("list[Any]", value)
            return self._within("[", [self.written(item) for item in items], "]")
        return json.dumps(value, ensure_ascii=self._draw(st.booleans()))

    def _pair(self, name: str, value: Any) -> str:
        return f"{json.dumps(name)}{self._space()}:{self._space()}{self.written(value)}"

    def _within(self, left: str, parts: list[str], right: str) -> str:
        spaced = ",".join(f"{self._space()}{part}{self._space()}" for part in parts)
        return f"{left}{spaced or self._space()}{right}"

    def _space(self) -> str:
        return self._draw(st.sampled_from(SPACES))
