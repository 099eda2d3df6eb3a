"""Segments: the state of things in one line, for status lines and prompts. Pure.

A format is text with fields in braces: ``[{agents} | {plan}]``. A mark between spaces parts it; a
part none of whose fields has anything to say vanishes, and its mark with it.
"""

from tollkeeper.segment.fields import FIELDS
from tollkeeper.segment.format import FormatError, check
from tollkeeper.segment.presets import BRIEF, PRESETS, WITHOUT_USAGE
from tollkeeper.segment.render import render
from tollkeeper.segment.styles import STYLES, Style

__all__ = [
    "BRIEF",
    "FIELDS",
    "PRESETS",
    "STYLES",
    "WITHOUT_USAGE",
    "FormatError",
    "Style",
    "check",
    "render",
]
