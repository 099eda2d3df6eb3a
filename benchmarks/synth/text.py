"""Text that looks like work: prose, code, command output. Made once, then cut into slices.

A pool is one long run of JSON-escaped lines. A text is a slice of it between two line ends, so
composing a log line costs a copy and no escaping.
"""

import json
from base64 import b64encode
from bisect import bisect_left
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from msgspec import Struct

POOL_BYTES: Final = 2_000_000
OPAQUE_BYTES: Final = 600_000

NOUNS_TEXT: Final = """
account batch branch budget buffer cache cart catalog channel client clock column commit
config cursor customer daemon decoder discount encoder entry event fixture frame gateway
handler header index invoice ledger limit listener message model module offset order packet
parser payload payment price process queue reader record registry request response retry
route schema session shard snapshot socket stage stock stream table task tenant thread token
tracker transaction upload user validator vendor webhook window worker
"""
VERBS_TEXT: Final = """
add apply append build check clear close collect commit compute copy decode delete drain
emit encode fetch filter find flush format freeze handle insert join load lock map merge
notify open parse patch poll publish read rebuild reduce release remove render reset resolve
retry rotate save scan send sort split start stop store sync trim update validate watch wrap
"""
PLAIN_TEXT: Final = """
the a this that each every now then so because when before after already still only once
again instead fails passes returns holds needs looks wrong right missing empty stale slow
fast first last next same other of in on for with without from into by and but or not is
was are should must will would can test file line case path value type change fix reason
"""
TYPES: Final = ("str", "int", "bytes", "float", "bool", "Path", "list[str]", "Decimal", "datetime")
NOUNS: Final = tuple(NOUNS_TEXT.split())
VERBS: Final = tuple(VERBS_TEXT.split())
PLAIN: Final = tuple(PLAIN_TEXT.split())
FOREIGN: Final = (
    "größer",
    "naïve",
    "café",
    "→",
    "—",
    "✓",
    "日本語",
    "…",
    "résumé",
    "·",
    "🚀",
    "слово",
)
CODE: Final = (
    "def {verb}_{noun}(self, {noun2}: {type}, *, limit: int = {n}) -> {type2}:",
    '    if not self.{noun}.{verb}({noun2}, key="{noun3}"):',
    '        raise ValueError(f"{noun} {{{noun2}!r}} has no {noun3}")',
    "    {noun} = [{noun2} for {noun2} in self._{noun3}s if {noun2}.{verb}ed_at > {n}]",
    '    return {noun}.{verb}("{noun2}_{n}", {noun3}={n})',
    '        self.log.warning("{verb} {noun} %s: %d left\\n", {noun2}, {n})',
    '    pattern = re.compile(r"^\\s*{noun}[\\w.-]+\\\\{noun2}\\.(\\d+)$")',
    "\tif err := {noun}.{verb}(ctx, &{noun2}); err != nil {{",
    '\t\treturn fmt.Errorf("{verb} {noun}: %w", err)',
    "\t}}",
    "export const {verb}{noun} = async ({{ {noun2}, {noun3} = {n} }}) => {{",
    "  const {noun} = await {noun2}.{verb}({{ id: '{noun3}', limit: {n} }});",
    '  expect({noun}.{noun2}).toEqual(["{noun3}", {n}]);',
    "}};",
    "",
    "",
    "class {noun}_{noun2}(Base):",
    '    """What one {noun} knows about its {noun2}s."""',
    "    # {foreign} {plain} {noun} {plain2} {verb} {plain3} {noun2}",
    "    {noun}: {type} = field(default={n})",
    "SELECT {noun}_id, sum({noun2}) FROM {noun3}s WHERE {noun} = '{verb}' GROUP BY 1;",
    '  "{noun}": {{"{noun2}": {n}, "{verb}": "C:\\\\src\\\\{noun3}"}},',
)
OUTPUT: Final = (
    "tests/{noun}/test_{verb}_{noun2}.py::test_{verb}_{noun3} PASSED [ {n2}%]",
    "tests/{noun}/test_{noun2}.py::test_{plain}_{noun3} FAILED {foreign}",
    'src/{noun}/{noun2}.py:{n}:{n2}: error: "{noun3}" has no attribute "{verb}"',
    "-rw-r--r-- 1 dev dev {n} Nov {n2} 10:{n2} src/{noun}/{verb}_{noun2}.py",
    "2026-11-{n2}T10:{n2}:07.{n}Z INFO {noun}.{noun2} {verb} id={n} took={n2}ms",
    "+    {noun} = {noun2}.{verb}({noun3}, {n})",
    '-    {noun} = {verb}_{noun2}("{noun3}")',
    "@@ -{n},{n2} +{n},{n2} @@ def {verb}_{noun}({noun2}):",
    "\x1b[32m✓\x1b[39m {verb}s the {noun} {plain} {noun2} \x1b[2m({n2} ms)\x1b[22m",
    "src/{noun}/{noun2}.ts:{n}:  const {noun3} = await {verb}('{noun}');",
    "Successfully {verb}ed {noun}-{n2}.{n2}.{n}",
    '{{"{noun}":"{noun2}","{verb}":{n},"{noun3}":["{plain}",{n2}]}}',
)
PROSE: Final = (
    "The {noun} {plain} {plain2} {noun2}: `{verb}_{noun3}` {plain3} {plain4} {noun4}.",
    "I'll {verb} the {noun} {plain} {verb2} {plain2} {noun2} {plain3} {plain4} {noun3}.",
    '- **{noun}** {foreign} {plain} {plain2} {verb} "{noun2}" {plain3} {noun3}',
    "{plain} the {noun} {plain2} {noun2} {plain3} {verb} {noun3} {plain4} {noun4}; then {plain}.",
    "Now let me {verb} `src/{noun}/{noun2}.py` and {verb2} {plain} {noun3} {plain2} {noun4}.",
    "",
    "1. {verb} {plain} {noun} ({n} {noun2}s), {plain2} {plain3} {verb2} {noun3}",
    "That {plain} {plain2}: {noun} {plain3} {n} {noun2}s {plain4} {noun3} {plain} {noun4}.",
)


