"""The markup of whoever shows a segment: colours, and words of others kept from being any. Pure."""

import json
import re
from collections.abc import Callable
from html import escape
from typing import Literal

from tollkeeper.segment.fields import Tone

Style = Literal["plain", "ansi", "tmux", "zsh", "bash", "starship", "waybar", "polybar"]

# What a ``%`` may stand before.
BRACE = re.compile(r"(?:^|(?<=%))\{")
NAMES: dict[Tone, str] = {"warned": "yellow", "spent": "red"}
CODES: dict[Tone, str] = {"warned": "33", "spent": "31"}
HUES: dict[Tone, str] = {"warned": "#e5a50a", "spent": "#e01b24"}


def plain(text: str, tone: Tone) -> str:
    """As it reads, without colours."""
    return text


def ansi(text: str, tone: Tone) -> str:
    """For terminals, by escape codes (ECMA-48)."""
    return f"\x1b[{CODES[tone]}m{text}\x1b[0m" if tone in CODES else text


def starship(text: str, tone: Tone) -> str:
    """For starship, which keeps escape codes, ``$`` and backquotes from the shell, but with a
    backslash before them fails to (1.26 in bash).
    """
    return ansi(text.replace("\\", "·"), tone)


def tmux(text: str, tone: Tone) -> str:
    """For tmux(1), FORMATS and STYLES: ``#`` begins markup, and ``##`` is one as text."""
    text = text.replace("#", "##")
    return f"#[fg={NAMES[tone]}]{text}#[fg=default]" if tone in NAMES else text


def zsh(text: str, tone: Tone) -> str:
    """For prompts of zsh, see zshmisc(1), EXPANSION OF PROMPT SEQUENCES: ``%%`` is one as text.

    Under ``PROMPT_SUBST`` a prompt is expanded first. What begins an expansion has nothing behind
    it (``%{%}``) and so begins none; a backquote can't be kept from it, and is another quote.
    """
    text = text.replace("%", "%%").replace("`", "'")
    text = text.replace("\\", r"\%{%}").replace("$", "$%{%}")
    return f"%F{{{NAMES[tone]}}}{text}%f" if tone in NAMES else text


def bash(text: str, tone: Tone) -> str:
    r"""For PS1 of bash(1), PROMPTING: it is decoded first, and what comes of that is expanded.

    So ``\\`` makes the backslash that keeps what follows it from being expanded.
    """
    text = text.replace("\\", r"\\\\").replace("$", r"\\$").replace("`", r"\\`")
    if tone not in CODES:
        return text
    return rf"\[\e[{CODES[tone]}m\]{text}\[\e[0m\]"


def polybar(text: str, tone: Tone) -> str:
    """For polybar's formatting tags: ``%{`` begins one, and there is no way to write it as text."""
    text = BRACE.sub(" {", text)
    return f"%{{F{HUES[tone]}}}{text}%{{F-}}" if tone in HUES else text


def waybar(text: str, tone: Tone, rows: list[str]) -> str:
    """For waybar-custom(5): a line of JSON, whose text is Pango markup, and whose class a colour."""
    tooltip = "\n".join(map(_markup, rows))
    shown = {"text": _markup(text), "tooltip": tooltip, "class": tone}
    return json.dumps(shown, ensure_ascii=False)


def _markup(text: str) -> str:
    return escape(text, quote=False)


STYLES: dict[Style, Callable[[str, Tone], str]] = {
    "plain": plain,
    "ansi": ansi,
    "tmux": tmux,
    "zsh": zsh,
    "bash": bash,
    "starship": starship,
    "waybar": plain,
    "polybar": polybar,
}