class Pool(Struct, frozen=True):
    """Escaped text and the places where it can be cut."""

    text: bytes
    ends: list[int]

    def take(self, rng: Random, size: int) -> bytes:
        """Give a text of about so many bytes."""
        start = int(rng.random() * max(1, len(self.text) - size))
        first = min(bisect_left(self.ends, start), len(self.ends) - 2)
        last = bisect_left(self.ends, start + size, first + 1, len(self.ends) - 1)
        return self.text[self.ends[first] : self.ends[last]]


class Pools(Struct, frozen=True):
    """All the text of a corpus. `opaque` is base64: signatures and images."""

    prose: Pool
    code: Pool
    numbered: Pool
    output: Pool
    opaque: bytes

    def blob(self, rng: Random, size: int) -> bytes:
        """Give base64 of exactly so many bytes."""
        start = int(rng.random() * max(1, len(self.opaque) - size))
        return self.opaque[start : start + size]


def make_pools(rng: Random) -> Pools:
    """Make the pools of one seed."""
    code = _lines(rng, CODE)
    numbered = [f"{number % 1800 + 1:6d}→{line}" for number, line in enumerate(code)]
    return Pools(
        prose=_pool(_lines(rng, PROSE)),
        code=_pool(code),
        numbered=_pool(numbered),
        output=_pool(_lines(rng, OUTPUT)),
        opaque=b64encode(rng.randbytes(OPAQUE_BYTES)),
    )


def _lines(rng: Random, templates: Sequence[str]) -> list[str]:
    size = 0
    lines: list[str] = []
    formats: list[Callable[..., str]] = [template.format for template in templates]
    while size < POOL_BYTES:
        indent = "    " * int(rng.random() * 3) if templates is CODE else ""
        line = indent + rng.choice(formats)(**_slots(rng))
        lines.append(line)
        size += len(line) + 1
    return lines


def _slots(rng: Random) -> dict[str, str | int]:
    noun, noun2, noun3, noun4 = rng.choices(NOUNS, k=4)
    verb, verb2 = rng.choices(VERBS, k=2)
    plain, plain2, plain3, plain4 = rng.choices(PLAIN, k=4)
    kind, kind2 = rng.choices(TYPES, k=2)
    return {
        "noun": noun,
        "noun2": noun2,
        "noun3": noun3,
        "noun4": noun4,
        "verb": verb,
        "verb2": verb2,
        "plain": plain,
        "plain2": plain2,
        "plain3": plain3,
        "plain4": plain4,
        "type": kind,
        "type2": kind2,
        "foreign": rng.choice(FOREIGN) if rng.random() < 0.15 else "",
        "n": int(rng.random() * 900) + 100,
        "n2": int(rng.random() * 90) + 10,
    }


def _pool(lines: Sequence[str]) -> Pool:
    pieces = [json.dumps(line + "\n", ensure_ascii=False)[1:-1].encode() for line in lines]
    ends = [0]
    for piece in pieces:
        ends.append(ends[-1] + len(piece))
    return Pool(text=b"".join(pieces), ends=ends)
